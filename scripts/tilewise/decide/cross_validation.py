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
    fold, (folds, units) of bool. `scores` says which are scored, (units,) of bool: the others only
    train. What only trains of a unit that is scored stands beside it, with the same number in
    `numbers`, (units,).
    """

    fold_of: NDArray[np.int64]
    trains: NDArray[np.bool_]
    scores: NDArray[np.bool_]
    numbers: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        fold_of: NDArray[np.int64],
        scores: NDArray[np.bool_] | None = None,
        numbers: NDArray[np.int64] | None = None,
    ) -> "Splits":
        """Folds for which all units of other folds train; all are scored by default."""
        number = int(fold_of.max()) + 1 if fold_of.size else 0
        scores = np.ones(fold_of.shape, bool) if scores is None else scores
        numbers = np.arange(fold_of.size) if numbers is None else numbers
        return cls(fold_of, fold_of != np.arange(number)[:, None], scores, numbers)

    @property
    def number(self) -> int:
        """Of folds."""
        return len(self.trains)

    @property
    def can_choose(self) -> bool:
        """Whether every fold leaves units to choose on."""
        return self.number > 1 and bool(self.trains.any(axis=1).all())

    @property
    def can_select(self) -> bool:
        """Whether every fold leaves units that are scored, by which to select a method."""
        return self.number > 1 and bool(self.scored_trains.any(axis=1).all())

    @property
    def scored_folds(self) -> NDArray[np.int64]:
        """The fold of each unit that is scored."""
        return self.fold_of[self.scores]

    @property
    def scored_trains(self) -> NDArray[np.bool_]:
        """Which of the units that are scored train for a fold, (folds, units that are scored)."""
        return self.trains[:, self.scores]

    def swaps(self, flips: Floats) -> Floats:
        """Flips of units that are scored, (flips, units that are scored), for all units.

        What only trains of a unit is swapped with it; units that are not scored are not swapped.
        """
        if self.scores.all():
            return flips
        column = {number: i for i, number in enumerate(self.numbers[self.scores].tolist())}
        none = len(column)
        padded = np.hstack([flips, np.zeros((len(flips), 1))])
        return padded[:, [column.get(number, none) for number in self.numbers.tolist()]]

    def shuffled(self, seed: int) -> "Splits":
        """The same, with other units of those that are scored in each fold."""
        own = self.numbers[self.scores].tolist()
        order = np.random.default_rng(seed).permutation(len(own))
        fold_of = dict(zip(own, self.scored_folds[order].tolist(), strict=True))
        listed = zip(self.numbers.tolist(), self.fold_of.tolist(), strict=True)
        folds = np.array([fold_of.get(number, fold) for number, fold in listed], np.int64)
        return Splits(folds, folds != np.arange(self.number)[:, None], self.scores, self.numbers)

    def training(self, fold: int) -> "Splits":
        """Folds of the units that train for a fold, by which they are held out in turn."""
        own = self.trains[fold]
        others, fold_of = np.unique(self.fold_of[own], return_inverse=True)
        trains = self.trains[others][:, own]
        return Splits(fold_of, trains, self.scores[own], self.numbers[own])


@dataclass(frozen=True)
class Nested:
    """What choosing a variant on some units gives on others.

    Attributes
    ----------
    chosen : (folds,) int64 ndarray
        The variant that the units choose that train for a fold.
    held_out : (units that are scored, fields) float64 ndarray
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
    return Nested(chosen, held_out[splits.scores])


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
