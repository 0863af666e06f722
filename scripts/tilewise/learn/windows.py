"""Annotated tiles that a U-Net is trained on, and what of their truth is held out of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.arrays import read_arrays
from tilewise.labels import NOT_ANNOTATED
from tilewise.learn.assignment import Place
from tilewise.learn.drawn import Corner
from tilewise.score.patches import patches

ARRAYS = ("samples", "places", "pixels", "truth")
"""Names of the arrays of a file."""
BLOCKS = 4
"""Blocks of a plane along each axis where there are few units."""
FIRST = 2
"""The first of blocks or units that validates a single network."""
APART, LEAST = 4, 6
"""Between the first ones of two networks, and of any that validate the same one, at least."""
FILLED = 0.5
"""Tiles of a plane are put together where they fill this part of the rectangle around them."""


@dataclass(frozen=True)
class Window:
    """An annotated tile."""

    corner: Corner
    pixels: NDArray
    """Filtered, (rows, columns) or (channels, rows, columns)."""
    truth: NDArray[np.uint8]
    """0, 1 or `NOT_ANNOTATED`, (rows, columns)."""


@dataclass(frozen=True)
class Plane:
    """Pixels, what is trained on, and what says when training ends: all of one shape.

    Pixels may have several channels, which come first.
    """

    pixels: NDArray
    training: NDArray[np.uint8]
    """Truth: 0, 1 or `NOT_ANNOTATED`."""
    validation: NDArray[np.uint8]
    """The same, of other pixels."""


def write(path: str | Path, windows: Sequence[Window]) -> None:
    """Write tiles of pixels of one dtype, and of as many channels."""
    pixels = [window.pixels.ravel() for window in windows] or [np.zeros(0, np.uint8)]
    truth = [np.zeros(0, np.uint8), *(window.truth.ravel() for window in windows)]
    np.savez(
        path,
        samples=np.array([window.corner[0] for window in windows], np.str_),
        places=np.array([(*w.corner[1:], *w.truth.shape) for w in windows], np.int64).reshape(
            -1, 5
        ),
        pixels=np.concatenate(pixels),
        truth=np.concatenate(truth),
    )


def read(paths: Iterable[str | Path]) -> list[Window]:
    """The tiles of several files, in order."""
    return [window for path in paths for window in _windows_of(read_arrays(path, ARRAYS))]


def _windows_of(known: Mapping[str, NDArray[Any]]) -> Iterable[Window]:
    end, channels = 0, known["pixels"].size // max(known["truth"].size, 1)
    for sample, (z, y, x, *shape) in zip(known["samples"], known["places"].tolist(), strict=True):
        own = slice(end, end := end + shape[0] * shape[1])
        pixels = known["pixels"][own.start * channels : own.stop * channels]
        pixels = pixels.reshape(*[channels] * (channels > 1), *shape)
        yield Window((str(sample), z, y, x), pixels, known["truth"][own].reshape(shape))


def planes_of(
    windows: Iterable[Window],
    places: Sequence[Place],
    margin: int,
    number: int = 0,
    networks: int = 1,
) -> list[Plane]:
    """The planes that a network is trained on, by its number among those of a model.

    What is in none of its places has truth `NOT_ANNOTATED`; its pixels are but what others are
    seen beside. A part of the units, which are what is held out together, validates, if there are
    `LEAST` or more; else blocks of planes, as of `split`.
    """
    units = sorted({place.unit for place in places} - {""})
    held = set(units[_validating(len(units), number, networks)] if len(units) >= LEAST else [])
    by_corner: dict[Corner, list[Place]] = {}
    for place in places:
        by_corner.setdefault(place.corner, []).append(place)
    used = {corner[:2] for corner in by_corner}
    groups: dict[tuple[str, int], list[tuple[Corner, Plane]]] = {}
    for window in windows:
        if window.corner[:2] not in used:
            continue
        truths = [np.full_like(window.truth, NOT_ANNOTATED) for _ in range(2)]
        for place in by_corner.get(window.corner, ()):
            cuts = patches(window.truth.shape, margin)
            own = cuts[int(place.patch)] if place.patch else (slice(None), slice(None))
            truths[place.unit in held][own] = window.truth[own]
        plane = Plane(window.pixels, *truths)
        groups.setdefault(window.corner[:2], []).append((window.corner, plane))
    planes = [plane for group in groups.values() for plane in _joined(group)]
    return planes if held else [split(plane, margin, number, networks) for plane in planes]


def _validating(count: int, number: int, networks: int) -> slice:
    """Which of so many units or blocks validate a network: a sixth, or of several fewer.

    Those of several networks are others, and are a quarter together.
    """
    first = FIRST + APART * number
    # where there are few, the networks begin again
    return slice(first % count if count > FIRST else first, None, max(LEAST, APART * networks))


def _joined(group: Sequence[tuple[Corner, Plane]]) -> list[Plane]:
    """The tiles of a plane as one, if they fill much of the rectangle around them."""
    first = [min(place) for place in zip(*(corner[2:] for corner, _ in group), strict=True)]
    end = [
        max(place)
        for place in zip(
            *((y + len(one.training), x + one.training.shape[1]) for (_, _, y, x), one in group),
            strict=True,
        )
    ]
    shape = end[0] - first[0], end[1] - first[1]
    tiles = [plane for _, plane in group]
    if len(tiles) == 1 or sum(tile.training.size for tile in tiles) < FILLED * shape[0] * shape[1]:
        return [tile for tile in tiles if _is_known(tile.training) or _is_known(tile.validation)]
    # where there is no tile, the mean of those that there are
    pixels = tiles[0].pixels
    means = np.mean([one.pixels.mean(axis=(-2, -1), dtype=np.float64) for one in tiles], axis=0)
    filled = np.broadcast_to(means[..., None, None], (*pixels.shape[:-2], *shape))
    whole = Plane(
        filled.astype(pixels.dtype),
        *(np.full(shape, NOT_ANNOTATED, np.uint8) for _ in range(2)),
    )
    for (_, _, y, x), tile in group:
        rows, columns = tile.training.shape
        own = np.s_[y - first[0] : y - first[0] + rows, x - first[1] : x - first[1] + columns]
        for name, values in vars(tile).items():
            getattr(whole, name)[..., *own] = values
    return [whole]


def _is_known(truth: NDArray[np.uint8]) -> bool:
    return bool((truth != NOT_ANNOTATED).any())


def split(plane: Plane, margin: int, number: int = 0, networks: int = 1) -> Plane:
    """A plane of which a part of what is trained on validates a network.

    It is cut into `BLOCKS` x `BLOCKS` blocks. Of those with foreground, in order, the third and
    each sixth after it validate a single network; of several, others validate each, and fewer.
    `margin` pixels around them have no part in either.
    """
    truth = plane.training
    edges = [np.linspace(0, n, BLOCKS + 1).astype(int).tolist() for n in truth.shape]
    blocks = [
        (y, end, x, right)
        for y, end in pairwise(edges[0])
        for x, right in pairwise(edges[1])
        if (truth[y:end, x:right] == 1).any()
    ]
    training, validation = truth.copy(), plane.validation.copy()
    for y, end, x, right in blocks[_validating(len(blocks), number, networks)]:
        around = np.s_[max(y - margin, 0) : end + margin, max(x - margin, 0) : right + margin]
        training[around] = NOT_ANNOTATED
        validation[y:end, x:right] = truth[y:end, x:right]
    return Plane(plane.pixels, training, validation)
