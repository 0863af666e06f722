import numpy as np
import pytest

from tilewise.read.truth_values import distinct

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (37, 53), np.uint8)
DEEP = RNG.integers(0, 2**16, (37, 53), np.uint16)
FLOAT = RNG.normal(size=(37, 53)).astype(np.float32)
MASK = GREY > 127


@pytest.mark.parametrize("pixels", [GREY, DEEP, FLOAT, MASK, DEEP.astype(np.int16), GREY[:0]])
def test_distinct(pixels):
    assert distinct(pixels) == set(pixels.ravel().tolist())
    assert distinct(pixels[:, ::2]) == set(pixels[:, ::2].ravel().tolist())


@pytest.mark.parametrize("values", [(0, 0), (0, 7), (7, 7), (3, 7), (0, 3, 7), (3, 7, 0, 7)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_distinct_of_few(values, dtype):
    assert distinct(np.array([values], dtype)) == set(values)
