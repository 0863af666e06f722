"""Reduced levels: half as many rows and columns."""

import numpy as np

from tilewise.store.blocks import BlockReader, BlockWriter, each_strip, strips
from tilewise.store.layout import layout_of


def mean(pixels):
    """The mean of each 2 x 2 pixels, for images; integers are rounded half up.

    Parameters
    ----------
    pixels : (..., rows, columns) ndarray
        An odd last row or column counts twice.

    Returns
    -------
    (..., rows / 2, columns / 2) ndarray
        Of the same dtype, sizes rounded up.
    """
    rows, columns = pixels.shape[-2:]
    if rows % 2 or columns % 2:
        margin = [(0, 0)] * (pixels.ndim - 2) + [(0, rows % 2), (0, columns % 2)]
        pixels = np.pad(pixels, margin, "edge")
    is_integer = pixels.dtype.kind in "iu"
    wide = (np.int16 if pixels.itemsize == 1 else np.int32) if is_integer else pixels.dtype
    total = np.add(pixels[..., ::2, :], pixels[..., 1::2, :], dtype=wide)
    total = total[..., ::2] + total[..., 1::2]
    return ((total + 2) >> 2 if is_integer else total / 4).astype(pixels.dtype)


def nearest(pixels):
    """The upper left of each 2 x 2 pixels, for labels: no value arises that was not there.

    Parameters
    ----------
    pixels : (..., rows, columns) ndarray

    Returns
    -------
    (..., rows / 2, columns / 2) ndarray
        Sizes rounded up.
    """
    return pixels[..., ::2, ::2]


class LevelsWriter(BlockWriter):
    """Writes a block at all of its levels: the pixels as they come, then the reduced ones.

    Parameters
    ----------
    paths : sequence of path
        Of each level, the pixels themselves first.
    block, grid, layout
        As for `BlockWriter`, of the pixels themselves.
    halve : callable
        `mean` or `nearest`.
    threads : int
        For the reduced levels.
    """

    def __init__(self, paths, block, grid, layout, halve, threads=1):
        super().__init__(paths[0], block, grid, layout)
        self._paths, self._block, self._layout = list(paths), block, layout
        self._halve, self._threads = halve, threads

    def __exit__(self, *failure):
        super().__exit__(*failure)
        if failure[0] is None:
            for level in range(1, len(self._paths)):
                self._reduce(level)

    def _reduce(self, level):
        finer, coarser = self._grid.level(level - 1), self._grid.level(level)
        source, target = self._paths[level - 1 : level + 1]
        reader = BlockReader({self._block: source}, finer, self._layout_at(finer))
        with BlockWriter(target, self._block, coarser, self._layout_at(coarser)) as writer:

            def work(strip):
                region = finer.doubled(strip)
                # elsewhere there is nothing but the fill value, which is what is not written
                if any(map(reader.is_stored, finer.tiles_in(region))):
                    writer.write(strip, self._halve(reader.read(region)))

            each_strip(work, strips(coarser, self._block), self._threads)

    def _layout_at(self, grid):
        layout = self._layout
        channels = layout.shard[0] if len(layout.shard) > 3 else 1
        return layout_of(grid, layout.dtype, layout.fill, layout.codec, channels)
