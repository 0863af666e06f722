"""Filters by the order of the pixels in a window: median and top-hat."""

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.segment.dtypes import signed_as, unsigned
from tilewise.segment.steps import is_whole

LARGEST_WINDOW = 255
"""Side in pixels of the largest window that OpenCV's median can count: it does so in 16 bits."""


def median(plane: NDArray, size: int) -> NDArray:
    """Median of the square window around each pixel; `scipy.ndimage.median_filter`.

    Parameters
    ----------
    size : int
        Side of the window in pixels, odd.

    Notes
    -----
    8-bit planes take the same time for any size up to 255, and some 50 times that above it. From
    size 7 on, 16-bit planes take longer the more their medians vary, and float ones in proportion
    to the area of the window: a background of a float image is better estimated by an opening or a
    gaussian.
    """
    if size <= 5 or plane.dtype == np.uint8:
        return _reflected_median(plane, size)
    if plane.dtype.kind == "f":
        return _sorted_median(plane, size)
    return signed_as(plane.dtype, _bytewise_median(unsigned(plane), size))


def _reflected_median(plane, size):
    """Median by OpenCV, which repeats the border pixels: the mirror image of one pixel."""
    if size <= 3:
        return cv2.medianBlur(plane, size)
    if size > LARGEST_WINDOW:
        return _counted_median(plane, size)
    half = size // 2
    padded = cv2.copyMakeBorder(plane, half, half, half, half, cv2.BORDER_REFLECT)
    return cv2.medianBlur(padded, size)[half:-half, half:-half]


def _counted_median(plane, size):
    """Median of a uint8 plane as the number of grey levels that most of the window is above."""
    darkest = plane.min()
    result = np.full(plane.shape, darkest)
    for grey_level in range(darkest, plane.max()):
        above = (plane > grey_level).astype(np.uint8)
        count = cv2.boxFilter(
            above, cv2.CV_32S, (size, size), normalize=False, borderType=cv2.BORDER_REFLECT
        )
        result += count > size**2 // 2
    return result


def _sorted_median(plane, size):
    from scipy import ndimage

    return ndimage.median_filter(plane, size, mode="reflect")


def _bytewise_median(plane, size):
    """Median of a uint16 plane from 8-bit medians.

    A median commutes with every monotone function. So the high byte of the median is the median of
    the high bytes; and where it is h, the low byte is the median of the pixels clipped to the
    values whose high byte is h.
    """
    high = _reflected_median((plane >> 8).astype(np.uint8), size)
    high_bytes = np.unique(high)
    # measured: a high byte costs what sorting costs for a window of some two pixels
    if size**2 < 2 * high_bytes.size:
        return _sorted_median(plane, size)
    result = np.empty_like(plane)
    for high_byte in high_bytes:
        chosen = high == high_byte
        rows, inner_rows, outer_rows = _span(chosen.any(axis=1), size // 2)
        columns, inner_columns, outer_columns = _span(chosen.any(axis=0), size // 2)
        lowest = int(high_byte) << 8
        low = np.clip(plane[outer_rows, outer_columns], lowest, lowest + 255) - np.uint16(lowest)
        low_bytes = _reflected_median(low.astype(np.uint8), size)[inner_rows, inner_columns]
        box = rows, columns
        np.add(low_bytes, np.uint16(lowest), out=result[box], where=chosen[box])
    return result


def _span(chosen, margin):
    """From the first to the last chosen index: in the axis, in what is around it, and that."""
    first, last = np.flatnonzero(chosen)[[0, -1]]
    start = max(first - margin, 0)
    inner = slice(first - start, last + 1 - start)
    return slice(first, last + 1), inner, slice(start, last + 1 + margin)


def tophat(plane: NDArray, size: int, dark: bool = False) -> NDArray:
    """What is brighter than its surroundings and narrower than the window (white top-hat).

    Parameters
    ----------
    size : int
        Side of the square window in pixels, odd.
    dark : bool
        Instead, what is darker than its surroundings, bright on black (black top-hat).

    Returns
    -------
    (Y, X) ndarray
        v - opening, or closing - v, never below 0; what is outside the range of the dtype
        saturates.
    """
    if dark:
        difference = cv2.subtract(_morphology(plane, cv2.MORPH_CLOSE, size), plane)
    else:
        difference = cv2.subtract(plane, opening(plane, size))
    if plane.dtype.kind == "f":
        np.minimum(difference, np.finfo(plane.dtype).max, out=difference)
    return difference


def opening(plane: NDArray, size: int) -> NDArray:
    """Grey opening with a square window; `scipy.ndimage.grey_opening`."""
    return _morphology(plane, cv2.MORPH_OPEN, size)


def _morphology(plane, operation, size):
    # OpenCV ignores what is outside. So does a mirrored border: the window has its originals too.
    return cv2.morphologyEx(plane, operation, np.ones((size, size), np.uint8))


def window_reach(dtype: np.dtype, size: int, **settings: object) -> int:
    """Reach of a window, in pixels."""
    return size // 2


def opening_reach(dtype: np.dtype, size: int, **settings: object) -> int:
    """Reach of an opening or a closing, in pixels: that of two windows."""
    return 2 * (size // 2)


def check_window(dtype: np.dtype, size: object, **settings: object) -> None:
    """Make sure that a window has a centre; ValueError otherwise."""
    if not is_whole(size) or size < 1 or size % 2 == 0:
        raise ValueError(f"size is {size!r}: give an odd whole number of pixels, such as 3 or 5")


def check_tophat(dtype: np.dtype, size: object, dark: object) -> None:
    """Make sure that the settings of `tophat` can be applied; ValueError otherwise."""
    check_window(dtype, size)
    if not isinstance(dark, bool):
        raise ValueError(f"dark is {dark!r}: give true or false")
