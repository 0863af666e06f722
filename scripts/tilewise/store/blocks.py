"""Blocks of an array on disk: regions of a plane are read, tiles are written as they are ready."""

import math
import sys
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tilewise.store.grid import Region
from tilewise.store.layout import layout_of
from tilewise.store.shards import ShardReader, ShardWriter

MOST = 2**28
"""Pixels that a job's threads have in memory at once."""


class Blocks:
    """Blocks of an array that a job reads; its samples are views of them.

    Parameters
    ----------
    files : dict of str to path
        File per block, blocks as in `Grid.blocks` of the array.
    layout : Layout
        As from `layout_of`.
    """

    def __init__(self, files, layout):
        self._layout = layout
        self._shards = {block: ShardReader(path, layout) for block, path in files.items()}

    def of(self, part):
        """A part's sample: BlockReader."""
        return BlockReader(self._shards, part.grid, self._layout, part.offset)


def open_blocks(paths, blocks, grid, dtype, **settings):
    """Blocks of an array that a job reads.

    Parameters
    ----------
    paths, blocks : sequence of path, sequence of str
        A file, and its place in the array.
    grid : Grid
        Of any of its samples.
    dtype, settings
        As for `layout_of`.
    """
    return Blocks(dict(zip(blocks, paths, strict=True)), layout_of(grid, dtype, **settings))


class BlockReader:
    """Reads regions of a sample that may span blocks.

    Parameters
    ----------
    shards : dict of str to ShardReader
        By block of the array; a block without one holds the fill value.
    grid : Grid
        Of the sample.
    layout : Layout
        As from `layout_of`.
    offset : int
        Plane of the array that is the sample's first.
    """

    kept_rows = 4
    """Decoded tile rows to keep: neighbouring strips with a halo decode no chunk twice."""

    def __init__(self, shards, grid, layout, offset=0):
        self._grid = grid
        self._layout = layout
        self._offset = offset
        # channels come before z, y and x
        self._lead = layout.shard[:-3]
        self._shards = shards
        self._kept = threading.local()

    def _place(self, z, row, column):
        z += self._offset
        planes, rows, columns = self._layout.chunks_along[-3:]
        block = f"{z // planes}/{row // rows}/{column // columns}"
        return self._shards.get(block), (z % planes, row % rows, column % columns)

    def is_stored(self, tile):
        """Whether the tile holds more than the fill value, in any channel."""
        shard, place = self._place(tile.z, tile.row, tile.column)
        if shard is None:
            return False
        if self._lead:
            return any(shard.is_stored((channel, *place)) for channel in range(*self._lead))
        return shard.is_stored(place)

    def _chunk(self, z, row, column, out):
        """Copy a whole tile, and over the sample's edge, into an array."""
        shard, place = self._place(z, row, column)
        if shard is None:
            out[:] = self._layout.fill
        elif self._lead:
            for channel in range(*self._lead):
                out[channel] = shard.read((channel, *place))[0, 0]
        else:
            out[:] = shard.read(place)[0]

    def tile(self, tile):
        """Pixels of one tile, cut at the sample's edge.

        Returns
        -------
        (rows, columns) or (channels, rows, columns) ndarray
            Not to be written to.
        """
        side = self._grid.tile
        _, height, width = self._grid.tile_region(tile).shape
        if not self._lead:
            shard, place = self._place(tile.z, tile.row, tile.column)
            if shard is not None and shard.is_stored(place):
                return shard.read(place)[0, :height, :width]
        pixels = np.empty((*self._lead, side, side), self._layout.dtype)
        self._chunk(tile.z, tile.row, tile.column, pixels)
        return pixels[..., :height, :width]

    def plane(self, z):
        """Pixels of a whole plane of the sample, as `read`."""
        _, rows, columns = self._grid.shape
        return self.read(Region(z, z + 1, 0, rows, 0, columns))

    def _row(self, z, row, first, last):
        """Tile columns `first` to `last` of a tile row, side by side; kept for the next strip."""
        key = z, row, first, last
        if not hasattr(self._kept, "rows"):
            self._kept.rows = OrderedDict()
        kept = self._kept.rows
        if key in kept:
            kept.move_to_end(key)
            return kept[key]
        side = self._grid.tile
        shape = (*self._lead, side, (last - first) * side)
        spare = kept.popitem(last=False)[1] if len(kept) == self.kept_rows else None
        reusable = spare is not None and spare.shape == shape
        pixels = spare if reusable else np.empty(shape, self._layout.dtype)
        for column in range(first, last):
            x = (column - first) * side
            self._chunk(z, row, column, pixels[..., x : x + side])
        kept[key] = pixels
        return pixels

    def read(self, region):
        """Pixels of a region of one plane.

        Returns
        -------
        (rows, columns) or (channels, rows, columns) ndarray
            Valid until the thread's next call; not to be written to.
        """
        side = self._grid.tile
        first, last = region.x0 // side, -(-region.x1 // side)
        columns = slice(region.x0 - first * side, region.x1 - first * side)
        rows = range(region.y0 // side, -(-region.y1 // side))
        if len(rows) == 1:
            y = rows[0] * side
            pixels = self._row(region.z0, rows[0], first, last)
            return pixels[..., region.y0 - y : region.y1 - y, columns]
        out = np.empty((*self._lead, *region.shape[1:]), self._layout.dtype)
        for row in rows:
            low, high = max(row * side, region.y0), min((row + 1) * side, region.y1)
            pixels = self._row(region.z0, row, first, last)
            out[..., low - region.y0 : high - region.y0, :] = pixels[
                ..., low - row * side : high - row * side, columns
            ]
        return out


class BlockWriter:
    """Writes one block, strip by strip or tile by tile, each tile once.

    Parameters
    ----------
    path : path
    block : str
        `z/y/x`, of the array.
    layout : Layout
        As from `layout_of`.
    threads : int
        That write.
    """

    def __init__(self, path, block, layout, threads=1):
        self._side = layout.chunk[-1]
        self._corner = [
            place * chunks
            for place, chunks in zip(
                map(int, block.split("/")), layout.chunks_along[-3:], strict=True
            )
        ]
        self._shard = ShardWriter(path, layout, threads)

    def write(self, part, region, pixels):
        """Store a region of one plane whose corner lies on a tile's.

        Parameters
        ----------
        part : Part
        region : Region
            Of the part's sample: whole tiles, except at its edge.
        pixels : (rows, columns) or (channels, rows, columns) ndarray
        """
        side = self._side
        for y in range(region.y0, region.y1, side):
            for x in range(region.x0, region.x1, side):
                rows = slice(y - region.y0, y - region.y0 + side)
                columns = slice(x - region.x0, x - region.x0 + side)
                place = region.z0 + part.offset, y // side, x // side
                inside = tuple(a - b for a, b in zip(place, self._corner, strict=True))
                if pixels.ndim == 2:
                    self._shard.write(inside, pixels[np.newaxis, rows, columns])
                    continue
                for channel, plane in enumerate(pixels):
                    self._shard.write(
                        (channel, *inside), plane[np.newaxis, np.newaxis, rows, columns]
                    )

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self._shard.__exit__(*failure)


def strips(grid, block, height=None):
    """A block's planes, one after the other, as strips of one tile row.

    Parameters
    ----------
    grid : Grid
    block : str
        `z/y/x`.
    height : int or None
        Rows of a strip, whole tiles; None is one tile row, `math.inf` the whole plane.

    Yields
    ------
    Region
    """
    whole = grid.region(block)
    step = grid.tile if height is None else min(height, whole.shape[1])
    for z in range(whole.z0, whole.z1):
        for y in range(whole.y0, whole.y1, step):
            yield Region(z, z + 1, y, min(y + step, whole.y1), whole.x0, whole.x1)


def at_once(pixels, threads):
    """Strips of so many pixels that are in memory at once, one per thread, but few whole planes."""
    return max(min(threads, MOST // pixels), 1)


def each_strip(work, regions, threads):
    """Do some work on each strip, on several threads at once.

    Parameters
    ----------
    work : callable
        Takes a Region.
    regions : iterable of Region
    threads : int

    Returns
    -------
    list
        What `work` returned, in the order of the regions.
    """
    regions = list(regions)
    workers = min(at_once(math.prod(regions[0].shape), threads), len(regions))
    if opencv := sys.modules.get("cv2"):
        # its threads share the cores with these
        opencv.setNumThreads(threads // workers)
    if workers == 1:
        return list(map(work, regions))
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, regions))
