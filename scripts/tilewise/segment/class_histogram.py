"""Histograms of annotated tiles: of background and foreground apart, and of both together."""

from collections.abc import Container, Hashable, Iterable, Mapping

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tilewise.segment import histograms
from tilewise.segment.dtypes import power_of_two
from tilewise.store.class_histograms import ClassHistogram

FLOAT_GREY_LEVELS = 4096
"""Grey levels that floats of a tile are brought to."""
COUNTS = np.uint32
"""Of the pixels of a tile, which has far fewer than 2 ** 32."""


def class_histogram(pixels: NDArray, truth: NDArray[np.uint8]) -> ClassHistogram:
    """Count the grey levels of a tile, apart by its truth: 0 background, 1 foreground, or neither.

    Floats must be finite; they are brought to `FLOAT_GREY_LEVELS` grey levels over their range.
    """
    kinds = [pixels[truth == kind] for kind in (0, 1)]
    known = [kind for kind in kinds if kind.size]
    if not known:
        return ClassHistogram(np.zeros(0), *np.zeros((2, 0), COUNTS))
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
        (low + step * grey_levels) * unit if is_float else grey_levels.astype(pixels.dtype),
        background[occupied].astype(COUNTS),
        foreground[occupied].astype(COUNTS),
    )


def histogram(
    classes: ClassHistogram, dtype: DTypeLike, bounds: tuple[float, float] | None = None
) -> tuple[NDArray[np.int64], NDArray]:
    """The histogram of both classes together, as `histograms.histogram` gives it of the pixels.

    `bounds` is the range of the bins of floats, by default that of the levels.
    """
    counts = classes.background.astype(np.int64) + classes.foreground
    if np.dtype(dtype).kind == "f":
        return histograms.histogram_of_floats(classes.values, bounds=bounds, weights=counts)
    limits = np.iinfo(dtype)
    centers = np.arange(limits.min, limits.max + 1)
    total = np.zeros(centers.size, np.int64)
    total[classes.values.astype(np.int64) - limits.min] = counts
    return total, centers


def histograms_of_sets(
    tiles: Iterable[tuple[Hashable, ClassHistogram]],
    sets: Mapping[str, Container[Hashable]],
    dtype: DTypeLike,
) -> dict[str, tuple[NDArray[np.int64], NDArray]]:
    """The histogram of each of several sets of tiles, as `histogram` gives it of them together.

    Each tile comes with what names it in the sets. They are gone through once, or twice for floats.
    """
    bounds: dict[str, tuple[float, float] | None] = dict.fromkeys(sets)
    if np.dtype(dtype).kind == "f":
        for own, classes in _in_sets(tiles, sets):
            low, high = float(classes.values[0]), float(classes.values[-1])
            for name in own:
                lowest, highest = bounds[name] or (low, high)
                bounds[name] = min(low, lowest), max(high, highest)
    totals: dict[str, tuple[NDArray[np.int64], NDArray]] = {}
    for own, classes in _in_sets(tiles, sets):
        binned = {of: histogram(classes, dtype, of) for of in {bounds[name] for name in own}}
        for name in own:
            counts, centers = binned[bounds[name]]
            totals[name] = counts + totals[name][0] if name in totals else counts, centers
    return totals


def _in_sets(tiles, sets):
    """Tiles that are in any set, each with the names of its sets."""
    for tile, classes in tiles:
        if own := [name for name, known in sets.items() if tile in known]:
            yield own, classes
