"""Which model predicts which annotated tile: one that was trained without it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

COLUMNS = ("sample", "z", "y", "x", "patch", "unit", "fold", "model", "near")
"""Of the table of a method's models: `patch` is the number of a spatial block, empty for the tile
itself; `fold` is that of the unit; `model` is the one that is trained without the place, empty if
there is none; `near` are others that are trained without it, since it is near what they predict."""
ALL = "all"
"""The model that is trained on all annotated tiles."""
PAIR = "-"
"""Between the names of two models: one that is trained without what either predicts."""


def pair_of(one: str, other: str) -> str:
    """The name of the model that is trained without what two models predict."""
    return one if one == other else PAIR.join(sorted((one, other), key=int))


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
    fold: str
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
                    *(row["patch"], row["unit"], row["fold"], row["model"]),
                    near=frozenset(row["near"].split(";")) - {""},
                )
                for row in rows
            )
        )

    def training(self, model: str) -> list[Place]:
        """Places that a model is trained on: none for a model that predicts none.

        A model of a pair is trained without what is near either, unless that is all that is left.
        """
        if model == ALL:
            return [place for place in self.places if not place.patch]
        own = frozenset(model.split(PAIR))
        if not own <= {place.model for place in self.places}:
            return []
        others = [place for place in self.places if place.unit and place.model not in own]
        far = [place for place in others if not own & place.near]
        return far or (others if len(own) > 1 else [])

    def predicting(
        self, fold: str | None = None
    ) -> dict[tuple[str, int, int, int], dict[str, str]]:
        """The model of each tile, by its corner, and there by patch: empty for the whole tile.

        Tiles that no model is trained without are left out. With a fold of `nested_folds`, models
        are trained without what the model of that fold predicts, too.
        """
        without = self._model_of.get(fold) if fold is not None else None
        found: dict[tuple[str, int, int, int], dict[str, str]] = {}
        for place in self.places:
            if place.unit and place.model:
                name = pair_of(place.model, without) if without else place.model
                found.setdefault(place.corner, {})[place.patch] = name
        return found

    @property
    def nested_folds(self) -> list[str]:
        """Folds without which a pair of models leaves others to train on; none of two models."""
        models = set(self._model_of.values())
        return sorted(self._model_of, key=int) if len(models) > 2 else []

    @cached_property
    def _model_of(self) -> dict[str, str]:
        return {place.fold: place.model for place in self.places if place.unit and place.model}

    @property
    def resubstituted(self) -> set[str]:
        """Samples with a tile that no model is trained without."""
        others = self.predicting()
        return {place.sample for place in self.places if place.corner not in others}
