"""Regions of interest against a search of all pixels."""

import math
from functools import partial

import numpy as np
import pytest
import skimage.filters
from scipy import ndimage

from tilewise.segment import exposure, illumination, roi, sample_histogram
from tilewise.segment.filtered import Filtered
from tilewise.segment.local_thresholds import LOCAL
from tilewise.segment.outcomes import outcome_of
from tilewise.segment.roi import border_region, fill_outside, surroundings
from tilewise.segment.segmenters import Segmenter, segment_tiles
from tilewise.store.blocks import strips
from tilewise.store.grid import Grid, Tile
from tilewise.store.parts import Part

RNG = np.random.default_rng(5)


def by_hand(pixels, inside):
    """Each outside pixel takes the nearest inside one: the upper, then the left of several."""
    filled = pixels.copy()
    rows, columns = np.nonzero(inside)  # row by row
    for y, x in zip(*np.nonzero(~inside), strict=True):
        nearest = np.argmin((rows - y) ** 2 + (columns - x) ** 2)
        filled[y, x] = pixels[rows[nearest], columns[nearest]]
    return filled


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_pixels_outside_take_the_nearest_inside(share, monkeypatch):
    pixels = RNG.integers(0, 2**16, (31, 43), np.uint16)
    inside = RNG.random(pixels.shape) < share
    np.testing.assert_array_equal(fill_outside(pixels, inside, 60), by_hand(pixels, inside))
    monkeypatch.setattr(roi, "BAND_ROWS", 7)
    # of whole planes, one of the equally near ones
    filled = fill_outside(pixels, inside)
    rows, columns = np.nonzero(inside)
    for y, x in zip(*np.nonzero(~inside), strict=True):
        squared = (rows - y) ** 2 + (columns - x) ** 2
        nearest = squared == squared.min()
        assert filled[y, x] in pixels[rows[nearest], columns[nearest]]


def test_strips_are_filled_as_the_plane_is(monkeypatch):
    pixels = RNG.integers(0, 2**16, (40, 90), np.uint16)
    inside = RNG.random(pixels.shape) < 0.05
    # no pixel of the first strip, of 12 columns, is inside
    inside[:, :20] = False
    monkeypatch.setattr(roi, "STRIP_COLUMNS", 12)
    # a reach of 2 fills in what is up to 3 pixels away
    is_near = ndimage.distance_transform_edt(~inside) <= 3
    expected = np.where(is_near, by_hand(pixels, inside), pixels)
    np.testing.assert_array_equal(fill_outside(pixels, inside, 2), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("module", "filter"),
    [
        (exposure, exposure.clahe),
        (illumination, illumination.destripe),
        (illumination, partial(illumination.destripe, axis="columns")),
    ],
)
def test_bands_of_a_plane_are_as_the_plane(module, filter, dtype, monkeypatch):
    plane = RNG.normal(100, 30, (61, 50)).clip(0, 255).astype(dtype)
    inside = np.zeros(plane.shape, bool)
    inside[5:40, 9:44] = RNG.random((35, 35)) < 0.8
    whole = filter(plane, inside=inside)
    # three rows or columns at a time, or two
    monkeypatch.setattr(module, "BAND_PIXELS", 150)
    np.testing.assert_array_equal(filter(plane, inside=inside), whole)


def test_a_region_has_what_the_plane_has():
    pixels = RNG.integers(0, 256, (90, 110), np.uint8)
    y, x = np.mgrid[:90, :110]
    inside = (y - 45) ** 2 + (x - 50) ** 2 < 30**2
    for reach in (1, 4, 9):
        whole = fill_outside(pixels, inside, reach)
        margin = int(surroundings(reach))
        for top, left in ((30, 15), (60, 70), (0, 40)):
            outer = np.s_[
                max(top - margin, 0) : top + 20 + margin, max(left - margin, 0) : left + 20 + margin
            ]
            part = fill_outside(pixels[outer], inside[outer], reach)
            own = part[top - outer[0].start :][:20, left - outer[1].start :][:, :20]
            # as far as windows of that reach around inside pixels see it
            seen = np.zeros(inside.shape, bool)
            for dy, dx in np.argwhere(inside[top : top + 20, left : left + 20]) + (top, left):
                seen[max(dy - reach, 0) : dy + reach + 1, max(dx - reach, 0) : dx + reach + 1] = (
                    True
                )
            seen = seen[top : top + 20, left : left + 20]
            np.testing.assert_array_equal(own[seen], whole[top : top + 20, left : left + 20][seen])


def test_without_inside_or_outside_nothing_changes():
    pixels = RNG.integers(0, 256, (9, 9), np.uint8)
    for inside in (np.ones((9, 9), bool), np.zeros((9, 9), bool)):
        assert fill_outside(pixels, inside, 5) is pixels
        assert fill_outside(pixels, inside) is pixels
    assert surroundings(math.inf) == math.inf


def test_the_frame_of_a_round_field():
    y, x = np.mgrid[:60, :70]
    field = (y - 30) ** 2 + (x - 35) ** 2 < 28**2
    image = np.where(field, RNG.integers(1, 256, field.shape), 0).astype(np.uint8)
    # a dark spot inside is image
    image[30:33, 30:33] = 0
    np.testing.assert_array_equal(border_region(image), field)
    # a border of many values is no frame, nor is a constant image
    assert border_region(RNG.integers(0, 256, (30, 30), np.uint8)).all()
    assert border_region(np.full((30, 30), 7, np.float32)).all()
    # two rows, or columns, of one value along one side are less than half of the border
    strip = RNG.integers(1, 256, (10, 10), np.uint8)
    strip[:2] = 0
    # along two sides, they are more
    sides = RNG.integers(1, 256, (10, 10), np.uint8)
    sides[[0, -1]] = 0
    for turned in range(4):
        assert border_region(np.rot90(strip, turned)).all()
        own = np.ascontiguousarray(np.rot90(sides, turned))
        np.testing.assert_array_equal(border_region(own), own > 0)


def test_a_frame_of_noise_is_no_frame():
    """Most of the border is 2, and so is half of what lies outside: the rest would be image."""
    y, x = np.mgrid[:60, :70]
    field = (y - 30) ** 2 + (x - 35) ** 2 < 25**2
    image = np.where(field, 100, RNG.choice([1, 2, 2, 3], field.shape)).astype(np.uint8)
    image[[0, -1]] = 2
    with pytest.raises(ValueError, match=r"no frame of one value: .* border is 2, .* column `roi`"):
        border_region(image)
    # rings around what is in the picture, as JPEG leaves them, are no noise
    image = np.where(field, 100, 2).astype(np.uint8)
    image[30, 4:8] = 3
    assert np.count_nonzero(border_region(image) != field) == 4


def round_field(shape=(96, 110)):
    """Pixels of a round field of view, and where it is; outside is black."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    inside = (y - shape[0] / 2) ** 2 + (x - shape[1] / 2) ** 2 < (min(shape) / 2 - 3) ** 2
    pixels = RNG.normal(90, 12, shape) + 60 * ((y // 9 + x // 13) % 4 == 0)
    return np.where(inside, pixels, 0).clip(0, 255).astype(np.uint8), inside


class Pixels:
    """A plane in memory, read as blocks are."""

    def __init__(self, plane):
        self._plane = plane

    def read(self, region):
        return self._plane[region.y0 : region.y1, region.x0 : region.x1]


def masks_of(plane, inside, segmenter, steps=(), tile=32):
    """The mask of a plane, tile row by tile row, and the thresholds of its tiles."""
    grid = Grid((1, *plane.shape), tile, (1, 96 // tile * tile + tile, 128))
    roi = None if inside is None else Pixels(inside.view(np.uint8))
    filtered = Filtered(Pixels(plane), list(steps), grid, plane.dtype.name, roi)
    part = Part("a", grid, "0/0/0", 0)
    sample = None
    if segmenter.needs_sample(12):
        sample = outcome_of(sample_histogram.of_sample(filtered, part, 1), segmenter)
    mask, rows = np.zeros(plane.shape, np.uint8), {}
    for region in strips(grid, "0/0/0", max(filtered.reach, segmenter.reach)):
        tiles = grid.tiles_in(region)
        for tile, own, *row in segment_tiles(filtered, region, tiles, segmenter, sample):
            inner = grid.tile_region(tile)
            mask[inner.y0 : inner.y1, inner.x0 : inner.x1] = own
            # the threshold, the number of pixels inside and the fraction of foreground
            rows[tile] = row
    return mask, rows


def segmenter_of(threshold="otsu", scope="tile", foreground="bright", **changes):
    settings = {
        "hysteresis": {"low": "otsu", "high": "yen"},
        "multiotsu": {"classes": 3, "foreground": None},
        "adaptive": {"size": 15, "offset": 0, "weights": "gaussian"},
        "niblack": {"size": 15, "k": 0.2},
        "sauvola": {"size": 15, "k": 0.2, "r": 100.0},
    }
    known = {"settings": settings.get(threshold, {}), "scope": scope, "foreground": foreground}
    known |= {"min_contrast": 0.0, "min_separability": 0.0, "fallback": "sample", "weak": "auto"}
    known |= {"cleanup": []}
    return Segmenter(threshold, **(known | changes))


METHODS = [
    segmenter_of(),
    segmenter_of("li", "plane"),
    segmenter_of("triangle", "sample"),
    segmenter_of("yen", foreground="dark"),
    segmenter_of("hysteresis", "plane"),
    segmenter_of("multiotsu", "plane"),
    segmenter_of("adaptive"),
    segmenter_of("adaptive", settings={"size": 15, "offset": 3, "weights": "mean"}),
    segmenter_of("niblack"),
    segmenter_of("sauvola", foreground="dark"),
    segmenter_of(scope="sample", cleanup=[{"opening": 1}, {"fill_holes": 30}]),
    segmenter_of(min_contrast=4.0),
]
CHAINS = [
    (),
    ("invert", {"median": 5}),
    ({"gaussian": 2},),
    ("rescale",),
    ("equalize",),
    ("clahe",),
    ("destripe",),
    ({"background": {"size": 21}}, {"tophat": 7}),
]


@pytest.mark.parametrize("number", range(len(METHODS)))
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_what_is_outside_changes_nothing(number, dtype):
    plane, inside = round_field()
    noise = RNG.integers(0, 256, plane.shape).astype(np.uint8)
    for steps in CHAINS if number == 0 else CHAINS[:2]:
        if dtype == np.float32 and "clahe" in steps:
            continue
        mask, rows = masks_of(plane.astype(dtype), inside, METHODS[number], steps)
        other = np.where(inside, plane, noise).astype(dtype)
        other_mask, other_rows = masks_of(other, inside, METHODS[number], steps)
        np.testing.assert_array_equal(mask, other_mask, str(steps))
        assert rows == other_rows
        assert not mask[~inside].any()
        assert mask.any()


@pytest.mark.parametrize("number", range(len(METHODS)))
def test_a_region_of_everything_is_as_none(number):
    plane, _ = round_field()
    everything = np.ones(plane.shape, bool)
    for steps in CHAINS[:3]:
        alone = masks_of(plane, None, METHODS[number], steps)
        mask, rows = masks_of(plane, everything, METHODS[number], steps)
        np.testing.assert_array_equal(mask, alone[0])
        assert rows == alone[1]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("scope", ["tile", "plane", "sample"])
def test_tiles_outside_do_not_exist(dtype, scope):
    plane, inside = round_field()
    inside[:32, :32] = False
    _, rows = masks_of(plane.astype(dtype), inside, segmenter_of(scope=scope))
    assert Tile(0, 0, 0) not in rows
    assert Tile(0, 0, 1) in rows
    nothing, rows = masks_of(plane.astype(dtype), inside & False, segmenter_of(scope=scope))
    assert (nothing.any(), rows) == (False, {})


@pytest.mark.parametrize("name", ["otsu", "li", "yen", "triangle", "isodata"])
@pytest.mark.parametrize("scope", ["tile", "plane", "sample"])
def test_thresholds_are_those_of_the_pixels_inside(name, scope):
    plane, inside = round_field()
    reference = getattr(skimage.filters, f"threshold_{name}")
    _, rows = masks_of(plane, inside, segmenter_of(name, scope))
    for tile, (threshold, number, share) in rows.items():
        y, x = (32 * tile.row, 32 * tile.column) if scope == "tile" else (0, 0)
        side = 32 if scope == "tile" else 200
        own = np.s_[y : y + side, x : x + side]
        counted = plane[own][inside[own]]
        if np.unique(counted).size > 1:
            above = counted > reference(counted)
            np.testing.assert_array_equal(counted > threshold.values[0], above)
        if scope == "tile":
            assert number == counted.size
            assert share == (counted > threshold.values[0]).mean()


@pytest.mark.parametrize("name", ["adaptive", "niblack", "sauvola"])
def test_local_means_are_over_the_inside(name):
    plane, inside = round_field((40, 44))
    plane = plane.astype(np.float64).astype(np.float32)
    weights = {"weights": "mean", "offset": 0} if name == "adaptive" else {"k": 0.3}
    surface = LOCAL[name].surface(plane, size=9, **weights, inside=inside)
    # without mirrored pixels: those that are 4 pixels from the border
    for y, x in np.argwhere(inside)[::7]:
        if 4 <= y < 36 and 4 <= x < 40:
            window = np.s_[y - 4 : y + 5, x - 4 : x + 5]
            values = plane[window][inside[window]].astype(np.float64)
            mean, sd = values.mean(), values.std()
            expected = {
                "adaptive": mean,
                "niblack": mean - 0.3 * sd,
                "sauvola": mean * (1 + 0.3 * (sd - 1)),
            }
            assert surface[y, x] == pytest.approx(expected[name], rel=1e-5)


@pytest.mark.parametrize("shape", [(64, 64), (61, 50), (7, 90)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_equalised_tiles_of_everything_are_those_of_opencv(shape, dtype):
    plane = RNG.normal(100, 30, shape).clip(0, 255).astype(dtype)
    everything = np.ones(shape, bool)
    for limit in (0.5, 2.0, 40.0):
        np.testing.assert_array_equal(
            exposure.clahe(plane, limit, 4, inside=everything), exposure.clahe(plane, limit, 4)
        )


def test_levels_of_the_inside_make_the_new_ones():
    plane, inside = round_field()
    for dtype in (np.uint8, np.uint16, np.float32):
        pixels = plane.astype(dtype)
        counted = pixels[inside]
        low, high = np.percentile(counted, (1, 99))
        top = 1 if dtype == np.float32 else np.iinfo(dtype).max
        stretched = ((counted - low) / (high - low) * top).clip(0, top)
        own = exposure.rescale(pixels, inside=inside)[inside]
        np.testing.assert_allclose(own, stretched, atol=0.501 if top > 1 else 1e-6)
        levels, counts = np.unique(counted, return_counts=True)
        below = (np.cumsum(counts) - counts[0]) / (counts.sum() - counts[0]) * top
        equalised = below[np.searchsorted(levels, counted)]
        own = exposure.equalize(pixels, inside=inside)[inside]
        np.testing.assert_allclose(own, equalised, atol=0.501 if top > 1 else 1e-6)
