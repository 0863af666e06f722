"""Thresholds from histograms of blocks, planes and tiles are those of all their pixels at once."""

import tempfile
import warnings
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import skimage.filters
from drawn import cut, examples, grids, images, regions_of_interest, write
from hypothesis import given
from hypothesis import strategies as st

from tilewise.decide.places import histograms_of
from tilewise.segment import class_histogram, sample_histogram
from tilewise.segment.circular import hues_of
from tilewise.segment.extent import extent
from tilewise.segment.filtered import FilteredBlocks
from tilewise.segment.global_thresholds import GLOBAL
from tilewise.segment.outcomes import outcome_of
from tilewise.segment.segmenters import Segmenter, segment_tiles
from tilewise.store import class_histograms
from tilewise.store.blocks import strips
from tilewise.store.parts import Part

BY_SCIKIT_IMAGE = ("otsu", "li", "yen", "isodata", "triangle", "minimum", "mean")
SETTINGS = {
    "manual": {"value": 77},
    "multiotsu": {"classes": 3, "foreground": None},
    "circular": {"hue": 20},
    "hysteresis": {"low": "otsu", "high": "yen"},
}
MOST_LEVELS = 40
"""Of a histogram whose divisions in three are all tried."""


def segmenter_of(threshold, scope):
    limits = {"min_contrast": 0.0, "min_separability": 0.0, "fallback": "sample", "weak": "auto"}
    settings = SETTINGS.get(threshold, {})
    return Segmenter(threshold, settings, scope, "bright", cleanup=[], **limits)


def tried(pixels):
    """Methods that are tried on some pixels."""
    is_float = pixels.dtype.kind == "f"
    left_out = {"circular"} if is_float else set()
    if is_float or not pixels.size or np.ptp(pixels.astype(float)) >= MOST_LEVELS:
        # it smooths a histogram up to 10,000 times
        left_out.add("minimum")
    return [name for name in (*GLOBAL, "hysteresis") if name not in left_out]


def by_scikit_image(method, pixels):
    """None where it finds no threshold, as of constant pixels."""
    if pixels.size == 0 or pixels.min() == pixels.max():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if method == "li":
            return li_of_bins(pixels)
        try:
            return float(getattr(skimage.filters, f"threshold_{method}")(pixels))
        except RuntimeError:
            return None


def li_of_bins(pixels):
    """Li's iteration, pixel by pixel, until it moves by no more than half a bin.

    Scikit-image stops by the grey levels that occur, at another place; and differences of 16 bits
    with a sign are beyond them. Floats are the middles of their bins.
    """
    values, width = pixels.astype(float), 1.0
    low = values.min()
    values -= low
    if pixels.dtype.kind == "f":
        width = values.max() / 256
        values = (np.minimum(values // width, 255) + 0.5) * width
    threshold, before = values.mean(), -np.inf
    while abs(threshold - before) > width / 2:
        before = threshold
        dark, bright = values[values <= before].mean(), values[values > before].mean()
        if dark == 0:
            break
        threshold = (dark - bright) / (np.log(dark) - np.log(bright))
    return float(threshold + low)


def is_right(method, values, pixels):
    """Whether thresholds are those of some pixels, by scikit-image or a search of all divisions."""
    if method == "manual":
        return values == (77,)
    if method == "hysteresis":
        bounds = [by_scikit_image(name, pixels) for name in ("otsu", "yen")]
        if None in bounds or not values:
            return None in bounds and not values
        pairs = zip(values, sorted(bounds), strict=True)
        return all(is_near(value, bound, pixels) for value, bound in pairs)
    if method == "multiotsu":
        return is_best_division(values, pixels)
    if method == "circular":
        return is_best_half_circle(values, pixels)
    expected = by_scikit_image(method, pixels)
    if expected is None or not values:
        return expected is None and not values
    return is_near(values[0], expected, pixels, bins=2 * (method in ("li", "mean")))


def is_near(value, expected, pixels, bins=0):
    """Whether thresholds are equal; of floats, up to some bins, or by the pixels above them.

    Scikit-image's `mean` of floats is of the pixels themselves, here of the middles of bins. Bins
    between two classes are equally good: which is taken hangs on the last digit.
    """
    if pixels.dtype.kind != "f":
        return value == pytest.approx(expected, rel=1e-12)
    is_within = abs(value - expected) <= bins * np.ptp(pixels.astype(float)) / 256
    return is_within or np.array_equal(pixels > value, pixels > expected)


def is_best_division(values, pixels):
    """Of all in three classes; ends of classes that are equally good are all right."""
    levels, counts = np.unique(pixels, return_counts=True)
    if pixels.dtype.kind == "f" or levels.size > MOST_LEVELS:
        return True
    if levels.size < 3:
        return values == ()

    # scikit-image, and so tilewise, counts the lowest level as the one above it
    counted = levels.astype(float) - levels[0]
    counted[0] += 1

    def merit(ends):
        classes = np.split(np.arange(levels.size), np.asarray(ends) + 1)
        return sum((counts[own] @ counted[own]) ** 2 / counts[own].sum() for own in classes)

    best = max(map(merit, combinations(range(levels.size - 1), 2)))
    return merit(np.searchsorted(levels, values)) == pytest.approx(best, rel=1e-12)


def is_best_half_circle(values, pixels):
    """Of all cuts of the circle in halves, by the squared distances to the means of both."""
    hues = pixels[(pixels >= 0) & (pixels < 360)].astype(int)
    if np.unique(hues).size < 2:
        return values == ()

    def spread(start):
        """The sum of squares within the half circle from a hue, and the other."""
        turned = (hues - start) % 360
        halves = turned[turned < 180], turned[turned >= 180]
        return sum(half.size * np.var(half) for half in halves if half.size)

    best = min(map(spread, range(180)))
    first, last = map(int, values)
    assert (last - first) % 360 == 179
    return (20 - first) % 360 < 180 and spread(first) == pytest.approx(best, rel=1e-9, abs=1e-6)


@st.composite
def samples(draw, **settings):
    """A grid, its image, and its region of interest or None."""
    # each tile of 16 bits has a histogram of 65,536 bins
    grid = draw(grids(least_tile=12, **settings))
    inside = draw(st.none() | regions_of_interest(grid.shape))
    return grid, draw(images(grid.shape)), inside


def filtered_blocks(folder, grid, image, inside):
    """The image, and which pixels count, as jobs read them."""
    files = write(Path(folder, "image"), grid, image)
    rois = write(Path(folder, "roi"), grid, inside) if inside is not None else {}
    paths = files.values(), rois.values(), list(files)
    return FilteredBlocks(*paths, grid, image.dtype.name)


@examples(12)
@given(sample=samples(), threads=st.integers(1, 2))
def test_of_a_sample_in_blocks(sample, threads):
    grid, image, inside = sample
    counted = image if inside is None else image[inside > 0]
    with tempfile.TemporaryDirectory() as folder:
        blocks = filtered_blocks(folder, grid, image, inside)
        parts = [Part("s", grid, block, 0) for block in grid.blocks()]
        extents = [extent(blocks.of(part, []), part, threads) for part in parts]
        bounds = None
        if image.dtype == np.float32:
            lows, highs = zip(*extents, strict=True)
            bounds = min(lows), max(highs)
        histograms = []
        for number, part in enumerate(parts):
            own = sample_histogram.count(blocks.of(part, []), part, threads, bounds)
            own.write(Path(folder, f"{number}.npz"))
            histograms.append(sample_histogram.read(Path(folder, f"{number}.npz")))
    whole = sample_histogram.merge(histograms)
    assert whole.counts.sum() == counted.size
    if image.dtype.kind != "f":
        values, numbers = np.unique(counted, return_counts=True)
        np.testing.assert_array_equal(whole.centers[whole.counts > 0], values)
        np.testing.assert_array_equal(whole.counts[whole.counts > 0], numbers)
    for method in tried(counted):
        outcome = outcome_of(whole, segmenter_of(method, "sample"))
        assert is_right(method, outcome.threshold.values, counted), method


@pytest.mark.parametrize(
    "method", ["otsu", "li", "yen", "isodata", "triangle", "mean", "multiotsu"]
)
@examples(4)
@given(sample=samples(planes=2), scope=st.sampled_from(("tile", "plane")))
def test_of_planes_and_tiles(method, sample, scope):
    grid, image, inside = sample
    segmenter = segmenter_of(method, scope)
    seen = 0
    with tempfile.TemporaryDirectory() as folder:
        blocks = filtered_blocks(folder, grid, image, inside)
        for block in grid.blocks():
            filtered = blocks.of(Part("s", grid, block, 0), [])
            for strip in strips(grid, block, segmenter.reach):
                chosen = grid.tiles_in(strip)
                for tile, mask, own, pixels, _ in segment_tiles(filtered, strip, chosen, segmenter):
                    region = grid.tile_region(tile)
                    known = cut(image, region)
                    is_inside = np.ones(known.shape) if inside is None else cut(inside, region)
                    counted = known[is_inside > 0]
                    assert pixels == counted.size
                    seen += pixels
                    if scope == "plane":
                        counted = image[tile.z]
                        counted = counted if inside is None else counted[inside[tile.z] > 0]
                    assert is_right(method, own.values, counted)
                    above = known > own.values[-1] if own.values else np.zeros(known.shape, bool)
                    np.testing.assert_array_equal(mask, above & (is_inside > 0))
    assert seen == (image.size if inside is None else np.count_nonzero(inside))


@examples(15)
@given(sample=samples(planes=2, longest=40), truths=st.data())
def test_calibrated_on_annotated_tiles(sample, truths):
    grid, image, _ = sample
    truth = truths.draw(regions_of_interest(grid.shape))
    truth = np.where(truth > 0, (image > image.mean()).astype(np.uint8), 255)
    tiles, annotated = [], []
    for block in grid.blocks():
        for tile in grid.tiles(block):
            region = grid.tile_region(tile)
            pixels, known = cut(image, region), cut(truth, region)
            counted = class_histogram.class_histogram(pixels, known)
            if counted.values.size:
                tiles.append((("s", tile.z, region.y0, region.x0, -1), counted))
                annotated.append(pixels[known < 255])
    if not tiles:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tiles.npz")
        with class_histograms.Writer(path) as file:
            for place, counted in tiles:
                file.add(place, counted)
        read = histograms_of([path], ["image"])["image"]
        places = {"all": [place for place, _ in read]}
        counts, centers = class_histogram.histograms_of_sets(read, places, image.dtype)["all"]
    annotated = np.concatenate(annotated)
    assert counts.sum() == annotated.size
    if np.ptp(annotated.astype(float)) and image.dtype.kind == "f":
        # grey levels of a tile are off by half of a 4095th of its range, middles of bins by half
        widest = (1 / 2 / 4095 + 1 / 2 / 256) * np.ptp(annotated.astype(float)) + 1e-6
        spread = np.repeat(centers, counts)
        assert np.abs(spread - np.sort(annotated)).max() <= widest
    if image.dtype.kind == "f":
        return
    for method in set(BY_SCIKIT_IMAGE) & {*tried(annotated)}:
        found = segmenter_of(method, "calibrated").find_threshold(counts, centers)
        assert is_right(method, found.values, annotated), method
    values, numbers = np.unique(annotated, return_counts=True)
    np.testing.assert_array_equal(centers[counts > 0], values)
    np.testing.assert_array_equal(counts[counts > 0], numbers)
    assert hues_of(counts, centers).sum() == np.count_nonzero((annotated >= 0) & (annotated < 360))
