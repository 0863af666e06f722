"""Filters that change grey levels: inversion, equalisation, rescaling."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.segment.dtypes import as_dtype, in_bands, power_of_two, signed_as, unsigned
from tilewise.segment.steps import is_number, is_whole
from tilewise.value_counts import count_values


def invert(plane: NDArray) -> NDArray:
    """Swap bright and dark.

    Parameters
    ----------
    plane : (Y, X) ndarray

    Returns
    -------
    (Y, X) ndarray
        maximum - v for unsigned integers, -1 - v for signed ones (the whole range is mirrored),
        0 - v for float.
    """
    return np.subtract(0, plane) if plane.dtype.kind == "f" else cv2.bitwise_not(plane)


def clahe(plane: NDArray, clip_limit: float = 2.0, tiles: int = 8) -> NDArray:
    """Contrast-limited adaptive histogram equalisation (Zuiderveld 1994), by OpenCV.

    Parameters
    ----------
    plane : (Y, X) integer ndarray
    clip_limit : float
        Most pixels that a bin of a tile's histogram keeps, in multiples of the average bin.
    tiles : int
        Tiles per axis, of one histogram each; no more than the axis has pixels.
    """
    rows, columns = plane.shape
    equaliser = cv2.createCLAHE(clip_limit, (min(tiles, columns), min(tiles, rows)))
    return signed_as(plane.dtype, equaliser.apply(unsigned(plane)))


def check_clahe(dtype: np.dtype, clip_limit: object, tiles: object) -> None:
    """Make sure that the settings of `clahe` can be applied; ValueError otherwise."""
    if dtype.kind == "f":
        raise ValueError(
            f"{dtype} images have no histogram of fixed bins: use equalize or rescale instead"
        )
    if not is_number(clip_limit) or clip_limit <= 0:
        raise ValueError(f"clip_limit is {clip_limit!r}: give a number above 0, such as 2")
    if not is_whole(tiles) or tiles < 1:
        raise ValueError(f"tiles is {tiles!r}: give a whole number of at least 1")


def equalize(plane: NDArray) -> NDArray:
    """Equalise the histogram of the plane.

    Parameters
    ----------
    plane : (Y, X) ndarray

    Returns
    -------
    (Y, X) ndarray
        (pixels up to v - pixels of the smallest value) / (pixels above the smallest value), from 0
        to 1 for float, stretched onto the range of the dtype for integers. A constant plane stays
        as it is.
    """
    if plane.dtype == np.uint8:
        return cv2.equalizeHist(plane)
    if plane.dtype.kind == "f":
        _, index, count = np.unique(plane, return_inverse=True, return_counts=True)
        if count.size == 1:
            return plane.copy()
        return _equal_steps(count).astype(plane.dtype)[index.reshape(plane.shape)]
    values = unsigned(plane)
    brightest = np.iinfo(values.dtype).max
    count = count_values(values, brightest + 1)
    if np.count_nonzero(count) == 1:
        return plane.copy()
    table = as_dtype(_equal_steps(count) * brightest, values.dtype)
    return signed_as(plane.dtype, table[values])


def _equal_steps(count):
    """Fraction of the pixels above the smallest value that are not above each value."""
    smallest = count[np.flatnonzero(count)[0]]
    return np.maximum(np.cumsum(count) - smallest, 0) / (count.sum() - smallest)


def rescale(plane: NDArray, low: float = 1, high: float = 99) -> NDArray:
    """Stretch the plane from its percentiles onto the whole range of the dtype.

    Parameters
    ----------
    low, high : float
        Percentiles (0 to 100, interpolated linearly) that become the least and the greatest value;
        what is beyond saturates.

    Returns
    -------
    (Y, X) ndarray
        Onto 0 to 1 for float. A plane whose two percentiles are equal stays as it is.
    """
    if plane.dtype.kind == "f":
        scaled = plane / power_of_two(plane.min(), plane.max())
        first, last = (float(value) for value in np.percentile(scaled, (low, high)))
        if first == last:
            return plane.copy()
        return in_bands(lambda band: np.clip((band - first) / (last - first), 0, 1), scaled)
    values = unsigned(plane)
    brightest = np.iinfo(values.dtype).max
    count = count_values(values, brightest + 1)
    first, last = _percentile(count, low), _percentile(count, high)
    if first == last:
        return plane.copy()
    stretched = (np.arange(brightest + 1) - first) / (last - first) * brightest
    table = as_dtype(stretched, values.dtype)
    if plane.dtype == np.uint8:
        return cv2.LUT(plane, table)
    return signed_as(plane.dtype, table[values])


def _percentile(count, percent):
    """Percentile of the pixels that a histogram counts, as `numpy.percentile` interpolates it."""
    cumulative = np.cumsum(count)
    rank = (cumulative[-1] - 1) * percent / 100
    below = math.floor(rank)
    lower, upper = np.searchsorted(cumulative, (below, math.ceil(rank)), side="right")
    return lower + (upper - lower) * (rank - below)


def check_rescale(dtype: np.dtype, low: object, high: object) -> None:
    """Make sure that the settings of `rescale` can be applied; ValueError otherwise."""
    if not (is_number(low) and is_number(high) and 0 <= low < high <= 100):
        raise ValueError(f"low is {low!r}, high {high!r}: give percentiles, 0 <= low < high <= 100")
