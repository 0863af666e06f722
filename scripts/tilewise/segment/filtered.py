"""Filtered pixels of any region of a block, read with what the filter reaches around it."""

import math
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.filters import (
    apply_chain,
    chain_dtype,
    chain_reach,
    is_circular,
    project,
    split_chain,
    takes_colors,
)
from tilewise.segment.roi import fill_outside, surroundings
from tilewise.segment.sources import DTYPE, array_of, arrays_of, is_channel
from tilewise.store.blocks import BlockReader, open_blocks
from tilewise.store.grid import Grid, Region, crop
from tilewise.store.parts import Part


class FilteredBlocks:
    """Blocks of pixels that a job filters, with those of their regions of interest, if any.

    The grid is that of any sample in them. Filters that begin with a projection take `colors`, red,
    green and blue of the same blocks; without any such filter there need be none, and without any
    other no `paths`. Those that begin with a source or with channels of the image take `sources`:
    each of the same blocks of all `arrays`.
    """

    def __init__(
        self,
        paths: Iterable[str | Path],
        rois: Iterable[str | Path],
        blocks: Sequence[str],
        grid: Grid,
        dtype: str,
        codec: str = "zstd",
        colors: Iterable[str | Path] = (),
        sources: Sequence[str | Path] = (),
        arrays: Sequence[str] = (),
    ) -> None:
        paths, rois, colors = list(paths), list(rois), list(colors)
        self._dtype = dtype
        self._pixels = open_blocks(paths, blocks if paths else (), grid, dtype, codec=codec)
        self._colors = open_blocks(colors, blocks if colors else (), grid, dtype, channels=3)
        self._rois = open_blocks(rois, blocks, grid, "uint8") if rois else None
        self._sources = {
            name: open_blocks(
                sources[i :: len(arrays)], blocks, grid, dtype if is_channel(name) else DTYPE
            )
            for i, name in enumerate(arrays)
        }

    def of(self, part: Part, steps: Sequence) -> "Filtered":
        """A part's sample, after the steps of a filter."""
        roi = self._rois.of(part) if self._rois else None
        return Filtered(self._reader(part, steps), steps, part.grid, self._dtype, roi)

    def _reader(self, part, steps):
        readers = [self._sources[array].of(part) for array in arrays_of(steps)]
        if not readers:
            return (self._colors if takes_colors(steps) else self._pixels).of(part)
        return readers[0] if isinstance(array_of(steps), str) else _Together(readers)


class _Together:
    """Readers of one grid, whose pixels are (readers, rows, columns)."""

    def __init__(self, readers: Sequence[BlockReader]) -> None:
        self._readers = readers

    def read(self, region: Region) -> NDArray:
        """Pixels of a region of one plane."""
        return np.stack([reader.read(region) for reader in self._readers])


class Filtered:
    """Filtered pixels of any region, computed from the image around it.

    Without steps, the pixels are those of the reader: they are filtered already, or not to be.
    With a projection as the first step, the reader gives colours, with a source the source's
    pixels. Before the steps after it, pixels outside of the region of interest take values of those
    inside.
    """

    def __init__(
        self,
        reader: BlockReader | _Together,
        steps: Sequence,
        grid: Grid,
        dtype: str,
        roi: BlockReader | None = None,
    ) -> None:
        self._reader = reader
        self._roi = roi
        self._projection, self._steps = split_chain(steps)
        self.grid = grid
        self.dtype = chain_dtype(steps, dtype)
        """Of the filtered pixels; `dtype` is the reader's."""
        self.is_circular = is_circular(steps)
        """Whether they are hues."""
        self.reach = chain_reach(self._steps, dtype)
        self._kept = threading.local()

    def read(self, region: Region) -> NDArray:
        """Filtered pixels of a region of one plane: (rows, columns), or those of each channel."""
        around = self.grid.around(region, self.reach)
        compute = self._plane if self.reach == math.inf else self._apply
        return crop(compute(around), around, region)

    def inside(self, region: Region) -> NDArray[np.bool] | None:
        """Which pixels of a region are in the region of interest; None if all of them are."""
        if self._roi is None:
            return None
        inside = self._roi.read(region) != 0
        return None if inside.all() else inside

    def values(self, region: Region) -> NDArray:
        """Filtered pixels of a region that are in the region of interest, in any shape."""
        inside = self.inside(region)
        return self.read(region) if inside is None else self.read(region)[..., inside]

    def _apply(self, region):
        if self._roi is None or not self._steps:
            return apply_chain(self._unfiltered(region), self._steps)
        outer = self.grid.around(region, surroundings(self.reach))
        inside = self._roi.read(outer) != 0
        filled = self._filled(self._unfiltered(outer), inside)
        own = crop(inside, outer, region)
        return apply_chain(crop(filled, outer, region), self._steps, None if own.all() else own)

    def _filled(self, pixels, inside):
        if pixels.ndim == 3:
            return np.stack([self._filled(plane, inside) for plane in pixels])
        return fill_outside(pixels, inside, self.reach)

    def _unfiltered(self, region):
        return project(self._reader.read(region), self._projection)

    def _plane(self, region):
        """A whole plane, which the thread keeps: other regions of it are likely to follow."""
        if getattr(self._kept, "region", None) != region:
            # the plane before goes first
            self._kept.pixels = None
            self._kept.pixels, self._kept.region = self._apply(region), region
        return self._kept.pixels
