"""What is independent."""

import numpy as np

from tilewise.decide.places import Place
from tilewise.decide.units import assign, independent, pool


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
    assert assign(tiles, {"a": "mouse", "b": "mouse"}, "sample")[1][tiles[0]] == "mouse"


def test_near_planes_are_one_unit():
    tiles = places(*(("a", z, 0, 0) for z in (0, 3, 6, 20, 22, 40)))
    kind, units = assign(tiles, {"a": "a"}, plane_gap=5)
    assert kind == "plane"
    assert list(units.values()) == ["a z0"] * 3 + ["a z20"] * 2 + ["a z40"]


def test_tiles_above_each_other_are_one_unit():
    tiles = places(("a", 0, 0, 0), ("a", 1, 0, 0), ("a", 1, 64, 0))
    kind, units = assign(tiles, {"a": "a"})
    assert kind == "tile"
    assert list(units.values()) == ["a z0 y0 x0"] * 2 + ["a z0 y64 x0"]


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
