import math

import numpy as np
import pytest

from tilewise.store.blocks import Blocks, BlockWriter, strips
from tilewise.store.grid import Grid, Region, crop
from tilewise.store.layout import layout_of
from tilewise.store.parts import Part


@pytest.fixture(params=[1, 3])
def stored(request, tmp_path):
    """Two planes of 40 x 50 px, tiles of 16 px, blocks of one tile row; grey or in colour."""
    channels = request.param
    grid = Grid((2, 40, 50), 16, (1, 16, 64))
    shape = (channels, *grid.shape) if channels > 1 else grid.shape
    pixels = np.random.default_rng(0).integers(0, 60000, shape, np.uint16)
    layout = layout_of(grid, "uint16", channels=channels)
    files = {}
    for block in grid.blocks():
        files[block] = tmp_path / block.replace("/", "_")
        with BlockWriter(files[block], block, layout) as writer:
            for strip in strips(grid, block):
                writer.write(alone(grid, block), strip, cut(pixels, strip))
    return Blocks(files, layout).of(alone(grid)), grid, pixels


def alone(grid, block="0/0/0"):
    """A part of a sample that is a stack of its own."""
    return Part("s", grid, block, 0)


def cut(pixels, region):
    return pixels[..., region.z0, region.y0 : region.y1, region.x0 : region.x1]


@pytest.mark.parametrize(
    "region",
    [
        Region(0, 1, 0, 16, 0, 50),
        Region(1, 2, 0, 40, 0, 50),
        Region(0, 1, 13, 35, 7, 18),
        Region(1, 2, 39, 40, 49, 50),
    ],
)
def test_any_region_is_read_back(stored, region):
    reader, _, pixels = stored
    for _ in range(2):
        np.testing.assert_array_equal(reader.read(region), cut(pixels, region))


def test_tiles_are_cut_at_the_edge(stored):
    reader, grid, pixels = stored
    for tile in [tile for block in grid.blocks() for tile in grid.tiles(block)]:
        np.testing.assert_array_equal(reader.tile(tile), cut(pixels, grid.tile_region(tile)))


def test_more_rows_than_are_kept(tmp_path):
    grid = Grid((1, 160, 16), 16, (1, 160, 16))
    pixels = np.arange(160 * 16, dtype=np.uint16).reshape(160, 16)
    layout = layout_of(grid, "uint16")
    with BlockWriter(tmp_path / "block", "0/0/0", layout) as writer:
        writer.write(alone(grid), grid.region("0/0/0"), pixels)
    reader = Blocks({"0/0/0": tmp_path / "block"}, layout).of(alone(grid))
    for strip in strips(grid, "0/0/0"):
        outer = grid.around(strip, 20)
        np.testing.assert_array_equal(
            crop(reader.read(outer), outer, strip), cut(pixels[None], strip)
        )


def test_block_without_file_is_fill():
    grid = Grid((1, 20, 20), 16, (1, 32, 32))
    reader = Blocks({}, layout_of(grid, "uint8", 255)).of(alone(grid))
    (tile, *_) = grid.tiles("0/0/0")
    assert not reader.is_stored(tile)
    assert (reader.tile(tile) == 255).all()
    assert (reader.read(Region(0, 1, 0, 20, 0, 20)) == 255).all()


def test_strips():
    grid = Grid((2, 40, 50), 16, (2, 48, 64))
    assert [(strip.z0, strip.y0, strip.y1) for strip in strips(grid, "0/0/0")] == [
        *((0, 0, 16), (0, 16, 32), (0, 32, 40)),
        *((1, 0, 16), (1, 16, 32), (1, 32, 40)),
    ]
    whole = [(strip.y0, strip.y1) for strip in strips(grid, "0/0/0", math.inf)]
    assert whole == [(0, 40), (0, 40)]
