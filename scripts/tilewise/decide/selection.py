"""The parameters of a method that annotated tiles choose."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tilewise.decide import units
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import Splits, best_of, nested_selection
from tilewise.decide.folds import Folds
from tilewise.decide.places import places_of
from tilewise.decide.resampling import Floats, MetricOfCounts, estimate

Row = dict[str, Any]

ALL = "all"
"""Stands for a threshold that was calibrated on all units, in place of the fold that it lacks."""


def unit_columns(columns: CountColumns) -> tuple[str, ...]:
    """Columns of the table of units."""
    return ("variant", "fold", "unit_kind", "unit", *columns.names)


def sweep_columns(columns: CountColumns) -> tuple[str, ...]:
    """Columns of the table of variants."""
    return ("method", "variant", "estimate", "chosen", "folds", *columns.metrics)


FOLD_COLUMNS = ("fold", "variant")
"""Of the table of folds: the variant that units of other folds choose."""


@dataclass(frozen=True)
class Trials:
    """Counts of units by every set of a method's parameters.

    `names` are those of the units, and of what only trains of them; `kind` says what they are.
    `counts` are (variants, names, columns), by variant, then by fold: "" where nothing depends on
    it, else `ALL` or the number of the fold that a threshold was calibrated without, and whose
    margin is left out.
    """

    variants: Sequence[str]
    kind: str
    names: list[str]
    counts: dict[tuple[str, str], Floats]
    splits: Splits
    numbers: list[int]
    """Of the folds, as the table of folds has them: a method on some samples may lack some."""

    @classmethod
    def of(cls, variants: Sequence[str], table: Any, folds: Folds, columns: CountColumns) -> Self:
        """From tables of sweeps, as one `pandas.DataFrame`; `variant` and `fold` are categories.

        Rows of places without a fold are passed over.
        """
        places = places_of(table)
        counts = folds.weighted_table(places, columns.table(table), columns)
        own = folds.within(set(places))
        part_of, (splits, numbers) = own.part_of, own.splits()
        counts_here = np.array([place in part_of for place in places], bool)
        located: list[tuple[str | None, NDArray[np.bool_]]] = [(None, counts_here)]
        if own.margin_of:
            located = [(ALL, counts_here & table["fold"].isin(["", ALL]).to_numpy())]
            # what is in a fold's margin trains for others
            for number in map(str, numbers):
                near = own.margin(int(number))
                outside = np.array([place not in near for place in places], bool)
                in_fold = table["fold"].isin(["", number]).to_numpy()
                located.append((number, counts_here & outside & in_fold))
        names, of_folds = (list(table[name].cat.categories) for name in ("variant", "fold"))
        variant, fold = (table[name].cat.codes.to_numpy(np.int64) for name in ("variant", "fold"))
        pooled: dict[tuple[str, str], Floats] = {}
        for label, is_own in located:
            rows = np.flatnonzero(is_own)
            keys = variant[rows] * len(of_folds) + (fold[rows] if label is None else 0)
            found, first = np.unique(keys, return_index=True)
            for key in found[np.argsort(first)].tolist():
                some = rows[keys == key]
                name, of_fold = names[key // len(of_folds)], of_folds[key % len(of_folds)]
                pooled[name, of_fold if label is None else label] = units.pool_table(
                    [places[i] for i in some], counts[some], part_of
                )
        return cls(variants, own.kind, sorted(set(part_of.values())), pooled, splits, numbers)

    @classmethod
    def from_rows(
        cls, rows: Iterable[Mapping[str, str]], folds: Folds, columns: CountColumns
    ) -> Self:
        """From a table of `unit_columns`, as text."""
        counts: dict[tuple[str, str], list[list[float]]] = {}
        names: dict[str, None] = {}
        kind = ""
        for row in rows:
            own = [float(row[name]) for name in columns.names]
            counts.setdefault((row["variant"], row["fold"]), []).append(own)
            names[row["unit"]], kind = None, row["unit_kind"]
        tables = {key: np.array(table) for key, table in counts.items()}
        variants = list(dict.fromkeys(variant for variant, _ in tables))
        return cls(variants, kind, list(names), tables, *folds.splits())

    def to_rows(self, columns: CountColumns) -> list[Row]:
        """Rows of `unit_columns`."""
        return [
            dict(zip(unit_columns(columns), (*key, self.kind, unit, *own), strict=True))
            for key, table in self.counts.items()
            for unit, own in zip(self.names, table.tolist(), strict=True)
        ]

    @property
    def of_all(self) -> Floats:
        """With thresholds that are calibrated on all units, (variants, units, columns)."""
        return self._without(ALL)

    @property
    def by_fold(self) -> Floats:
        """With thresholds that are calibrated without each fold, (folds, variants, units, columns).

        Without the folds where nothing is calibrated.
        """
        if not any(fold for _, fold in self.counts):
            return self.of_all
        return np.stack([self._without(str(number)) for number in self.numbers])

    def _without(self, fold: str) -> Floats:
        empty = np.zeros(next(iter(self.counts.values())).shape)
        known = self.counts
        return np.stack(
            [known.get((one, ""), known.get((one, fold), empty)) for one in self.variants]
        )


@dataclass(frozen=True)
class Selection:
    """The variant that annotated tiles choose.

    `fold_rows` have the fields of `FOLD_COLUMNS`: what is chosen without each fold. `sweep_rows`
    have the fields of `sweep_columns`: scores of each variant on the units that choose, and the
    number of folds that choose it.
    """

    variant: str
    fold_rows: list[Row]
    sweep_rows: list[Row]


def select(
    method: str,
    trials: Trials,
    columns: CountColumns,
    metric: MetricOfCounts,
    average: str,
    *,
    is_trained: bool = False,
) -> Selection:
    """Choose a variant on all annotated units, and again without each fold.

    The counts of a method with trained models are held out where any fold can be.

    Raises
    ------
    ValueError
        If there is no unit.
    """
    if not trials.names:
        raise ValueError(
            f"method {method}: no annotated tile is left to choose its parameters on: truth and "
            "region of interest annotate nothing, or `exclude` under `quality` leaves all tiles out"
        )
    everything, variants = trials.of_all, trials.variants
    best = best_of(estimate(everything, metric, average))
    chosen: list[int] = []
    if trials.splits.can_choose:
        nested = nested_selection(trials.by_fold, trials.splits, metric, average)
        chosen = nested.chosen.tolist()
    kind = "held out" if is_trained and chosen else "resubstitution"
    scores = {name: estimate(everything, columns.metric(name), average) for name in columns.metrics}
    sweep_rows = [
        {
            **{"method": method, "variant": variant, "estimate": kind},
            **{"chosen": "yes" if i == best else "", "folds": chosen.count(i)},
            **{name: float(values[i]) for name, values in scores.items()},
        }
        for i, variant in enumerate(variants)
    ]
    fold_rows = [
        dict(zip(FOLD_COLUMNS, (number, variants[i]), strict=True))
        for number, i in zip(trials.numbers, chosen, strict=False)
    ]
    return Selection(variants[best], fold_rows, sweep_rows)
