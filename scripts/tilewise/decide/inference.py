"""What annotated units allow to say: intervals, paired tests, rankings and held-out estimates.

Units are what is independent: samples, say. `counts` are additive counts pooled within each unit,
(methods, units, fields); a metric is a function of counts, (..., fields) to (...), the higher the
better and nan where it is undefined. The average `micro` is the metric of all units' summed counts,
`macro` the mean of the units' own metrics.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

AVERAGES = ("micro", "macro")
TESTS = ("sign_flip", "wilcoxon")
MIN_UNITS = 5
"""Units that an interval needs at the least."""
CHUNK = 2**22
"""Numbers of resampled counts that are in memory at once, about."""
MANY = 50
"""Units from which an interval by percentiles is as good as a studentized one."""
EQUAL = 1e-12
"""Standard error below which all units are equal but for rounding."""
TIE = 1e-9
"""Relative difference of two statistics that counts as none: sums depend on their order."""


@lru_cache(maxsize=2)
def weights(units, resamples, seed):
    """How often each unit is drawn in each resample of the bootstrap; kept for the next metric.

    Parameters
    ----------
    units, resamples : int
    seed : int

    Returns
    -------
    (resamples, units) float64 ndarray
        Whole numbers; each row sums to `units`. Not to be written to.
    """
    random = np.random.default_rng(seed)
    drawn = random.multinomial(units, np.full(units, 1 / units), resamples).astype(np.float64)
    drawn.flags.writeable = False
    return drawn


def estimate(counts, metric, average, weights=None):
    """The metric of each method over all units, or over resampled ones.

    Parameters
    ----------
    counts : (methods, units, fields) ndarray
    metric : callable
    average : {"micro", "macro"}
    weights : (resamples, units) ndarray, optional

    Returns
    -------
    (methods,) or (resamples, methods) float64 ndarray
        nan where it is undefined: for `macro`, where it is in every unit.

    Raises
    ------
    ValueError
        If there is no such average.
    """
    if average not in AVERAGES:
        raise ValueError(f"average is {average!r}: choose one of {', '.join(AVERAGES)}")
    if weights is None:
        return estimate(counts, metric, average, np.ones((1, counts.shape[1])))[0]
    if average == "macro":
        values = metric(counts)
        is_defined = np.isfinite(values)
        total = weights @ np.where(is_defined, values, 0).T
        number = weights @ is_defined.T.astype(np.float64)
        return np.where(number > 0, total / np.maximum(number, 1), np.nan)
    methods, units, fields = counts.shape
    flat = counts.transpose(1, 0, 2).reshape(units, methods * fields)
    step = max(CHUNK // (methods * fields), 1)
    parts = [
        metric((weights[start : start + step] @ flat).reshape(-1, methods, fields))
        for start in range(0, len(weights), step)
    ]
    return np.concatenate(parts)


class Resampled:
    """Methods over the units and over resamples of them, for intervals.

    Parameters
    ----------
    counts : (methods, units, fields) ndarray
    metric : callable
    average : {"micro", "macro"}
    weights : (resamples, units) ndarray
        As from `weights`.

    Attributes
    ----------
    values : (methods,) float64 ndarray
    resampled : (resamples, methods) float64 ndarray
    """

    def __init__(self, counts, metric, average, weights):
        self._weights = weights
        self._counts, self._metric, self._average = counts, metric, average
        self.values = estimate(counts, metric, average)
        self.resampled = estimate(counts, metric, average, weights)
        self._left_out = {}

    def interval(self, method, other=None, level=0.95):
        """Confidence interval of a method's value, or of its difference to another's.

        The bootstrap-t: quantiles of the resampled, studentized value, with the jackknife's
        standard error. From `MANY` units on, where both are the same, percentiles of the resampled
        values, moved outwards by as much as makes the interval of a mean as wide as Student's.

        Parameters
        ----------
        method, other : int
        level : float

        Returns
        -------
        low, high : float
            Both None where the value is undefined. It may reach beyond the range of the metric.
            The value itself, twice, where all units are equal.

        Notes
        -----
        Alone, the bootstrap-t covers too rarely with some 8 units, and its tail is unknown where
        only one or two units differ. So it is widened to Student's interval with the jackknife's
        standard error. Where few units differ at all, no interval of few units covers enough.

        References
        ----------
        Efron and Tibshirani (1993), An Introduction to the Bootstrap, sections 11.1 and 12.5;
        Hesterberg, The American Statistician 69(4), 371-386 (2015), section 3.4, for many units.
        """

        def contrast(values):
            return values[..., method] - (0 if other is None else values[..., other])

        value, resampled = float(contrast(self.values)), contrast(self.resampled)
        if not math.isfinite(value):
            return None, None
        units = self._weights.shape[1]
        tail = (1 - level) / 2
        if units >= MANY:
            tail = _expanded(tail, units)
            return tuple(map(float, np.nanquantile(resampled, (tail, 1 - tail))))
        error = _jackknife(contrast(self._leaving_out("units")), np.ones((1, units)))[0]
        errors = _jackknife(contrast(self._leaving_out("resamples")), self._weights)
        if not error > EQUAL:
            return value, value
        half = -_student(tail, units) * error
        low, high = value - half, value + half
        usable = np.isfinite(resampled) & np.isfinite(errors) & (errors > EQUAL)
        if usable.any():
            studentized = (resampled[usable] - value) / errors[usable]
            least, greatest = np.quantile(studentized, (tail, 1 - tail))
            low, high = min(low, value - greatest * error), max(high, value - least * error)
        return float(low), float(high)

    def _leaving_out(self, kind):
        """Estimates without one copy of each unit: (resamples, units, methods)."""
        if kind not in self._left_out:
            weights = np.ones((1, self._weights.shape[1])) if kind == "units" else self._weights
            self._left_out[kind] = _leave_one_out(
                self._counts, self._metric, self._average, weights
            )
        return self._left_out[kind]


def _leave_one_out(counts, metric, average, weights):
    methods, units, fields = counts.shape
    if average == "macro":
        values = metric(counts).T
        is_defined = np.isfinite(values)
        values = np.where(is_defined, values, 0)
        total = (weights @ values)[:, None] - values
        number = (weights @ is_defined.astype(np.float64))[:, None] - is_defined
        return np.where(number > 0, total / np.maximum(number, 1), np.nan)
    by_unit = counts.transpose(1, 0, 2)
    flat = by_unit.reshape(units, methods * fields)
    step = max(CHUNK // (units * methods * fields), 1)
    parts = []
    for start in range(0, len(weights), step):
        drawn = weights[start : start + step]
        total = (drawn @ flat).reshape(-1, 1, methods, fields)
        # what was not drawn cannot be left out; its weight is 0
        parts.append(metric(np.maximum(total - by_unit, 0)))
    return np.concatenate(parts)


def _jackknife(left_out, weights):
    """Standard errors, (resamples,), from estimates without one of the drawn units."""
    units = weights.shape[1]
    left_out = np.where(weights > 0, left_out, 0)
    center = (weights * left_out).sum(axis=1, keepdims=True) / units
    squares = (weights * (left_out - center) ** 2).sum(axis=1)
    return np.sqrt((units - 1) / units * squares)


def _expanded(tail, units):
    """The tail of percentiles that makes a mean's interval as wide as Student's."""
    from scipy.special import ndtr

    return float(ndtr(math.sqrt(units / (units - 1)) * _student(tail, units)))


def _student(tail, units):
    """Student's quantile for the mean of some units."""
    from scipy.special import stdtrit

    return float(stdtrit(units - 1, tail))


def sign_flip(a, b, metric, average, seed, most=10_000):
    """Whether two methods differ: paired permutation test, two-sided.

    Within every unit, the counts of the two methods are swapped or not; where the methods are
    equal, no difference is more likely than its opposite.

    Parameters
    ----------
    a, b : (units, fields) ndarray
    metric : callable
    average : {"micro", "macro"}
    seed : int
        Of the random swaps.
    most : int
        All 2 ** units swaps are tried if they are not more, else so many random ones.

    Returns
    -------
    float
        p, 0 to 1; exact, or (k + 1) / (n + 1) of n random swaps. 1 where the metric is undefined.

    References
    ----------
    Fisher (1935), The Design of Experiments; Phipson and Smyth, Statistical Applications in
    Genetics and Molecular Biology 9(1):39 (2010), for the random swaps.
    """
    units = len(a)
    is_exact = units < 63 and 2**units <= most
    number = 2**units if is_exact else most
    difference = _swapped(a, b, metric, average)
    observed = float(difference(np.zeros((1, units)))[0])
    if not math.isfinite(observed):
        return 1.0
    random = np.random.default_rng(seed)
    step = max(CHUNK // max(units, 1), 1)
    as_great = 0
    for start in range(0, number, step):
        stop = min(start + step, number)
        if is_exact:
            swaps = np.arange(start, stop)[:, None] >> np.arange(units) & 1
        else:
            swaps = random.integers(0, 2, (stop - start, units))
        permuted = np.abs(difference(swaps.astype(np.float64)))
        permuted[~np.isfinite(permuted)] = np.inf
        as_great += int(np.count_nonzero(permuted >= abs(observed) * (1 - TIE) - 1e-15))
    return as_great / number if is_exact else (as_great + 1) / (number + 1)


def _swapped(a, b, metric, average):
    """The difference of two methods' estimates as a function of swaps, (permutations, units)."""
    if average == "micro":
        whole = (a + b).sum(axis=0)

        def difference(swaps):
            first = a.sum(axis=0) + swaps @ (b - a)
            return metric(first) - metric(whole - first)

        return difference
    values = metric(np.stack([a, b]))
    is_defined = np.isfinite(values)
    # each method's mean is over the units where it is defined, as in `estimate`
    terms = np.stack([np.where(is_defined, values, 0), is_defined], axis=-1)

    def difference(swaps):
        first = terms[0].sum(axis=0) + swaps @ (terms[1] - terms[0])
        second = terms.sum(axis=(0, 1)) - first
        with np.errstate(invalid="ignore", divide="ignore"):
            return first[:, 0] / first[:, 1] - second[:, 0] / second[:, 1]

    return difference


def wilcoxon(differences):
    """Wilcoxon's signed-rank test, two-sided.

    Parameters
    ----------
    differences : (units,) ndarray
        nan is left out.

    Returns
    -------
    float
        p, 0 to 1; 1 if no difference is left that is not 0.

    References
    ----------
    Wilcoxon, Biometrics Bulletin 1(6), 80-83 (1945), by `scipy.stats.wilcoxon`.
    """
    differences = np.asarray(differences, np.float64)
    differences = differences[np.isfinite(differences)]
    if not differences.any():
        return 1.0
    from scipy import stats

    return float(stats.wilcoxon(differences).pvalue)


def holm(p):
    """Adjust p values for their number.

    Parameters
    ----------
    p : sequence of float
        nan is passed through and does not count.

    Returns
    -------
    (tests,) float64 ndarray
        In the given order, at most 1.

    References
    ----------
    Holm, Scandinavian Journal of Statistics 6(2), 65-70 (1979).
    """
    p = np.asarray(p, np.float64)
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * p[order]), 1) if order.size else []
    return adjusted


def rank(
    counts,
    metric,
    average,
    *,
    seed,
    resamples=2000,
    test="sign_flip",
    alpha=0.05,
    min_units=MIN_UNITS,
):
    """The methods in order, and which of them cannot be told apart from the best.

    Parameters
    ----------
    counts : (methods, units, fields) ndarray
    metric : callable
    average : {"micro", "macro"}
    seed, resamples : int
        Of the bootstrap and of the tests.
    test : {"sign_flip", "wilcoxon"}
    alpha : float
        Rate of false differences among all pairs of methods; intervals are of the level 1 - alpha.
    min_units : int
        With fewer units there are no intervals and no method is called different.

    Returns
    -------
    list of dict
        The best first. `index` of the method; `value`, `low`, `high`; `difference` of the best to
        it, with `difference_low` and `difference_high`; `p` and `p_adjusted`; `first`, the share of
        resamples in which it comes first; `indistinguishable` from the best. None without units.
        Undefined methods come last, and have no p.

    Raises
    ------
    ValueError
        If there is no such test.

    Notes
    -----
    p values are adjusted by Holm's method over all pairs of methods, not only those with the best:
    which one is the best was found on the same units. So with n units and the exact `sign_flip`, no
    method can be called different unless 2 / 2**n times the number of pairs is below `alpha`: with
    2, 3, 4, 6, 10 methods, at 0.05, from 6, 7, 8, 10, 11 units on.
    """
    if test not in TESTS:
        raise ValueError(f"test is {test!r}: choose one of {', '.join(TESTS)}")
    values = estimate(counts, metric, average)
    units = counts.shape[1]
    order = sorted(
        range(len(values)), key=lambda i: -values[i] if np.isfinite(values[i]) else np.inf
    )
    best = order[0]
    rows = [
        {
            **{
                "index": i,
                "value": float(values[i]),
                "difference": float(values[best] - values[i]),
            },
            **dict.fromkeys(("low", "high", "difference_low", "difference_high")),
            **{"p": None, "p_adjusted": None, "first": None},
            "indistinguishable": bool(np.isfinite(values[i]) or not np.isfinite(values[best])),
        }
        for i in order
    ]
    if units < min_units or not np.isfinite(values[best]):
        return rows
    drawn = Resampled(counts, metric, average, weights(units, resamples, seed))
    first = _first_places(drawn.resampled)
    p = _pairs(counts, metric, average, test, seed, np.flatnonzero(np.isfinite(values)))
    adjusted = dict(zip(p, holm(list(p.values())), strict=True))
    for row in rows:
        i = row["index"]
        row["first"] = float(first[i])
        if not np.isfinite(values[i]):
            continue
        row["low"], row["high"] = drawn.interval(i, level=1 - alpha)
        if i == best:
            continue
        row["difference_low"], row["difference_high"] = drawn.interval(best, i, 1 - alpha)
        pair = min(i, best), max(i, best)
        row["p"], row["p_adjusted"] = p[pair], float(adjusted[pair])
        row["indistinguishable"] = bool(adjusted[pair] >= alpha)
    return rows


def _first_places(resampled):
    """How often each method comes first; ties share."""
    values = np.where(np.isfinite(resampled), resampled, -np.inf)
    is_first = values == values.max(axis=1, keepdims=True)
    return (is_first / is_first.sum(axis=1, keepdims=True)).mean(axis=0)


def _pairs(counts, metric, average, test, seed, methods):
    """The p value of every two of some methods."""
    pairs = [(int(i), int(k)) for i, k in combinations(methods, 2)]
    if test == "wilcoxon":
        values = metric(counts)
        return {(i, k): wilcoxon(values[i] - values[k]) for i, k in pairs}
    return {(i, k): sign_flip(counts[i], counts[k], metric, average, seed) for i, k in pairs}


def folds(labels, number):
    """Assign units to folds, evenly, the same in any order.

    Parameters
    ----------
    labels : sequence of str
        Names of the units, each once.
    number : int
        Most folds.

    Returns
    -------
    (units,) int64 ndarray
        From 0.

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

    chosen: np.ndarray
    training: np.ndarray
    held_out: np.ndarray


def nested(counts, fold_of, metric, average):
    """Choose a variant without each fold, and score it on that fold.

    Parameters
    ----------
    counts : (variants, units, fields) or (folds, variants, units, fields) ndarray
        The second where variants have something that is fitted without a fold.
    fold_of : (units,) int ndarray
        From 0.
    metric : callable
    average : {"micro", "macro"}

    Returns
    -------
    Nested

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


def best_of(values):
    """The first of the greatest values; nan is less than any."""
    return int(np.argmax(np.where(np.isfinite(values), values, -np.inf)))


def learning_curve(counts, metric, average, seed, resamples, sizes=None, level=0.95):
    """How wide the interval would be with other numbers of units like these.

    Parameters
    ----------
    counts : (units, fields) ndarray
    metric, average
        As for `estimate`.
    seed, resamples : int
        Of the bootstrap, which draws so many units; scaled to the interval of those that there are.
    sizes : sequence of int, optional
        Numbers of units; from `MIN_UNITS` to four times as many as there are by default.
    level : float

    Returns
    -------
    list of (int, float)
        Number of units, and the width of the interval with it. Empty for fewer than two units,
        where the metric is undefined and where all units are equal.
    """
    units = len(counts)
    if units < 2:
        return []
    if sizes is None:
        steps = {MIN_UNITS, *(round(units * factor) for factor in (0.5, 0.75, 1, 1.5, 2, 3, 4))}
        sizes = sorted(size for size in steps if size >= min(MIN_UNITS, units))
    random = np.random.default_rng(seed)

    def width(size):
        drawn = random.multinomial(size, np.full(units, 1 / units), resamples).astype(np.float64)
        resampled = estimate(counts[None], metric, average, drawn)[:, 0]
        tail = _expanded((1 - level) / 2, size)
        low, high = np.nanquantile(resampled, (tail, 1 - tail))
        return float(high - low)

    now = Resampled(counts[None], metric, average, weights(units, resamples, seed))
    low, high = now.interval(0, level=level)
    present = width(units)
    if low is None or not present:
        return []
    return [(size, width(size) * (high - low) / present) for size in sizes]
