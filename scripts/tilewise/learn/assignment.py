"""Which model predicts which annotated tile: one that was trained without it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

COLUMNS = ("sample", "z", "y", "x", "patch", "unit", "model", "near")
"""Of the table of a method's models: `patch` is the number of a spatial block, empty for the tile
itself; `model` is the one that is trained without the place, empty if there is none; `near` are
others that are trained without it because it is near what they predict."""
ALL = "all"
"""The model that is trained on all annotated tiles."""


@dataclass(frozen=True)
class Place:
    """An annotated tile, by its plane and its first pixel; or a spatial block of one."""

    sample: str
    z: int
    y: int
    x: int
    patch: str
    unit: str
    """Empty if others stand for it: the tile for its blocks, or blocks for their tile."""
    model: str
    near: frozenset[str]

    @property
    def corner(self) -> tuple[str, int, int, int]:
        """Of the tile."""
        return self.sample, self.z, self.y, self.x


@dataclass(frozen=True)
class Assignment:
    """Of all places of a method."""

    places: tuple[Place, ...]

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, str]]) -> Self:
        """From rows of `COLUMNS`, as text."""
        return cls(
            tuple(
                Place(
                    *(row["sample"], int(row["z"]), int(row["y"]), int(row["x"])),
                    *(row["patch"], row["unit"], row["model"]),
                    near=frozenset(row["near"].split(";")) - {""},
                )
                for row in rows
            )
        )

    def training(self, model: str) -> list[Place]:
        """Places that a model is trained on: none for a model that predicts none."""
        if model == ALL:
            return [place for place in self.places if not place.patch]
        if all(place.model != model for place in self.places):
            return []
        return [
            place
            for place in self.places
            if place.unit and place.model != model and model not in place.near
        ]

    def predicting(self) -> dict[tuple[str, int, int, int], dict[str, str]]:
        """The model of each tile, by its corner, and there by patch: empty for the whole tile.

        Tiles that no model is trained without are left out.
        """
        found: dict[tuple[str, int, int, int], dict[str, str]] = {}
        for place in self.places:
            if place.unit and place.model:
                found.setdefault(place.corner, {})[place.patch] = place.model
        return found

    @property
    def resubstituted(self) -> set[str]:
        """Samples with a tile that no model is trained without."""
        others = self.predicting()
        return {place.sample for place in self.places if place.corner not in others}
