"""Filtered pixels of any region of a block, read with what the filter reaches around it."""

import math
import threading
from collections.abc import Sequence

from numpy.typing import NDArray

from tilewise.segment.filters import apply_chain, chain_reach, parse_chain
from tilewise.store.blocks import BlockReader
from tilewise.store.grid import Grid, Region, crop


class Filtered:
    """Filtered pixels of any region, computed from the image around it.

    Without steps, the pixels are those of the reader: they are filtered already, or not to be.
    """

    def __init__(self, reader: BlockReader, steps: Sequence, grid: Grid, dtype: str) -> None:
        self._reader = reader
        self._steps = parse_chain(steps)
        self.grid = grid
        self.dtype = dtype
        self.reach = chain_reach(self._steps, dtype)
        self._kept = threading.local()

    def read(self, region: Region) -> NDArray:
        """Filtered pixels of a region of one plane, (rows, columns)."""
        surroundings = self.grid.around(region, self.reach)
        compute = self._plane if self.reach == math.inf else self._apply
        return crop(compute(surroundings), surroundings, region)

    def _apply(self, region):
        return apply_chain(self._reader.read(region), self._steps)

    def _plane(self, region):
        """A whole plane, which the thread keeps: other regions of it are likely to follow."""
        if getattr(self._kept, "region", None) != region:
            # the plane before goes first
            self._kept.pixels = None
            self._kept.pixels, self._kept.region = self._apply(region), region
        return self._kept.pixels
