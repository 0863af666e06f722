"""How annotated tiles were picked: which of them score methods, and how much each counts."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypedDict

from tilewise.decide.places import Place
from tilewise.tables import ESTIMATE, TRAIN

COLUMNS = ("purpose", "pi", "unit_tiles")
"""Of the table of folds."""


class SampleSettings(TypedDict):
    """How the tiles of a sample were picked, as a rule's `params.sampling` lists it by sample."""

    purpose: str
    pi: float | None
    tiles: list[list[Any]]
    """Plane, tile row, tile column, purpose and pi of tiles that have others."""
    planes: int
    tiles_of_plane: int


@dataclass(frozen=True)
class Sampling:
    """How places were picked.

    A tile was drawn with the probability pi, and so stands for w = 1 / pi tiles. Its counts are
    multiplied by w, once, where they are pooled into units; whatever draws or swaps units later,
    takes them as they are.
    """

    training: frozenset[Place] = frozenset()
    """Places with the purpose `train`."""
    pi_of: dict[Place, float] = field(default_factory=dict)
    """Of the places that were drawn with a known probability."""
    unit_tiles: dict[Place, int] = field(default_factory=dict)
    """How many tiles the unit of a place has, annotated or not: see `tiles_of_units`."""

    @classmethod
    def of(
        cls, tiles: Mapping[Place, tuple[int, int]], settings: Mapping[str, SampleSettings]
    ) -> Self:
        """From the plan; `tiles` are row and column of each tile in its plane."""
        known = {
            (sample, *tile): (purpose, pi)
            for sample, own in settings.items()
            for *tile, purpose, pi in own["tiles"]
        }
        training, pi_of = set(), {}
        for place, tile in tiles.items():
            own = settings[place.sample]
            everywhere = own["purpose"], own["pi"]
            purpose, pi = known.get((place.sample, place.z, *tile), everywhere)
            if purpose == TRAIN:
                training.add(place)
            if pi is not None:
                pi_of[place] = pi
        return cls(frozenset(training), pi_of)

    @classmethod
    def from_rows(cls, rows: Mapping[Place, Mapping[str, str]]) -> Self:
        """From the columns `COLUMNS` of a table, as text."""
        return cls(
            frozenset(place for place, row in rows.items() if row["purpose"] == TRAIN),
            {place: float(row["pi"]) for place, row in rows.items() if row["pi"]},
            {place: int(row["unit_tiles"]) for place, row in rows.items() if row["unit_tiles"]},
        )

    def to_row(self, place: Place) -> dict[str, Any]:
        """The fields of `COLUMNS`."""
        fields = {"purpose": TRAIN if place in self.training else ESTIMATE}
        return fields | {
            "pi": self.pi_of.get(place, ""),
            "unit_tiles": self.unit_tiles.get(place, ""),
        }

    def unscored(self, places: Iterable[Place]) -> frozenset[Place]:
        """Those of some places that score nothing: for training, or without pi beside others."""
        places = list(places)
        is_drawn = any(place in self.pi_of for place in places if place not in self.training)
        return frozenset(
            place
            for place in places
            if place in self.training or (is_drawn and place not in self.pi_of)
        )

    def weight(self, place: Place) -> float:
        """How many tiles a place stands for, w = 1 / pi: 1 without a pi."""
        return 1 / self.pi_of.get(place, 1)

    def share(self, place: Place) -> float:
        """What a place adds to the weight of its unit in a mean over units.

        The weight of a unit is the sum of w over its places, by the number of tiles that it has. So
        it is 1 / pi of a unit that was drawn and annotated in whole, and also 1 / pi of one of
        which as many tiles as there are were drawn in turn: w is then 1 / pi for the unit, times
        its number of tiles over the number of those drawn.
        """
        return self.weight(place) / self.unit_tiles.get(place, 1)


def tiles_of_units(
    kind: str,
    part_of: Mapping[Place, str],
    groups: Mapping[str, str],
    settings: Mapping[str, SampleSettings],
) -> dict[Place, int]:
    """How many tiles there are, annotated or not, in what a place is pooled into.

    Parameters
    ----------
    kind : str
        Of the units, of `units.KINDS`. Samples have all tiles of their annotated samples, planes
        those of their annotated planes. Units of tiles have the tiles that are annotated.
    part_of : dict of Place to str
        What each place is pooled into.
    groups : dict of str to str
        The group of each annotated sample.
    """
    members: dict[str, list[Place]] = {}
    for place, part in part_of.items():
        members.setdefault(part, []).append(place)
    number = {
        part: _number_of_tiles(kind, places, groups, settings) for part, places in members.items()
    }
    return {place: number[part] for place, part in part_of.items()}


def _number_of_tiles(
    kind: str,
    places: Collection[Place],
    groups: Mapping[str, str],
    settings: Mapping[str, SampleSettings],
) -> int:
    if kind == "sample":
        own = {groups[place.sample] for place in places}
        samples = [settings[sample] for sample, group in groups.items() if group in own]
        return sum(one["planes"] * one["tiles_of_plane"] for one in samples)
    if kind == "plane":
        planes = {(place.sample, place.z) for place in places}
        return sum(settings[sample]["tiles_of_plane"] for sample, _ in planes)
    return len(places)
