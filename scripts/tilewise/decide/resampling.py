"""Scores over independent units (samples, say), and their confidence intervals by the bootstrap.

`counts` are additive, pooled within each unit, (methods, units, fields); a metric is a function of
counts, (..., fields) to (...), the higher the better and nan where it is undefined. The average
`micro` is the metric of all units' summed counts, `macro` the mean of the units' own metrics:
sum of w m / sum of w, where a column has weights of units (`MetricOfColumns`). Counts are already
weighted when they are pooled in units; the weight of a unit is one of them, so that both are drawn
together.
"""

import math
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MetricOfCounts = Callable[[Floats], Floats]


@runtime_checkable
class MetricOfColumns(Protocol):
    """A metric that says which columns of the counts it needs."""

    columns: tuple[int, ...]
    weight: int | None
    """The column of the weight of a unit in means over units, if it has one."""

    def __call__(self, counts: Floats) -> Floats:
        """Of all columns."""

    def of_own(self, counts: Floats) -> Floats:
        """Of its own columns alone."""


AVERAGES = ("micro", "macro")
MIN_UNITS = 5
"""Units that an interval needs at the least."""
CHUNK_SIZE = 2**22
"""Numbers of resampled counts that are in memory at once, about."""
LEAST_ERROR = 1e-12
"""Standard error below which all units are equal but for rounding."""


@lru_cache(maxsize=2)
def bootstrap_weights(units: int, resamples: int, seed: int) -> Floats:
    """How often each unit is drawn in each resample of the bootstrap; kept for the next metric.

    Whole numbers, (resamples, units); each row sums to `units`. They cannot be written to.
    """
    random = np.random.default_rng(seed)
    drawn = random.multinomial(units, np.full(units, 1 / units), resamples).astype(np.float64)
    drawn.flags.writeable = False
    return drawn


def estimate(
    counts: Floats, metric: MetricOfCounts, average: str, weights: Floats | None = None
) -> Floats:
    """The metric of each method over all units, or over resampled ones.

    Parameters
    ----------
    counts : (methods, units, fields) ndarray
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
        once = np.ones((1, counts.shape[1]))
        values: Floats = estimate(counts, metric, average, once)[0]
        return values
    return _estimates(counts, metric, average, weights)


def mean_of(total: Floats, number: Floats) -> Floats:
    """The mean of so many numbers, from their sum; nan of none."""
    is_any = number > 0
    mean: Floats = np.where(is_any, total / np.where(is_any, number, 1), np.nan)
    return mean


def _values_and_weights(counts: Floats, metric: MetricOfCounts) -> tuple[Floats, Floats]:
    """The units' own values times their weights, and the weights; 0 where a value is undefined."""
    values = metric(counts)
    weights = np.isfinite(values).astype(np.float64)
    if isinstance(metric, MetricOfColumns) and metric.weight is not None:
        weights = weights * counts[..., metric.weight]
    return np.where(weights > 0, values, 0) * weights, weights


def additive(
    counts: Floats, metric: MetricOfCounts, average: str
) -> tuple[Floats, Callable[[Floats], Floats]]:
    """What units add up to, (..., units, fields), and the estimate as a function of such sums.

    These are the counts that the metric needs and the metric itself, or, for `macro`, the units'
    weighted values and their weights, 1 or 0 where they are not weighted, and their mean.
    """
    if average == "macro":
        fields = np.stack(_values_and_weights(counts, metric), axis=-1)
        return fields, lambda sums: mean_of(sums[..., 0], sums[..., 1])
    if isinstance(metric, MetricOfColumns):
        return counts[..., metric.columns], metric.of_own
    return counts, metric


def _estimates(
    counts: Floats, metric: MetricOfCounts, average: str, weights: Floats, leaving_out: bool = False
) -> Floats:
    """Of resamples, (resamples, methods), or without one copy of each unit, (..., units, methods).

    A unit that was not drawn cannot be left out: its value means nothing, and its weight is 0.
    """
    fields, of_sums = additive(counts, metric, average)
    methods, units, number = fields.shape
    by_unit = fields.transpose(1, 0, 2)
    flat = np.ascontiguousarray(by_unit).reshape(units, methods * number)
    step = max(CHUNK_SIZE // (flat.size if leaving_out else methods * number), 1)
    chunks = []
    for start in range(0, len(weights), step):
        total = (weights[start : start + step] @ flat).reshape(-1, methods, number)
        if leaving_out:
            total = total[:, None] - by_unit
            if average == "micro":
                np.maximum(total, 0, out=total)
        chunks.append(of_sums(total))
    return np.concatenate(chunks)


class Resampled:
    """Methods over the units and over resamples of them, for intervals.

    `counts` are (methods, units, fields), `weights` as from `bootstrap_weights`. The attributes
    `values`, (methods,), and `resampled`, (resamples, methods), are the estimates.
    """

    def __init__(
        self, counts: Floats, metric: MetricOfCounts, average: str, weights: Floats
    ) -> None:
        self._counts, self._metric, self._average = counts, metric, average
        self._weights = weights
        self.values = estimate(counts, metric, average)
        self.resampled = estimate(counts, metric, average, weights)

    def interval(
        self, method: int, other: int | None = None, confidence: float = 0.95
    ) -> tuple[float, float] | tuple[None, None]:
        """Confidence interval of a method's value, or of its difference to another's.

        The bootstrap-t: quantiles of the resampled, studentized value, with the jackknife's
        standard error.

        Returns
        -------
        low, high : float
            Both None where the value is undefined. It may reach beyond the range of the metric. The
            value itself, twice, where all units are equal.

        Notes
        -----
        Alone, the bootstrap-t covers too rarely with some 8 units, and its tail is unknown where
        only one or two units differ. So it is widened to Student's interval with the jackknife's
        standard error. Where few units differ at all, no interval of few units covers enough.

        References
        ----------
        Efron and Tibshirani (1993), An Introduction to the Bootstrap, sections 11.1 and 12.5.
        """
        value, error, values, errors = self.contrast(method, other)
        if not math.isfinite(value):
            return None, None
        if not error > LEAST_ERROR:
            return value, value
        studentized, freedom = (values - value) / errors, self._weights.shape[1] - 1
        return studentized_interval(value, error, studentized, freedom, confidence)

    def p(self, method: int, other: int) -> float:
        """Whether two methods differ, two-sided, 0 to 1: where their `interval` touches 0.

        1 where the difference is undefined. Where all units differ alike, so that the interval has
        no width, that of all swaps of the units' counts: 2 of 2 ** units are as great.
        """
        value, error, values, errors = self.contrast(method, other)
        if not math.isfinite(value) or abs(value) <= LEAST_ERROR:
            return 1.0
        units = self._weights.shape[1]
        if not error > LEAST_ERROR:
            return float(2.0 ** (1 - units))
        return studentized_p(value / error, (values - value) / errors, units - 1)

    def contrast(self, method: int, other: int | None) -> tuple[float, float, Floats, Floats]:
        """A method's value, or its difference to another's, its standard error, and resampled both.

        Resamples without an error are left out.
        """

        def contrast(values: Floats) -> Floats:
            return values[..., method] - (0 if other is None else values[..., other])

        value, resampled = float(contrast(self.values)), contrast(self.resampled)
        units = self._weights.shape[1]
        once, resamples = self._left_out
        error = float(jackknife(contrast(once), np.ones((1, units)))[0])
        errors = jackknife(contrast(resamples), self._weights)
        usable = np.isfinite(resampled) & np.isfinite(errors) & (errors > LEAST_ERROR)
        return value, error, resampled[usable], errors[usable]

    @cached_property
    def _left_out(self) -> list[Floats]:
        """Estimates without one of the units, and without one copy of each in the resamples."""
        given = self._counts, self._metric, self._average
        every = np.ones((1, self._weights.shape[1]))
        return [_estimates(*given, weights, True) for weights in (every, self._weights)]


def studentized_interval(
    value: float, error: float, studentized: Floats, freedom: float, confidence: float
) -> tuple[float, float]:
    """Bootstrap-t interval, no narrower than Student's with the same error.

    Parameters
    ----------
    studentized : (resamples,) ndarray
        How far resamples are from the value, over their own errors; perhaps none.
    freedom : float
        Degrees of freedom of Student's.
    """
    from scipy.special import stdtrit

    tail = (1 - confidence) / 2
    least = float(stdtrit(freedom, tail))
    greatest = -least
    if studentized.size:
        quantiles = np.quantile(studentized, (tail, 1 - tail))
        least, greatest = min(least, quantiles[0]), max(greatest, quantiles[1])
    return float(value - greatest * error), float(value - least * error)


def studentized_p(statistic: float, studentized: Floats, freedom: float) -> float:
    """Two-sided p of a value over its error: where its `studentized_interval` touches 0."""
    from scipy.special import stdtr

    beyond = 2 * float(stdtr(freedom, -abs(statistic)))
    if studentized.size:
        is_greater = studentized >= statistic if statistic > 0 else studentized <= statistic
        beyond = max(beyond, 2 * float(is_greater.mean()))
    return min(beyond, 1.0)


def jackknife(left_out: Floats, weights: Floats) -> Floats:
    """Standard errors, (resamples,), from estimates without one of the drawn units."""
    units = weights.shape[1]
    left_out = np.where(weights > 0, left_out, 0)
    center = (weights * left_out).sum(axis=1, keepdims=True) / units
    squares = (weights * (left_out - center) ** 2).sum(axis=1)
    errors: Floats = np.sqrt((units - 1) / units * squares)
    return errors


def _expanded(tail: float, units: int) -> float:
    """The tail of percentiles that makes a mean's interval as wide as Student's."""
    from scipy.special import ndtr

    return float(ndtr(math.sqrt(units / (units - 1)) * _student(tail, units)))


def _student(tail: float, units: int) -> float:
    """Student's quantile for the mean of some units."""
    from scipy.special import stdtrit

    return float(stdtrit(units - 1, tail))


def learning_curve(
    counts: Floats,
    metric: MetricOfCounts,
    average: str,
    seed: int,
    resamples: int,
    now: float,
    sizes: Sequence[int] | None = None,
    confidence: float = 0.95,
) -> list[tuple[int, float]]:
    """How wide the interval would be with other numbers of units like these.

    Parameters
    ----------
    counts : (units, fields) ndarray
    seed, resamples : int
        Of the bootstrap, which draws so many units.
    now : float
        Width of the interval with the units that there are, which the others are scaled to.
    sizes : sequence of int, optional
        Numbers of units; from `MIN_UNITS` to four times as many as there are by default.

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

    def width(size: int) -> float:
        drawn = random.multinomial(size, np.full(units, 1 / units), resamples).astype(np.float64)
        resampled = estimate(counts[None], metric, average, drawn)[:, 0]
        tail = _expanded((1 - confidence) / 2, size)
        low, high = np.nanquantile(resampled, (tail, 1 - tail))
        return float(high - low)

    present = width(units)
    return [(size, width(size) * now / present) for size in sizes] if present > 0 else []
