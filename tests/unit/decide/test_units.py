"""What is independent."""

import numpy as np

from tilewise.decide.places import Place
from tilewise.decide.space import Spot
from tilewise.decide.units import apart, assign, independent, pool, pool_table


def places(*tiles):
    return [Place(*tile) for tile in tiles]


def test_samples_come_first():
    tiles = places(("a", 0, 0, 0), ("a", 0, 0, 64), ("b", 0, 0, 0))
    kind, units = assign(tiles, {"a": "a", "b": "b"})
    assert kind == "sample"
    assert list(units.values()) == ["a", "a", "b"]


def test_samples_of_one_group_are_one_unit():
    tiles = places(("a", 0, 0, 0), ("b", 0, 0, 0))
    kind, units = assign(tiles, {"a": "mouse", "b": "mouse"})
    assert kind == "plane"
    assert len(set(units.values())) == 2
    # a single unit is cut into its parts, which count as one
    kind, parts = assign(tiles, {"a": "mouse", "b": "mouse"}, "sample")
    assert (kind, list(parts.values())) == ("part", list(units.values()))
    assert independent(kind, 2) == 1
    assert assign(tiles, {"a": "a", "b": "b"}, "sample")[1][tiles[0]] == "a"


def test_tiles_of_consecutive_planes_are_parts_of_one_unit():
    tiles = places(*(("a", z, 0, 0) for z in range(4)))
    for kind in ("auto", "plane", "tile"):
        found, units = assign(tiles, {"a": "a"}, kind)
        assert (found, list(units.values())) == ("part", [f"a z{z} y0 x0" for z in range(4)])
    assert assign([], {}, "auto") == ("tile", {})
    assert assign([], {}, "plane") == ("plane", {})
    # a single tile has spatial blocks
    one = places(("a", 0, 0, 0), ("a", 0, 0, 0, "0"), ("a", 0, 0, 0, "1"))
    for kind in ("auto", "sample"):
        assert assign(one, {"a": "a"}, kind) == ("block", {one[1]: "block 0", one[2]: "block 1"})


def test_near_planes_are_one_unit():
    tiles = places(*(("a", z, 0, 0) for z in (0, 3, 6, 11, 20, 22, 40)))
    kind, units = assign(tiles, {"a": "a"}, plane_gap=5)
    assert kind == "plane"
    assert list(units.values()) == ["a z0"] * 3 + ["a z11"] + ["a z20"] * 2 + ["a z40"]


def test_tiles_above_each_other_are_one_unit():
    tiles = places(("a", 0, 0, 0), ("a", 1, 0, 0), ("a", 1, 64, 0))
    kind, units = assign(tiles, {"a": "a"})
    assert kind == "tile"
    assert list(units.values()) == ["a z0 y0 x0"] * 2 + ["a z0 y64 x0"]


def square(side, first=0):
    """The spots of a square of annotated tiles of 64 px."""
    return {
        Place("a", 0, 64 * row, 64 * column): Spot("a", 0, row, column)
        for row in range(first, first + side)
        for column in range(first, first + side)
    }


def kinds(spots, gap=1, side=2, min_units=5):
    kind, units = apart(spots, gap, side, min_units)
    assert set(units) == set(spots)
    return kind, sorted(set(units.values()))


def test_tiles_that_touch_are_one_unit_where_enough_are_left():
    # a square of four, and four tiles apart
    spots = square(2) | square(1, 4) | square(1, 6) | square(1, 8) | square(1, 10)
    alone = [f"a z0 y{64 * i} x{64 * i}" for i in (10, 4, 6, 8)]
    assert kinds(spots) == ("tile", sorted(["a z0 y0 x0", *alone]))
    # or where none touch, however few they are
    assert kinds(square(1) | square(1, 2)) == ("tile", ["a z0 y0 x0", "a z0 y128 x128"])
    assert kinds(square(2), gap=0)[0] == "tile"
    assert len(kinds(square(2), gap=0)[1]) == 4


def test_cells_where_too_few_are_left():
    names = [f"a z0 y{y} x{x}" for y in (0, 128) for x in (0, 128)]
    assert kinds(square(4)) == ("cell", sorted(names))
    assert len(kinds(square(6))[1]) == 9
    # tiles above each other are in one cell
    above = {Place("a", 1, place.y, place.x): spot for place, spot in square(4).items()}
    assert kinds(square(4) | above) == ("cell", sorted(names))


def test_near_tiles_that_make_no_two_cells_are_one_unit():
    kind, names = kinds(square(3))
    assert (kind, len(names), independent(kind, 9)) == ("near", 9, 1)
    # two squares which do not touch are two units: cells would be no more
    assert kinds(square(2) | square(2, 3), side=3) == ("tile", ["a z0 y0 x0", "a z0 y192 x192"])
    assert kinds(square(1))[0] == "tile"
    assert independent("near", 0) == 0


def test_blocks_of_a_single_tile_are_no_independent_units():
    tiles = places(("a", 0, 0, 0), ("a", 0, 0, 0, "0"), ("a", 0, 0, 0, "1"))
    kind, units = assign(tiles, {"a": "a"})
    assert kind == "block"
    assert list(units.values()) == ["block 0", "block 1"]
    assert independent(kind, 2) == 1
    assert independent("plane", 2) == 2


def test_pooled_counts():
    first, second, other = places(("a", 0, 0, 0), ("b", 0, 0, 0), ("c", 0, 0, 0))
    units = {first: "y", second: "x"}
    rows = [("v", first, [1, 2]), ("v", second, [3, 4]), ("v", first, [5, 6]), ("w", other, [9, 9])]
    pooled, names = pool(rows, units, 2)
    assert names == ["x", "y"]
    assert set(pooled) == {"v"}
    np.testing.assert_array_equal(pooled["v"], [[3, 4], [6, 8]])


def test_as_many_linked_units_as_are_asked_for_are_enough():
    spots = square(4) | square(1, 6) | square(1, 8) | square(1, 10) | square(1, 12)
    assert kinds(spots, min_units=5)[0] == "tile"
    # 13 rows are cut in five times two and three: four cells of the square, and the last two tiles
    # are in one
    kind, names = kinds(spots, min_units=6)
    assert (kind, len(names)) == ("cell", 7)
    # no more can be asked for than there are tiles
    assert kinds(square(1) | square(1, 2), min_units=5)[0] == "tile"


def test_counts_are_summed_by_unit():
    tiles = places(*(("a", z, 0, 0) for z in range(5)))
    units = {tiles[0]: "two", tiles[1]: "one", tiles[2]: "two", tiles[4]: "three"}
    counts = np.array([[1, 10], [2, 20], [4, 40], [8, 80], [16, 160]], np.float64)
    # one, three and two; the fourth tile has no unit
    assert pool_table(tiles, counts, units).tolist() == [[2, 20], [16, 160], [5, 50]]
    left_out = {tiles[0], tiles[4]}
    assert pool_table(tiles, counts, units, left_out).tolist() == [[2, 20], [0, 0], [4, 40]]
