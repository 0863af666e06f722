"""What annotated units say about each method, and the rules by which methods are compared."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from tilewise.decide import units
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import (
    Splits,
    best_of,
    nested_selection,
    tables_of_folds,
)
from tilewise.decide.folds import Folds
from tilewise.decide.places import Place, places_of
from tilewise.decide.resampling import Floats, MetricOfCounts, estimate
from tilewise.decide.selection import Trials


@dataclass(frozen=True)
class Evidence:
    """What is known of a method.

    Parameters
    ----------
    estimate : {"fixed", "held out", "resubstitution"}
        Whether no parameter was chosen on annotated tiles; whether they were chosen on others than
        those that are scored; or on the same.
    counts : (units, columns) ndarray
        Of units that are scored, from tiles that score.
    variant : str
        The parameters that all units choose; empty where there are none to choose.
    tables : (variants, units, columns) or (folds, variants, units, columns) ndarray, optional
        Counts by all sets of parameters that it chooses from, also of what only trains; or by the
        only one, of what is scored. The second where they depend on what is held out: some have a
        threshold that was calibrated without a fold, or tiles near the fold are left out of units
        that train for it.
    resubstitution : (units, columns) ndarray, optional
        Counts by the variant, where it was chosen, of what is scored.
    parameters : int
        How many are chosen.
    is_trained : bool
        Whether a model was trained on annotated tiles, which does not happen anew where units are
        swapped or left out.
    """

    estimate: str
    counts: Floats
    variant: str = ""
    tables: Floats | None = None
    resubstitution: Floats | None = None
    parameters: int = 0
    is_trained: bool = False

    @property
    def is_held_out(self) -> bool:
        """Whether its scores share the units that trained for them."""
        return self.estimate == "held out"

    def is_as_free_as(self, other: "Evidence") -> bool:
        """Whether both are held out, choose from equally many sets, and train no model."""
        mine, others = self.tables, other.tables
        if mine is None or others is None or not (self.is_held_out and other.is_held_out):
            return False
        if self.is_trained or other.is_trained:
            return False
        return int(mine.shape[-3]) == int(others.shape[-3])

    def chosen_anew(self, splits: Splits, metric: MetricOfCounts, average: str) -> Self:
        """The same with other folds, where it has parameters to choose."""
        if self.tables is None or self.estimate == "fixed":
            return self
        return replace(self, **_choices(self.tables, splits, metric, average))

    def training(self, fold: int, splits: Splits, metric: MetricOfCounts, average: str) -> Self:
        """What the units say that train for a fold, of which each is held out in turn.

        Choices are by the metric.
        """
        scored = splits.scored_trains[fold]
        if self.tables is None:
            return replace(self, counts=self.counts[scored])
        tables = tables_of_folds(self.tables, splits.number)[fold]
        if self.estimate == "fixed":
            return replace(self, counts=tables[0, scored], tables=None)
        tables = tables[:, splits.trains[fold]]
        return replace(self, **_choices(tables, splits.training(fold), metric, average))


def _choices(
    tables: Floats, splits: Splits, metric: MetricOfCounts, average: str
) -> dict[str, Any]:
    """Fields of an `Evidence` that come from a choice, with `tables` as there."""
    if splits.can_choose:
        counts = nested_selection(tables, splits, metric, average).held_out
        return {"estimate": "held out", "counts": counts, "tables": tables}
    every = tables if tables.ndim == 3 else tables[0]
    chosen = every[best_of(estimate(every, metric, average))][splits.scores]
    return {"estimate": "resubstitution", "counts": chosen, "tables": tables}


def fixed(rows: Any, folds: Folds, columns: CountColumns) -> Evidence:
    """Evidence of a method whose parameters nothing has chosen, from its table of metrics.

    `rows` is a `pandas.DataFrame` as `score_table.kinds` says.
    """
    places, unit_of = places_of(rows), folds.scoring.unit_of
    counts = folds.weighted_table(places, columns.table(rows), columns)

    def pooled(left_out: Collection[Place]) -> Floats:
        return units.pool_table(places, counts, unit_of, left_out)

    _, numbers = folds.splits()
    tables = [pooled(folds.margin(number))[None] for number in numbers if folds.margin_of]
    return Evidence("fixed", pooled(()), tables=np.stack(tables) if tables else None)


def selected(
    trials: Trials,
    splits: Splits,
    metric: MetricOfCounts,
    average: str,
    parameters: int = 0,
    *,
    is_trained: bool = False,
) -> Evidence:
    """Evidence of a method whose parameters annotated units choose, by the metric.

    `parameters` is how many are chosen. The counts of a method with trained models are held out
    already, where that is possible.
    """
    chosen = best_of(estimate(trials.of_all, metric, average))
    choices = _choices(trials.by_fold, splits, metric, average)
    everything = trials.of_all[chosen][splits.scores]
    if choices["estimate"] == "resubstitution":
        choices["counts"] = everything
    return Evidence(
        variant=trials.variants[chosen],
        resubstitution=None if is_trained else everything,
        parameters=parameters,
        is_trained=is_trained,
        **choices,
    )


@dataclass(frozen=True)
class Rules:
    """How methods are compared: the configuration's `decision`, and what the units are.

    Tests call methods different at 1 - `confidence`. With fewer than `min_units` independent units
    there are no intervals, and no method is called different. Scores that differ by less than
    `margin` are as good. `resamples` and `seed` are of the bootstrap and of random swaps. `unit`
    says what the units are, `units` how many are independent.
    """

    metric: str
    average: str
    margin: float
    confidence: float
    min_units: int
    resamples: int
    seed: int
    test: str
    folds: int
    unit: str
    units: int

    @classmethod
    def of(cls, settings: Mapping[str, Any], kind: str, number: int) -> "Rules":
        """Rules for some settings and a number of units of a kind, of `units.KINDS`."""
        names = ("metric", "average", "margin", "confidence", "min_units", "resamples", "seed")
        return cls(
            **{name: settings[name] for name in (*names, "test", "folds")},
            unit=units.DESCRIBED.get(kind, kind),
            units=units.independent(kind, number),
        )

    @property
    def has_intervals(self) -> bool:
        """Whether there are enough independent units."""
        return self.units >= self.min_units

    @property
    def alpha(self) -> float:
        """Significance: 1 - `confidence`."""
        return 1 - self.confidence

    @property
    def described_units(self) -> str:
        """How many independent units there are, and what they are."""
        return f"{self.units} independent unit{'s' if self.units != 1 else ''} ({self.unit})"

    @property
    def note(self) -> str:
        """Why there is no interval; empty if there is one."""
        if self.has_intervals:
            return ""
        return f"no interval: {self.described_units}, {self.min_units} are needed"
