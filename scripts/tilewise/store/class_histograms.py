"""Histograms of annotated tiles, of background and foreground apart, as arrays of one file."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ClassHistogram:
    """Pixels of the background and of the foreground of a tile, per grey level that occurs.

    Parameters
    ----------
    values : (levels,) ndarray
        Grey levels, ascending; integers, or float64.
    background, foreground : (levels,) int64 ndarray
        Pixels of each.
    """

    values: np.ndarray
    background: np.ndarray
    foreground: np.ndarray


def merge(tiles):
    """The histogram of several tiles together.

    Parameters
    ----------
    tiles : sequence of ClassHistogram

    Returns
    -------
    ClassHistogram
    """
    values, number = np.unique(np.concatenate([tile.values for tile in tiles]), return_inverse=True)
    sums = [
        np.bincount(number, np.concatenate([getattr(tile, kind) for tile in tiles]), values.size)
        for kind in ("background", "foreground")
    ]
    # exact in double precision: no sample has 2 ** 53 annotated pixels
    return ClassHistogram(values, *(total.astype(np.int64) for total in sums))


def pack(tiles):
    """Histograms of several tiles as arrays for one file.

    Parameters
    ----------
    tiles : sequence of (tuple, ClassHistogram)
        Each with its place: sample, z, y, x and the number of a spatial block, -1 for the whole
        tile.

    Returns
    -------
    dict of str to ndarray
    """
    histograms = [histogram for _, histogram in tiles]
    empty = [np.zeros(0)]
    return {
        "samples": np.array([sample for (sample, *_), _ in tiles], np.str_),
        "places": np.array([place for (_, *place), _ in tiles], np.int64).reshape(-1, 4),
        "sizes": np.array([histogram.values.size for histogram in histograms], np.int64),
        **{
            name: np.concatenate([getattr(histogram, name) for histogram in histograms] or empty)
            for name in ("values", "background", "foreground")
        },
    }


def unpack(packed):
    """What `pack` took, from what it gave.

    Returns
    -------
    list of (tuple, ClassHistogram)
    """
    ends = np.cumsum(packed["sizes"])
    arrays = [packed[name] for name in ("values", "background", "foreground")]
    return [
        (
            (str(sample), *map(int, place)),
            ClassHistogram(*(array[end - size : end] for array in arrays)),
        )
        for sample, place, size, end in zip(
            packed["samples"], packed["places"], packed["sizes"], ends, strict=True
        )
    ]
