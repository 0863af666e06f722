"""The histogram of a sample, and the split of each of its tiles: of a block, and summed up."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tilewise.arrays import read_arrays
from tilewise.segment.circular import arc_split, hues_of
from tilewise.segment.extent import extent
from tilewise.segment.filtered import Filtered
from tilewise.segment.histograms import Split, histogram
from tilewise.segment.thresholds import otsu_split
from tilewise.store.blocks import each_strip, strips
from tilewise.store.grid import crop
from tilewise.store.parts import Part


@dataclass(frozen=True)
class SampleHistogram:
    """Grey levels of a sample, or of one of its blocks, after a filter."""

    counts: NDArray[np.int64]
    centers: NDArray
    """As from `histograms.histogram`."""
    splits: Sequence[Split | None]
    """Otsu's of each tile, or two arcs of hues; None of a constant one."""

    def write(self, path: str | Path) -> None:
        """Write it as arrays of a `.npz` file; constant tiles have no row in `splits`."""
        splits = [astuple(split) for split in self.splits if split]
        table = np.array(splits, np.float64).reshape(-1, len(fields(Split)))
        np.savez(path, counts=self.counts, centers=self.centers, splits=table)


def read(path: str | Path) -> SampleHistogram:
    """What `SampleHistogram.write` wrote, without constant tiles."""
    arrays = read_arrays(path, ("counts", "centers", "splits"))
    splits = [Split(*row) for row in arrays["splits"].tolist()]
    return SampleHistogram(arrays["counts"], arrays["centers"], splits)


def merge(blocks: Iterable[SampleHistogram]) -> SampleHistogram:
    """The histogram of several blocks of a sample, which have the same bins."""
    every = list(blocks)
    counts = np.zeros_like(every[0].counts)
    for block in every:
        counts += block.counts
    splits = [split for block in every for split in block.splits]
    return SampleHistogram(counts, every[0].centers, splits)


def of_sample(filtered: Filtered, part: Part, threads: int) -> SampleHistogram:
    """Of a sample of a single block."""
    return count(filtered, part, threads, extent(filtered, part, threads))


def count(
    filtered: Filtered, part: Part, threads: int, bounds: tuple[float, float] | None = None
) -> SampleHistogram:
    """Of a block; `bounds` is the range of the bins of floats, as `extent` gives it."""
    # without any pixel in the region of interest, the range is empty
    low, high = bounds if bounds and bounds[0] <= bounds[1] else (None, None)
    grid, is_float = part.grid, np.dtype(filtered.dtype).kind == "f"

    def of_tile(pixels):
        own = histogram(pixels)
        split = arc_split(hues_of(*own)) if filtered.is_circular else otsu_split(*own)
        splits = [split] if pixels.size else []
        binned = histogram(pixels, low=low, high=high) if is_float else own
        return SampleHistogram(*binned, splits)

    def work(strip):
        return merge(map(of_tile, _tiles(filtered, grid, strip)))

    return merge(each_strip(work, strips(grid, part.block, filtered.reach), threads))


def _tiles(filtered, grid, strip):
    """The pixels of each tile of a strip that are in the region of interest."""
    pixels, inside = filtered.read(strip), filtered.inside(strip)
    for tile in grid.tiles_in(strip):
        region = grid.tile_region(tile)
        own = crop(pixels, strip, region)
        yield own if inside is None else own[crop(inside, strip, region)]
