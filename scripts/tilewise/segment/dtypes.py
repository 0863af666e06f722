"""Planes of any dtype: computing in double precision, scale, rounding, unsigned equivalents."""

import math
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

BAND_PIXELS = 2**18
"""Pixels that are computed at a time in double precision, so that temporaries stay in cache."""


def in_bands(
    compute: Callable[..., NDArray], plane: NDArray, *others: NDArray, **settings: object
) -> NDArray:
    """Compute in double precision, a band of rows at a time, and round as `as_dtype` does.

    `compute(band, *bands_of_others, **settings)` is an array of the band's shape.
    """
    result = np.empty(plane.shape, plane.dtype)
    height = max(BAND_PIXELS // plane.shape[1], 1)
    for start in range(0, plane.shape[0], height):
        rows = slice(start, start + height)
        values = compute(plane[rows], *(other[rows] for other in others), **settings)
        result[rows] = as_dtype(values, plane.dtype)
    return result


def in_padded_bands(
    compute: Callable[..., NDArray], plane: NDArray, reach: int, **settings: object
) -> NDArray:
    """Compute each pixel from its surroundings, a band of rows at a time, and round as `as_dtype`.

    `compute(padded, **settings)` gets a band with `reach` pixels more at each side, those beyond
    the border of the plane mirrored, and returns the values of the band without them.
    """
    result = np.empty(plane.shape, plane.dtype)
    for rows, padded in padded_bands(plane, reach):
        result[rows] = as_dtype(compute(padded, **settings), plane.dtype)
    return result


def padded_bands(plane: NDArray, reach: int) -> Iterator[tuple[slice, NDArray]]:
    """Rows of each band of a plane, and the band with `reach` pixels more at each side."""
    padded = cv2.copyMakeBorder(plane, reach, reach, reach, reach, cv2.BORDER_REFLECT)
    height = band_height(plane.shape[1], reach)
    for start in range(0, plane.shape[0], height):
        stop = min(start + height, plane.shape[0])
        yield slice(start, stop), padded[start : stop + 2 * reach]


def band_height(columns: int, reach: int) -> int:
    """Rows of a band, taller than its surroundings, so that little is computed twice."""
    return max(BAND_PIXELS // columns, 4 * reach, 1)


def as_dtype(values: NDArray, dtype: np.dtype) -> NDArray:
    """Values of double precision in a dtype: rounded to the nearest (even) and saturated."""
    if dtype.kind == "f":
        bounds = np.finfo(dtype)
        return np.clip(values, bounds.min, bounds.max).astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)


def power_of_two(low: float, high: float) -> float:
    """The greatest power of two that is not above the greatest of two absolute values; 1 for zeros.

    Floats of a range that are divided by it are between -2 and 2 and keep all of their digits. So
    a result that is computed from them does not depend on the scale of the image, and no sum or
    square is too large or too small for single precision.
    """
    greatest = max(abs(low), abs(high))
    return 2.0 ** (math.frexp(greatest)[1] - 1) if greatest else 1.0


def unsigned(plane: NDArray) -> NDArray:
    """An int16 plane as uint16, in the same order; unsigned planes as they are."""
    return (plane ^ np.int16(-(2**15))).view(np.uint16) if plane.dtype == np.int16 else plane


def signed_as(dtype: np.dtype, plane: NDArray) -> NDArray:
    """Undo `unsigned`: the plane as int16 if that is the dtype."""
    return (plane ^ np.uint16(2**15)).view(np.int16) if dtype == np.int16 else plane
