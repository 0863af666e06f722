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
class Nested:
    """What choosing a variant on some units gives on others.

    Attributes
    ----------
    chosen : (folds,) int64 ndarray
        The variant that all other folds choose.
    training : (folds,) float64 ndarray
        Its estimate on them.
    held_out : (units, fields) float64 ndarray
        Each unit's counts by the variant that is chosen without its fold.
    """

    chosen: NDArray[np.int64]
    training: Floats
    held_out: Floats


def nested_selection(
    counts: Floats, fold_of: NDArray[np.int64], metric: MetricOfCounts, average: str
) -> Nested:
    """Choose a variant without each fold, and score it on that fold.

    Parameters
    ----------
    counts : (variants, units, fields) or (folds, variants, units, fields) ndarray
        The second where variants have something that is fitted without a fold.
    fold_of : (units,) int ndarray
        From 0.

    Raises
    ------
    ValueError
        If there are fewer than two folds, or `counts` are of another number of folds.
    """
    number = int(fold_of.max()) + 1
    if number < 2:
        raise ValueError("a single fold leaves no other units to choose on: annotate more")
    if counts.ndim == 3:
        counts = np.broadcast_to(counts, (number, *counts.shape))
    if len(counts) != number:
        raise ValueError(f"counts of {len(counts)} folds, but {number} folds: give one for each")
    held_out = np.empty(counts.shape[2:])
    chosen, training = np.empty(number, np.int64), np.empty(number)
    for fold in range(number):
        out = fold_of == fold
        values = estimate(counts[fold][:, ~out], metric, average)
        chosen[fold] = best_of(values)
        training[fold] = values[chosen[fold]]
        held_out[out] = counts[fold, chosen[fold], out]
    return Nested(chosen, training, held_out)


def best_of(values: Floats) -> int:
    """The first of the greatest values; nan is less than any."""
    return int(np.argmax(np.where(np.isfinite(values), values, -np.inf)))
