import numpy as np
import pytest

from tilewise import value_counts
from tilewise.value_counts import count_values


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_values_by_hand(dtype):
    pixels = np.array([[0, 3, 3], [1, 0, 3]], dtype)
    counts = count_values(pixels, 5)
    assert counts.tolist() == [2, 1, 0, 3, 0]
    assert counts.dtype == np.int64
    # 3 is beyond the values that are counted
    assert count_values(pixels, 3).tolist() == [2, 1, 0]


def test_a_region_of_a_plane():
    plane = np.arange(30, dtype=np.uint8).reshape(5, 6)
    assert np.flatnonzero(count_values(plane[1:3, 2:5], 256)).tolist() == [8, 9, 10, 14, 15, 16]


@pytest.mark.parametrize("shape", [(40,), (8, 5), (2, 4, 5)])
def test_bands_add_up(monkeypatch, shape):
    pixels = np.random.default_rng(0).integers(0, 9, shape, np.uint16)
    expected = np.bincount(pixels.ravel(), minlength=9)
    monkeypatch.setattr(value_counts, "EXACT_PIXELS", 13)
    assert count_values(pixels, 9).tolist() == expected.tolist()


@pytest.mark.parametrize("shape", [(0,), (0, 4), (4, 0)])
def test_no_pixels(shape):
    assert count_values(np.zeros(shape, np.uint8), 3).tolist() == [0, 0, 0]


@pytest.mark.parametrize("shape", [(4097, 4099), (4097 * 4099,)])
def test_more_pixels_than_single_precision_counts(shape):
    assert count_values(np.ones(shape, np.uint8), 256)[1] == 4097 * 4099
