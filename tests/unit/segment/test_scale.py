"""Masks of floats do not depend on their scale: here by powers of two, which keep all digits."""

import tempfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import filters as skimage_filters

from tilewise.segment import global_thresholds, local_thresholds, sample_histogram
from tilewise.segment.class_histogram import class_histogram
from tilewise.segment.class_histogram import histogram as histogram_of_classes
from tilewise.segment.extent import extent
from tilewise.segment.filtered import Filtered
from tilewise.segment.filters import FILTERS, apply_chain
from tilewise.segment.guard import Outcome
from tilewise.segment.histograms import contrast_to_noise, histogram, separability
from tilewise.segment.outcomes import outcome_of
from tilewise.segment.segmenters import Segmenter, segment_region
from tilewise.segment.thresholds import find_threshold
from tilewise.store.class_histograms import merge
from tilewise.store.grid import Grid, Region
from tilewise.store.parts import Part
from tilewise.tables import SAMPLE

SHAPE = (48, 64)
GRID = Grid((1, *SHAPE), 16, (1, 16, 32))
WHOLE = Region(0, 1, 0, SHAPE[0], 0, SHAPE[1])
TRUTH = np.tile(np.array([0, 0, 1, 255], np.uint8), (SHAPE[0], SHAPE[1] // 4))
POWERS = st.integers(-100, 100)
METHODS = {
    **{
        name: (name, {})
        for name in global_thresholds.GLOBAL
        if name not in ("manual", "multiotsu", "circular")
    },
    "multiotsu": ("multiotsu", {"classes": 3, "foreground": [0, 2]}),
    "hysteresis": ("hysteresis", {"low": "li", "high": "otsu"}),
}
SCOPES = ("tile", "plane", "sample", "calibrated")
LOCAL = {
    "adaptive": {"size": 15},
    "adaptive, mean": {"size": 15, "weights": "mean"},
    "niblack": {"size": 9},
    "sauvola": {"size": 9, "k": 0.1, "r": 32.0},
}
CHAINS = [
    ["invert"],
    [{"median": 3}],
    [{"median": 5}],
    [{"median": 9}],
    [{"gaussian": 1.5}],
    ["equalize"],
    ["rescale"],
    [{"tophat": 7}],
    [{"tophat": {"size": 7, "dark": True}}],
    [{"destripe": {"axis": "rows", "size": 9}}],
    [{"destripe": {"axis": "columns", "size": 9}}],
    [{"unsharp": 2}],
    [{"deconvolve": {"sigma": 1, "iterations": 4}}],
    [{"ridge": [1, 2]}],
    [{"ridge": {"sigmas": 2, "measure": "frangi"}}],
    [{"dog": 1.5}],
    [{"matched": 1.5}],
    [{"nlm": {"patch": 3, "distance": 3}}],
    [{"wavelet": {"shape": "db2", "levels": 2}}],
    [{"wavelet": {"shape": "db1", "rule": "visu"}}],
    *(
        [{"background": {"method": method, "size": 15, "mode": mode}}]
        for method in ("median", "opening", "gaussian")
        for mode in ("subtract", "divide")
    ),
]


def two_classes(random):
    y, x = np.indices(SHAPE)
    return random.normal(60, 12, SHAPE) + 90 * ((x // 9 + y // 11) % 4 == 0)


def around_zero(random):
    return random.normal(0, 10, SHAPE)


def tail(random):
    return 500 - random.exponential(20, SHAPE).clip(0, 900)


def few_levels(random):
    return random.choice(random.integers(-50, 300, 5), SHAPE)


def make(kind, seed):
    """Pixels of a kind, one tile of which is constant.

    They are zero or between 2**-20 and 2**10: normal numbers at all scales of the tests.
    """
    values = kind(np.random.default_rng(seed))
    values[:16, :16] = values[0, 0]
    return np.where(np.abs(values) < 2**-20, 0, values).astype(np.float32)


IMAGES = st.builds(
    make,
    st.sampled_from((two_classes, around_zero, tail, few_levels)),
    st.integers(0, 2**32 - 1),
)


def scaled(pixels, power):
    return pixels * np.float32(2.0**power)


class Whole:
    """Reads regions of a plane."""

    def __init__(self, pixels):
        self._pixels = pixels

    def read(self, region):
        return self._pixels[region.y0 : region.y1, region.x0 : region.x1]


def histogram_of_blocks(pixels):
    """As the jobs of a sample of several blocks count it."""
    filtered = Filtered(Whole(pixels), [], GRID, "float32")
    parts = [Part("sample", GRID, block, 0) for block in GRID.blocks()]
    extents = [extent(filtered, part, 1) for part in parts]
    bounds = min(low for low, _ in extents), max(high for _, high in extents)
    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/{number}.npz" for number in range(len(parts))]
        for part, path in zip(parts, files, strict=True):
            sample_histogram.count(filtered, part, 1, bounds).write(path)
        return sample_histogram.merge(map(sample_histogram.read, files))


def histogram_of_one_block(pixels):
    grid = replace(GRID, block=(1, 48, 64))
    filtered = Filtered(Whole(pixels), [], grid, "float32")
    return sample_histogram.of_sample(filtered, Part("sample", grid, "0/0/0", 0), 1)


def histogram_of_annotated_tiles(pixels):
    """Of two tiles."""
    halves = [(pixels[:, :32], TRUTH[:, :32]), (pixels[:, 32:], TRUTH[:, 32:])]
    return histogram_of_classes(merge([class_histogram(*half) for half in halves]), "float32")


def result(pixels, segmenter):
    """Mask and thresholds of a plane."""
    sample = None
    if segmenter.scope == "calibrated":
        sample = Outcome(SAMPLE, segmenter.find_threshold(*histogram_of_annotated_tiles(pixels)))
    elif not segmenter.is_local:
        sample = outcome_of(histogram_of_blocks(pixels), segmenter)
        assert sample == outcome_of(histogram_of_one_block(pixels), segmenter)
    mask, thresholds = segment_region(pixels, WHOLE, WHOLE, GRID, segmenter, sample)
    return mask, list(thresholds.values())


def assert_same_at_scale(pixels, power, segmenter):
    mask, thresholds = result(pixels, segmenter)
    other_mask, others = result(scaled(pixels, power), segmenter)
    np.testing.assert_array_equal(other_mask, mask)
    assert others == [threshold_at_scale(one, power) for one in thresholds]


def threshold_at_scale(threshold, power):
    factor = 2.0**power
    difference = None if threshold.difference is None else threshold.difference * factor
    values = tuple(value * factor for value in threshold.values)
    return replace(threshold, values=values, difference=difference)


def segmenter_of(method, scope, foreground="bright", **limits):
    limits = {"min_contrast": 0.0, "min_separability": 0.0, "weak": "auto"} | limits
    return Segmenter(*METHODS[method], scope, foreground, fallback="sample", cleanup=[], **limits)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=8, deadline=None)
@given(pixels=IMAGES, power=POWERS, foreground=st.sampled_from(("bright", "dark")))
def test_global_thresholds(method, scope, pixels, power, foreground):
    assert_same_at_scale(pixels, power, segmenter_of(method, scope, foreground))


@pytest.mark.parametrize("scope", ["tile", "plane"])
@settings(max_examples=20, deadline=None)
@given(
    pixels=IMAGES,
    power=POWERS,
    limits=st.sampled_from(
        ({"min_contrast": 2.65}, {"min_contrast": 4.0}, {"min_separability": 0.65})
    ),
)
def test_guard(scope, pixels, power, limits):
    assert_same_at_scale(pixels, power, segmenter_of("otsu", scope, **limits))


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("method", METHODS)
def test_methods_find_two_classes(method, scope):
    """So that equal masks above are no empty ones."""
    pixels = make(two_classes, 1)
    mask, _ = result(pixels, segmenter_of(method, scope))
    assert np.unique(mask).tolist() == [0, 1]


@pytest.mark.parametrize("method", LOCAL)
@settings(max_examples=25, deadline=None)
@given(pixels=IMAGES, power=POWERS)
def test_local_thresholds(method, pixels, power):
    name, own = method.split(",")[0], LOCAL[method]
    surface = local_thresholds.LOCAL[name].surface
    other = {**own, "r": own["r"] * 2.0**power} if "r" in own else own
    mask = pixels > surface(pixels, **own)
    assert np.unique(mask).tolist() == [0, 1]
    large = scaled(pixels, power)
    np.testing.assert_array_equal(large > surface(large, **other), mask)


@pytest.mark.parametrize("chain", CHAINS, ids=str)
@settings(max_examples=15, deadline=None)
@given(pixels=IMAGES, power=POWERS)
def test_filters(chain, pixels, power):
    segmenter = segmenter_of("otsu", "tile", min_contrast=3.0)
    mask, _ = result(apply_chain(pixels, chain), segmenter)
    other, _ = result(apply_chain(scaled(pixels, power), chain), segmenter)
    np.testing.assert_array_equal(other, mask)


@settings(max_examples=15, deadline=None)
@given(pixels=IMAGES, power=POWERS)
def test_a_filter_with_a_difference_of_grey_levels(pixels, power):
    segmenter = segmenter_of("otsu", "tile", min_contrast=3.0)
    masks = [
        result(apply_chain(plane, [{"bilateral": {"size": 5, "levels": levels}}]), segmenter)[0]
        for plane, levels in ((pixels, 20.0), (scaled(pixels, power), 20.0 * 2.0**power))
    ]
    np.testing.assert_array_equal(*masks)


def test_every_filter_of_floats_is_tested():
    names = {name if isinstance(name, str) else next(iter(name)) for (name,) in CHAINS}
    assert names == set(FILTERS) - {"clahe", "bilateral"}


@pytest.mark.parametrize("power", [-100, -80, -43, 43, 80, 100])
@pytest.mark.parametrize("method", ["otsu", "yen", "isodata", "triangle", "li", "mean"])
def test_large_and_small_floats_by_scikit_image_in_double_precision(method, power):
    # of some grey levels between the edges of the bins, where both have the same histogram
    random = np.random.default_rng(3)
    levels = random.normal(90, 12, SHAPE) + 100 * (random.random(SHAPE) < 0.3)
    levels = np.clip(np.rint(levels), 0, 255)
    levels[0, :2] = 0, 255
    pixels = scaled((levels + 300).astype(np.float32), power)
    counts, centers = histogram(pixels)
    found = global_thresholds.GLOBAL[method](counts, centers)
    expected = getattr(skimage_filters, f"threshold_{method}")(pixels.astype(np.float64))
    if method in ("li", "mean"):
        # there from the pixels, here from the bins
        assert abs(found - expected) < centers[1] - centers[0]
    else:
        assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("value", [0.0, -7.0, 1e-38, 1e5, 70000.0, 1e12, 3e38])
def test_constant_floats_of_any_value_have_no_threshold(value):
    pixels = np.full(SHAPE, value, np.float32)
    for counts, centers in (histogram(pixels), histogram_of_annotated_tiles(pixels)):
        assert np.count_nonzero(counts) == 1
        assert find_threshold(counts, centers, "otsu", {}).note == "no threshold: constant"


@pytest.mark.parametrize("value", [1e-30, 1000.0, 1e30])
@pytest.mark.parametrize("method", [name for name in METHODS if name != "minimum"])
def test_floats_that_differ_in_their_last_digit_are_told_apart(method, value):
    low = np.float32(value)
    pixels = np.full(SHAPE, low)
    pixels[5:9, 5:9] = np.nextafter(low, np.float32(np.inf))
    name, own = METHODS[method]
    if name == "multiotsu":
        own = {"classes": 2, "foreground": None}
    found = find_threshold(*histogram(pixels), name, own)
    assert found.separability == pytest.approx(1)
    np.testing.assert_array_equal(pixels > found.values[-1], pixels > low)


@pytest.mark.parametrize("method", [name for name in METHODS if name != "hysteresis"])
def test_pixels_over_the_whole_range_of_single_precision(method):
    # four grey levels, at the lower edge of bins 0, 85, 170 and at the end
    greatest = float(np.finfo(np.float32).max)
    levels = np.array([-3, -1, 1, 3], np.float32) * np.float32(greatest / 3)
    pixels = np.repeat(levels, [40, 900, 300, 20]).reshape(20, 63)
    small = scaled(pixels, -100)
    name, own = METHODS[method]
    found, expected = (find_threshold(*histogram(one), name, own) for one in (pixels, small))
    assert found == threshold_at_scale(expected, 100)
    assert found.values


@pytest.mark.parametrize("step", ["destripe", {"destripe": "columns"}, {"tophat": 3}, "rescale"])
def test_filters_of_the_greatest_floats_are_finite(step):
    greatest = np.finfo(np.float32).max
    pixels = np.full((6, 8), -greatest)
    pixels[2:4, 3] = pixels[:, 6] = greatest
    assert np.isfinite(apply_chain(pixels, [step])).all()


@pytest.mark.parametrize("power", [-120, -60, 0, 60, 120])
def test_contrast_and_separability_by_hand(power):
    counts = np.array([4, 0, 4, 0, 0, 0, 0, 0, 0, 2])
    levels = scaled(np.arange(10, dtype=np.float32), power)
    # background 0 and 2: mean 1, sd 1; foreground 9
    assert contrast_to_noise(counts, levels, levels[5]) == 8
    # mean 2.6; between: 8 * 1.6 ** 2 + 2 * 6.4 ** 2; within: 8
    assert separability(counts, levels, levels[5]) == pytest.approx(102.4 / 110.4)


def test_contrast_to_a_constant_background_is_infinite():
    # three times 0.1 is not 0.3
    counts, levels = np.array([3, 0, 1]), np.array([0.1, 0.2, 0.3])
    assert contrast_to_noise(counts, levels, 0.1) == np.inf
