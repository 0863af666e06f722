import numpy as np
import pytest

from tilewise.store.pyramid import mean, nearest


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_mean_of_four(dtype):
    pixels = np.array([[1, 2, 10], [3, 5, 12], [7, 7, 100]], dtype)
    # 11 / 4 and 44 / 4; an odd last row and column count twice: 28 / 4 and 400 / 4
    expected = [[2.75, 11], [7, 100]] if dtype == "float32" else [[3, 11], [7, 100]]
    reduced = mean(pixels)
    assert reduced.dtype == dtype
    np.testing.assert_array_equal(reduced, expected)


def test_mean_does_not_overflow():
    for dtype in ("uint8", "uint16"):
        highest = np.iinfo(dtype).max
        assert mean(np.full((2, 2), highest, dtype)) == highest
    lowest = np.full((2, 2), -32768, np.int16)
    assert mean(lowest) == -32768


def test_channels_are_kept_apart():
    pixels = np.stack([np.zeros((2, 4), np.uint8), np.full((2, 4), 9, np.uint8)])
    np.testing.assert_array_equal(mean(pixels), [[[0, 0]], [[9, 9]]])


def test_nearest_makes_no_new_value():
    labels = np.array([[0, 4, 255], [4, 4, 4], [1, 2, 3]], np.uint8)
    np.testing.assert_array_equal(nearest(labels), [[0, 255], [1, 3]])
