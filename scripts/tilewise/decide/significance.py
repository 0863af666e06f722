"""Which methods may be the best, and tests of whether two differ, over independent units."""

import math
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from tilewise.decide.cross_validation import Splits
from tilewise.decide.evidence import Evidence
from tilewise.decide.held_out import (
    ChosenAnew,
    corrected_error,
    corrected_p,
    without_each_fold,
)
from tilewise.decide.resampling import Floats, MetricOfCounts, additive, estimate

TESTS = ("bootstrap_t", "wilcoxon")
MOST_FLIPS, RANDOM_FLIPS = 2**13, 2**12
"""Of the signs of units: all of them for up to 13 units, else so many."""
RELATIVE_TIE, ABSOLUTE_TIE = 1e-9, 1e-15
"""Differences of two statistics that count as none: sums depend on their order."""


def set_of_best(
    methods: Sequence[Evidence],
    metric: MetricOfCounts,
    average: str,
    seed: int,
    *,
    splits: Splits | None = None,
    chooser: MetricOfCounts | None = None,
    most: int = MOST_FLIPS,
) -> Floats:
    """How well each method agrees with being the best: p values of a set of the best, one-sided.

    A method leaves the 95 % set of the best where p is at most 0.05. Its error is the chance that a
    given best method leaves it; that some of several methods that are equally good leaves it is
    more frequent.

    Parameters
    ----------
    methods : sequence of Evidence
        Whose metric is defined; the higher the better.
    seed : int
        Of random flips.
    splits, chooser
        Of methods whose parameters are chosen: the folds, and the metric that chooses; the same as
        `metric` by default.
    most : int
        All 2 ** units flips are tried if they are not more, else random ones: `RANDOM_FLIPS`, or
        `most` if that is less.

    Returns
    -------
    (methods,) float64 ndarray
        0 to 1.

    Notes
    -----
    D_ij(s) is the difference of the metric between i and j with their counts swapped in the units
    that a flip s names, the same s for all pairs. t_i(s) is the greatest, over all j, of D_ji(s)
    over its root mean square over s, and p_i the share of flips with t_i(s) >= t_i of no flip.

    Two methods that choose from equally many sets of parameters swap their whole tables of them,
    and choose again in each flip. Held-out scores that are compared otherwise (with a fixed
    method, or another number of sets) vary more than flips of them say, since folds share training
    units: D_ji of no flip is then taken to lie where as many flips are as great as the p of
    `held_out.corrected_error` says.
    """
    units = len(methods[0].counts)
    flips = _flips(units, most, seed)
    greatest = np.zeros((len(methods), len(flips)))
    for i, k in combinations(range(len(methods)), 2):
        first, second = methods[i], methods[k]
        is_tuned = splits is not None and (first.is_held_out or second.is_held_out)
        if splits is not None and first.is_as_free_as(second):
            assert first.tables is not None
            assert second.tables is not None
            by = chooser or metric
            anew = ChosenAnew(first.tables, second.tables, splits, flips, by, average)
            difference, is_tuned = anew.difference(metric), False
        else:
            difference = _swapped(first.counts, second.counts, metric, average)(flips)
        is_known = np.isfinite(difference)
        scale = math.sqrt(np.mean(difference[is_known] ** 2))
        if scale <= ABSOLUTE_TIE:
            continue
        for method, sign in ((i, -1), (k, 1)):
            # what is undefined under a flip counts as great
            own = np.where(is_known, sign * difference / scale, np.inf)
            if is_tuned and splits is not None:
                value, error = corrected_difference(first, second, metric, average, splits)
                own[0] = _as_rare(own, corrected_p(sign * value, error, splits.number))
            np.maximum(greatest[method], own, out=greatest[method])
    least = greatest[:, :1] * (1 - RELATIVE_TIE)
    p: Floats = np.mean(greatest >= least, axis=1)
    return p


def _flips(units: int, most: int, seed: int) -> Floats:
    """Units whose counts are swapped, (flips, units) of 0 and 1; the first flip swaps none."""
    is_exact = units < 63 and 2**units <= most
    if is_exact:
        swapped = np.arange(2**units)[:, None] >> np.arange(units) & 1
    else:
        number = min(RANDOM_FLIPS, most)
        swapped = np.random.default_rng(seed).integers(0, 2, (number, units))
        swapped[0] = 0
    return swapped.astype(np.float64)


def _swapped(
    a: Floats, b: Floats, metric: MetricOfCounts, average: str
) -> Callable[[Floats], Floats]:
    """The difference of two methods' estimates as a function of swaps, (permutations, units)."""
    # each method's mean is over the units where it is defined, as in `estimate`
    (first, second), of_sums = additive(np.stack([a, b]), metric, average)
    unswapped, both = first.sum(axis=0), (first + second).sum(axis=0)

    def difference(swaps: Floats) -> Floats:
        own = unswapped + swaps @ (second - first)
        return of_sums(own) - of_sums(both - own)

    return difference


def _as_rare(values: Floats, p: float) -> float:
    """The greatest of the values that a share of at least p of them reaches."""
    descending = np.sort(values)[::-1]
    return float(descending[min(max(math.ceil(p * len(values)), 1), len(values)) - 1])


def corrected_difference(
    first: Evidence, second: Evidence, metric: MetricOfCounts, average: str, splits: Splits
) -> tuple[float, float]:
    """Of two methods of which one at least is held out: their difference, and its error."""
    value, other = estimate(np.stack([first.counts, second.counts]), metric, average)
    without = [without_each_fold(one.counts, metric, average, splits) for one in (first, second)]
    return float(value - other), corrected_error(without[0] - without[1], splits)


def wilcoxon(differences: ArrayLike) -> float:
    """The p value, 0 to 1, of Wilcoxon's signed-rank test, two-sided, by `scipy.stats.wilcoxon`.

    Differences that are nan are left out; 1 if no difference is left that is not 0.

    References
    ----------
    Wilcoxon, Biometrics Bulletin 1(6), 80-83 (1945).
    """
    known = np.asarray(differences, np.float64)
    known = known[np.isfinite(known)]
    if not known.any():
        return 1.0
    from scipy import stats

    return float(stats.wilcoxon(known).pvalue)


def holm(p: ArrayLike) -> Floats:
    """Adjust p values for their number; in the given order, at most 1.

    nan is passed through and does not count.

    References
    ----------
    Holm, Scandinavian Journal of Statistics 6(2), 65-70 (1979).
    """
    values = np.asarray(p, np.float64)
    adjusted = np.full(values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    if order.size:
        adjusted[order] = np.minimum(np.maximum.accumulate(factors * values[order]), 1)
    return adjusted
