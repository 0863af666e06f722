"""The histogram of a whole sample: the sum of its blocks', or counted in its only one."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.filtered import Filtered
from tilewise.segment.histograms import histogram
from tilewise.store.blocks import each_strip, strips
from tilewise.store.parts import Part


def of_sample(
    paths: Sequence[str], filtered: Filtered, part: Part, threads: int
) -> tuple[NDArray[np.int64], NDArray]:
    """The histogram that a threshold of a whole sample is taken from.

    Parameters
    ----------
    paths : sequence of path
        Histograms of all of its blocks; none of a sample of one block, whose pixels are counted.
    filtered : Filtered
        Pixels of that block.
    part : Part
        That block.
    threads : int

    Returns
    -------
    counts : (bins,) int64 ndarray
    centers : (bins,) ndarray
        As from `histograms.histogram`.
    """
    if paths:
        return _sum(paths)
    return count(filtered, part, threads, extent(filtered, part, threads))


def of_filters(
    paths: Sequence[str],
    counted: Sequence[str],
    filters: Mapping[str, Filtered],
    part: Part,
    threads: int,
) -> dict[str, tuple[NDArray[np.int64], NDArray]]:
    """The same after each of several filters.

    Parameters
    ----------
    paths : sequence of path
        Histograms of all blocks, filter by filter of `counted`; none of a sample of one block.
    counted : sequence of str
        Names of the filters whose histogram is needed.
    filters : mapping of str to Filtered
    part, threads
        As for `of_sample`.

    Returns
    -------
    dict of str to (ndarray, ndarray)
        By name of the filter.
    """
    number = len(paths) // max(len(counted), 1)
    own = {name: paths[i * number : (i + 1) * number] for i, name in enumerate(counted)}
    return {name: of_sample(own[name], filters[name], part, threads) for name in counted}


def _sum(paths):
    """The sum of blocks' histograms, from files with `counts` and `centers`."""
    total = 0
    for path in paths:
        with np.load(path) as block:
            total, centers = total + block["counts"], block["centers"]
    return total, centers


def count(
    filtered: Filtered, part: Part, threads: int, bounds: tuple[float, float] | None = None
) -> tuple[NDArray[np.int64], NDArray]:
    """The histogram of a block.

    Parameters
    ----------
    filtered, part, threads
        As for `of_sample`.
    bounds : (float, float), optional
        Range of the bins of floats; None is that of an integer's dtype.
    """
    low, high = bounds or (None, None)
    counted = _of_strips(
        lambda pixels: histogram(pixels, low=low, high=high), filtered, part, threads
    )
    return sum(counts for counts, _ in counted), counted[0][1]


def extent(filtered: Filtered, part: Part, threads: int) -> tuple[float, float] | None:
    """Least and greatest pixel of a block of floats; None of integers, whose bins are known."""
    if np.dtype(filtered.dtype).kind in "iu":
        return None
    extents = _of_strips(
        lambda pixels: (float(pixels.min()), float(pixels.max())), filtered, part, threads
    )
    lows, highs = zip(*extents, strict=True)
    return min(lows), max(highs)


def _of_strips(work, filtered, part, threads):
    whole = math.inf if filtered.reach == math.inf else None
    regions = strips(part.grid, part.block, whole)
    return each_strip(lambda strip: work(filtered.read(strip)), regions, threads)
