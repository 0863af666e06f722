"""Histograms of annotated tiles: of background and foreground apart, and of both together."""

import numpy as np

from tilewise.segment import global_thresholds
from tilewise.store.class_histograms import ClassHistogram

FLOAT_LEVELS = 4096
"""Grey levels that floats of a tile are brought to."""


def class_histogram(pixels, truth):
    """Count the grey levels of a tile, apart by truth.

    Parameters
    ----------
    pixels : (rows, columns) ndarray
        uint8, uint16, int16 or finite float32; floats are brought to 4096 levels over their range.
    truth : (rows, columns) uint8 ndarray
        0 background, 1 foreground; others are not counted.

    Returns
    -------
    ClassHistogram
    """
    kinds = [pixels[truth == kind] for kind in (0, 1)]
    known = [kind for kind in kinds if kind.size]
    if not known:
        return ClassHistogram(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))
    low, step = 0, 1
    if pixels.dtype.kind == "f":
        low, high = (
            min(float(kind.min()) for kind in known),
            max(float(kind.max()) for kind in known),
        )
        step = (high - low) / (FLOAT_LEVELS - 1) or 1.0
        kinds = [np.rint((kind - low) / step).astype(np.uint16) for kind in kinds]
    (background, centers), (foreground, _) = map(global_thresholds.histogram, kinds)
    occupied = np.flatnonzero(background + foreground)
    return ClassHistogram(
        low + step * centers[occupied], background[occupied], foreground[occupied]
    )


def histogram(classes, dtype):
    """The histogram of both classes together, as `global_thresholds.histogram` gives it.

    Parameters
    ----------
    classes : ClassHistogram
    dtype : str
        Of the pixels.

    Returns
    -------
    counts : (bins,) int64 ndarray
    centers : (bins,) ndarray
    """
    counts = classes.background + classes.foreground
    if np.dtype(dtype).kind == "f":
        total, edges = np.histogram(classes.values, global_thresholds.BINS, weights=counts)
        return total.astype(np.int64), (edges[:-1] + edges[1:]) / 2
    limits = np.iinfo(dtype)
    centers = np.arange(limits.min, limits.max + 1)
    total = np.zeros(centers.size, np.int64)
    total[classes.values.astype(np.int64) - limits.min] = counts
    return total, centers
