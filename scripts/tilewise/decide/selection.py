"""The parameters of a method that annotated tiles choose."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.decide import units
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import Nested, best_of, nested_selection
from tilewise.decide.folds import Folds
from tilewise.decide.places import Place, place_of
from tilewise.decide.resampling import Floats, estimate

Row = dict[str, Any]
Table = tuple[str, int | str, str, Floats]
"""Estimate, fold, variant, and the counts of each unit."""


def unit_columns(columns: CountColumns) -> tuple[str, ...]:
    """Columns of the table of units."""
    return ("estimate", "fold", "variant", "unit_kind", "unit", *columns.names)


def sweep_columns(columns: CountColumns) -> tuple[str, ...]:
    """Columns of the table of variants."""
    return ("method", "variant", "estimate", "chosen", "folds", *columns.metrics)


@dataclass(frozen=True)
class Selection:
    """The variant that annotated tiles choose, and the counts that it was chosen by.

    `unit_rows` have the fields of `unit_columns`: counts of each unit by the variant that all units
    choose (`resubstitution`), by the one that units of other folds choose (`held out`), and of
    those other units (`training`). `sweep_rows` have the fields of `sweep_columns`: scores of each
    variant, and the number of folds that choose it.
    """

    variant: str
    unit_rows: list[Row]
    sweep_rows: list[Row]


def select(
    method: str,
    variants: Sequence[str],
    rows: Collection[Mapping[str, str]],
    folds: Folds,
    columns: CountColumns,
    settings: Mapping[str, Any],
) -> Selection:
    """Choose a variant on all annotated units, and again without each fold.

    Parameters
    ----------
    variants : sequence of str
        Names of the sets of parameters.
    rows : collection of dict of str to str
        Rows of tables of sweeps: a tile's counts by a variant, with a threshold that was calibrated
        without a `fold` where that is not empty.
    folds : Folds
        Of all annotated tiles; rows of other places are passed over.
    settings : dict
        The configuration's `decision`.

    Raises
    ------
    ValueError
        If there is no row.
    """
    located = [((row["variant"], row["fold"]), place_of(row), columns.of(row)) for row in rows]
    own = folds.within({place for _, place, _ in located})
    if not own.unit_of:
        raise ValueError(
            f"method {method}: no annotated tile is left to choose its parameters on: truth and "
            "region of interest annotate nothing, or `exclude` under `quality` leaves all tiles out"
        )
    pooled, names = units.pool(located, own.unit_of, len(columns.names))
    metric, average = columns.metric(settings["metric"]), settings["average"]

    def counts_of(fold: str, margin: Collection[Place] = ()) -> Floats:
        """Counts by every variant, with the threshold that was calibrated without a fold.

        Those of the fold's margin are left out.
        """
        kept = (row for row in located if row[1] not in margin)
        known = units.pool(kept, own.unit_of, len(columns.names))[0] if margin else pooled
        empty = np.zeros((len(names), len(columns.names)))
        return np.stack([known.get((one, ""), known.get((one, fold), empty)) for one in variants])

    everything = counts_of("all")
    best = best_of(estimate(everything, metric, average))
    tables: list[Table] = [("resubstitution", "", variants[best], everything[best])]
    chosen: list[int] = []
    if len(names) > 1:
        # of a method on some samples, numbers of folds may be missing
        numbers, fold_of = np.unique([own.fold_of[name] for name in names], return_inverse=True)
        by_fold = np.stack([counts_of(str(fold), own.margin(fold)) for fold in numbers])
        nested = nested_selection(by_fold, fold_of, metric, average)
        chosen = nested.chosen.tolist()
        tables += _held_out(variants, by_fold, numbers.tolist(), fold_of, nested)
    unit_rows = [
        dict(zip(unit_columns(columns), (*labels, own.kind, unit, *counts), strict=True))
        for *labels, table in tables
        for unit, counts in zip(names, table.tolist(), strict=True)
    ]
    scores = {name: estimate(everything, columns.metric(name), average) for name in columns.metrics}
    sweep_rows = [
        {
            **{"method": method, "variant": variant, "estimate": "resubstitution"},
            **{"chosen": "yes" if i == best else "", "folds": chosen.count(i)},
            **{name: float(values[i]) for name, values in scores.items()},
        }
        for i, variant in enumerate(variants)
    ]
    return Selection(variants[best], unit_rows, sweep_rows)


def _held_out(
    variants: Sequence[str],
    by_fold: Floats,
    numbers: Sequence[int],
    fold_of: NDArray[np.int64],
    nested: Nested,
) -> list[Table]:
    """Units by what others choose, and, for each fold, the units that choose."""
    tables: list[Table] = [("held out", "", "", nested.held_out)]
    for fold, i in enumerate(nested.chosen.tolist()):
        training = np.where((fold_of != fold)[:, None], by_fold[fold, i], 0)
        tables.append(("training", numbers[fold], variants[i], training))
    return tables
