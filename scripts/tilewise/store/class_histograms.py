"""Histograms of annotated tiles, of background and foreground apart, as arrays of one file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Place = tuple[str, int, int, int, int]
"""Sample, z, y, x and the number of a spatial block, -1 for the whole tile."""
LEVELS = "values", "background", "foreground"
ARRAYS = "samples", "places", "sizes", *LEVELS
"""Names of the arrays that histograms are packed in."""


@dataclass(frozen=True)
class ClassHistogram:
    """Pixels of the background and of the foreground of a tile, per grey level that occurs."""

    values: NDArray[Any]
    """The grey levels, ascending; integers, or float64."""
    background: NDArray[Any]
    foreground: NDArray[Any]


def merge(
    tiles: Sequence[ClassHistogram], weights: Sequence[float] | None = None
) -> ClassHistogram:
    """The histogram of several tiles together, in float64 if the pixels of each have a weight."""
    values, number = np.unique(np.concatenate([tile.values for tile in tiles]), return_inverse=True)
    own = np.ones(len(tiles)) if weights is None else np.asarray(weights)
    pixels = np.repeat(own, [tile.values.size for tile in tiles])
    sums = [
        np.bincount(
            number, pixels * np.concatenate([getattr(tile, kind) for tile in tiles]), values.size
        )
        for kind in ("background", "foreground")
    ]
    if weights is not None:
        return ClassHistogram(values, *sums)
    # exact in double precision: no sample has 2 ** 53 annotated pixels
    return ClassHistogram(values, *(total.astype(np.int64) for total in sums))


def pack(tiles: Sequence[tuple[Place, ClassHistogram]]) -> dict[str, NDArray[Any]]:
    """Histograms of several tiles, each with its place, as arrays for one file."""
    histograms = [histogram for _, histogram in tiles]
    empty = [np.zeros(0)]
    return {
        "samples": np.array([sample for (sample, *_), _ in tiles], np.str_),
        "places": np.array([place for (_, *place), _ in tiles], np.int64).reshape(-1, 4),
        "sizes": np.array([histogram.values.size for histogram in histograms], np.int64),
        **{
            name: np.concatenate([getattr(histogram, name) for histogram in histograms] or empty)
            for name in LEVELS
        },
    }


def unpack(packed: Mapping[str, NDArray[Any]]) -> list[tuple[Place, ClassHistogram]]:
    """What `pack` took, from what it gave."""
    ends = np.cumsum(packed["sizes"])
    arrays = [packed[name] for name in LEVELS]
    return [
        (
            (str(sample), int(z), int(y), int(x), int(number)),
            ClassHistogram(*(array[end - size : end] for array in arrays)),
        )
        for sample, (z, y, x, number), size, end in zip(
            packed["samples"], packed["places"], packed["sizes"], ends, strict=True
        )
    ]
