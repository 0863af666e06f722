"""Masks of several thresholds at once."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.segment.components import Components


def hysteresis(plane: NDArray, low: float, high: float) -> NDArray[np.uint8]:
    """Regions above a low threshold that have a pixel above a high one.

    Parameters
    ----------
    low, high : float
        Grey levels. The configuration may name a global threshold instead, such as `otsu`.

    Returns
    -------
    (Y, X) uint8 ndarray
        1 in the regions, else 0; as `skimage.filters.apply_hysteresis_threshold`.

    Raises
    ------
    ValueError
        If the low threshold is above the high one.
    """
    if low > high:
        raise ValueError(f"low is {low}, high is {high}: give a low threshold that is not above")
    return connected((plane > low).view(np.uint8), (plane > high).view(np.uint8))


def connected(low: NDArray[np.uint8], high: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Regions of one mask or the other that have a pixel of the second; all masks are 0 or 1.

    Pixels of a region share sides (4-connectivity).
    """
    regions = Components(low | high, 4)
    chosen = regions.any(high)
    chosen[0] = False
    return regions.select(chosen)


def arc_mask(plane: NDArray, first: float, last: float) -> NDArray[np.uint8]:
    """Pixels from a first to a last place of a circle, both included, as a mask of 0 and 1.

    The first is greater where the circle begins between them; negative values are no places on it.
    """
    before_last = (plane >= 0) & (plane <= last)
    after_first = plane >= first
    arc = before_last & after_first if first <= last else before_last | after_first
    return arc.view(np.uint8)


def class_mask(
    plane: NDArray, thresholds: Sequence[float], classes: Sequence[int] | NDArray
) -> NDArray[np.uint8]:
    """Pixels of some of the classes between several thresholds, as a mask of 0 and 1.

    The thresholds ascend, and a pixel's class is the number of them that it is above.
    """
    chosen = np.isin(np.arange(len(thresholds) + 1), classes).view(np.uint8)
    if plane.dtype.kind == "f":
        return chosen[np.searchsorted(thresholds, plane)]
    unsigned = np.dtype(f"u{plane.itemsize}")
    values = np.arange(np.iinfo(unsigned).max + 1, dtype=unsigned).view(plane.dtype)
    table = chosen[np.searchsorted(thresholds, values)]
    if plane.dtype == np.uint8:
        return np.asarray(cv2.LUT(plane, table), np.uint8)
    return table[plane.view(unsigned)]
