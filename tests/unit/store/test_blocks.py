import math

import numpy as np
import pytest

from tilewise.store.blocks import Blocks, BlockWriter, at_once, strips
from tilewise.store.grid import Grid, Region, Tile, crop
from tilewise.store.layout import layout_of
from tilewise.store.parts import Part, each_part


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


@pytest.fixture(params=[1, 3])
def unaligned(request, tmp_path):
    """Two samples of 2 x 2 tiles of 20 x 18 px, in chunks of 16 px: what is stored, by tile."""
    channels, threads = request.param, request.param
    grid = Grid((2, 39, 35), 16, (6, 64, 64), "even")
    assert grid.sides == (20, 18)
    parts = [Part("a", grid, "0/0/0", 1), Part("b", grid, "0/0/0", 3)]
    shape = (channels, *grid.shape) if channels > 1 else grid.shape
    pixels = np.random.default_rng(0).integers(1, 60000, (2, *shape), np.uint16)
    layout = layout_of(grid, "uint16", 7, channels=channels)
    left_out = {("a", Tile(0, 1, 1)), ("b", Tile(1, 0, 0)), ("b", Tile(1, 1, 1))}
    with BlockWriter(tmp_path / "block", "0/0/0", layout, threads) as writer:
        for part, own in zip(parts, pixels, strict=True):
            for tile in grid.tiles("0/0/0"):
                region = grid.tile_region(tile)
                if (part.sample, tile) in left_out:
                    cut(own, region)[:] = 7
                else:
                    writer.write(part, region, cut(own, region))
    return Blocks({"0/0/0": tmp_path / "block"}, layout), parts, pixels, left_out


def test_tiles_that_are_no_chunks_are_written_and_read_back(unaligned):
    blocks, parts, pixels, left_out = unaligned
    for part, own in zip(parts, pixels, strict=True):
        reader, tiles = blocks.of(part), part.grid.tiles("0/0/0")
        found = [reader.tile(tile) for tile in tiles]
        for tile, read in zip(tiles, found, strict=True):
            np.testing.assert_array_equal(read, cut(own, part.grid.tile_region(tile)))
            # a chunk that others have filled too is no tile that is stored
            assert reader.is_stored(tile) == ((part.sample, tile) not in left_out)
        np.testing.assert_array_equal(reader.plane(1), own[..., 1, :, :])
        (strip,) = set(strips(part.grid, "0/0/0")) - {Region(1, 2, 0, 39, 0, 35)}
        assert strip == Region(0, 1, 0, 39, 0, 35)


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
    # a plane that is higher than wide
    high = Grid((1, 90, 20), 16, (1, 96, 32))
    assert [(strip.y0, strip.y1) for strip in strips(high, "0/0/0", math.inf)] == [(0, 90)]


@pytest.mark.parametrize(
    ("pixels", "threads", "number"),
    # of at most 2 ** 28 pixels together
    [(1000, 4, 4), (2**27, 4, 2), (3 * 2**26, 4, 1), (2**26, 3, 3), (2**40, 4, 1)],
)
def test_threads_share_the_memory(pixels, threads, number):
    assert at_once(pixels, threads) == number
    assert isinstance(at_once(pixels, threads), int)


def test_a_tile_that_is_fill_in_part_is_stored(tmp_path):
    # a side of 39 is cut in tiles of 20 and 19, which are no chunks of 16
    grid = Grid((1, 39, 39), 16, (1, 48, 48), edges="equal")
    assert grid.sides != grid.chunk
    layout = layout_of(grid, "uint8")
    tiles = grid.tiles("0/0/0")
    with BlockWriter(tmp_path / "block", "0/0/0", layout) as writer:
        pixels = np.zeros((39, 39), np.uint8)
        pixels[0, 0] = 1
        writer.write(alone(grid), Region(0, 1, 0, 39, 0, 39), pixels)
    reader = Blocks({"0/0/0": tmp_path / "block"}, layout).of(alone(grid))
    assert [reader.is_stored(tile) for tile in tiles] == [tile == tiles[0] for tile in tiles]


def test_a_part_is_read_from_its_plane_of_the_array(tmp_path):
    # blocks of two planes: void, a | aa | b, void; tiles of 2 px
    layout = layout_of(Grid((6, 3, 4), 2, (2, 4, 4)), "uint8", 9)
    a = Part("a", Grid((3, 3, 2), 2, (2, 4, 4)), "0/0/0", 1)
    b = Part("b", Grid((1, 2, 4), 2, (2, 4, 4)), "0/0/0", 4)
    plane = np.array([[1, 2], [3, 4], [5, 6]], np.uint8)
    files = {f"{z}/0/0": tmp_path / str(z) for z in range(3)}
    for block, planes in {"0/0/0": [0], "1/0/0": [1, 2]}.items():
        with BlockWriter(files[block], block, layout) as writer:
            for z in planes:
                writer.write(a, Region(z, z + 1, 0, 3, 0, 2), plane + 10 * z)
    with BlockWriter(files["2/0/0"], "2/0/0", layout) as writer:
        writer.write(b, Region(0, 1, 0, 2, 0, 4), np.full((2, 4), 7, np.uint8))

    blocks = Blocks(files, layout)
    reader, other = blocks.of(a), blocks.of(b)
    for z in range(3):
        np.testing.assert_array_equal(reader.read(Region(z, z + 1, 0, 3, 0, 2)), plane + 10 * z)
        np.testing.assert_array_equal(reader.tile(Tile(z, 1, 0)), [[5 + 10 * z, 6 + 10 * z]])
        assert reader.is_stored(Tile(z, 0, 0))
    assert (other.read(Region(0, 1, 0, 2, 0, 4)) == 7).all()
    # what lies beside a sample, and void planes
    whole = blocks.of(Part("array", Grid((6, 4, 4), 2, (2, 4, 4)), "0/0/0", 0))
    found = np.stack([whole.read(Region(z, z + 1, 0, 4, 0, 4)).copy() for z in range(6)])
    expected = np.full((6, 4, 4), 9)
    for z in range(3):
        expected[1 + z, :3, :2] = plane + 10 * z
    expected[4, :2] = 7
    np.testing.assert_array_equal(found, expected)
    stored = {tile for tile in whole_tiles() if whole.is_stored(tile)}
    assert stored == {
        *(Tile(z, row, 0) for z in (1, 2, 3) for row in (0, 1)),
        Tile(4, 0, 0),
        Tile(4, 0, 1),
    }


def whole_tiles():
    return [Tile(z, row, column) for z in range(6) for row in (0, 1) for column in (0, 1)]


def test_samples_of_a_block_are_read_by_several_threads(tmp_path):
    grid = Grid((1, 16, 16), 16, (64, 16, 16))
    parts = [Part(str(z), grid, "0/0/0", z) for z in range(64)]
    layout = layout_of(grid, "uint16")
    with BlockWriter(tmp_path / "block", "0/0/0", layout) as writer:
        each_part(
            lambda part, _: writer.write(
                part, grid.region("0/0/0"), np.full((16, 16), 1 + part.offset, np.uint16)
            ),
            parts,
            4,
        )
    blocks = Blocks({"0/0/0": tmp_path / "block"}, layout)
    found = each_part(
        lambda part, _: np.unique(blocks.of(part).read(grid.region("0/0/0"))), parts, 4
    )
    assert [values.tolist() for values in found] == [[1 + z] for z in range(64)]
