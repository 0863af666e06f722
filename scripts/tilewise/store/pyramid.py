"""Reduced levels: half as many rows and columns."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.store.blocks import Blocks, BlockWriter, each_strip, strips
from tilewise.store.grid import crop
from tilewise.store.layout import Layout, layout_of
from tilewise.store.parts import Part, each_part


def mean(pixels: NDArray[Any]) -> NDArray[Any]:
    """The mean of each 2 x 2 of (..., rows, columns) pixels, for images; of the same dtype.

    Integers are rounded half up. An odd last row or column counts twice. The mean of finite floats
    is finite, also where their sum would not be.
    """
    rows, columns = pixels.shape[-2:]
    if rows % 2 or columns % 2:
        margin = [(0, 0)] * (pixels.ndim - 2) + [(0, rows % 2), (0, columns % 2)]
        pixels = np.pad(pixels, margin, "edge")
    if pixels.dtype.kind not in "iu":
        return _mean_of_floats(pixels)
    wide = np.int16 if pixels.itemsize == 1 else np.int32
    return ((_sum_of_four(pixels, wide) + 2) >> 2).astype(pixels.dtype)


def _sum_of_four(pixels, dtype):
    total = np.add(pixels[..., ::2, :], pixels[..., 1::2, :], dtype=dtype)
    return total[..., ::2] + total[..., 1::2]


def _mean_of_floats(pixels):
    with np.errstate(over="ignore", invalid="ignore"):
        means = _sum_of_four(pixels, pixels.dtype) / 4
        is_beyond = ~np.isfinite(means)
        if is_beyond.any():
            # a quarter of a large float is exact, one of the smallest is not
            means[is_beyond] = _sum_of_four(pixels / 4, pixels.dtype)[is_beyond]
    return means.astype(pixels.dtype, copy=False)


def nearest(pixels: NDArray[Any]) -> NDArray[Any]:
    """The upper left of each 2 x 2 pixels, for labels: no value arises that was not there."""
    return pixels[..., ::2, ::2]


class LevelsWriter(BlockWriter):
    """Writes a block at all of its levels: the pixels as they come, then the reduced ones.

    Parameters
    ----------
    paths
        Of each level, the pixels themselves first.
    block, layout
        As for `BlockWriter`, of the pixels themselves.
    parts
        Samples of the block, each of which is reduced by itself.
    halve
        `mean` or `nearest`.
    threads
        That write, and that reduce.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        block: str,
        layout: Layout,
        parts: Iterable[Part],
        halve: Callable[[NDArray[Any]], NDArray[Any]],
        threads: int = 1,
    ) -> None:
        self._paths, self._block, self._layout = list(paths), block, layout
        self._parts, self._halve, self._threads = list(parts), halve, threads
        # tiles that are no chunks end these in any order, as several threads do
        is_in_order = all(one.grid.sides == one.grid.level(0).sides for one in self._parts)
        super().__init__(paths[0], block, layout, threads if is_in_order else threads + 1)

    def __exit__(self, failed: type[BaseException] | None, *failure: object) -> None:
        super().__exit__(failed, *failure)
        if failed is None:
            for level in range(1, len(self._paths)):
                self._reduce(level)

    def _reduce(self, level):
        source, target = self._paths[level - 1 : level + 1]
        blocks = Blocks({self._block: source}, self._layout_at(level - 1))
        layout = self._layout_at(level)
        with BlockWriter(target, self._block, layout, self._threads) as writer:

            def reduce(part, threads):
                finer, coarser = part.level(level - 1), part.level(level)
                reader = blocks.of(finer)

                def work(strip):
                    region = finer.grid.doubled(strip)
                    # elsewhere there is nothing but the fill value, which is what is not written
                    if any(map(reader.is_stored, finer.grid.tiles_in(region))):
                        writer.write(coarser, strip, self._reduced(reader, finer.grid, strip))

                each_strip(work, strips(coarser.grid, part.block), threads)

            each_part(reduce, self._parts, self._threads)

    def _reduced(self, reader, finer, strip):
        """A strip of a level, from the rows of chunks of the finer one that it comes from."""
        lead, step = self._layout.shard[:-3], max(finer.strip // 2, 1)
        pixels = np.empty((*lead, *strip.shape[1:]), self._layout.dtype)
        for y in range(strip.y0, strip.y1, step):
            rows = replace(strip, y0=y, y1=min(y + step, strip.y1))
            crop(pixels, strip, rows)[:] = self._halve(reader.read(finer.doubled(rows)))
        return pixels

    def _layout_at(self, level):
        # the same for all samples of a stack, whose blocks are the same
        grid, layout = self._parts[0].grid.level(level), self._layout
        channels = layout.shard[0] if len(layout.shard) > 3 else 1
        return layout_of(grid, layout.dtype, layout.fill, layout.codec, channels)
