"""Units and folds of annotated tiles: worked out once, and the same for every choice and score."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from tilewise.decide import sampling, space, units
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import Splits, assign_folds
from tilewise.decide.places import Place, place_of
from tilewise.decide.resampling import Floats, MetricOfCounts
from tilewise.decide.sampling import SampleSettings, Sampling
from tilewise.decide.space import Layout, Nearness, Spot

COLUMNS = (
    *("sample", "z", "y", "x", "patch", "unit_kind", "unit", "fold"),
    *sampling.COLUMNS,
    *("first_plane", "row", "column", "margin_of"),
)
"""Of the table of folds; the last four where units are tiles of a plane, or cells of them."""
TRAINS_ONLY = "{} (train)"
"""What the places of a unit are pooled into that do not score."""


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
    spot_of: dict[Place, Spot] = field(default_factory=dict)
    """Where tiles lie, if units are tiles of a plane, or cells of them."""
    margin_of: dict[Place, frozenset[int]] = field(default_factory=dict)
    """The other folds that a place is near, if there are any."""
    sampling: Sampling = field(default_factory=Sampling)
    """How the places were picked."""
    unscored: frozenset[Place] = frozenset()
    """Places that parameters are chosen on, and that score nothing."""

    @classmethod
    def of(
        cls,
        places: Collection[Place],
        groups: Mapping[str, str],
        settings: Mapping[str, Any],
        tiles: Mapping[Place, tuple[int, int]] | None = None,
        picked: tuple[Sampling, Mapping[str, SampleSettings]] | None = None,
    ) -> Self:
        """The folds of some places.

        Parameters
        ----------
        groups : dict of str to str
            The group of each sample.
        settings : dict
            The configuration's `decision`.
        tiles : dict of Place to (int, int), optional
            Row and column of each tile in its plane. Without them, each tile of a plane is a unit.
        picked : (Sampling, dict of str to SampleSettings), optional
            How places were picked, and what it comes from. Without it, all score alike.

        Notes
        -----
        Places that score say what the units are. Units without any are spread over the folds of the
        others, so that each fold has something to score.
        """
        drawn, drawn_by = picked or (Sampling(), {})
        unscored = drawn.unscored(places)
        kind, gap = settings["unit"], settings["plane_gap"]
        if unscored and len(unscored) < len(places):
            own = [place for place in places if place not in unscored]
            kind, _ = units.assign(own, groups, kind, gap)
        kind, unit_of = units.assign(places, groups, kind, gap)
        unscored &= unit_of.keys()
        spots: dict[Place, Spot] = {}
        if kind == "tile" and tiles:
            runs = units.plane_runs(unit_of, settings["plane_gap"])
            spots = {
                place: Spot(place.sample, runs[place.sample, place.z], *tiles[place])
                for place in unit_of
            }
            sizes = settings["tile_gap"], settings["cell"], settings["min_units"]
            kind, unit_of = units.apart(spots, *sizes)
        scoring = {unit for place, unit in unit_of.items() if place not in unscored}
        fold_of = _fold_of(scoring, set(unit_of.values()) - scoring, settings["folds"])
        margin_of = _margins(unit_of, fold_of, spots, settings["tile_gap"]) if spots else {}
        folds = cls(kind, tuple(places), unit_of, fold_of, spots, margin_of, drawn, unscored)
        if not drawn.pi_of:
            return folds
        tiles_of = sampling.tiles_of_units(kind, folds.part_of, groups, drawn_by)
        return replace(folds, sampling=replace(drawn, unit_tiles=tiles_of))

    def to_rows(self) -> list[dict[str, Any]]:
        """Rows of `COLUMNS`: a place that does not count has no unit."""
        return [
            {
                **place._asdict(),
                **{"unit_kind": self.kind, "unit": self.unit_of.get(place, "")},
                "fold": self.fold_of.get(self.unit_of.get(place, ""), ""),
                **self.sampling.to_row(place),
                **dict.fromkeys(("first_plane", "row", "column"), ""),
                **self._where(place),
                "margin_of": ";".join(map(str, sorted(self.margin_of.get(place, ())))),
            }
            for place in self.places
        ]

    def _where(self, place: Place) -> dict[str, int]:
        if place not in self.spot_of:
            return {}
        spot = self.spot_of[place]
        return {"first_plane": spot.plane, "row": spot.row, "column": spot.column}

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, str]]) -> Self:
        """The folds of a table of such rows, as text."""
        places = {place_of(row): row for row in rows}
        counting = {place: row for place, row in places.items() if row["unit"]}
        drawn = Sampling.from_rows(places)
        return cls(
            kind=next((row["unit_kind"] for row in places.values()), units.KINDS[0]),
            places=tuple(places),
            unit_of={place: row["unit"] for place, row in counting.items()},
            fold_of={row["unit"]: int(row["fold"]) for row in counting.values()},
            spot_of={
                place: Spot(place.sample, *(int(row[name]) for name in COLUMNS[-4:-1]))
                for place, row in counting.items()
                if row["row"]
            },
            margin_of={
                place: frozenset(map(int, row["margin_of"].split(";")))
                for place, row in counting.items()
                if row["margin_of"]
            },
            sampling=drawn,
            unscored=drawn.unscored(counting),
        )

    def within(self, places: Collection[Place]) -> "Folds":
        """The same of some of the places."""
        own = tuple(place for place in self.places if place in places)
        unit_of = {place: unit for place, unit in self.unit_of.items() if place in places}
        names = set(unit_of.values())
        fold_of = {unit: fold for unit, fold in self.fold_of.items() if unit in names}
        spot_of = {place: spot for place, spot in self.spot_of.items() if place in places}
        margin_of = {place: near for place, near in self.margin_of.items() if place in places}
        unscored = self.unscored & unit_of.keys()
        return Folds(self.kind, own, unit_of, fold_of, spot_of, margin_of, self.sampling, unscored)

    @cached_property
    def scoring(self) -> "Folds":
        """The same of the places that score methods: their units are those of every score."""
        if not self.unscored:
            return self
        return self.within(frozenset(self.places) - self.unscored)

    @cached_property
    def part_of(self) -> dict[Place, str]:
        """What each place that counts is pooled into: its unit, or what of it only trains."""
        return {
            place: TRAINS_ONLY.format(unit) if place in self.unscored else unit
            for place, unit in self.unit_of.items()
        }

    def weighted(
        self, place: Place, counts: Sequence[float], columns: CountColumns
    ) -> tuple[Place, list[float]]:
        """A place, and its counts times its weight.

        This, and `weighted_table`, is the one step in which places are weighted. With weighted
        columns, the last of the counts is what the place adds to the weight of its unit.
        """
        weight = self.sampling.weight(place)
        weighted = [weight * count for count in counts]
        return place, [*weighted, self.sampling.share(place)] if columns.is_weighted else weighted

    def weighted_table(
        self, places: Sequence[Place], counts: Floats, columns: CountColumns
    ) -> Floats:
        """The same of many places and their (places, columns) counts."""
        if self.sampling.pi_of:
            counts = counts * np.array([self.sampling.weight(place) for place in places])[:, None]
        if not columns.is_weighted:
            return counts
        shares = np.array([self.sampling.share(place) for place in places], np.float64)
        return np.column_stack([counts, shares])

    @property
    def is_weighted(self) -> bool:
        """Whether places were drawn with known probabilities, which units are weighted by."""
        return any(place in self.sampling.pi_of for place in self.scoring.unit_of)

    def margin(self, fold: int) -> frozenset[Place]:
        """Places near those of a fold, which neither train nor are scored while it is held out.

        None where that would leave nothing to train on: see `without_margin`.
        """
        near = frozenset(place for place, folds in self.margin_of.items() if fold in folds)
        others = (place for place, unit in self.unit_of.items() if self.fold_of[unit] != fold)
        return near if any(place not in near for place in others) else frozenset()

    def without_margin(self) -> list[int]:
        """Folds whose near places train all the same, since there are no others."""
        near = sorted(frozenset[int]().union(*self.margin_of.values()))
        return [fold for fold in near if fold in self.fold_of.values() and not self.margin(fold)]

    def training(self) -> dict[str, list[Place]]:
        """The places to train on for each fold, by its number.

        Those of units of all other folds, without the fold's `margin`. A single unit leaves none,
        and gives an empty dict.
        """
        if len(self.fold_of) < 2:
            return {}
        return {str(fold): self._training(fold) for fold in sorted(set(self.fold_of.values()))}

    def _training(self, fold: int) -> list[Place]:
        near = self.margin(fold)
        return [
            place
            for place, unit in self.unit_of.items()
            if self.fold_of[unit] != fold and place not in near
        ]

    def splits(self) -> tuple[Splits, list[int]]:
        """The folds of what `part_of` names, in order of the names, and the numbers of the folds.

        All units of other folds train; of those near a fold, only what is outside of its `margin`.
        """
        parts = {part: place for place, part in self.part_of.items()}
        places = [parts[name] for name in sorted(parts)]
        own = [self.unit_of[place] for place in places]
        numbers, fold_of = np.unique(
            np.array([self.fold_of[unit] for unit in own], np.int64), return_inverse=True
        )
        if not self.unscored:
            return Splits.of(fold_of), numbers.tolist()
        scores = np.array([place not in self.unscored for place in places], bool)
        names = {unit: number for number, unit in enumerate(dict.fromkeys(own))}
        units_of_parts = np.array([names[unit] for unit in own], np.int64)
        return Splits.of(fold_of, scores, units_of_parts), numbers.tolist()

    def layout(self) -> Layout:
        """Where the tiles of each unit lie, in the order of the units' names.

        Of nothing where units are not tiles of a plane, nor cells of them.
        """
        own: dict[str, dict[Spot, None]] = {}
        for place, spot in self.spot_of.items():
            own.setdefault(self.unit_of[place], {})[spot] = None
        return Layout([list(own[name]) for name in sorted(own)])

    def nearness(self, counts: Floats, metric: MetricOfCounts, average: str) -> Nearness | None:
        """How much alike neighbouring units are in what tests compare: see `Layout.nearness`.

        `counts` are (methods, units, fields), the best method first. Of the differences of that one
        to each other method, or of a single method itself; None where units are not tiles.
        """
        if not self.spot_of:
            return None
        own = space.contributions(counts, metric, average)
        return self.layout().nearness(own[:1] - own[1:] if len(own) > 1 else own)


def _fold_of(scoring: Collection[str], others: Collection[str], number: int) -> dict[str, int]:
    """The fold of each unit: those that score evenly, and then the others."""
    names = [*sorted(scoring), *sorted(others)]
    if not names:
        return {}
    # a single unit that scores needs others to be trained on
    number = min(number, len(scoring) if len(scoring) > 1 else len(names))
    numbers = assign_folds([f"{i:09}" for i in range(len(names))], number).tolist()
    return dict(zip(names, numbers, strict=True))


def _margins(
    unit_of: Mapping[Place, str],
    fold_of: Mapping[str, int],
    spots: Mapping[Place, Spot],
    gap: float,
) -> dict[Place, frozenset[int]]:
    """The other folds that have a tile nearer to a place than a gap."""
    folds = {spots[place]: fold_of[unit] for place, unit in unit_of.items()}
    near = space.near(folds, gap)
    margins = {
        place: frozenset(folds[other] for other in near[spot]) - {folds[spot]}
        for place, spot in spots.items()
    }
    return {place: others for place, others in margins.items() if others}
