"""Filters that change grey levels: inversion, equalisation, rescaling."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.segment.dtypes import (
    BAND_PIXELS,
    as_dtype,
    in_bands,
    power_of_two,
    signed_as,
    unsigned,
)
from tilewise.segment.roi import nearest_inside
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


def clahe(
    plane: NDArray,
    clip_limit: float = 2.0,
    tiles: int = 8,
    *,
    inside: NDArray[np.bool] | None = None,
) -> NDArray:
    """Contrast-limited adaptive histogram equalisation (Zuiderveld 1994), by OpenCV.

    Parameters
    ----------
    plane : (Y, X) integer ndarray
    clip_limit : float
        Most pixels that a bin of a tile's histogram keeps, in multiples of the average bin.
    tiles : int
        Tiles per axis, of one histogram each; no more than the axis has pixels.
    """
    along = min(tiles, plane.shape[0]), min(tiles, plane.shape[1])
    if inside is not None:
        return signed_as(plane.dtype, _clahe_inside(unsigned(plane), inside, clip_limit, along))
    equaliser = cv2.createCLAHE(clip_limit, along[::-1])
    return signed_as(plane.dtype, equaliser.apply(unsigned(plane)))


def _clahe_inside(plane, inside, clip_limit, along):
    """What OpenCV does, but only pixels inside count; a tile without any is as the nearest one.

    `along` is the number of tile rows and of tile columns.
    """
    levels = np.iinfo(plane.dtype).max + 1
    margins = [-size % number for size, number in zip(plane.shape, along, strict=True)]
    if any(margins):
        margins = [number - size % number for size, number in zip(plane.shape, along, strict=True)]
    border = 0, margins[0], 0, margins[1]
    padded = cv2.copyMakeBorder(plane, *border, cv2.BORDER_REFLECT_101)
    counted = cv2.copyMakeBorder(inside.view(np.uint8), *border, cv2.BORDER_REFLECT_101) != 0
    height, width = (size // number for size, number in zip(padded.shape, along, strict=True))
    tables = np.zeros((*along, levels), np.float32)
    has_any = np.zeros(along, bool)
    for row, column in np.ndindex(along):
        tile = np.s_[row * height : (row + 1) * height, column * width : (column + 1) * width]
        counts = count_values(padded[tile][counted[tile]], levels)
        has_any[row, column] = counts.any()
        if counts.any():
            tables[row, column] = _clipped_table(counts, clip_limit).astype(plane.dtype)
    tables = tables[tuple(nearest_inside(has_any))]
    y, x = (
        _between_tiles(size, step, number)
        for size, step, number in zip(plane.shape, (height, width), along, strict=True)
    )
    result = np.empty_like(plane)
    height = max(BAND_PIXELS // plane.shape[1], 1)
    for start in range(0, plane.shape[0], height):
        band = slice(start, start + height)
        mixed = sum(
            (
                sum(tables[rows[band, None], columns, plane[band]] * share for columns, share in x)
                * shares[band, None]
            )
            for rows, shares in y
        )
        result[band] = as_dtype(mixed, plane.dtype)
    return result


def _clipped_table(counts, clip_limit):
    """Grey levels of an equalised tile: what is clipped off is spread over all bins."""
    levels, pixels = counts.size, int(counts.sum())
    limit = max(int(clip_limit * pixels / levels), 1)
    clipped = int(np.maximum(counts - limit, 0).sum())
    counts = np.minimum(counts, limit) + clipped // levels
    if rest := clipped % levels:
        counts[:: max(levels // rest, 1)][:rest] += 1
    scale = np.float32(levels - 1) / np.float32(pixels)
    return np.clip(np.rint(np.cumsum(counts).astype(np.float32) * scale), 0, levels - 1)


def _between_tiles(size, step, number):
    """For each pixel along an axis the tiles before and after it, each with its weight."""
    place = np.arange(size, dtype=np.float32) * (np.float32(1) / np.float32(step)) - np.float32(0.5)
    before = np.floor(place).astype(int)
    share = place - before.astype(np.float32)
    return (
        (np.maximum(before, 0), np.float32(1) - share),
        (np.minimum(before + 1, number - 1), share),
    )


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


def equalize(plane: NDArray, *, inside: NDArray[np.bool] | None = None) -> NDArray:
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
    if plane.dtype == np.uint8 and inside is None:
        return cv2.equalizeHist(plane)
    if plane.dtype.kind == "f":
        levels, count = np.unique(plane if inside is None else plane[inside], return_counts=True)
        if count.size == 1:
            return plane.copy()
        # pixels outside may have levels of their own: they take the step below
        index = np.maximum(np.searchsorted(levels, plane, side="right") - 1, 0)
        return _equal_steps(count).astype(plane.dtype)[index]
    values = unsigned(plane)
    brightest = np.iinfo(values.dtype).max
    count = count_values(values if inside is None else values[inside], brightest + 1)
    if np.count_nonzero(count) == 1:
        return plane.copy()
    table = as_dtype(_equal_steps(count) * brightest, values.dtype)
    return signed_as(plane.dtype, table[values])


def _equal_steps(count):
    """Fraction of the pixels above the smallest value that are not above each value."""
    smallest = count[np.flatnonzero(count)[0]]
    return np.maximum(np.cumsum(count) - smallest, 0) / (count.sum() - smallest)


def rescale(
    plane: NDArray, low: float = 1, high: float = 99, *, inside: NDArray[np.bool] | None = None
) -> NDArray:
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
        counted = scaled if inside is None else scaled[inside]
        first, last = (float(value) for value in np.percentile(counted, (low, high)))
        if first == last:
            return plane.copy()
        return in_bands(lambda band: np.clip((band - first) / (last - first), 0, 1), scaled)
    values = unsigned(plane)
    brightest = np.iinfo(values.dtype).max
    count = count_values(values if inside is None else values[inside], brightest + 1)
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
