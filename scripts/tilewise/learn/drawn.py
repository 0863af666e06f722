"""Pixels of annotated tiles that a classifier is trained on: a few of each class."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.arrays import read_arrays

Corner = tuple[str, int, int, int]
"""Sample, plane, and row and column of a tile's first pixel."""
LEAST = 50
"""Pixels of a class that are drawn from each tile, if it has them, however many tiles there are."""
OF_TILES = "samples", "places", "totals", "levels", "sizes"
OF_PIXELS = "rows", "columns", "truth", "values"
ARRAYS = (*OF_TILES, *OF_PIXELS)
"""Names of the arrays of a file."""


@dataclass(frozen=True)
class Drawn:
    """Pixels that were drawn from a tile."""

    corner: Corner
    shape: tuple[int, int]
    """Rows and columns of the tile."""
    totals: NDArray[np.int64]
    """Annotated pixels of the tile: of the background, and of the foreground."""
    levels: tuple[tuple[float, float], ...]
    """Of each channel, the least and the greatest grey level that features were computed from."""
    rows: NDArray[np.int32]
    """Of each pixel, within the tile."""
    columns: NDArray[np.int32]
    truth: NDArray[np.uint8]
    """0 background, 1 foreground."""
    values: NDArray[np.float32]
    """(features, pixels)"""

    @property
    def weights(self) -> NDArray[np.float64]:
        """How many pixels of the tile each stands for."""
        drawn = np.bincount(self.truth, minlength=2)
        return (self.totals / np.maximum(drawn, 1))[self.truth]


def number_per_tile(pixels: int, tiles: int) -> int:
    """Pixels of each class to draw from a tile, of so many from so many tiles together."""
    return max(-(-pixels // max(tiles, 1)), LEAST)


def draw(
    truth: NDArray[np.uint8], number: int, seed: int, corner: Corner
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of up to so many pixels of each class, in order.

    What is drawn from a tile depends on nothing but the tile, its place, the number and the seed.

    Parameters
    ----------
    truth : (rows, columns) array
        0 background, 1 foreground; all else is not annotated.
    """
    sample, *place = corner
    random = np.random.default_rng([seed, zlib.crc32(sample.encode()), *place])
    flat = truth.ravel()
    kinds = (np.flatnonzero(flat == kind) for kind in (0, 1))
    chosen = [
        random.choice(own, number, replace=False, shuffle=False) if own.size > number else own
        for own in kinds
    ]
    rows, columns = np.unravel_index(np.sort(np.concatenate(chosen)), truth.shape)
    return rows, columns


def write(path: str | Path, tiles: Sequence[Drawn], features: int) -> None:
    """Write what was drawn from several tiles, of so many features."""
    empty = np.zeros((features, 0), np.float32)
    np.savez(
        path,
        samples=np.array([tile.corner[0] for tile in tiles], np.str_),
        places=np.array([(*t.corner[1:], *t.shape) for t in tiles], np.int64).reshape(-1, 5),
        totals=np.array([tile.totals for tile in tiles], np.int64).reshape(-1, 2),
        levels=np.array([tile.levels for tile in tiles], np.float64),
        sizes=np.array([tile.truth.size for tile in tiles], np.int64),
        rows=np.concatenate([np.zeros(0, np.int32), *(tile.rows for tile in tiles)]),
        columns=np.concatenate([np.zeros(0, np.int32), *(tile.columns for tile in tiles)]),
        truth=np.concatenate([np.zeros(0, np.uint8), *(tile.truth for tile in tiles)]),
        values=np.concatenate([empty, *(tile.values for tile in tiles)], axis=1),
    )


def read(paths: Iterable[str | Path]) -> list[Drawn]:
    """What was drawn from the tiles of several files, in order."""
    return [tile for path in paths for tile in _tiles_of(read_arrays(path, ARRAYS))]


def _tiles_of(known: Mapping[str, NDArray[Any]]) -> Iterable[Drawn]:
    end = 0
    rows = zip(*(known[name] for name in OF_TILES), strict=True)
    for sample, (z, y, x, height, width), totals, levels, size in rows:
        own = slice(end, end := end + int(size))
        yield Drawn(
            (str(sample), int(z), int(y), int(x)),
            (int(height), int(width)),
            totals,
            tuple((low, high) for low, high in levels.tolist()),
            *(known[name][..., own] for name in OF_PIXELS),
        )
