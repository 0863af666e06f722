"""The guard: by hand, and against the rule written out again on the pixels themselves."""

import math

import numpy as np
import pytest
from kinds import KINDS
from skimage.filters import threshold_otsu, threshold_yen

from tilewise.segment.filtered import Filtered
from tilewise.segment.guard import Limits, Outcome, least_difference
from tilewise.segment.histograms import Split, histogram, split
from tilewise.segment.outcomes import asks_sample, outcome_of, outcomes_of
from tilewise.segment.sample_histogram import merge, of_sample, read
from tilewise.segment.segmenters import Segmenter, segment_tiles
from tilewise.segment.thresholds import Threshold, find_threshold, otsu_split
from tilewise.store.grid import Grid
from tilewise.store.parts import Part

LIMITS = Limits(5, 0)
CLEAR = Threshold((10.0,), 0.9, 8.0, 40.0)
DOUBTFUL = Threshold((10.0,), 0.6, 3.0, 12.0)
SAMPLE = Threshold((20.0,), 0.9, 7.0, 50.0)


def segmenter_of(threshold="otsu", **words):
    known = {"settings": {}, "scope": "tile", "foreground": "bright", "min_contrast": 5}
    known |= {"min_separability": 0, "fallback": "sample", "weak": "auto", "cleanup": []}
    return Segmenter(threshold, **known | words)


def test_a_clear_tile_keeps_its_own_threshold():
    for outcome in (Outcome("sample", SAMPLE), Outcome("empty"), Outcome("own", is_weak=True)):
        assert outcome.of(CLEAR, LIMITS) is CLEAR
        constant = Threshold(note="no threshold: constant")
        assert outcome.of(constant, LIMITS) is constant


@pytest.mark.parametrize(
    ("outcome", "values", "guard", "note"),
    [
        (Outcome("sample", SAMPLE), (20.0,), "sample", ": threshold of the sample"),
        (Outcome("empty"), (), "empty", ": empty"),
        (Outcome("own", SAMPLE, True), (10.0,), "weak, own", "its own threshold"),
        (Outcome("own", SAMPLE, True, 12.0), (10.0,), "weak, own", "its own threshold"),
        # its classes lie nearer than half of what they do in clear tiles
        (Outcome("own", SAMPLE, True, 12.5), (), "weak, empty", "as in the whole sample: empty"),
        (Outcome("empty", SAMPLE, True), (), "weak, empty", "as in the whole sample: empty"),
        (Outcome("sample", SAMPLE, True), (20.0,), "weak, sample", "threshold of the sample"),
    ],
)
def test_what_a_doubtful_tile_gets(outcome, values, guard, note):
    used = outcome.of(DOUBTFUL, LIMITS)
    assert (used.values, used.guard) == (values, guard)
    assert used.note.startswith("contrast 3 is below 5")
    assert used.note.endswith(note)
    # what speaks against it stays
    assert (used.contrast, used.separability) == (3.0, 0.6)
    assert Outcome.from_json(outcome.to_json()) == outcome


def test_infinite_contrast_is_clear_and_said():
    padded = Threshold((0.0,), 0.9, math.inf, 100.0)
    assert Outcome("empty").of(padded, LIMITS) == Threshold(
        (0.0,), 0.9, math.inf, 100.0, guard="infinite"
    )
    assert Outcome("empty").of(padded, Limits(0.5, 0)).guard == "infinite"
    # without a guard there is nothing to say
    assert Outcome("empty").of(padded, Limits(0, 0)) is padded


def test_separability_is_a_limit_too():
    assert (
        Outcome("empty").of(CLEAR, Limits(5, 0.95)).note == "separability 0.9 is below 0.95: empty"
    )


def test_classes_by_hand():
    counts, levels = np.array([4, 0, 4, 0, 0, 0, 0, 0, 0, 2]), np.arange(10)
    own = split(counts, levels, 5)
    assert (own.dark_mean, own.bright_mean, own.dark_sd, own.bright_sd) == (1, 9, 1, 0)
    assert (own.difference, own.contrast("bright"), own.contrast("dark")) == (8, 8, math.inf)
    assert split(counts, levels, 9) is None
    # Otsu's evidence, whatever the method: here 2 | 9 is split at 2, and the mean is 2.6
    assert find_threshold(counts, levels, "mean", {}).difference == 8


def splits_of(*classes):
    """Splits with a deviation of 1 of both classes."""
    return [None if pair is None else Split(*pair, 1, 1, 0.7) for pair in classes]


def test_least_difference_by_hand():
    clear = [(0, 10), (5, 25), (0, 16)]
    # 10, 20 and 16: the median is 16
    assert least_difference(splits_of(*clear, (0, 3), None), LIMITS, "bright") == 8
    # a single clear tile may be dirt
    assert least_difference(splits_of((0, 90), (0, 3), (0, 3)), LIMITS, "bright") == 0
    assert least_difference([], LIMITS, "bright") == 0
    # padding is no measure of objects
    padding = [Split(0, 200, 0, 9, 0.9)] * 3
    assert least_difference([*padding, *splits_of(*clear)], LIMITS, "bright") == 8
    # of a dark foreground its background has a deviation of 9: 10, 16, 20 and three times 200
    assert least_difference([*padding, *splits_of(*clear)], LIMITS, "dark") == 55


def noise(name, size=10**6):
    random = np.random.default_rng(3)
    return {
        "normal": lambda: random.normal(0, 1, size),
        "rayleigh": lambda: random.rayleigh(1, size),
        "uniform": lambda: random.uniform(0, 1, size),
        "gamma": lambda: random.gamma(2, 1, size),
        "exponential": lambda: random.exponential(1, size),
    }[name]()


@pytest.mark.parametrize(
    ("name", "contrast"),
    [("normal", 2.65), ("rayleigh", 3.3), ("uniform", 3.46), ("gamma", 3.9), ("exponential", 4.6)],
)
def test_noise_is_never_clear(name, contrast):
    pixels = np.rint(noise(name) * 1000).clip(-32768, 32767).astype(np.int16)
    own = otsu_split(*histogram(pixels))
    assert own.contrast("bright") == pytest.approx(contrast, abs=0.06)
    assert own.contrast("bright") < segmenter_of().min_contrast


class Plane:
    """Pixels that are read as from blocks."""

    def __init__(self, pixels):
        self._pixels = pixels

    def read(self, region):
        return self._pixels[region.y0 : region.y1, region.x0 : region.x1]


def mask_of(plane, segmenter, tile):
    grid = Grid((1, *plane.shape), tile, (1, *plane.shape))
    filtered = Filtered(Plane(plane), [], grid, plane.dtype.name)
    part = Part("a", grid, "0/0/0", 0)
    sample = of_sample(filtered, part, 1)
    outcome = outcome_of(sample, segmenter)
    region, mask = grid.region("0/0/0"), np.zeros(plane.shape, np.uint8)
    tiles = grid.tiles_in(region)
    for own, pixels, *_ in segment_tiles(filtered, region, tiles, segmenter, outcome):
        inner = grid.tile_region(own)
        mask[inner.y0 : inner.y1, inner.x0 : inner.x1] = pixels
    return mask, sample


def mask_by_the_rule(plane, method, foreground, tile, least=5):
    """The rule on pixels, with thresholds of scikit-image."""

    def classes(pixels):
        bright = pixels > threshold_otsu(pixels)
        means = pixels[~bright].mean(), pixels[bright].mean()
        background = pixels[bright] if foreground == "dark" else pixels[~bright]
        difference = means[1] - means[0]
        return difference, difference / background.std() if background.std() else math.inf

    def above(pixels, threshold):
        return pixels <= threshold if foreground == "dark" else pixels > threshold

    places = [
        np.s_[y : y + tile, x : x + tile]
        for y in range(0, plane.shape[0], tile)
        for x in range(0, plane.shape[1], tile)
    ]
    places = [place for place in places if plane[place].min() < plane[place].max()]
    measured = [classes(plane[place]) for place in places]
    of_clear = [difference for difference, contrast in measured if least <= contrast < math.inf]
    half = np.median(of_clear) / 2 if len(of_clear) > 1 else 0
    mask = np.zeros(plane.shape, bool)
    for place, (difference, contrast) in zip(places, measured, strict=True):
        pixels = plane[place]
        if contrast >= least:
            mask[place] = above(pixels, method(pixels))
        elif classes(plane)[1] >= least:
            mask[place] = above(pixels, method(plane))
        elif difference >= half:
            mask[place] = above(pixels, method(pixels))
    return mask


@pytest.mark.parametrize("tile", [128, 64])
@pytest.mark.parametrize("kind", KINDS)
def test_masks_are_those_of_the_rule(kind, tile):
    make, foreground = KINDS[kind]
    plane, _ = make()
    # a blank tile, and one of noise alone
    plane[:tile, :tile] = 80
    plane[:tile, tile : 2 * tile] = np.random.default_rng(9).normal(80, 9, (tile, tile))
    segmenter = segmenter_of(foreground=foreground)
    mask, _ = mask_of(plane, segmenter, tile)
    expected = mask_by_the_rule(plane, threshold_otsu, foreground, tile)
    np.testing.assert_array_equal(mask, expected)


def test_evidence_is_otsu_s_for_all_methods():
    make, foreground = KINDS["rare, uneven"]
    plane, _ = make()
    mask, _ = mask_of(plane, segmenter_of("yen"), 64)
    expected = mask_by_the_rule(plane, threshold_yen, foreground, 64)
    assert 0 < expected.mean() < 0.5
    np.testing.assert_array_equal(mask, expected)


def test_blocks_are_as_one(tmp_path):
    make, _ = KINDS["rare, uneven"]
    plane, _ = make()
    segmenter = segmenter_of()
    _, sample = mask_of(plane, segmenter, 64)
    grid = Grid((1, *plane.shape), 64, (1, 128, 512))
    filtered = Filtered(Plane(plane), [], grid, "uint8")
    blocks = [of_sample(filtered, Part("a", grid, block, 0), 1) for block in grid.blocks()]
    for number, block in enumerate(blocks):
        block.write(tmp_path / f"{number}.npz")
    again = merge(read(tmp_path / f"{number}.npz") for number in range(len(blocks)))
    assert outcome_of(again, segmenter) == outcome_of(sample, segmenter)
    assert all(asks_sample(block, segmenter) for block in blocks)
    assert not asks_sample(blocks[0], segmenter_of(min_contrast=0.1))


def test_outcomes_of_variants_are_those_of_each_with_its_filter():
    plane = np.where(np.arange(1600).reshape(40, 40) % 7, 10, 200).astype(np.uint8)
    grid = Grid((1, 40, 40), 20, (1, 40, 40))
    part = Part("a", grid, "0/0/0", 0)
    filters = {
        name: Filtered(Plane(plane), steps, grid, "uint8")
        for name, steps in (("image", []), ("inverted", ["invert"]))
    }
    segmenters = {"image": ("otsu", "yen"), "inverted": ("otsu",)}
    variants = [
        {"name": f"{source}-{name}", "filter": source, "segmenter": vars(segmenter_of(name))}
        for source, names in segmenters.items()
        for name in names
    ]
    found = outcomes_of(variants, filters, part, 1)
    assert found == {
        f"{source}-{name}": outcome_of(of_sample(filters[source], part, 1), segmenter_of(name))
        for source, names in segmenters.items()
        for name in names
    }
    assert found["image-otsu"] != found["inverted-otsu"]


def test_a_sample_that_is_weak_as_configured():
    make, _ = KINDS["membranes"]
    _, sample = mask_of(make()[0], segmenter_of(), 64)
    assert not outcome_of(sample, segmenter_of(min_contrast=2)).is_weak
    for words, instead in (
        ({}, "own"),
        ({"weak": "empty"}, "empty"),
        ({"weak": "sample"}, "sample"),
    ):
        outcome = outcome_of(sample, segmenter_of(foreground="dark", **words))
        assert (outcome.is_weak, outcome.instead) == (True, instead)
    # alone, without a sample to ask
    assert segmenter_of(weak="empty").outcome_alone == Outcome("empty", is_weak=True)
    assert segmenter_of().outcome_alone == Outcome("own", is_weak=True)
    assert segmenter_of(fallback="empty").outcome_alone == Outcome("empty")
