"""What can be said of scores that are held out but share the units that they were trained on."""

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from tilewise.decide.cross_validation import Splits, tables_of_folds
from tilewise.decide.resampling import LEAST_ERROR, Floats, MetricOfCounts, additive


def corrected_error(without: Floats, splits: Splits) -> float:
    """The standard error of a score that is held out in folds.

    Parameters
    ----------
    without : (folds,) ndarray
        The score, or the difference of two, without each of the folds.

    Returns
    -------
    float
        nan if it is not defined without every fold.

    Notes
    -----
    The jackknife's over folds, times sqrt(1 + K n_test / n_train) for K folds, since the scores of
    different folds share training units. Of a mean over folds of even size it is Nadeau and
    Bengio's sqrt((1 / K + n_test / n_train) var). The statistic is Student's with K - 1 degrees of
    freedom. Units that only train are left out of n_train, which errs on the side of caution.

    References
    ----------
    Nadeau and Bengio, Machine Learning 52, 239-281 (2003), section 3.
    """
    folds = len(without)
    train = splits.scored_trains.sum(axis=1).mean()
    test = len(splits.scored_folds) / folds
    spread = (folds - 1) / folds * float(((without - without.mean()) ** 2).sum())
    return math.sqrt(spread * (1 + folds * test / train))


def without_each_fold(
    counts: Floats, metric: MetricOfCounts, average: str, splits: Splits
) -> Floats:
    """The metric of held-out counts, (units, fields), without each of the folds, (folds,)."""
    fields, of_sums = additive(counts, metric, average)
    each = [fields[splits.scored_folds != fold].sum(axis=0) for fold in range(splits.number)]
    return of_sums(np.stack(each))


def corrected_interval(
    value: float, error: float, folds: int, confidence: float
) -> tuple[float, float] | tuple[None, None]:
    """Student's interval with a `corrected_error`; None where either is not defined."""
    if not (math.isfinite(value) and math.isfinite(error)):
        return None, None
    from scipy.special import stdtrit

    half = float(-stdtrit(folds - 1, (1 - confidence) / 2)) * error
    return value - half, value + half


def corrected_p(value: float, error: float, folds: int) -> float:
    """One-sided p of a value above 0 with a `corrected_error`; 1 where it is not defined."""
    if not (math.isfinite(value) and math.isfinite(error)):
        return 1.0
    if error < LEAST_ERROR:
        return 0.0 if value > LEAST_ERROR else 1.0
    from scipy.special import stdtr

    return float(stdtr(folds - 1, -value / error))


class ChosenAnew:
    """Two methods' choices where their whole tables of variants are swapped in some units.

    Parameters
    ----------
    first, second : (variants, units, fields) or (folds, variants, units, fields) ndarray
        Counts of both, of equally many variants.
    splits : Splits
        By which both are chosen and held out.
    flips : (flips, units) ndarray
        1 where a unit's tables are swapped; of the units that are scored.
    chooser : callable
        The metric that variants are chosen by, whatever they are compared by.
    """

    def __init__(
        self,
        first: Floats,
        second: Floats,
        splits: Splits,
        flips: Floats,
        chooser: MetricOfCounts,
        average: str,
    ) -> None:
        self._pair = [tables_of_folds(one, splits.number) for one in (first, second)]
        self._splits, self._flips, self._average = splits, splits.swaps(flips), average
        self._chosen = []
        for (own, other), of_sums in self._swapped(chooser, splits.trains):
            self._chosen.append((_best(of_sums(own)), _best(of_sums(other))))

    def difference(self, metric: MetricOfCounts) -> Floats:
        """Of the held-out metric, the first less the second, (flips,)."""
        rows = np.arange(len(self._flips))
        splits = self._splits
        is_out = splits.scores & (splits.fold_of == np.arange(splits.number)[:, None])
        held_out = []
        swapped = self._swapped(metric, is_out)
        for ((own, other), of_sums), (first, second) in zip(swapped, self._chosen, strict=True):
            held_out.append((own[rows, first], other[rows, second]))
            estimate = of_sums
        own_sum, other_sum = np.sum(held_out, axis=0)
        difference: Floats = estimate(own_sum) - estimate(other_sum)
        return difference

    def _swapped(
        self, metric: MetricOfCounts, units: NDArray[np.bool_]
    ) -> Iterator[tuple[tuple[Floats, Floats], Callable[[Floats], Floats]]]:
        """Fold by fold, both methods' sums over some units, each (flips, variants, fields)."""
        for fold, chosen in enumerate(units):
            counts = np.stack([one[fold][:, chosen] for one in self._pair])
            (first, second), of_sums = additive(counts, metric, self._average)
            swaps = self._flips[:, chosen]
            own = first.sum(axis=1) + np.tensordot(swaps, second - first, (1, 1))
            yield (own, (first + second).sum(axis=1) - own), of_sums


def _best(values: Floats) -> Floats:
    """The first of the greatest values of each flip; nan is less than any."""
    best: Floats = np.argmax(np.where(np.isfinite(values), values, -np.inf), axis=1)
    return best
