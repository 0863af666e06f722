"""The range of a block's pixels."""

import math
from itertools import chain

import numpy as np

from tilewise.segment.filtered import Filtered
from tilewise.store.blocks import each_strip, strips
from tilewise.store.parts import Part


def extent(filtered: Filtered, part: Part, threads: int) -> tuple[float, float] | None:
    """Least and greatest pixel of a block of floats; None of integers, whose bins are known."""
    if np.dtype(filtered.dtype).kind in "iu":
        return None

    def work(strip):
        pixels = filtered.values(strip)
        return [float(pixels.min()), float(pixels.max())] if pixels.size else []

    regions = strips(part.grid, part.block, filtered.reach)
    known = list(chain.from_iterable(each_strip(work, regions, threads)))
    # a block without any pixel in the region of interest changes no other's range
    return (min(known), max(known)) if known else (math.inf, -math.inf)
