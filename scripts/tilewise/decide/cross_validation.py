"""Choices on some units that are scored on others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tilewise.decide.resampling import Floats, MetricOfCounts, estimate


def assign_folds(labels: Sequence[str], number: int) -> NDArray[np.int64]:
    """The fold of each unit, from 0: at most `number` folds of even size, the same in any order.

    Raises
    ------
    ValueError
        If the folds are fewer than one, or a label is there twice.
    """
    if number < 1:
        raise ValueError(f"{number} folds: at least one is needed")
    if len(set(labels)) < len(labels):
        raise ValueError("a unit's label is there twice: give each unit its own")
    number = min(number, len(labels))
    fold_of = np.empty(len(labels), np.int64)
    fold_of[sorted(range(len(labels)), key=lambda i: labels[i])] = np.arange(len(labels)) % number
    return fold_of


@dataclass(frozen=True)
class Splits:
    """Which units are held out together, and which of the others train for them.

    `fold_of` is the fold of each unit, from 0, (units,); `trains` says which units train for a
    fold, (folds, units) of bool.
    """

    fold_of: NDArray[np.int64]
    trains: NDArray[np.bool_]

    @classmethod
    def of(cls, fold_of: NDArray[np.int64]) -> "Splits":
        """Folds for which all units of other folds train."""
        number = int(fold_of.max()) + 1 if fold_of.size else 0
        return cls(fold_of, fold_of != np.arange(number)[:, None])

    @property
    def number(self) -> int:
        """Of folds."""
        return len(self.trains)

    @property
    def can_choose(self) -> bool:
        """Whether every fold leaves units to choose on."""
        return self.number > 1 and bool(self.trains.any(axis=1).all())

    def training(self, fold: int) -> "Splits":
        """Folds of the units that train for a fold, by which they are held out in turn."""
        own = self.trains[fold]
        others, fold_of = np.unique(self.fold_of[own], return_inverse=True)
        return Splits(fold_of, self.trains[others][:, own])


@dataclass(frozen=True)
class Nested:
    """What choosing a variant on some units gives on others.

    Attributes
    ----------
    chosen : (folds,) int64 ndarray
        The variant that the units choose that train for a fold.
    held_out : (units, fields) float64 ndarray
        Each unit's counts by the variant that is chosen without its fold.
    """

    chosen: NDArray[np.int64]
    held_out: Floats


def nested_selection(
    tables: Floats, splits: Splits, metric: MetricOfCounts, average: str
) -> Nested:
    """Choose a variant without each fold, and score it on that fold.

    Parameters
    ----------
    tables : (variants, units, fields) or (folds, variants, units, fields) ndarray
        Counts; the second where variants have something that is fitted without a fold.

    Raises
    ------
    ValueError
        If a fold leaves no unit to choose on, or `tables` are of another number of folds.
    """
    if not splits.can_choose:
        raise ValueError("a fold leaves no other units to choose on: annotate more")
    by_fold = tables_of_folds(tables, splits.number)
    held_out = np.empty(by_fold.shape[2:])
    chosen = np.empty(splits.number, np.int64)
    for fold, counts in enumerate(by_fold):
        out = splits.fold_of == fold
        chosen[fold] = best_of(estimate(counts[:, splits.trains[fold]], metric, average))
        held_out[out] = counts[chosen[fold], out]
    return Nested(chosen, held_out)


def tables_of_folds(tables: Floats, folds: int) -> Floats:
    """Counts for each fold, (folds, variants, units, fields), also where they are for all alike.

    Raises
    ------
    ValueError
        If they are of another number of folds.
    """
    if tables.ndim == 3:
        tables = np.broadcast_to(tables, (folds, *tables.shape))
    if len(tables) != folds:
        raise ValueError(f"counts of {len(tables)} folds, but {folds} folds: give one for each")
    return tables


def best_of(values: Floats) -> int:
    """The first of the greatest values; nan is less than any."""
    return int(np.argmax(np.where(np.isfinite(values), values, -np.inf)))
