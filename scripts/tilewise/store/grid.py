"""The grid: planes are cut into tiles, tiles are grouped into blocks; all of its arithmetic."""

import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, product, starmap
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar

if TYPE_CHECKING:
    # numpy takes a tenth of a second in jobs that have no arrays
    import numpy as np
    from numpy.typing import NDArray

Shape = tuple[int, int, int]
"""Planes, rows and columns."""
Scalar = TypeVar("Scalar", bound="np.generic")
Edges = Literal["even", "keep"]
"""The configuration's `tile_edges`: what becomes of short tiles at a plane's edges."""

LARGEST_BLOCK_PIXELS = 2**31
"""Roughly: the processes of its steps take little time to start, next to what they do."""
LARGEST_WHOLE_PLANE_PIXELS = 2**30
"""Of a plane that is not split."""
SINGLE_BLOCK_PIXELS = 2**28
"""Of a small sample, which has one block."""
OVERVIEW = 512
"""Longest side in pixels of a plane's smallest copy."""
LEAST_LEVELS = 3
"""Reduced levels of small planes."""
FEW_TILES = 3
"""Most tiles along a side of a plane whose tiles may be larger than a chunk."""


@dataclass(frozen=True)
class Region:
    """A box of pixels, half open: planes z0 to z1, rows y0 to y1, columns x0 to x1."""

    z0: int
    z1: int
    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def shape(self) -> Shape:
        """Planes, rows and columns."""
        return self.z1 - self.z0, self.y1 - self.y0, self.x1 - self.x0

    def intersects(self, other: "Region") -> bool:
        """Whether the two boxes share a pixel."""
        return (
            max(self.z0, other.z0) < min(self.z1, other.z1)
            and max(self.y0, other.y0) < min(self.y1, other.y1)
            and max(self.x0, other.x0) < min(self.x1, other.x1)
        )

    def in_plane(self, other: "Region") -> "Region":
        """The rows and columns that it shares with another, of its own planes."""
        y0, y1 = max(self.y0, other.y0), min(self.y1, other.y1)
        x0, x1 = max(self.x0, other.x0), min(self.x1, other.x1)
        return Region(self.z0, self.z1, y0, y1, x0, x1)


@dataclass(frozen=True)
class Tile:
    """A region of one plane, addressed by plane, tile row and tile column."""

    z: int
    row: int
    column: int

    @property
    def name(self) -> str:
        """The tile's name, as in `z0003_y01_x07`."""
        return f"z{self.z:04d}_y{self.row:02d}_x{self.column:02d}"


@dataclass(frozen=True)
class Grid:
    """How a sample is cut."""

    shape: Shape
    """Of the sample, in pixels."""
    tile: int
    """Side of a chunk, and of a tile unless `sides` has another, in pixels."""
    block: Shape
    """In pixels; rows and columns are whole chunks and may reach over the sample's edge."""
    edges: Edges = "keep"
    """`even`: see `sides`, and tiles of little area are slivers; `keep`: every tile is a chunk."""
    oblong: tuple[int, int] | None = None
    """Height and width of a chunk, and of a tile, of a reduced level where they differ."""

    def __post_init__(self) -> None:
        if min(self.shape) < 1 or min(self.block) < 1 or min(self.chunk) < 1:
            raise ValueError(f"shape, tile and block must be positive: {self}")
        if any(size % step for size, step in zip(self.block[1:], self.chunk, strict=True)):
            raise ValueError(f"a block must hold whole chunks: {self}")
        along = zip(self.sides, self.chunk, self.blocks_along[1:], strict=True)
        if any(side != step and blocks > 1 for side, step, blocks in along):
            raise ValueError(f"a block must hold whole tiles: {self}")

    @property
    def chunk(self) -> tuple[int, int]:
        """Height and width of a chunk."""
        return self.oblong or (self.tile, self.tile)

    @cached_property
    def sides(self) -> tuple[int, int]:
        """Height and width of a tile: see `tile_sides`."""
        return self.oblong or tile_sides(self.shape, self.tile, self.edges)

    @property
    def strip(self) -> int:
        """Rows that jobs go through at once: whole tiles, and whole chunks."""
        height, _ = self.chunk
        return height if self.sides[0] == height else self.shape[1]

    @property
    def blocks_along(self) -> tuple[int, ...]:
        """Number of blocks along z, y and x."""
        return tuple(-(-size // step) for size, step in zip(self.shape, self.block, strict=True))

    @property
    def tiles_along(self) -> tuple[int, int]:
        """Number of tile rows and tile columns of a plane."""
        height, width = self.sides
        return -(-self.shape[1] // height), -(-self.shape[2] // width)

    def blocks(self) -> list[str]:
        """Every block as `z/y/x`, its place in the grid of blocks."""
        return ["/".join(map(str, place)) for place in product(*map(range, self.blocks_along))]

    def region(self, block: str) -> Region:
        """Pixels of a block (`z/y/x`, as in `blocks`), cut at the sample's edge."""
        z, y, x = map(operator.mul, map(int, block.split("/")), self.block)
        planes, rows, columns = self.block
        region = self._cut(z, min(z + planes, self.shape[0]), y, y + rows, x, x + columns)
        if min(region.shape) < 1:
            raise ValueError(f"block {block} lies outside of {self.shape}")
        return region

    def blocks_of(self, region: Region) -> list[str]:
        """Blocks that share a pixel with a region, in order."""
        bounds = ((region.z0, region.z1), (region.y0, region.y1), (region.x0, region.x1))
        places = (
            range(max(low, 0) // step, (min(high, size) - 1) // step + 1)
            for (low, high), step, size in zip(bounds, self.block, self.shape, strict=True)
        )
        return ["/".join(map(str, place)) for place in product(*places)]

    def around(self, region: Region, reach: float) -> Region:
        """A region grown by `reach` pixels in its plane, cut at the sample's edge.

        `math.inf` gives whole planes.
        """
        margin = max(self.shape) if reach == math.inf else int(reach)
        return self._cut(
            region.z0,
            region.z1,
            max(region.y0 - margin, 0),
            region.y1 + margin,
            max(region.x0 - margin, 0),
            region.x1 + margin,
        )

    def _cut(self, z0, z1, y0, y1, x0, x1):
        """A box, cut at the sample's lower and right edge."""
        return Region(z0, z1, y0, min(y1, self.shape[1]), x0, min(x1, self.shape[2]))

    def tiles(self, block: str) -> list[Tile]:
        """Tiles of a block that hold a pixel of the sample, plane by plane, row by row."""
        return self.tiles_in(self.region(block))

    def tiles_in(self, region: Region) -> list[Tile]:
        """Tiles that share a pixel with a region, plane by plane, row by row."""
        planes = range(region.z0, region.z1)
        return list(starmap(Tile, product(planes, *self._rows_and_columns(region))))

    def _rows_and_columns(self, region):
        """Those of the tiles that share a pixel with a region."""
        height, width = self.sides
        rows = range(region.y0 // height, -(-region.y1 // height))
        return rows, range(region.x0 // width, -(-region.x1 // width))

    def number_of_tiles(self, region: Region) -> int:
        """How many `tiles_in` a region there are."""
        rows, columns = self._rows_and_columns(region)
        return (region.z1 - region.z0) * len(rows) * len(columns)

    def spread(self, number: int) -> list[Tile]:
        """At most so many tiles of the sample, at equal distances plane by plane, row by row."""
        tiles = self._all_tiles()
        number = min(number, tiles)
        return self._at((2 * i + 1) * tiles // (2 * number) for i in range(number))

    def scattered(self, number: int) -> list[Tile]:
        """At most so many tiles of the sample, evenly over planes, tile rows and tile columns.

        They come plane by plane, row by row. Equal distances, as in `spread`, may keep to a column.
        """
        tiles = self._all_tiles()
        # multiples of the golden ratio are even at any number; coprime, they meet no tile twice
        step = round(tiles * (math.sqrt(5) - 1) / 2)
        while math.gcd(step, tiles) != 1:
            step += 1
        return self._at(sorted((i * step + step) % tiles for i in range(min(number, tiles))))

    def _all_tiles(self):
        """Number of tiles of the sample."""
        return self.shape[0] * math.prod(self.tiles_along)

    def _at(self, places):
        """Tiles by their number, plane by plane, row by row."""
        rows, columns = self.tiles_along
        return [
            Tile(place // (rows * columns), place // columns % rows, place % columns)
            for place in places
        ]

    def place(self, tile: Tile) -> dict[str, Any]:
        """Fields of a table: the tile's name, its plane, its upper left pixel and its size."""
        region = self.tile_region(tile)
        _, height, width = region.shape
        corner = {"z": tile.z, "y": region.y0, "x": region.x0}
        return {"tile": tile.name, **corner, "height": height, "width": width}

    def is_sliver(self, tile: Tile) -> bool:
        """Whether a tile has less than a quarter of the area of the sample's first.

        None has if edges are kept.
        """
        if self.edges == "keep":
            return False
        first, own = (self.tile_region(one).shape for one in (Tile(0, 0, 0), tile))
        return 4 * own[1] * own[2] < first[1] * first[2]

    def tile_region(self, tile: Tile) -> Region:
        """Pixels of a tile, cut at the sample's edge."""
        height, width = self.sides
        y, x = tile.row * height, tile.column * width
        return self._cut(tile.z, tile.z + 1, y, y + height, x, x + width)

    def doubled(self, region: Region) -> Region:
        """Pixels of this grid that a region of the next level is the reduction of."""
        y0, y1, x0, x1 = (2 * end for end in (region.y0, region.y1, region.x0, region.x1))
        return self._cut(region.z0, region.z1, y0, y1, x0, x1)

    def level(self, level: int) -> "Grid":
        """The grid of a pyramid level: rows and columns halved `level` times, one shard per block.

        Its tiles are chunks, at level 0 too. They are as large as those of level 0, or as what a
        block comes to if that is smaller. A block that is the only one along a side is rounded up
        to whole chunks; elsewhere the chunk is the largest that divides it, and a block that cannot
        be halved so often is a ValueError.
        """
        factor, (planes, *sides) = 2**level, self.block
        cut = [
            _halved(side, level, self.tile, is_only=blocks == 1)
            for side, blocks in zip(sides, self.blocks_along[1:], strict=True)
        ]
        (rows, height), (columns, width) = cut
        shape = self.shape[0], -(-self.shape[1] // factor), -(-self.shape[2] // factor)
        chunk = (height, width) if height != width else None
        return Grid(shape, height, (planes, rows, columns), "keep", chunk)


def _halved(side, level, tile, is_only):
    """A side of a block at a reduced level, and that of its chunks."""
    length = -(-side // 2**level)
    if is_only:
        chunk = min(tile, length)
        return -(-length // chunk) * chunk, chunk
    if side % 2**level:
        raise ValueError(
            f"blocks of {side} px cannot be halved {level} times: choose a `tile` that is a "
            f"multiple of {2**level}, or fewer `levels` under `pyramid`"
        )
    return length, max(chunk for chunk in range(1, min(tile, length) + 1) if length % chunk == 0)


class GridSettings(TypedDict):
    """A grid as plain values, for a rule's `params`."""

    shape: Sequence[int]
    tile: int
    block: Sequence[int]
    edges: Edges


def grid_of(settings: GridSettings) -> Grid:
    """The grid of these values."""
    shape, block = _as_shape(settings["shape"]), _as_shape(settings["block"])
    return Grid(shape, settings["tile"], block, settings["edges"])


def _as_shape(sizes: Sequence[int]) -> Shape:
    planes, rows, columns = sizes
    return planes, rows, columns


def tile_sides(shape: Shape, tile: int, edges: Edges) -> tuple[int, int]:
    """Height and width of a tile of a sample.

    They are `tile`. But if edges are `even`, in planes of up to `FEW_TILES` tiles a side, and of up
    to `LARGEST_WHOLE_PLANE_PIXELS`, a side whose last tile would be shorter than half a tile is cut
    into one tile less, all of them equal but for rounding: they have up to 1.5 times `tile`.
    """
    _, rows, columns = shape
    is_small = (
        max(rows, columns) <= FEW_TILES * tile and rows * columns <= LARGEST_WHOLE_PLANE_PIXELS
    )
    if edges == "keep" or not is_small:
        return tile, tile
    return _even_side(rows, tile), _even_side(columns, tile)


def _even_side(length, tile):
    number, rest = divmod(length, tile)
    return -(-length // number) if number and 0 < 2 * rest < tile else tile


def choose_block(
    shape: Shape,
    tile: int,
    planes: int | None = None,
    rows: int | None = None,
    columns: int | None = None,
    edges: Edges = "keep",
) -> Shape:
    """The shape of a block for a sample.

    By default whole planes, or a band of tile rows where a plane has more than 1 Gpx. A larger
    sample has both more blocks, for more cores, and larger ones, for fewer processes to start:
    their number is about the square root of its pixels over 256 Mpx, a power of two, until they
    have 2 Gpx each.

    Shapes are in pixels; `planes`, and `rows` and `columns` of tiles, are chosen where they are
    None. Along a side whose tiles are no chunks (`tile_sides`) a block has all of them.
    """
    height, width = tile_sides(shape, tile, edges)
    rows, columns = rows if height == tile else None, columns if width == tile else None
    plane = shape[1] * shape[2]
    tile_rows, tile_columns = -(-shape[1] // tile), -(-shape[2] // tile)
    if rows is None:
        fitting = max(LARGEST_WHOLE_PLANE_PIXELS // (tile_columns * tile * tile), 1)
        rows = tile_rows if plane <= LARGEST_WHOLE_PLANE_PIXELS else fitting
    if planes is None:
        pixels = shape[0] * plane
        growing = 2 ** max(round(math.log2(pixels / SINGLE_BLOCK_PIXELS) / 2), 0)
        planes = -(-shape[0] // max(growing, round(pixels / LARGEST_BLOCK_PIXELS)))
    columns = tile_columns if columns is None else columns
    return (
        min(max(planes, 1), shape[0]),
        min(rows, tile_rows) * tile,
        min(columns, tile_columns) * tile,
    )


def choose_levels(length: int) -> int:
    """Reduced levels of planes with a longest side of so many pixels, down to an overview of it."""
    return max(((length - 1) // OVERVIEW).bit_length(), LEAST_LEVELS)


def runs_of(tiles: Iterable[Tile], grid: Grid, reach: float = 0) -> list[Region]:
    """Regions of neighbouring tiles of one tile row; tiles come plane by plane, row by row.

    If the reach is `math.inf`, they are the whole planes that have any of the tiles.
    """
    if reach == math.inf:
        _, rows, columns = grid.shape
        planes = dict.fromkeys(tile.z for tile in tiles)
        return [Region(z, z + 1, 0, rows, 0, columns) for z in planes]
    regions = []
    for _, row in groupby(tiles, attrgetter("z", "row")):
        for _, run in groupby(enumerate(row), lambda item: item[1].column - item[0]):
            neighbours = [grid.tile_region(tile) for _, tile in run]
            first, last = neighbours[0], neighbours[-1]
            regions.append(Region(first.z0, first.z1, first.y0, first.y1, first.x0, last.x1))
    return regions


def crop(pixels: "NDArray[Scalar]", outer: Region, inner: Region) -> "NDArray[Scalar]":
    """The (..., rows, columns) pixels of an inner region out of those of an outer one."""
    y, x = inner.y0 - outer.y0, inner.x0 - outer.x0
    return pixels[..., y : y + inner.shape[1], x : x + inner.shape[2]]
