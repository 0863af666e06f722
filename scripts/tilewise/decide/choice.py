"""The rule by which one of several methods is applied, and how it does on new units."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tilewise.decide.cross_validation import Splits, best_of
from tilewise.decide.evidence import Evidence, Rules
from tilewise.decide.resampling import Floats, MetricOfCounts, estimate
from tilewise.decide.significance import set_of_best

TIE = 1e-9
"""Scores that differ by no more share a rank."""


def simplicity(method: Evidence) -> tuple[bool, int]:
    """The smaller, the simpler: fixed before tuned, then by the number of chosen parameters."""
    return method.estimate != "fixed", method.parameters


def choose(
    methods: Sequence[Evidence],
    values: Floats,
    is_in_set: NDArray[np.bool_] | None,
    margin: float,
) -> int:
    """The method to apply.

    Parameters
    ----------
    methods : sequence of Evidence
        In the order of the configuration.
    values : (methods,) ndarray
        Their scores, the higher the better.
    is_in_set : (methods,) bool ndarray or None
        Whether each is in the set of the best; None where there are too few units to know.
    margin : float
        Scores that differ by no more are as good.

    Returns
    -------
    int
        The simplest method in the set whose score is within the margin of the highest one; without
        a set, the one with the highest score. Of several, the first.
    """
    if is_in_set is None or not np.isfinite(values).any():
        return best_of(values)
    highest = np.nanmax(values)
    close = np.flatnonzero(is_in_set & (values >= highest - margin - TIE)).tolist()
    return int(min(close, key=lambda i: (simplicity(methods[i]), i)))


def select(methods: Sequence[Evidence], splits: Splits, merit: MetricOfCounts, rules: Rules) -> int:
    """The method to apply, from what some units say of each."""
    values = estimate(np.stack([one.counts for one in methods]), merit, rules.average)
    known = np.flatnonzero(np.isfinite(values)).tolist()
    is_in_set = None
    if rules.has_intervals and splits.scores.sum() >= rules.min_units and known:
        own = [methods[i] for i in known]
        folds = splits if splits.can_choose else None
        is_in_set = np.zeros(len(methods), bool)
        is_in_set[known] = (
            set_of_best(own, merit, rules.average, rules.seed, splits=folds) > rules.alpha
        )
        is_in_set[best_of(values)] = True
    return choose(methods, values, is_in_set, rules.margin)


def cross_validate(
    known: Mapping[str, Evidence], splits: Splits, merit: MetricOfCounts, rules: Rules
) -> tuple[Floats, list[str]]:
    """Select the method without each fold, and score it on that fold.

    The rule is that of the decision, on scores that are held out within the units that train for
    the fold. Gives the counts of each unit by the method that is selected without it, (units,
    columns), and the name of that method for each fold.
    """
    methods = list(known)
    counts = np.zeros_like(known[methods[0]].counts)
    selected = []
    for fold in range(splits.number):
        own = [one.training(fold, splits, merit, rules.average) for one in known.values()]
        selected.append(methods[select(own, splits.training(fold), merit, rules)])
        out = splits.scored_folds == fold
        counts[out] = known[selected[-1]].counts[out]
    return counts, selected


def repeat(
    applied: str,
    known: Mapping[str, Evidence],
    splits: Splits,
    merit: MetricOfCounts,
    rules: Rules,
    number: int = 5,
) -> dict[str, int]:
    """How often each method is selected with so many seeds, those that never are left out.

    The seeds are of random flips and, where no threshold is calibrated without a fold, of the
    folds. With the first of them, `applied` was selected.
    """
    counted = {applied: 1}
    tables = [one.tables for one in known.values() if one.tables is not None]
    for step in range(1, number):
        own, folds = known, splits
        if all(table.ndim == 3 for table in tables) and splits.can_choose:
            folds = splits.shuffled(rules.seed + step)
            own = {name: one.chosen_anew(folds, merit, rules.average) for name, one in own.items()}
        seeded = replace(rules, seed=rules.seed + step)
        method = list(own)[select(list(own.values()), folds, merit, seeded)]
        counted[method] = counted.get(method, 0) + 1
    return counted
