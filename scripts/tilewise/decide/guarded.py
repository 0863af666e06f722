"""What the guard had a part in: masks that it left empty, and doubts about what it cannot judge."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.doubts import Doubt
from tilewise.labels import SEGMENTATION
from tilewise.tables import EMPTY, INFINITE, WEAK

Row = Mapping[str, Any]


def by_tile(thresholds: Iterable[Row]) -> dict[tuple[str, str, str], str]:
    """The column `guard` of tables of thresholds, where it says anything, by tile.

    Keys are sample, method and tile.
    """
    return {
        (row["sample"], row["method"], row["tile"]): row["guard"]
        for row in thresholds
        if row["guard"]
    }


def are_left_empty(tiles: Any) -> NDArray[np.bool_]:
    """Whether the guard left the mask of each tile empty, by a table with the column `guard`."""
    return np.array([word.endswith(EMPTY) for word in tiles["guard"]], bool)


def describe(left_empty: int, tiles: int) -> str:
    """How many of a method's tiles the guard left empty, in words; empty if none."""
    return f"{left_empty} of {tiles} tiles left empty by the guard" if left_empty else ""


def empty_doubts(summary: Iterable[Row]) -> list[Doubt]:
    """Scores that the guard made: of tiles with foreground in the truth that it left empty.

    A doubt for each sample and method, from rows of the summary or of its table.
    """
    return [
        Doubt(
            "left_empty",
            f"{row['method']}: {describe(int(row['left_empty']), int(row['tiles']))} in "
            f"{row['sample']}, {row['left_empty_with_truth']} of them with foreground in the truth",
            "`min_contrast: 0` turns the guard off; another filter, scope or method may tell "
            "objects from noise",
            row["sample"],
            row["method"],
        )
        for row in summary
        if row["metric"] == "f1" and row["sample"] != "all" and int(row["left_empty_with_truth"])
    ]


def threshold_doubts(thresholds: Iterable[Row]) -> list[Doubt]:
    """What the guard cannot judge: one doubt of a kind for each sample.

    Samples that are weak as a whole, so that tiles keep thresholds which may lie in noise; and
    tiles whose background has one grey level, so that any contrast is infinite. Rows are those of
    tables of thresholds.
    """
    weak: dict[str, dict[str, None]] = {}
    infinite: dict[str, dict[str, None]] = {}
    for row in thresholds:
        word = row["guard"]
        if word.startswith(WEAK) and not word.endswith(EMPTY):
            weak.setdefault(row["sample"], {})[row["method"]] = None
        elif word == INFINITE:
            infinite.setdefault(row["sample"], {})[row["tile"]] = None
    for methods in weak.values():
        if len(methods) > 1:
            # it is one of the others
            methods.pop(SEGMENTATION, None)
    return [
        *(_weak(sample, list(methods)) for sample, methods in weak.items()),
        *(_infinite(sample, list(tiles)) for sample, tiles in infinite.items()),
    ]


def _weak(sample: str, methods: list[str]) -> Doubt:
    return Doubt(
        "weak_contrast",
        f"contrast cannot tell objects from noise in {sample} ({', '.join(methods)}): tiles keep "
        "their own thresholds, and one without objects comes out half full",
        "look at its masks; `weak: empty` leaves such tiles empty, and a filter may raise contrast",
        sample,
        methods[0] if len(methods) == 1 else "",
    )


def _infinite(sample: str, tiles: list[str]) -> Doubt:
    number = f"{len(tiles)} tiles" if len(tiles) > 1 else "a tile"
    return Doubt(
        "constant_background",
        f"{number} of {sample}, such as {tiles[0]}, {'have' if len(tiles) > 1 else 'has'} a "
        "background of one grey level, where the guard cannot tell objects from noise: padding, a "
        "burnt area, or fewer than one photon per pixel",
        "name a region of interest (`roi`) without the padding, or smooth images with few photons",
        sample,
        tile=tiles[0] if len(tiles) == 1 else "",
    )
