"""How sure scores of methods and their differences are: intervals, and p values that agree."""

import math
from collections.abc import Sequence

import numpy as np

from tilewise.decide.cross_validation import Splits
from tilewise.decide.evidence import Evidence
from tilewise.decide.held_out import (
    corrected_error,
    corrected_interval,
    corrected_p,
    without_each_fold,
)
from tilewise.decide.resampling import LEAST_ERROR, Floats, MetricOfCounts, Resampled
from tilewise.decide.significance import corrected_difference

Bounds = tuple[float, float] | tuple[None, None]


class Uncertainty:
    """Of methods over independent units, by one metric.

    Of fixed methods by the bootstrap over units; where one is held out, by the corrected error over
    its folds, since folds share training units.

    Parameters
    ----------
    methods : sequence of Evidence
    splits : Splits, optional
        Folds of the units, where a method is held out.
    weights : (resamples, units) ndarray
        As from `resampling.bootstrap_weights`.
    """

    def __init__(
        self,
        methods: Sequence[Evidence],
        metric: MetricOfCounts,
        average: str,
        weights: Floats,
        splits: Splits | None = None,
    ) -> None:
        self._methods, self._splits = methods, splits
        self._metric, self._average = metric, average
        counts = np.stack([one.counts for one in methods])
        self._drawn = Resampled(counts, metric, average, weights)

    def interval(self, method: int, other: int | None = None, confidence: float = 0.95) -> Bounds:
        """Of a method's value, or of its difference to another's; None where it is undefined."""
        known = self._corrected(method, other)
        if known is None:
            return self._drawn.interval(method, other, confidence)
        value, error, folds = known
        return corrected_interval(value, error, folds, confidence)

    def p(self, method: int, other: int) -> float:
        """Two-sided, of a difference: 1 less the confidence at which its interval touches 0."""
        known = self._corrected(method, other)
        if known is None:
            return self._drawn.p(method, other)
        value, error, folds = known
        return min(1.0, 2 * corrected_p(abs(value), error, folds))

    def contrast(self, method: int, other: int) -> tuple[float, float, Floats, Floats]:
        """As `Resampled.contrast`, with errors that are corrected where a method is held out."""
        value, error, values, errors = self._drawn.contrast(method, other)
        known = self._corrected(method, other)
        if known is not None and error > LEAST_ERROR:
            errors, error = errors * (known[1] / error), known[1]
        return value, error, values, errors

    def first_places(self) -> Floats:
        """How often each method comes first under the bootstrap, (methods,); ties share."""
        resampled = self._drawn.resampled
        values = np.where(np.isfinite(resampled), resampled, -np.inf)
        is_first = values == values.max(axis=1, keepdims=True)
        shares: Floats = (is_first / is_first.sum(axis=1, keepdims=True)).mean(axis=0)
        return shares

    def _corrected(self, method: int, other: int | None) -> tuple[float, float, int] | None:
        """Value, error and number of folds, where a method is held out."""
        own = [self._methods[i] for i in (method, other) if i is not None]
        if self._splits is None or not any(one.is_held_out for one in own):
            return None
        given = self._metric, self._average, self._splits
        if len(own) == 2:
            value, error = corrected_difference(own[0], own[1], *given)
        else:
            value = float(self._drawn.values[method])
            error = corrected_error(without_each_fold(own[0].counts, *given), self._splits)
        return (value, error, self._splits.number) if math.isfinite(error) else None
