"""Annotated tiles that a U-Net is trained on: what is held out of it is not among them."""

import numpy as np
import pytest

from tilewise.labels import NOT_ANNOTATED
from tilewise.learn import windows
from tilewise.learn.assignment import Place
from tilewise.learn.windows import Plane, Window

N = NOT_ANNOTATED


def place(sample, y, x, unit, patch=""):
    return Place(sample, 0, y, x, patch, unit, "0", "0", frozenset())


def window(sample, y, x, shape=(4, 6), value=7, truth=1):
    return Window(
        (sample, 0, y, x), np.full(shape, value, np.uint8), np.full(shape, truth, np.uint8)
    )


def test_windows_are_read_back(tmp_path):
    random = np.random.default_rng(0)
    shapes = [(3, 5), (4, 2)]
    known = [
        Window(
            ("s", 2, 3 * i, 0),
            random.integers(0, 999, shape).astype(np.uint16),
            random.integers(0, 2, shape).astype(np.uint8),
        )
        for i, shape in enumerate(shapes)
    ]
    windows.write(tmp_path / "a.npz", known)
    windows.write(tmp_path / "b.npz", [])
    again = windows.read([tmp_path / "b.npz", tmp_path / "a.npz"])
    assert [one.corner for one in again] == [one.corner for one in known]
    for one, other in zip(known, again, strict=True):
        assert other.pixels.dtype == np.uint16
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_array_equal(one.truth, other.truth)


def test_windows_of_channels_are_read_back_and_put_together(tmp_path):
    random = np.random.default_rng(0)
    pixels = [random.integers(0, 999, (3, 4, 6)).astype(np.uint16) for _ in range(3)]
    corners = [(0, 0), (0, 6), (4, 0)]
    truth = np.ones((4, 6), np.uint8)
    known = [
        Window(("a", 0, *corner), own, truth) for corner, own in zip(corners, pixels, strict=True)
    ]
    windows.write(tmp_path / "a.npz", known)
    again = windows.read([tmp_path / "a.npz"])
    for one, other in zip(known, again, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
    (plane,) = windows.planes_of(again, [place("a", *corner, "u") for corner in corners], 0)
    assert plane.training.shape == (8, 12)
    upper = np.concatenate(pixels[:2], axis=2)
    # of each channel, the mean of the tiles that there are
    rest = np.broadcast_to(
        np.mean(pixels, axis=(0, 2, 3)).astype(np.uint16)[:, None, None], (3, 4, 6)
    )
    expected = np.concatenate([upper, np.concatenate([pixels[2], rest], axis=2)], axis=1)
    np.testing.assert_array_equal(plane.pixels, expected)


def test_tiles_that_are_held_out_have_no_truth():
    tiles = [window("a", 0, 0, value=1), window("a", 0, 6, value=2, truth=0), window("b", 0, 0)]
    (plane,) = windows.planes_of(tiles, [place("a", 0, 0, "u")], 2)
    # they are seen beside the others, and samples without any place are left out
    assert plane.pixels.tolist() == [[1] * 6 + [2] * 6] * 4
    known = (plane.training != N) | (plane.validation != N)
    assert not known[:, 6:].any()
    assert known[:, :6].any()


def test_blocks_of_a_tile_are_held_out_with_their_margin():
    tile = window("a", 0, 0, shape=(30, 30), truth=0)
    # of nine blocks of 10 px, 4 px apart, the first
    (plane,) = windows.planes_of([tile], [place("a", 0, 0, "0", patch="0")], 4)
    expected = np.full((30, 30), N)
    expected[:8, :8] = 0
    np.testing.assert_array_equal(plane.training, expected)


def test_units_validate_where_there_are_enough():
    names = [f"u{number}" for number in range(9)]
    planes = windows.planes_of(
        [window(name, 0, 0) for name in names], [place(name, 0, 0, name) for name in names], 2
    )
    # the third, and the sixth after it
    validating = [(plane.validation != N).all() for plane in planes]
    assert validating == [False, False, True, *[False] * 5, True]
    assert [(plane.training != N).all() for plane in planes] == [not one for one in validating]


def test_each_network_is_validated_by_other_units():
    names = [f"u{number:02}" for number in range(15)]
    tiles, places = [window(name, 0, 0) for name in names], [place(n, 0, 0, n) for n in names]
    known = []
    for number in range(3):
        planes = windows.planes_of(tiles, places, 2, number, 3)
        known.append([i for i, plane in enumerate(planes) if (plane.validation != N).all()])
        assert all(((p.training == N) == (p.validation != N)).all() for p in planes)
    # of each twelve the third, the seventh and the eleventh
    assert known == [[2, 14], [6], [10]]


def test_tiles_far_apart_are_not_put_together():
    tiles = [window("a", 0, 0), window("a", 400, 600)]
    planes = windows.planes_of(tiles, [place("a", 0, 0, "u"), place("a", 400, 600, "u")], 2)
    assert [plane.pixels.shape for plane in planes] == [(4, 6), (4, 6)]


def test_a_gap_between_tiles_has_no_truth():
    tiles = [window("a", 0, 0), window("a", 0, 6, value=9), window("a", 4, 6, value=8)]
    places = [place("a", *tile.corner[2:], "u") for tile in tiles]
    (plane,) = windows.planes_of(tiles, places, 0)
    gap = np.s_[4:, :6]
    assert (plane.pixels[gap] == 8).all()  # the mean of 7, 9 and 8
    assert (plane.training[gap] == N).all()
    assert (plane.validation[gap] == N).all()


def test_blocks_with_foreground_validate_where_there_are_few_units():
    truth = np.zeros((40, 80), np.uint8)
    # blocks are 10 x 20: those of rows 1 and 2, of which the third validates, have foreground
    truth[15, ::4] = truth[25, 10::20] = 1
    truth[:, :5] = N
    none = np.full_like(truth, N)
    plane = windows.split(Plane(np.zeros_like(truth), truth, none), 3)
    y, x = 10, 40
    expected = none.copy()
    expected[y : y + 10, x : x + 20] = truth[y : y + 10, x : x + 20]
    np.testing.assert_array_equal(plane.validation, expected)
    expected = truth.copy()
    expected[y - 3 : y + 13, x - 3 : x + 23] = N
    # the ninth is the last of these blocks that could validate: there are eight
    np.testing.assert_array_equal(plane.training, expected)


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [(2, [[], [], []]), (5, [[2], [1], [0]]), (16, [[2, 14], [6], [10]])],
)
def test_each_network_is_validated_by_other_blocks(blocks, expected):
    truth = np.zeros((40, 80), np.uint8)
    middles = [(10 * (i // 4) + 5, 20 * (i % 4) + 10) for i in range(16)]
    for middle in middles[:blocks]:
        truth[middle] = 1
    plane = Plane(np.zeros_like(truth), truth, np.full_like(truth, N))
    for number, own in enumerate(expected):
        found = windows.split(plane, 3, number, 3)
        known = [i for i, middle in enumerate(middles) if found.validation[middle] == 1]
        assert known == own
        assert (found.training[found.validation != N] == N).all()


@pytest.mark.parametrize("tiles", [[], [window("a", 0, 0)]])
def test_without_places_there_are_no_planes(tiles):
    assert windows.planes_of(tiles, [], 2) == []
