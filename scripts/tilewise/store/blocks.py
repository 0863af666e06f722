"""Blocks of an array on disk: regions of a plane are read, tiles are written as they are ready.

A file has chunks. Rows and columns of chunks are meant where nothing else is said; a tile may
be larger than a chunk, and hold parts of several.
"""

import math
import operator
import sys
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from tilewise.store.grid import Grid, Region, Tile, crop
from tilewise.store.layout import Layout, layout_of
from tilewise.store.shards import ShardReader, ShardWriter

if TYPE_CHECKING:
    from tilewise.store.parts import Part

Result = TypeVar("Result")

MOST_PIXELS_AT_ONCE = 2**28
"""Of all strips that a job's threads have in memory."""


class Blocks:
    """Blocks of an array that a job reads, from a file for each; its samples are views of them."""

    def __init__(self, files: Mapping[str, str | Path], layout: Layout) -> None:
        self._layout = layout
        self._shards = {block: ShardReader(path, layout) for block, path in files.items()}

    def of(self, part: "Part") -> "BlockReader":
        """A part's sample."""
        return BlockReader(self._shards, part.grid, self._layout, part.offset)


def open_blocks(
    paths: Iterable[str | Path], blocks: Iterable[str], grid: Grid, dtype: str, **settings: Any
) -> Blocks:
    """Blocks of an array, from a file for each; the grid is that of any of its samples."""
    return Blocks(dict(zip(blocks, paths, strict=True)), layout_of(grid, dtype, **settings))


class BlockReader:
    """Reads regions of a sample that may span blocks.

    A block of the array without a shard holds the fill value. The offset is the plane of the array
    that is the sample's first.
    """

    kept_rows = 4
    """Decoded rows to keep: neighbouring strips with a halo decode no chunk twice."""

    def __init__(
        self, shards: Mapping[str, ShardReader], grid: Grid, layout: Layout, offset: int = 0
    ) -> None:
        self._grid = grid
        self._layout = layout
        self._offset = offset
        # channels come before z, y and x
        self._lead = layout.shard[:-3]
        self._is_chunk = grid.sides == grid.chunk
        self._shards = shards
        self._kept = threading.local()

    def _place(self, z, row, column):
        z += self._offset
        planes, rows, columns = self._layout.chunks_along[-3:]
        block = f"{z // planes}/{row // rows}/{column // columns}"
        return self._shards.get(block), (z % planes, row % rows, column % columns)

    def is_stored(self, tile: Tile) -> bool:
        """Whether the tile holds more than the fill value, in any channel."""
        if not self._is_chunk:
            region = self._grid.tile_region(tile)
            return bool((self.read(region) != self._layout.fill).any())
        shard, place = self._place(tile.z, tile.row, tile.column)
        if shard is None:
            return False
        if self._lead:
            return any(shard.is_stored((channel, *place)) for channel in range(*self._lead))
        return shard.is_stored(place)

    def _chunk(self, z, row, column, out):
        """Copy a whole chunk, and over the sample's edge, into an array."""
        shard, place = self._place(z, row, column)
        if shard is None:
            out[:] = self._layout.fill
        elif self._lead:
            for channel in range(*self._lead):
                out[channel] = shard.read((channel, *place))[0, 0]
        else:
            out[:] = shard.read(place)[0]

    def tile(self, tile: Tile) -> NDArray[Any]:
        """Pixels of one tile, cut at the sample's edge; not to be written to.

        They are (rows, columns), or (channels, rows, columns) where there are several channels.
        """
        region = self._grid.tile_region(tile)
        if not self._is_chunk:
            return self.read(region).copy()
        _, height, width = region.shape
        if not self._lead:
            shard, place = self._place(tile.z, tile.row, tile.column)
            if shard is not None and shard.is_stored(place):
                return shard.read(place)[0, :height, :width]
        pixels = np.empty((*self._lead, *self._grid.chunk), self._layout.dtype)
        self._chunk(tile.z, tile.row, tile.column, pixels)
        return pixels[..., :height, :width]

    def plane(self, z: int) -> NDArray:
        """Pixels of a whole plane of the sample, as `read`."""
        _, rows, columns = self._grid.shape
        return self.read(Region(z, z + 1, 0, rows, 0, columns))

    def _row(self, z, row, first, last):
        """Columns `first` to `last` of a row, side by side; kept for the next strip."""
        key = z, row, first, last
        if not hasattr(self._kept, "rows"):
            self._kept.rows = OrderedDict()
        kept = self._kept.rows
        if key in kept:
            kept.move_to_end(key)
            return kept[key]
        side, width = self._grid.chunk
        shape = (*self._lead, side, (last - first) * width)
        pixels = kept.popitem(last=False)[1] if len(kept) == self.kept_rows else None
        if pixels is None or pixels.shape != shape:
            pixels = np.empty(shape, self._layout.dtype)
        for column in range(first, last):
            x = (column - first) * width
            self._chunk(z, row, column, pixels[..., x : x + width])
        kept[key] = pixels
        return pixels

    def read(self, region: Region) -> NDArray[Any]:
        """Pixels of a region of one plane, of a shape as in `tile`.

        They are valid until the thread's next call, and not to be written to.
        """
        side, width = self._grid.chunk
        first, last = region.x0 // width, -(-region.x1 // width)
        columns = slice(region.x0 - first * width, region.x1 - first * width)
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
    """Writes one block (`z/y/x`, of the array), strip by strip or tile by tile, each pixel once.

    A chunk of which a tile holds a part waits for the rest, or for the end: what was never written
    has the fill value.
    """

    def __init__(self, path: str | Path, block: str, layout: Layout, threads: int = 1) -> None:
        self._layout = layout
        self._waiting: dict[tuple[int, ...], tuple[NDArray[Any], int]] = {}
        self._lock = threading.Lock()
        place = map(int, block.split("/"))
        self._corner = list(map(operator.mul, place, layout.chunks_along[-3:]))
        self._shard = ShardWriter(path, layout, threads)

    def write(self, part: "Part", region: Region, pixels: NDArray[Any]) -> None:
        """Store pixels of a region of one plane of a sample."""
        (rows, columns), z = self._layout.chunk[-2:], region.z0 + part.offset
        _, height, width = part.grid.shape
        for row in range(region.y0 // rows, -(-region.y1 // rows)):
            for column in range(region.x0 // columns, -(-region.x1 // columns)):
                place = tuple(map(operator.sub, (z, row, column), self._corner))
                y, x = row * rows, column * columns
                y1, x1 = min(y + rows, height), min(x + columns, width)
                chunk = Region(z, z + 1, y, y1, x, x1)
                own = chunk.in_plane(region)
                if own.shape == chunk.shape:
                    self._store(place, crop(pixels, region, own))
                else:
                    self._gather(place, crop(pixels, region, own), own, chunk)

    def _gather(self, place, pixels, own, chunk):
        """Put a part of a chunk with the others, and store it once it is whole."""
        with self._lock:
            if place not in self._waiting:
                shape = (*pixels.shape[:-2], *chunk.shape[1:])
                whole = np.full(shape, self._layout.fill, self._layout.dtype)
                self._waiting[place] = whole, math.prod(chunk.shape)
            whole, missing = self._waiting.pop(place)
            crop(whole, chunk, own)[:] = pixels
            missing -= math.prod(own.shape)
            if missing:
                self._waiting[place] = whole, missing
        if not missing:
            self._store(place, whole)

    def _store(self, place, pixels):
        if pixels.ndim == 2:
            self._shard.write(place, pixels[np.newaxis])
            return
        for channel, plane in enumerate(pixels):
            self._shard.write((channel, *place), plane[np.newaxis, np.newaxis])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *failure: object) -> None:
        if failed is None:
            for place, (chunk, _) in sorted(self._waiting.items(), key=operator.itemgetter(0)):
                self._store(place, chunk)
        self._shard.__exit__(failed, *failure)


def strips(grid: Grid, block: str, reach: float = 0) -> Iterator[Region]:
    """A block's planes, one after the other: tile rows, or whole if the reach is `math.inf`.

    They are whole chunks too: of a sample whose tile rows are not, they are whole planes.
    """
    whole = grid.region(block)
    step = whole.shape[1] if reach == math.inf else grid.strip
    for z in range(whole.z0, whole.z1):
        for y in range(whole.y0, whole.y1, step):
            yield Region(z, z + 1, y, min(y + step, whole.y1), whole.x0, whole.x1)


def at_once(pixels: int, threads: int) -> int:
    """Strips of so many pixels that are in memory at once, one per thread, but few whole planes."""
    return max(min(threads, MOST_PIXELS_AT_ONCE // pixels), 1)


def each_strip(
    work: Callable[[Region], Result], regions: Iterable[Region], threads: int
) -> list[Result]:
    """Do some work on each strip, on several threads; results are in the order of the strips."""
    regions = list(regions)
    if not regions:
        return []
    workers = min(at_once(math.prod(regions[0].shape), threads), len(regions))
    return list(in_order((partial(work, region) for region in regions), workers, threads))


def in_order(
    tasks: Iterable[Callable[[], Result]], workers: int, threads: int, ahead: float = math.inf
) -> Iterator[Result]:
    """Results of tasks, in the order of the tasks, of which so many are worked on at once.

    No more than `ahead` of them are begun before the first of their results is taken. Each worker
    has its part of the job's threads.
    """
    if opencv := sys.modules.get("cv2"):
        # its threads share the cores with these
        opencv.setNumThreads(threads // workers)
    if workers == 1:
        yield from (task() for task in tasks)
        return
    with ThreadPoolExecutor(workers) as pool:
        begun: deque[Future[Result]] = deque()
        for task in tasks:
            begun.append(pool.submit(task))
            if len(begun) >= ahead:
                yield begun.popleft().result()
        yield from (one.result() for one in begun)
