"""Histograms of annotated tiles, of background and foreground apart, as arrays of one file.

Files are written and read a few tiles at a time: there may be more than memory has room for.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tilewise.arrays import BatchWriter, read_batches
from tilewise.tables import damage

Place = tuple[str, int, int, int, int]
"""Sample, z, y, x and the number of a spatial block, -1 for the whole tile."""
KINDS = "background", "foreground"
LEVELS = "values", *KINDS
ARRAYS = "samples", "places", "sizes", *LEVELS
"""Names of the arrays that histograms are packed in."""
FEW_LEVELS = 2**18
"""Of the tiles that are in memory at once, together."""
MANY_LEVELS = 2**20
"""Of histograms that are added up, before neighbouring levels are taken together."""


@dataclass(frozen=True)
class ClassHistogram:
    """Pixels of the background and of the foreground of a tile, per grey level that occurs."""

    values: NDArray[Any]
    """The grey levels, ascending; integers, or float64."""
    background: NDArray[Any]
    foreground: NDArray[Any]


def merge(
    tiles: Sequence[ClassHistogram], weights: Sequence[float] | None = None
) -> ClassHistogram:
    """The histogram of several tiles together, in float64 if the pixels of each have a weight."""
    values, number = np.unique(np.concatenate([tile.values for tile in tiles]), return_inverse=True)
    own = np.ones(len(tiles)) if weights is None else np.asarray(weights)
    pixels = np.repeat(own, [tile.values.size for tile in tiles])
    sums = [
        np.bincount(
            number, pixels * np.concatenate([getattr(tile, kind) for tile in tiles]), values.size
        )
        for kind in KINDS
    ]
    if weights is not None:
        return ClassHistogram(values, *sums)
    # exact in double precision: no sample has 2 ** 53 annotated pixels
    return ClassHistogram(values, *(total.astype(np.int64) for total in sums))


def merge_many(
    tiles: Iterable[tuple[ClassHistogram, float]], is_weighted: bool = False
) -> ClassHistogram:
    """The same of any number of tiles, each with its weight, of at most `MANY_LEVELS` levels.

    Of more, which only floats have, neighbouring ones are taken together: see `thin`.
    """
    waiting: list[tuple[ClassHistogram, float]] = []
    levels = 0
    for tile, weight in tiles:
        waiting.append((tile, weight))
        levels += tile.values.size
        if levels > MANY_LEVELS:
            waiting = [(thin(_merged(waiting, is_weighted), MANY_LEVELS // 2), 1.0)]
            levels = waiting[0][0].values.size
    return _merged(waiting, is_weighted)


def _merged(tiles, is_weighted):
    weights = [weight for _, weight in tiles] if is_weighted else None
    return merge([tile for tile, _ in tiles], weights)


def thin(histogram: ClassHistogram, most: int) -> ClassHistogram:
    """The same by about so many levels at most, each of a run of neighbouring ones.

    A run has the highest of its levels, so that thresholds there divide pixels as before. For any
    other threshold there is such a one by which less than 2 / `most` of the pixels of either class
    come to the other side.
    """
    if histogram.values.size <= most:
        return histogram
    sums = [np.cumsum(getattr(histogram, kind)) for kind in KINDS]
    shares = sum(total / max(total[-1], 1) for total in sums)
    last = np.flatnonzero(np.diff(np.floor(shares * (most / 2)), append=np.inf))
    own = [np.diff(total[last], prepend=total.dtype.type(0)) for total in sums]
    return ClassHistogram(histogram.values[last], *own)


class Writer:
    """Writes histograms of tiles, each with its place, in the order in which they are added."""

    def __init__(self, path: str | Path) -> None:
        self._arrays = BatchWriter(path)
        self._waiting: list[tuple[Place, ClassHistogram]] = []
        self._levels = 0

    def add(self, place: Place, histogram: ClassHistogram) -> None:
        """Write one, at once or with those that follow."""
        self._waiting.append((place, histogram))
        self._levels += histogram.values.size
        if self._levels >= FEW_LEVELS:
            self._write()

    def _write(self) -> None:
        places, histograms = zip(*self._waiting, strict=True)
        self._arrays.write(
            samples=np.array([sample for sample, *_ in places], np.str_),
            places=np.array([place for _, *place in places], np.int64),
            sizes=np.array([histogram.values.size for histogram in histograms], np.int64),
            **{name: np.concatenate([getattr(own, name) for own in histograms]) for name in LEVELS},
        )
        self._waiting, self._levels = [], 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *failure: object) -> None:
        # of what failed, the number of batches would say that it is whole
        if failed is not None:
            return
        if self._waiting:
            self._write()
        self._arrays.close()


def read(path: str | Path) -> Iterator[tuple[Place, ClassHistogram]]:
    """What a `Writer` has written, one after the other.

    A file whose arrays do not fit each other is a ValueError that names it.
    """
    for packed in read_batches(path, ARRAYS):
        ends = np.cumsum(packed["sizes"])
        tiles, levels = packed["sizes"].size, int(ends[-1]) if ends.size else 0
        shapes = {"samples": (tiles,), "places": (tiles, 4), **dict.fromkeys(LEVELS, (levels,))}
        if any(packed[name].shape != shape for name, shape in shapes.items()):
            raise damage(path)
        arrays = [packed[name] for name in LEVELS]
        for sample, (z, y, x, number), size, end in zip(
            packed["samples"], packed["places"], packed["sizes"], ends, strict=True
        ):
            place = str(sample), int(z), int(y), int(x), int(number)
            yield place, ClassHistogram(*(array[end - size : end] for array in arrays))
