"""Where a row of a table of metrics, or a histogram, comes from."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

from tilewise.store import class_histograms
from tilewise.store.class_histograms import ClassHistogram


class Place(NamedTuple):
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


@dataclass(frozen=True)
class Histograms:
    """Histograms of annotated tiles after one filter, each with its place.

    Each time that they are gone through, they are read again: no more than a few are in memory.
    """

    paths: tuple[Path | str, ...] = ()
    """Of files that `class_histograms.Writer` has written."""
    is_known: Callable[[Place], bool] = lambda _: True
    """Of which places there are to be any."""

    def __iter__(self) -> Iterator[tuple[Place, ClassHistogram]]:
        for path in self.paths:
            for (sample, z, y, x, patch), histogram in class_histograms.read(path):
                place = Place(sample, z, y, x, "" if patch < 0 else str(patch))
                if self.is_known(place):
                    yield place, histogram

    def of(self, is_known: Callable[[Place], bool]) -> Self:
        """The same of some places."""
        return replace(self, is_known=is_known)


def histograms_of(paths: Iterable[Path | str], filters: Iterable[str]) -> dict[str, Histograms]:
    """Histograms of annotated tiles by filter; `filters` names that of each file."""
    files: dict[str, list[Path | str]] = {}
    for source, path in zip(filters, paths, strict=True):
        files.setdefault(source, []).append(path)
    return {source: Histograms(tuple(own)) for source, own in files.items()}
