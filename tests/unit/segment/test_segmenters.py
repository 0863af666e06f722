import math
from types import SimpleNamespace

import numpy as np
import pytest
from skimage.filters import apply_hysteresis_threshold, threshold_otsu

from tilewise.segment.filtered import Filtered
from tilewise.segment.guard import Outcome
from tilewise.segment.histograms import contrast_to_noise, histogram
from tilewise.segment.segmenters import Segmenter, above, segment, segment_tiles, tile_thresholds
from tilewise.segment.thresholds import Threshold, find_threshold
from tilewise.store.grid import Grid, Region, Tile
from tilewise.tables import SAMPLE


def make(threshold="otsu", settings=None, **changes):
    words = {
        "scope": "tile",
        "foreground": "bright",
        "min_contrast": 0,
        "min_separability": 0,
        "fallback": "sample",
        "weak": "auto",
        "cleanup": [],
    }
    return Segmenter(threshold, settings or {}, **words | changes)


@pytest.fixture
def plane():
    """40 x 40: four tiles; noise, two classes, two other classes, constant."""
    random = np.random.default_rng(0)
    pixels = np.full((40, 40), 50, np.uint8)
    pixels[:20, :20] = random.normal(100, 6, (20, 20))
    pixels[:20, 20:] = random.choice([40, 180], (20, 20), p=[0.9, 0.1])
    pixels[20:, :20] = random.choice([10, 90], (20, 20), p=[0.9, 0.1])
    return pixels


GRID = Grid((1, 40, 40), 20, (1, 40, 40))
WHOLE = Region(0, 1, 0, 40, 0, 40)


def test_contrast_by_hand():
    counts = np.array([4, 0, 4, 0, 0, 0, 0, 0, 0, 2])
    levels = np.arange(10)
    # background 0 and 2: mean 1, sd 1; foreground 9
    assert contrast_to_noise(counts, levels, 5) == 8
    # dark foreground: the background is the constant 9
    assert contrast_to_noise(counts, levels, 5, "dark") == math.inf
    assert contrast_to_noise(counts, levels, 9) == 0


def test_noise_has_the_contrast_of_a_split_gaussian():
    noise = np.random.default_rng(1).normal(0, 1, 10**6).astype(np.float32)
    counts, centers = histogram(noise)
    # each half has the mean sqrt(2 / pi) and the variance 1 - 2 / pi
    expected = 2 * math.sqrt(2 / math.pi) / math.sqrt(1 - 2 / math.pi)
    assert contrast_to_noise(counts, centers, 0.0) == pytest.approx(expected, abs=0.03)


def test_constant_pixels_have_no_threshold():
    counts, centers = histogram(np.full((5, 5), 7, np.uint8))
    threshold = find_threshold(counts, centers, "otsu", {})
    assert threshold == Threshold(note="no threshold: constant")
    assert find_threshold(counts, centers, "manual", {"value": 3}).values == (3.0,)


def test_tiles_have_their_own_thresholds(plane):
    segmenter = make()
    thresholds = tile_thresholds(plane, WHOLE, GRID, segmenter)
    mask = segment(plane, WHOLE, GRID, segmenter, thresholds)
    for tile, threshold in thresholds.items():
        y, x = tile.row * 20, tile.column * 20
        pixels = plane[y : y + 20, x : x + 20]
        expected = np.zeros((20, 20))
        if threshold.values:
            assert threshold.values == (threshold_otsu(pixels),)
            expected = pixels > threshold_otsu(pixels)
        np.testing.assert_array_equal(mask[y : y + 20, x : x + 20], expected)
    assert [bool(threshold.values) for threshold in thresholds.values()] == [True] * 3 + [False]


@pytest.mark.parametrize("threshold", ["otsu", "hysteresis"])
@pytest.mark.parametrize("steps", [[], ["invert"], ["equalize"]])
def test_chosen_tiles_alone(plane, steps, threshold):
    def read(region):
        return plane[region.y0 : region.y1, region.x0 : region.x1]

    filtered = Filtered(SimpleNamespace(read=read), steps, GRID, "uint8")
    whole = filtered.read(WHOLE)
    chosen = [Tile(0, 0, 1), Tile(0, 1, 0)]
    if threshold == "otsu":
        segmenter = make()
        expected = [
            pixels > threshold_otsu(pixels) for pixels in (whole[:20, 20:], whole[20:, :20])
        ]
    else:
        segmenter = make("hysteresis", {"low": 40, "high": 60})
        mask = apply_hysteresis_threshold(whole, 40, 60)
        expected = [mask[:20, 20:], mask[20:, :20]]
    segmented = list(segment_tiles(filtered, WHOLE, chosen, segmenter))
    assert [tile for tile, *_ in segmented] == chosen
    for (_, mask, used, inside, share), own in zip(segmented, expected, strict=True):
        np.testing.assert_array_equal(mask, own)
        assert used.values
        assert (inside, share) == (own.size, own.mean())


def test_guarded_tiles(plane):
    segmenter = make(min_contrast=5)
    sample = Outcome(SAMPLE, Threshold((60.0,), 1.0, 9.0, 90.0))
    thresholds = list(tile_thresholds(plane, WHOLE, GRID, segmenter, sample).values())
    assert thresholds[0].values == (60.0,)
    assert "threshold of the sample" in thresholds[0].note
    assert thresholds[1].note == thresholds[2].note == ""


def test_plane_and_sample_scope(plane):
    (threshold,) = set(tile_thresholds(plane, WHOLE, GRID, make(scope="plane")).values())
    assert threshold.values == (threshold_otsu(plane),)
    sample = Outcome(SAMPLE, Threshold((60.0,)))
    (threshold,) = set(tile_thresholds(plane, WHOLE, GRID, make(scope="sample"), sample).values())
    assert threshold is sample.threshold


def test_dark_is_the_rest(plane):
    for pixels in (plane, plane.astype(np.float32)):
        bright, dark = (above(pixels, 49.5, foreground) for foreground in ("bright", "dark"))
        np.testing.assert_array_equal(bright + dark, 1)
        np.testing.assert_array_equal(bright, pixels > 49.5)
    np.testing.assert_array_equal(above(plane, 50), plane > 50)


def test_hysteresis_over_tiles(plane):
    segmenter = make("hysteresis", {"low": 45, "high": 170}, scope="sample")
    sample = find_threshold(*histogram(plane), "hysteresis", {"low": 45, "high": 170})
    outcome = Outcome(SAMPLE, sample)
    thresholds = tile_thresholds(plane, WHOLE, GRID, segmenter, outcome)
    mask = segment(plane, WHOLE, GRID, segmenter, thresholds)
    np.testing.assert_array_equal(mask, apply_hysteresis_threshold(plane, 45, 170))
    # across the border of tiles
    assert mask[:, :20].any()


@pytest.mark.parametrize(("foreground", "classes"), [(None, [2]), (1, [1]), ([0, 2], [0, 2])])
def test_classes_of_multi_otsu(plane, foreground, classes):
    settings = {"classes": 3, "foreground": foreground}
    segmenter = make("multiotsu", settings, scope="plane")
    thresholds = tile_thresholds(plane, WHOLE, GRID, segmenter)
    low, high = next(iter(thresholds.values())).values
    expected = np.isin((plane > low).astype(int) + (plane > high), classes)
    mask = segment(plane, WHOLE, GRID, segmenter, thresholds)
    np.testing.assert_array_equal(mask, expected)


def test_reach():
    adaptive = {"size": 51, "offset": 0, "weights": "mean"}
    assert make().reach == 0
    assert make(scope="sample").reach == 0
    assert make("adaptive", adaptive).reach == 25
    assert make("adaptive", adaptive, cleanup=[{"opening": 2}]).reach == 29
    assert make(scope="sample", cleanup=[{"opening": 2}]).reach == 4
    # a tile's neighbour has another threshold, which takes all of it
    assert make(cleanup=[{"opening": 2}]).reach == math.inf
    assert make(scope="plane").reach == make("hysteresis").reach == math.inf


def test_who_needs_the_sample():
    assert make(scope="sample").needs_sample(1)
    assert not make(min_contrast=0).needs_sample(9)
    guarded = make(min_contrast=5)
    assert guarded.needs_sample(9)
    assert not guarded.needs_sample(1)
    assert not make(min_contrast=5, fallback="empty").needs_sample(9)
    numbers = make("hysteresis", {"low": 1, "high": 2}, min_contrast=5)
    assert not numbers.is_guarded
    assert make("hysteresis", {"low": 1, "high": "otsu"}, min_contrast=5).is_guarded
    assert not make("adaptive", scope="sample").needs_sample(9)


def test_who_learns_from_annotated_tiles():
    assert make("pixel_classifier", {"model": None}).is_learned
    assert make("unet", {"model": None}).is_learned
    # a model that is given is not trained
    assert not make("unet", {"model": "nuclei.npz"}).is_learned
    assert not make("otsu").is_learned


@pytest.mark.parametrize(
    "threshold",
    [
        Threshold((1.5, 3.0), 0.25, 4.0, 2.5, guard="sample"),
        Threshold(note="no threshold: constant"),
    ],
)
def test_rows_are_read_back(threshold):
    text = {key: "" if value is None else str(value) for key, value in threshold.to_row().items()}
    assert Threshold.from_row(text) == threshold


def test_a_function_of_the_user_s_is_given_the_region_of_interest(tmp_path):
    (tmp_path / "own.py").write_text(
        "def segment(image, inside):\n    return ~inside | (image > 1)\n"
    )
    settings = {"file": str(tmp_path / "own.py"), "function": "segment", "halo": 0, "params": None}
    pixels = np.array([[0, 2], [2, 0]], np.uint8)
    inside = np.array([[True, True], [False, False]])
    grid, region = Grid((1, 2, 2), 2, (1, 2, 2)), Region(0, 1, 0, 2, 0, 2)
    mask = segment(pixels, region, grid, make("python", settings), {}, inside=inside)
    # outside there is nothing, whatever the function says
    assert mask.tolist() == [[0, 1], [0, 0]]
