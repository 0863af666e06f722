"""Histograms of annotated tiles: of background and foreground apart, and of both together."""

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tilewise.segment import histograms
from tilewise.segment.dtypes import power_of_two
from tilewise.store.class_histograms import ClassHistogram

FLOAT_GREY_LEVELS = 4096
"""Grey levels that floats of a tile are brought to."""


def class_histogram(pixels: NDArray, truth: NDArray[np.uint8]) -> ClassHistogram:
    """Count the grey levels of a tile, apart by its truth: 0 background, 1 foreground, or neither.

    Floats must be finite; they are brought to `FLOAT_GREY_LEVELS` grey levels over their range.
    """
    kinds = [pixels[truth == kind] for kind in (0, 1)]
    known = [kind for kind in kinds if kind.size]
    if not known:
        return ClassHistogram(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))
    is_float = pixels.dtype.kind == "f"
    if is_float:
        low = min(float(kind.min()) for kind in known)
        high = max(float(kind.max()) for kind in known)
        unit = power_of_two(low, high)
        low, high = low / unit, high / unit
        step = (high - low) / (FLOAT_GREY_LEVELS - 1) or 1.0
        kinds = [np.rint((kind / unit - low) / step).astype(np.uint16) for kind in kinds]
    (background, centers), (foreground, _) = map(histograms.histogram, kinds)
    occupied = np.flatnonzero(background + foreground)
    grey_levels = centers[occupied]
    return ClassHistogram(
        (low + step * grey_levels) * unit if is_float else grey_levels,
        background[occupied],
        foreground[occupied],
    )


def histogram(classes: ClassHistogram, dtype: DTypeLike) -> tuple[NDArray[np.int64], NDArray]:
    """The histogram of both classes together, as `histograms.histogram` gives it of the pixels."""
    counts = classes.background + classes.foreground
    if np.dtype(dtype).kind == "f":
        return histograms.histogram_of_floats(classes.values, weights=counts)
    limits = np.iinfo(dtype)
    centers = np.arange(limits.min, limits.max + 1)
    total = np.zeros(centers.size, np.int64)
    total[classes.values.astype(np.int64) - limits.min] = counts
    return total, centers
