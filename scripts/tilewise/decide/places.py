"""Where a row of a table of metrics, or a histogram, comes from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilewise.arrays import read_arrays
from tilewise.store.class_histograms import ARRAYS, ClassHistogram, unpack

Histograms = dict[str, dict["Place", ClassHistogram]]
"""Of annotated tiles: by name of the filter, then by place."""


@dataclass(frozen=True)
class Place:
    """A tile, by its plane and its upper left corner in pixels, or a spatial block of one.

    `patch` is the number of the block; empty for the tile itself.
    """

    sample: str
    z: int
    y: int
    x: int
    patch: str = ""


def place_of(row: Mapping[str, str]) -> Place:
    """Where a row comes from, read as text; without a column `patch`, a tile."""
    return Place(row["sample"], int(row["z"]), int(row["y"]), int(row["x"]), row.get("patch", ""))


def places_of(table: Any) -> list[Place]:
    """The same of each row of a `pandas.DataFrame`; rows of one place share it."""
    known: dict[Place, Place] = {}
    rows = map(Place, *(table[name].tolist() for name in ("sample", *"zyx", "patch")))
    return [known.setdefault(place, place) for place in rows]


def read_histograms(paths: Iterable[Path | str], filters: Iterable[str]) -> Histograms:
    """Histograms of annotated tiles, from files that `class_histograms.pack` has filled.

    `filters` names the filter of each file.
    """
    histograms: Histograms = {}
    for source, path in zip(filters, paths, strict=True):
        for (sample, z, y, x, patch), histogram in unpack(read_arrays(path, ARRAYS)):
            place = Place(sample, z, y, x, "" if patch < 0 else str(patch))
            histograms.setdefault(source, {})[place] = histogram
    return histograms
