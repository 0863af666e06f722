"""Tables as tab-separated text: the same rows give the same bytes."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

ESTIMATE, TRAIN = "estimate", "train"
"""In the column `purpose`: tiles score methods, or parameters are chosen on them alone."""
SLIVER = "sliver"
"""In the column `edge`: the tile is a small rest at the edge of its plane."""
OWN, EMPTY, SAMPLE = "own", "empty", "sample"
"""In the column `guard`: what a doubtful tile has, its own threshold, none, or its sample's."""
WEAK = "weak, "
"""Before these, where the sample is weak."""
WORSE, LITTLE_WORSE = "worse", "worse by less than the margin"
EQUIVALENT, UNKNOWN, UNTESTED = "equivalent", "cannot tell", "not tested"
"""In the column `relation`: what is known of a method beside the one with the highest score."""
INFINITE = "infinite"
"""In that column: the background is constant, so that the tile is clear whatever its pixels are."""


def write_rows(path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a table.

    None becomes an empty field; a float keeps every digit that tells it from its neighbours.
    """
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def damage(path: object) -> ValueError:
    """What says that a result cannot be read again."""
    return ValueError(f"{path} is damaged: delete it, and the next run makes it again")


def read_rows(path: str | Path) -> list[dict[str, str]]:
    """Rows of a table; empty lines and lines that start with `#` are passed over.

    A table that is no text, or whose rows have other fields than its header, is a ValueError that
    names it.
    """
    return list(_one_by_one(path))


def _one_by_one(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = (line for line in file if line.strip() and not line.startswith("#"))
        try:
            for row in csv.DictReader(lines, delimiter="\t"):
                # of fields that are missing, and of those that have no column
                if None in row.values() or None in row:
                    raise damage(path)
                yield row
        except (UnicodeDecodeError, csv.Error):
            raise damage(path) from None


class Streamed:
    """Rows of several tables, one after the other, of which one at a time is in memory.

    They are read anew each time that they are gone through.
    """

    def __init__(self, paths: Iterable[str | Path]) -> None:
        self._paths = list(paths)

    def __iter__(self) -> Iterator[dict[str, str]]:
        return chain.from_iterable(map(_one_by_one, self._paths))


def read_each(paths: Iterable[str | Path]) -> Iterator[dict[str, str]]:
    """Rows of several tables, one after the other."""
    return chain.from_iterable(map(read_rows, paths))


def read_all(
    paths: Iterable[str | Path],
    samples: Iterable[str],
    is_needed: Callable[[Mapping[str, str]], Any] = lambda _: True,
) -> list[dict[str, str]]:
    """Rows of several tables, samples in the order given, rows of one in that of the tables.

    Only those that are needed stay in memory.
    """
    number = {sample: i for i, sample in enumerate(samples)}
    return sorted(filter(is_needed, read_each(paths)), key=lambda row: number[row["sample"]])
