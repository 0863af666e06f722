import math
from collections import Counter

import pytest

from tilewise.store.grid import Grid, Region, Tile, choose_block, choose_levels, tile_sides


@pytest.fixture
def grid():
    # two planes of 5 x 9 px: 3 x 5 tiles of 2 px, blocks of one plane and 2 x 3 tiles
    return Grid((2, 5, 9), 2, (1, 4, 6))


def test_counts(grid):
    assert grid.tiles_along == (3, 5)
    assert grid.blocks_along == (2, 2, 2)
    assert grid.blocks() == [
        "0/0/0",
        "0/0/1",
        "0/1/0",
        "0/1/1",
        "1/0/0",
        "1/0/1",
        "1/1/0",
        "1/1/1",
    ]


@pytest.mark.parametrize(
    ("shape", "tile", "block", "problem"),
    [
        ((2, 0, 9), 2, (1, 4, 6), "must be positive"),
        ((2, 5, 9), 0, (1, 4, 6), "must be positive"),
        ((2, 5, 9), 2, (0, 4, 6), "must be positive"),
        ((2, 5, 9), 2, (1, 4, 5), "whole chunks"),
    ],
)
def test_grids_that_cannot_be(shape, tile, block, problem):
    with pytest.raises(ValueError, match=problem):
        Grid(shape, tile, block)


def test_region_is_cut_at_the_edge(grid):
    assert grid.region("0/0/0") == Region(0, 1, 0, 4, 0, 6)
    assert grid.region("1/1/1") == Region(1, 2, 4, 5, 6, 9)
    with pytest.raises(ValueError, match="outside"):
        grid.region("2/0/0")


def test_tiles_of_a_block(grid):
    assert grid.tiles("1/1/1") == [Tile(1, 2, 3), Tile(1, 2, 4)]
    assert grid.tile_region(Tile(1, 2, 4)) == Region(1, 2, 4, 5, 8, 9)
    assert Tile(3, 1, 7).name == "z0003_y01_x07"


@pytest.mark.parametrize(
    ("length", "side"),
    [
        # the last tile has half of 512 px, or more: 512, 488; 256, 276 and 288 after one or two
        *((1, 512), (512, 512), (768, 512), (800, 512), (1000, 512), (1024, 512), (1300, 512)),
        *((1536, 512), (1280, 512)),
        # one tile instead of two
        *((513, 513), (565, 565), (584, 584), (700, 700), (760, 760), (767, 767)),
        # two instead of three
        *((1025, 513), (1100, 550), (1279, 640)),
    ],
)
def test_short_last_tiles_are_shared_out(length, side):
    assert tile_sides((1, length, 512), 512, "even") == (side, 512)
    assert tile_sides((1, 512, length), 512, "even") == (512, side)
    assert tile_sides((1, length, length), 512, "keep") == (512, 512)


@pytest.mark.parametrize(
    ("shape", "tile"), [((1, 1537, 20), 512), ((1, 584, 2000), 512), ((1, 70000, 40000), 50000)]
)
def test_large_samples_have_tiles_that_are_chunks(shape, tile):
    # four tiles a side, or a plane that may be split: 2.8 * 10**9 px
    assert tile_sides(shape, tile, "even") == (tile, tile)


def test_equal_tiles_by_hand():
    # 35 = 18 + 17 rows, 20 columns; chunks of 16 px
    grid = Grid((2, 35, 20), 16, (2, 48, 32), "even")
    assert (grid.sides, grid.tiles_along, grid.strip) == ((18, 20), (2, 1), 35)
    tiles = grid.tiles("0/0/0")
    assert tiles == [Tile(z, row, 0) for z in (0, 1) for row in (0, 1)]
    assert [grid.tile_region(tile) for tile in tiles[:2]] == [
        Region(0, 1, 0, 18, 0, 20),
        Region(0, 1, 18, 35, 0, 20),
    ]
    assert grid.place(tiles[1])["height"] == 17
    assert grid.number_of_tiles(Region(0, 2, 17, 18, 0, 20)) == 2
    assert grid.tiles_in(Region(0, 1, 17, 19, 3, 4)) == tiles[:2]
    assert not any(map(grid.is_sliver, tiles))
    # stored as ever
    assert grid.level(0) == Grid((2, 35, 20), 16, (2, 48, 32))
    # 24 rows of a block are two chunks, the second of which reaches beyond them
    assert grid.level(1) == Grid((2, 18, 10), 16, (2, 32, 16))
    with pytest.raises(ValueError, match="whole tiles"):
        Grid((2, 35, 20), 16, (2, 16, 32), "even")


def test_blocks_have_whole_planes_of_equal_tiles():
    rows_and_columns = {"rows": 1, "columns": 1}
    assert choose_block((2, 35, 20), 16, edges="even", **rows_and_columns) == (2, 48, 32)
    # of a side whose tiles are chunks, as configured
    assert choose_block((2, 35, 32), 16, edges="even", **rows_and_columns) == (2, 48, 16)
    assert choose_block((2, 35, 20), 16, **rows_and_columns) == (2, 16, 16)


def slivers(shape, edges, tile=8):
    grid = Grid(shape, tile, (1, 64, 64), edges)
    return [tile.name[6:] for tile in grid.tiles("0/0/0") if grid.is_sliver(tile)]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        # of tiles of 64 px: 2 x 8 are 16, no less than a quarter; 1 x 8 are 8
        ((1, 34, 32), []),
        ((1, 33, 32), ["y04_x00", "y04_x01", "y04_x02", "y04_x03"]),
        # 4 x 8, 4 x 4, and 3 x 4 = 12
        ((1, 36, 36), []),
        ((1, 36, 35), ["y04_x04"]),
        # of a plane that is smaller than a tile, all is its first: 8 x 2 px, then 3 x 2 of 16
        ((1, 35, 2), []),
        ((1, 33, 2), ["y04_x00"]),
        ((1, 1, 1), []),
    ],
)
def test_slivers_have_less_than_a_quarter_of_the_area(shape, expected):
    assert slivers(shape, "even") == expected
    assert slivers(shape, "keep") == []


def test_a_tile_s_place_has_its_size(grid):
    corner = {"tile": "z0001_y02_x04", "z": 1, "y": 4, "x": 8}
    assert grid.place(Tile(1, 2, 4)) == corner | {"height": 1, "width": 1}


def test_every_pixel_is_in_one_tile(grid):
    seen = [
        (z, y, x)
        for block in grid.blocks()
        for tile in grid.tiles(block)
        for region in [grid.tile_region(tile)]
        for z in range(region.z0, region.z1)
        for y in range(region.y0, region.y1)
        for x in range(region.x0, region.x1)
    ]
    assert len(seen) == len(set(seen)) == 2 * 5 * 9


def test_around_is_cut_at_the_plane(grid):
    region = grid.region("0/0/1")
    assert grid.around(region, 1) == Region(0, 1, 0, 5, 5, 9)
    assert grid.around(region, math.inf) == Region(0, 1, 0, 5, 0, 9)
    assert grid.blocks_of(grid.around(region, 1)) == ["0/0/0", "0/0/1", "0/1/0", "0/1/1"]
    assert grid.blocks_of(region) == ["0/0/1"]


def test_levels_keep_one_shard_per_block():
    grid = Grid((3, 1000, 700), 512, (2, 1024, 1024))
    assert grid.level(1) == Grid((3, 500, 350), 512, (2, 512, 512))
    assert grid.level(3) == Grid((3, 125, 88), 128, (2, 128, 128))
    assert grid.level(3).blocks_along == grid.blocks_along


def cut(grid, level):
    """Shape of the blocks of a level, in rows and columns, and that of their chunks."""
    reduced = grid.level(level)
    return reduced.block[1:], reduced.chunk


def test_chunks_of_reduced_planes_are_as_large_as_tiles():
    # KESM: 16 x 35 tiles in one block, whose sides come to 4096 x 8960, 1024 x 2240, 128 x 280
    grid = Grid((799, 8026, 17480), 512, (16, 8192, 17920))
    assert cut(grid, 1) == ((4096, 9216), (512, 512))
    assert cut(grid, 3) == ((1024, 2560), (512, 512))
    assert cut(grid, 6) == ((128, 280), (128, 280))
    assert (grid.level(6).shape, grid.level(6).blocks_along) == ((799, 126, 274), (50, 1, 1))
    # one block of three tiles; the sides of a tile may be odd there
    odd = Grid((1, 1500, 512), 512, (1, 1536, 512))
    assert cut(odd, 1) == ((1024, 256), (512, 256))
    assert cut(Grid((1, 90, 70), 99, (1, 99, 99)), 3) == ((13, 13), (13, 13))


def test_chunks_of_several_blocks_divide_them():
    # blocks of 5 x 2 tiles along y alone: 80 rows come to 40, 20 and 10; of chunks of up to 16 px
    grid = Grid((1, 100, 32), 16, (1, 80, 32))
    assert [cut(grid, level) for level in (1, 2, 3)] == [
        ((40, 16), (10, 16)),
        ((20, 8), (10, 8)),
        ((10, 4), (10, 4)),
    ]
    assert grid.level(3).blocks_along == (1, 2, 1)
    assert grid.level(3).tiles("0/1/0") == [Tile(0, 1, 0)]
    with pytest.raises(ValueError, match="80 px cannot be halved 5 times.*multiple of 32"):
        grid.level(5)


def test_scattered_tiles_are_in_all_planes_rows_and_columns():
    grid = Grid((64, 80, 80), 10, (64, 80, 80))
    tiles = grid.scattered(64)
    assert len(set(tiles)) == 64
    assert tiles == sorted(tiles, key=lambda tile: (tile.z, tile.row, tile.column))
    # of 8 rows and 8 columns each has 8 of 64 tiles; at equal distances one column would have all
    for axis in ("row", "column"):
        counts = Counter(getattr(tile, axis) for tile in tiles)
        assert set(counts) == set(range(8))
        assert max(counts.values()) <= 10
    assert max(Counter(tile.z for tile in tiles).values()) <= 2
    assert {tile.column for tile in grid.spread(64)} == {0}
    small = Grid((2, 30, 20), 10, (2, 30, 20))
    assert small.scattered(99) == small.tiles("0/0/0")
    assert Grid((1, 5, 5), 10, (1, 10, 10)).scattered(3) == [Tile(0, 0, 0)]


def test_levels_down_to_an_overview():
    # the smallest copy has at most 512 px a side; small planes have three levels as ever
    sides = {1: 3, 4096: 3, 4097: 4, 8192: 4, 8193: 5, 17480: 6, 32769: 7}
    assert {side: choose_levels(side) for side in sides} == sides


def test_blocks_are_whole_planes():
    assert choose_block((1, 512, 512), 512) == (1, 512, 512)
    # planes of 2 ** 18 px: from 2 ** 29 px on two blocks, from 2 ** 31 px on four
    assert choose_block((1400, 512, 512), 512) == (1400, 512, 512)
    assert choose_block((3000, 512, 512), 512) == (1500, 512, 512)
    assert choose_block((12000, 512, 512), 512) == (3000, 512, 512)
    # 2 ** 36 px: 2 ** 31 in a block at most
    assert choose_block((262144, 512, 512), 512) == (8192, 512, 512)
    # KESM, 140 Mpx: 4 planes are 2.1 times 2 ** 28 px; 799 are 52.2 times 2 ** 31
    assert choose_block((4, 8026, 17480), 512) == (2, 8192, 17920)
    assert choose_block((799, 8026, 17480), 512) == (16, 8192, 17920)


def test_a_huge_plane_is_split_into_bands():
    planes, rows, columns = choose_block((2, 65536, 32768), 512)
    assert (planes, columns) == (1, 32768)
    assert rows == 32768


def test_configured_blocks():
    assert choose_block((9, 1000, 1000), 256, planes=1, rows=1, columns=1) == (1, 256, 256)
    assert choose_block((9, 1000, 1000), 256, planes=99, rows=99) == (9, 1024, 1024)


def test_boxes_that_touch_share_no_pixel():
    box = Region(0, 2, 0, 10, 0, 10)
    for z, y, x in ((2, 0, 0), (0, 10, 0), (0, 0, 10)):
        beside, over = (Region(z - d, z + 2, y - d, y + 5, x - d, x + 5) for d in (0, 1))
        assert not box.intersects(beside)
        assert not beside.intersects(box)
        assert box.intersects(over)


def test_a_plane_of_more_columns_than_a_block_may_have_is_split_row_by_row():
    # 2 ** 13 tiles of 2 ** 18 pixels a row
    assert choose_block((1, 2048, 2**22), 512) == (1, 512, 2**22)
