"""Units and folds of annotated tiles: worked out once, and the same for every choice and score."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tilewise.decide import units
from tilewise.decide.cross_validation import Splits, assign_folds
from tilewise.decide.places import Place, place_of

COLUMNS = ("sample", "z", "y", "x", "patch", "unit_kind", "unit", "fold")
"""Of the table of folds."""


@dataclass(frozen=True)
class Folds:
    """What counts as independent, and what is held out together."""

    kind: str
    """Of the units, of `units.KINDS`."""
    places: tuple[Place, ...]
    """Annotated tiles and their spatial blocks, without excluded ones."""
    unit_of: dict[Place, str]
    """Of those that count: spatial blocks count in place of their tile, or not at all."""
    fold_of: dict[str, int]
    """The fold of each unit, from 0."""

    @classmethod
    def of(
        cls, places: Collection[Place], groups: Mapping[str, str], settings: Mapping[str, Any]
    ) -> Self:
        """The folds of some places; `settings` are the configuration's `decision`.

        `groups` has the group of each sample.
        """
        kind, unit_of = units.assign(places, groups, settings["unit"], settings["plane_gap"])
        names = sorted(set(unit_of.values()))
        numbers = assign_folds(names, settings["folds"]).tolist() if names else []
        return cls(kind, tuple(places), unit_of, dict(zip(names, numbers, strict=True)))

    def to_rows(self) -> list[dict[str, Any]]:
        """Rows of `COLUMNS`: a place that does not count has no unit."""
        return [
            {
                **vars(place),
                **{"unit_kind": self.kind, "unit": self.unit_of.get(place, "")},
                "fold": self.fold_of.get(self.unit_of.get(place, ""), ""),
            }
            for place in self.places
        ]

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, str]]) -> Self:
        """The folds of a table of such rows, as text."""
        places = {place_of(row): row for row in rows}
        counting = {place: row for place, row in places.items() if row["unit"]}
        return cls(
            kind=next((row["unit_kind"] for row in places.values()), units.KINDS[0]),
            places=tuple(places),
            unit_of={place: row["unit"] for place, row in counting.items()},
            fold_of={row["unit"]: int(row["fold"]) for row in counting.values()},
        )

    def within(self, places: Collection[Place]) -> "Folds":
        """The same of some of the places."""
        own = tuple(place for place in self.places if place in places)
        unit_of = {place: unit for place, unit in self.unit_of.items() if place in places}
        names = set(unit_of.values())
        fold_of = {unit: fold for unit, fold in self.fold_of.items() if unit in names}
        return Folds(self.kind, own, unit_of, fold_of)

    def training(self) -> dict[str, list[Place]]:
        """The places to train on for each fold, by its number: those of units of all other folds.

        A single unit leaves no other to train on, and gives an empty dict.
        """
        if len(self.fold_of) < 2:
            return {}
        return {
            str(fold): [place for place, unit in self.unit_of.items() if self.fold_of[unit] != fold]
            for fold in sorted(set(self.fold_of.values()))
        }

    def splits(self) -> tuple[Splits, list[int]]:
        """The folds of the units in order of their names, and the numbers of the folds."""
        own = [fold for _, fold in sorted(self.fold_of.items())]
        numbers, fold_of = np.unique(np.array(own, np.int64), return_inverse=True)
        return Splits.of(fold_of), numbers.tolist()
