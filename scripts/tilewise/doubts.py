"""What could mislead in the results: a row each in `results/warnings.tsv`."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tilewise.tables import read_rows, write_rows

COLUMNS = ("code", "sample", "method", "tile", "message", "remedy")
FIRST = "few_units"
"""What limits all that can be said of a comparison."""


class Doubt(NamedTuple):
    """Something that could mislead, and what to do about it.

    `sample`, `method` and `tile` are empty where it touches more than one.
    """

    code: str
    message: str
    remedy: str
    sample: str = ""
    method: str = ""
    tile: str = ""

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}"


def write(path: str | Path, doubts: Iterable[Doubt]) -> None:
    """Write a table of doubts, each once, in their order."""
    write_rows(path, COLUMNS, (doubt._asdict() for doubt in dict.fromkeys(doubts)))


def in_order(doubts: Iterable[Doubt]) -> list[Doubt]:
    """Doubts in their order, `FIRST` before all others."""
    return sorted(doubts, key=lambda doubt: doubt.code != FIRST)


def read(path: str | Path) -> list[Doubt]:
    """The doubts of a table."""
    return [Doubt(**row) for row in read_rows(path)]
