"""The histogram of a whole sample: added up from its blocks, or counted in its only one."""

import math

import numpy as np

from tilewise.segment.global_thresholds import histogram
from tilewise.store.blocks import each_strip, strips


def of_sample(paths, filtered, grid, block, threads):
    """The histogram that a threshold of a whole sample is taken from.

    Parameters
    ----------
    paths : sequence of path
        Histograms of all of its blocks; none of a sample of one block, whose pixels are counted.
    filtered : Filtered
        Pixels of that block.
    grid : Grid
    block : str
    threads : int

    Returns
    -------
    counts : (bins,) int64 ndarray
    centers : (bins,) ndarray
        As from `global_thresholds.histogram`.
    """
    if paths:
        return added(paths)
    return count(filtered, grid, block, threads, extent(filtered, grid, block, threads))


def of_filters(paths, counted, filters, grid, block, threads):
    """The same after each of several filters.

    Parameters
    ----------
    paths : sequence of path
        Histograms of all blocks, filter by filter of `counted`; none of a sample of one block.
    counted : sequence of str
        Names of the filters whose histogram is needed.
    filters : dict of str to Filtered
    grid, block, threads
        As for `of_sample`.

    Returns
    -------
    dict of str to (ndarray, ndarray)
        By name of the filter.
    """
    number = len(paths) // max(len(counted), 1)
    parts = {name: paths[i * number : (i + 1) * number] for i, name in enumerate(counted)}
    return {
        name: of_sample(part, filters[name], grid, block, threads) for name, part in parts.items()
    }


def added(paths):
    """Histograms of blocks added up, from files with `counts` and `centers`."""
    total = 0
    for path in paths:
        with np.load(path) as part:
            total, centers = total + part["counts"], part["centers"]
    return total, centers


def count(filtered, grid, block, threads, bounds=None):
    """The histogram of a block.

    Parameters
    ----------
    filtered, grid, block, threads
        As for `of_sample`.
    bounds : (float, float), optional
        Range of the bins of floats; None is that of an integer's dtype.
    """
    low, high = bounds or (None, None)
    parts = _of_strips(
        lambda pixels: histogram(pixels, low=low, high=high), filtered, grid, block, threads
    )
    return sum(counts for counts, _ in parts), parts[0][1]


def extent(filtered, grid, block, threads):
    """Least and greatest pixel of a block of floats; None of integers, whose bins are known."""
    if np.dtype(filtered.dtype).kind in "iu":
        return None
    parts = _of_strips(
        lambda pixels: (float(pixels.min()), float(pixels.max())), filtered, grid, block, threads
    )
    lows, highs = zip(*parts, strict=True)
    return min(lows), max(highs)


def _of_strips(work, filtered, grid, block, threads):
    whole = math.inf if filtered.reach == math.inf else None
    return each_strip(lambda strip: work(filtered.read(strip)), strips(grid, block, whole), threads)
