"""Filters, local thresholds and clean-up on blocks and tiles are those on whole planes."""

import tempfile
from pathlib import Path

import numpy as np
from drawn import cut, examples, grids, images, regions_of_interest, write
from hypothesis import given
from hypothesis import strategies as st

from tilewise.segment.filtered import FilteredBlocks
from tilewise.segment.filters import FILTERS, apply_chain
from tilewise.segment.guard import Outcome
from tilewise.segment.segmenters import Segmenter, segment_tiles
from tilewise.segment.thresholds import Threshold
from tilewise.store.blocks import strips
from tilewise.store.grid import Grid
from tilewise.store.parts import Part
from tilewise.tables import SAMPLE

STEPS = (
    *("invert", {"median": 3}, {"median": 9}, {"gaussian": 0.7}, {"gaussian": 2}, {"tophat": 7}),
    *({"tophat": {"size": 5, "dark": True}}, {"background": {"method": "median", "size": 9}}),
    *({"background": {"method": "opening", "size": 9}}, {"bilateral": {"size": 5, "levels": 30}}),
    *({"unsharp": {"sigma": 2, "amount": 0.7}}, {"deconvolve": {"sigma": 0.8, "iterations": 2}}),
    *({"ridge": {"sigmas": [1, 2], "measure": "sato"}}, {"ridge": 1.5}, {"dog": 1}, "matched"),
    *("equalize", {"clahe": {"tiles": 3}}, {"rescale": {"low": 5, "high": 90}}, "wavelet"),
    *({"destripe": {"axis": "rows", "size": 9}}, {"nlm": {"patch": 3, "distance": 2}}),
)
SURFACES = {
    "adaptive": {"size": 9, "offset": -3, "weights": "gaussian"},
    "niblack": {"size": 7, "k": 0.2},
    "sauvola": {"size": 15, "k": 0.2, "r": 100.0},
    "otsu": {},
}
CLEANUP = ({"opening": 1}, {"closing": 2}, {"remove_small": 5}, {"fill_holes": 9})


def name_of(step):
    return step if isinstance(step, str) else next(iter(step))


def test_every_filter_is_tried():
    assert {name_of(step) for step in STEPS} == {*FILTERS}


@st.composite
def chains(draw, dtype):
    known = [step for step in STEPS if dtype != "float32" or name_of(step) != "clahe"]
    return draw(st.lists(st.sampled_from(known), max_size=3))


@st.composite
def stored(draw):
    grid = draw(grids(planes=2, longest=50))
    return grid, draw(images(grid.shape)), draw(st.none() | regions_of_interest(grid.shape))


def blocks_in(folder, grid, image, inside):
    files = write(Path(folder, "image"), grid, image)
    rois = {} if inside is None else write(Path(folder, "roi"), grid, inside)
    return FilteredBlocks(files.values(), rois.values(), list(files), grid, image.dtype.name)


def whole(grid):
    """The same planes as one tile of one block."""
    side = max(grid.shape)
    return Grid(grid.shape, side, (grid.shape[0], side, side))


@examples(50)
@given(sample=stored(), data=st.data())
def test_filters(sample, data):
    grid, image, inside = sample
    chain = data.draw(chains(image.dtype.name))
    with tempfile.TemporaryDirectory() as folder:
        if inside is None:
            expected = [apply_chain(plane, chain) for plane in image]
        else:
            one = whole(grid)
            filtered = blocks_in(Path(folder, "whole"), one, image, inside).of(
                Part("s", one, "0/0/0", 0), chain
            )
            expected = [filtered.read(plane).copy() for plane in strips(one, "0/0/0")]
        expected = np.stack(expected)
        if inside is not None and not inside.any():
            return
        blocks = blocks_in(folder, grid, image, inside)
        for block in grid.blocks():
            filtered = blocks.of(Part("s", grid, block, 0), chain)
            assert filtered.dtype == expected.dtype
            for tile in grid.tiles(block):
                region = grid.tile_region(tile)
                is_inside = filtered.inside(region)
                found, known = filtered.read(region), cut(expected, region)
                if is_inside is not None:
                    found, known = found[is_inside], known[is_inside]
                np.testing.assert_array_equal(found, known)


@examples(40)
@given(sample=stored(), data=st.data())
def test_masks(sample, data):
    grid, image, inside = sample
    name = data.draw(st.sampled_from(tuple(SURFACES)))
    limits = {"min_contrast": 0.0, "min_separability": 0.0, "fallback": "sample", "weak": "auto"}
    cleaned = data.draw(st.lists(st.sampled_from(CLEANUP), max_size=2))
    chain = data.draw(st.sampled_from(([], [{"median": 3}], [{"gaussian": 0.7}])))
    foreground = data.draw(st.sampled_from(("bright", "dark")))
    segmenter = Segmenter(name, SURFACES[name], "sample", foreground, **limits, cleanup=cleaned)
    # a threshold of the sample, whatever it is
    outcome = Outcome(SAMPLE, Threshold((float(np.median(image)),)))

    def masks(folder, grid):
        blocks, found = blocks_in(folder, grid, image, inside), np.zeros(image.shape, np.uint8)
        for block in grid.blocks():
            filtered = blocks.of(Part("s", grid, block, 0), chain)
            for strip in strips(grid, block, max(filtered.reach, segmenter.reach)):
                tiles = grid.tiles_in(strip)
                for tile, mask, *_ in segment_tiles(filtered, strip, tiles, segmenter, outcome):
                    cut(found, grid.tile_region(tile))[:] = mask
        return found

    with tempfile.TemporaryDirectory() as folder:
        expected = masks(Path(folder, "whole"), whole(grid))
        np.testing.assert_array_equal(masks(folder, grid), expected)
