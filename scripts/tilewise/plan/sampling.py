"""How annotated tiles were picked: the columns `purpose` and `pi` of the sheet and of windows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tilewise.store.grid import Grid, Region
from tilewise.tables import ESTIMATE, TRAIN

PURPOSES = (ESTIMATE, TRAIN)
"""What a tile is annotated for: to score methods, the default; or only to choose parameters."""
SAMPLING = ("purpose", "pi")
"""Columns of the sheet and of tables of windows."""


@dataclass(frozen=True)
class Drawn:
    """What is known of how some tiles were picked."""

    purpose: str = ""
    """Of `PURPOSES`; empty where nothing is said of it."""
    pi: float | None = None
    """Probability, above 0 and at most 1, with which each was drawn."""

    def within(self, other: "Drawn") -> "Drawn":
        """The same, with what another says where nothing is said."""
        return Drawn(self.purpose or other.purpose, other.pi if self.pi is None else self.pi)

    def __str__(self) -> str:
        pi = "no pi" if self.pi is None else f"pi {self.pi:g}"
        return f"purpose {self.purpose}, {pi}"


EVERYWHERE = Drawn(ESTIMATE)
"""Where nothing is said."""


@dataclass(frozen=True)
class Window:
    """A window of the truth that a table says something of."""

    region: Region
    drawn: Drawn
    place: str
    """File and line of the table."""


@dataclass(frozen=True)
class Sampling:
    """What the sheet says of all tiles of a sample, and tables of some."""

    all_tiles: Drawn = EVERYWHERE
    windows: tuple[Window, ...] = field(default=())

    def of_tiles(self, grid: Grid) -> dict[tuple[int, int, int], Drawn]:
        """Of the tiles that windows touch, by plane, tile row and tile column.

        ValueError if two windows say different things of one tile.
        """
        known: dict[tuple[int, int, int], tuple[Drawn, str]] = {}
        for window in self.windows:
            own = window.drawn.within(self.all_tiles)
            for tile in grid.tiles_in(window.region):
                other, place = known.setdefault(
                    (tile.z, tile.row, tile.column), (own, window.place)
                )
                if other != own:
                    raise ValueError(
                        f"{window.place}: the window touches tile {tile.name} and has {own}; that "
                        f"of {place} touches it too and has {other}: a tile has one purpose and "
                        "one pi, so give both windows the same"
                    )
        return {tile: drawn for tile, (drawn, _) in known.items()}


def parse(row: Mapping[str, str]) -> Drawn:
    """What a row says; ValueError names the column of a value that cannot be."""
    purpose, entry = (row.get(column, "") for column in SAMPLING)
    if purpose and purpose not in PURPOSES:
        raise ValueError(
            f"purpose {purpose!r} does not exist: write {' or '.join(PURPOSES)}, or leave it empty"
        )
    return Drawn(purpose, _probability(entry) if entry else None)


def _probability(entry: str) -> float:
    try:
        number = float(entry)
    except ValueError:
        number = math.nan
    if not 0 < number <= 1:
        raise ValueError(
            f"pi {entry!r} is no probability above 0 and up to 1: give that with which the tile "
            "was drawn, as in 0.05, or leave it empty"
        )
    return number


def says_anything(rows: Sequence[Mapping[str, str]]) -> bool:
    """Whether any row has a cell that is not empty in one of these columns."""
    return any(row.get(column) for row in rows for column in SAMPLING)
