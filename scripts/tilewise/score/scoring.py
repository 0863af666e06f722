"""What is counted in a tile, plane or stack that is compared with its truth."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.score import confusion, structure
from tilewise.score.patches import patches
from tilewise.tables import SLIVER

Pixels = NDArray[np.uint8]


def count_extent(
    truth: Pixels, mask: Pixels, settings: dict[str, Any], codes: Pixels | None = None
) -> dict[str, Any] | None:
    """Counts of one extent; None where nothing is annotated.

    Parameters
    ----------
    truth, mask : (rows, columns) or (planes, rows, columns) uint8 ndarray
        0 or 1; truth is 255 where it is not annotated.
    settings : dict
        `metrics`: of `formulas.CHOICES`; `spacing`: size of a pixel along z, y and x; `tolerance`;
        `objects`: settings of `structure.Objects`.
    codes : (rows, columns) uint8 ndarray, optional
        Their confusion map, where it is known.

    Returns
    -------
    dict or None
        `annotated` pixels, those of the confusion matrix, `edge`, and what `structure.compare`
        gives.
    """
    if codes is None:
        flat = (-1, truth.shape[-1])
        codes = confusion.confusion_map(truth.reshape(flat), mask.reshape(flat))
    counts = confusion.count(codes)
    if not any(counts.values()):
        return None
    fields = {"annotated": sum(counts.values()), **counts, "edge": confusion.edge(**counts)}
    if settings["metrics"]:
        spacing = settings["spacing"][-truth.ndim :]
        objects = structure.Objects(**settings["objects"])
        fields |= structure.compare(
            truth, mask, settings["metrics"], spacing, settings["tolerance"], objects
        )
    return fields


def count_tile(
    truth: Pixels,
    mask: Pixels,
    settings: dict[str, Any],
    codes: Pixels | None = None,
    is_sliver: bool = False,
) -> list[dict[str, Any]]:
    """Counts of a tile and, if it is to be cut, of each of its spatial blocks.

    Parameters are those of `count_extent`; the setting `margin` is None unless the tile is to be
    cut. `patch` is empty for the tile itself, else the number of the block. `edge` is `sliver` if
    the tile `is_sliver`, whatever its counts.
    """
    regions: list[tuple[Any, tuple[slice, slice]]] = [("", (slice(None), slice(None)))]
    if settings["margin"] is not None:
        regions += enumerate(patches(truth.shape, settings["margin"]))
    rows = []
    for name, region in regions:
        own = None if codes is None else codes[region]
        fields = count_extent(truth[region], mask[region], settings, own)
        if fields:
            fields |= {"edge": SLIVER} if is_sliver else {}
            rows.append({"patch": name, **fields})
    return rows


def planes_of(
    planes: Sequence[int], truth: Callable[[int], Pixels], mask: Callable[[int], Pixels]
) -> Iterator[tuple[str, int, Pixels, Pixels]]:
    """Each plane as an extent: its name, its number, its truth and its mask.

    `planes` are the numbers of the annotated planes, ascending. `truth` and `mask` give the pixels
    of a plane, (rows, columns), which last until the next call.
    """
    for z in planes:
        yield f"z{z:04d}", z, truth(z).copy(), mask(z).copy()


def volume_of(
    planes: Sequence[int], truth: Callable[[int], Pixels], mask: Callable[[int], Pixels]
) -> Iterator[tuple[str, int, Pixels, Pixels]]:
    """All planes from the first to the last as one extent, as `planes_of`."""
    every = range(planes[0], planes[-1] + 1)
    pairs = [(known, predicted) for _, _, known, predicted in planes_of(every, truth, mask)]
    known, predicted = (np.stack(volume) for volume in zip(*pairs, strict=True))
    yield "sample", planes[0], known, predicted
