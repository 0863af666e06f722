"""Tiles that are drawn at random, by counting and by hand."""

import pytest

from tilewise.quality.random_tiles import RANDOM, draw


def tile(z, x, sample="s", **more):
    place = {"sample": sample, "tile": f"z{z}x{x}", "z": str(z), "y": "0", "x": str(x)}
    size = {"height": "64", "width": "64", "edge": "", "flags": ""}
    return place | size | {"annotated": "", "excluded": "", **more}


def volume(planes, columns, **more):
    return [tile(z, 64 * x, **more) for z in range(planes) for x in range(columns)]


def planes_of(drawn):
    return [int(row["z"]) for row in drawn]


def test_a_plane_has_its_share():
    drawn = draw(volume(2, 8), 5, 0)
    # of five tiles two are for the first plane, three for the second
    assert planes_of(drawn) == [0, 0, 1, 1, 1]
    assert [row["pi"] for row in drawn] == [2 / 8] * 2 + [3 / 8] * 3
    assert len({row["tile"] for row in drawn}) == 5
    assert {row["purpose"] for row in drawn} == {"estimate"}
    assert {tuple(row) for row in drawn} == {RANDOM}


def test_planes_are_in_runs_where_tiles_are_fewer():
    drawn = draw(volume(6, 2), 3, 0)
    assert [z // 2 for z in planes_of(drawn)] == [0, 1, 2]
    assert [row["pi"] for row in drawn] == [1 / 4] * 3


def test_what_a_plane_has_no_tiles_for_is_drawn_from_others():
    drawn = draw([tile(0, 0), *(tile(1, 64 * x) for x in range(8))], 6, 0)
    assert planes_of(drawn) == [0, 1, 1, 1, 1, 1]
    assert [row["pi"] for row in drawn] == [1, *[5 / 8] * 5]


@pytest.mark.parametrize(
    "out",
    [{"annotated": "yes"}, {"excluded": "yes"}, {"edge": "sliver"}, {"flags": "blurred;empty"}],
)
def test_some_tiles_are_never_drawn(out):
    drawn = draw([tile(0, 0, **out), tile(0, 64, flags="blurred"), tile(0, 128)], 5, 0)
    assert [(row["x"], row["pi"]) for row in drawn] == [("64", 1), ("128", 1)]


def test_nothing_is_drawn_of_nothing():
    assert draw([], 5, 0) == []
    assert draw(volume(1, 3), 0, 0) == []


def test_the_same_seed_draws_the_same():
    tiles = volume(3, 20)
    first = draw(tiles, 6, 0)
    assert draw(tiles, 6, 0) == first
    assert draw(tiles, 6, 1) != first
    other = draw(volume(3, 20, sample="other"), 6, 0)
    assert [row["tile"] for row in other] != [row["tile"] for row in first]


def test_each_tile_is_drawn_with_its_probability():
    tiles = volume(2, 5)
    times = dict.fromkeys((one["tile"] for one in tiles), 0)
    for seed in range(1000):
        for row in draw(tiles, 4, seed):
            times[row["tile"]] += 1
    # 400 of 1,000, with a standard deviation of 15.5: four of them, for ten tiles
    assert all(abs(number - 400) < 62 for number in times.values())
