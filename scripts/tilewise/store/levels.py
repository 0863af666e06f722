"""Grey levels of annotated tiles, apart by truth, as arrays of one file."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Levels:
    """The grey levels of a tile that occur where it is annotated, and how often.

    Parameters
    ----------
    values : (levels,) ndarray
        Ascending; integers, or float64.
    background, foreground : (levels,) int64 ndarray
        Pixels of each.
    """

    values: np.ndarray
    background: np.ndarray
    foreground: np.ndarray


def merge(parts):
    """The levels of several tiles together.

    Parameters
    ----------
    parts : sequence of Levels

    Returns
    -------
    Levels
    """
    values, number = np.unique(np.concatenate([part.values for part in parts]), return_inverse=True)
    sums = [
        np.bincount(number, np.concatenate([getattr(part, kind) for part in parts]), values.size)
        for kind in ("background", "foreground")
    ]
    # exact in double precision: no sample has 2 ** 53 annotated pixels
    return Levels(values, *(total.astype(np.int64) for total in sums))


def pack(tiles):
    """Levels of several tiles as arrays for one file.

    Parameters
    ----------
    tiles : sequence of (tuple, Levels)
        Each with its place: sample, z, y, x and the number of a spatial block, -1 for the whole
        tile.

    Returns
    -------
    dict of str to ndarray
    """
    parts = [levels for _, levels in tiles]
    empty = [np.zeros(0)]
    return {
        "samples": np.array([sample for (sample, *_), _ in tiles], np.str_),
        "places": np.array([place for (_, *place), _ in tiles], np.int64).reshape(-1, 4),
        "sizes": np.array([part.values.size for part in parts], np.int64),
        **{
            name: np.concatenate([getattr(part, name) for part in parts] or empty)
            for name in ("values", "background", "foreground")
        },
    }


def unpack(packed):
    """What `pack` took, from what it gave.

    Returns
    -------
    list of (tuple, Levels)
    """
    ends = np.cumsum(packed["sizes"])
    arrays = [packed[name] for name in ("values", "background", "foreground")]
    return [
        (
            (str(sample), *map(int, place)),
            Levels(*(array[end - size : end] for array in arrays)),
        )
        for sample, place, size, end in zip(
            packed["samples"], packed["places"], packed["sizes"], ends, strict=True
        )
    ]
