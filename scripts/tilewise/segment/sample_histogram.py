"""The histogram of a whole sample: the sum of its blocks', or counted in its only one."""

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.arrays import read_arrays
from tilewise.segment.filtered import Filtered
from tilewise.segment.histograms import histogram
from tilewise.store.blocks import each_strip, strips
from tilewise.store.parts import Part


def of_sample(
    paths: Sequence[str], filtered: Filtered, part: Part, threads: int
) -> tuple[NDArray[np.int64], NDArray]:
    """Counts and centers of the histogram that a threshold of a whole sample is taken from.

    `paths` are the histograms of all of its blocks: files with `counts` and `centers`. A sample of
    one block has none: its pixels are counted.
    """
    if not paths:
        return count(filtered, part, threads, extent(filtered, part, threads))
    total: Any = 0
    for path in paths:
        block = read_arrays(path, ("counts", "centers"))
        total, centers = total + block["counts"], block["centers"]
    return total, centers


def of_filters(
    paths: Sequence[str],
    counted: Sequence[str],
    filters: Mapping[str, Filtered],
    part: Part,
    threads: int,
) -> dict[str, tuple[NDArray[np.int64], NDArray]]:
    """The same after each filter of `counted`, by its name; `paths` come filter by filter."""
    number = len(paths) // max(len(counted), 1)
    own = {name: paths[i * number : (i + 1) * number] for i, name in enumerate(counted)}
    return {name: of_sample(own[name], filters[name], part, threads) for name in counted}


def count(
    filtered: Filtered, part: Part, threads: int, bounds: tuple[float, float] | None = None
) -> tuple[NDArray[np.int64], NDArray]:
    """The histogram of a block; `bounds` is the range of the bins of floats."""
    # without any pixel in the region of interest, the range is empty
    low, high = bounds if bounds and bounds[0] <= bounds[1] else (None, None)
    counted = _of_strips(
        lambda pixels: histogram(pixels, low=low, high=high), filtered, part, threads
    )
    return sum(counts for counts, _ in counted), counted[0][1]


def extent(filtered: Filtered, part: Part, threads: int) -> tuple[float, float] | None:
    """Least and greatest pixel of a block of floats; None of integers, whose bins are known."""
    if np.dtype(filtered.dtype).kind in "iu":
        return None
    ends = _of_strips(
        lambda pixels: [float(pixels.min()), float(pixels.max())] if pixels.size else [],
        filtered,
        part,
        threads,
    )
    known = list(chain.from_iterable(ends))
    # a block without any pixel in the region of interest changes no other's range
    return (min(known), max(known)) if known else (math.inf, -math.inf)


def _of_strips(work, filtered, part, threads):
    regions = strips(part.grid, part.block, filtered.reach)
    return each_strip(lambda strip: work(filtered.values(strip)), regions, threads)
