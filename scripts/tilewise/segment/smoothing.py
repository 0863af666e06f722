"""Smoothing with a gaussian, bit for bit the same wherever a plane is cut."""

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.segment.dtypes import as_dtype, band_height
from tilewise.segment.steps import is_number

TRUNCATE = 4
"""Where a gaussian ends, in standard deviations, as in SciPy."""


def gaussian(plane: NDArray, sigma: float) -> NDArray:
    """Smooth with a gaussian; `scipy.ndimage.gaussian_filter` in double precision, rounded.

    Parameters
    ----------
    sigma : float
        Standard deviation in pixels, above 0. The gaussian ends at 4 of them.
    """
    weights = gaussian_weights(sigma)
    radius = weights.size // 2
    rows, columns = plane.shape
    result = np.empty(plane.shape, plane.dtype)
    # a band is computed with its surroundings
    height = band_height(columns, radius)
    for start in range(0, rows, height):
        stop, first = min(start + height, rows), max(start - radius, 0)
        smooth = convolve(plane[first : stop + radius], weights, weights)[start - first :]
        result[start:stop] = as_dtype(smooth[: stop - start], plane.dtype)
    return result


def gaussian_weights(sigma: float) -> NDArray[np.float64]:
    """Weights of a gaussian from -radius to radius, of sum 1."""
    radius = gaussian_radius(sigma)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return weights / weights.sum()


def gaussian_radius(sigma: float) -> int:
    """Pixels from the centre of a gaussian to its end."""
    return int(TRUNCATE * sigma + 0.5)


def gaussian_reach(dtype: np.dtype, sigma: float) -> int:
    """Reach of `gaussian`, in pixels."""
    return gaussian_radius(sigma)


def check_gaussian(dtype: np.dtype, sigma: object) -> None:
    """Make sure that the settings of `gaussian` can be applied; ValueError otherwise."""
    if not is_number(sigma) or sigma <= 0:
        raise ValueError(f"sigma is {sigma!r}: give a number of pixels above 0")


def convolve(plane: NDArray, row_weights: NDArray, column_weights: NDArray) -> NDArray:
    """Convolve rows and columns with odd numbers of weights, in float64; the border is mirrored."""
    # Single precision would be faster, but round differently at the end of a row: with it, results
    # would depend on where planes are cut.
    return cv2.sepFilter2D(
        plane, cv2.CV_64F, row_weights, column_weights, borderType=cv2.BORDER_REFLECT
    )
