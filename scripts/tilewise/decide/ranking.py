"""The methods in order of a metric, and each method's scores, over independent units."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.decide.count_columns import CountColumns
from tilewise.decide.evidence import Evidence, Rules
from tilewise.decide.resampling import (
    AVERAGES,
    MIN_UNITS,
    Floats,
    MetricOfCounts,
    Resampled,
    bootstrap_weights,
    estimate,
)
from tilewise.decide.significance import holm, pairwise, set_of_best
from tilewise.score.formulas import METRICS

Row = dict[str, Any]

RANKING = (
    *("metric", "rank", "method", "estimate", "value", "low", "high"),
    *("difference", "difference_low", "difference_high", "p", "p_adjusted", "pairs"),
    *("p_best", "indistinguishable", "first", "units", "unit", "guard", "note"),
)
"""Columns of the ranking; `guard` says how many tiles it left empty, in words."""
SCORES = (
    *("method", "estimate", "variant", "metric", "micro", "micro_low", "micro_high"),
    *("macro", "macro_low", "macro_high", "units", "unit", "note"),
)
"""Columns of the scores."""


def rank_methods(
    counts: Floats,
    metric: MetricOfCounts,
    average: str,
    *,
    seed: int,
    resamples: int = 2000,
    test: str = "sign_flip",
    alpha: float = 0.05,
    min_units: float = MIN_UNITS,
) -> list[Row]:
    """The methods in order, and which of them cannot be told apart from the best.

    Parameters
    ----------
    counts : (methods, units, columns) ndarray
    metric : callable
        The higher the better.
    seed, resamples : int
        Of the bootstrap and of the tests.
    alpha : float
        A method leaves the set of the best where `p_best` is at most alpha; intervals have
        confidence 1 - alpha.
    min_units : int
        With fewer units there are no intervals and no method is called different.

    Returns
    -------
    list of dict
        The best first. `index` of the method; `value`, `low`, `high`; `difference` of the best to
        it, with `difference_low` and `difference_high`; `p` and `p_adjusted`, two-sided, for the
        number of all `pairs`; `p_best` as from `set_of_best`, one-sided; `first`, the share of
        resamples in which it comes first; `indistinguishable`: it is in the set of the best. None
        without units. Undefined methods come last, and have no p.

    Notes
    -----
    p values are adjusted by Holm's method over all pairs of methods, not only those with the best:
    which one is the best was learned from the same units. So with n units and the exact
    `sign_flip`, none is below `alpha` unless 2 / 2**n times the number of pairs is: with 2, 3, 4,
    6, 10 methods, at 0.05, from 6, 7, 8, 10, 11 units on. The set of the best is not so timid.
    """
    values = estimate(counts, metric, average)
    is_defined = np.isfinite(values)
    rows = _in_order(values, is_defined)
    best, units = rows[0]["index"], counts.shape[1]
    if units < min_units or not is_defined[best]:
        return rows
    drawn = Resampled(counts, metric, average, bootstrap_weights(units, resamples, seed))
    first = _first_places(drawn.resampled)
    known = np.flatnonzero(is_defined).tolist()
    p = pairwise(counts, metric, average, test, seed, known)
    in_set = set_of_best(counts[known], metric, average, seed).tolist()
    p_best = dict(zip(known, in_set, strict=True))
    adjusted = dict(zip(p, holm(list(p.values())), strict=True))
    for row in rows:
        i = row["index"]
        row["first"] = float(first[i])
        if is_defined[i]:
            row["p_best"] = p_best[i]
            row["indistinguishable"] = i == best or p_best[i] > alpha
            row["low"], row["high"] = drawn.interval(i, confidence=1 - alpha)
        pair = min(i, best), max(i, best)
        if pair in p:
            bounds = drawn.interval(best, i, 1 - alpha)
            row["difference_low"], row["difference_high"] = bounds
            row["p"], row["p_adjusted"], row["pairs"] = p[pair], float(adjusted[pair]), len(p)
    return rows


def _in_order(values: Floats, is_defined: NDArray[np.bool_]) -> list[Row]:
    """The methods, the best first; what resamples and tests say of them is not known yet."""
    order = np.argsort(np.where(is_defined, -values, np.inf), kind="stable").tolist()
    best = order[0]
    return [
        {
            **{"index": i, "value": float(values[i])},
            "difference": float(values[best] - values[i]),
            **dict.fromkeys(("low", "high", "difference_low", "difference_high")),
            **dict.fromkeys(("p", "p_adjusted", "pairs", "p_best", "first")),
            "indistinguishable": bool(is_defined[i] or not is_defined[best]),
        }
        for i in order
    ]


def _first_places(resampled: Floats) -> Floats:
    """How often each method comes first; ties share."""
    values = np.where(np.isfinite(resampled), resampled, -np.inf)
    is_first = values == values.max(axis=1, keepdims=True)
    shares: Floats = (is_first / is_first.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def rank_rows(
    evidence: Mapping[str, Evidence],
    columns: CountColumns,
    name: str,
    rules: Rules,
    guard: Mapping[str, str],
) -> list[Row]:
    """The methods in order of the metric `name`, the best first, with the fields of `RANKING`.

    `guard` is the text of that column, by method.
    """
    methods, metric = list(evidence), columns.metric(name)
    places = rank_methods(
        np.stack([known.counts for known in evidence.values()]),
        columns.merit(name),
        rules.average,
        seed=rules.seed,
        resamples=rules.resamples,
        test=rules.test,
        alpha=1 - rules.confidence,
        min_units=rules.min_units if rules.has_intervals else np.inf,
    )
    rows = []
    for rank, place in enumerate(places, 1):
        method = methods[place["index"]]
        known = evidence[method]
        value = estimate(known.counts[None], metric, rules.average)[0]
        low, high = _bounds(name, place["low"], place["high"])
        fields = place | {
            **{"metric": name, "rank": rank, "method": method},
            **{"estimate": known.estimate, "value": finite(value), "low": low, "high": high},
            "indistinguishable": "yes" if place["indistinguishable"] else "",
            **{"units": rules.units, "unit": rules.unit, "note": rules.note},
            "guard": guard[method],
        }
        rows.append({column: fields[column] for column in RANKING})
    return rows


def score_rows(
    method: str, kind: str, counts: Floats, columns: CountColumns, rules: Rules, variant: str = ""
) -> list[Row]:
    """A method's scores: a row per metric, with the fields of `SCORES`.

    `kind` is that of the estimate, as `Evidence.estimate`, or in words; `counts` are (units,
    columns).
    """
    tuned = "tuned on these tiles" if kind == "resubstitution" else ""
    note = "; ".join(filter(None, (tuned, rules.note)))
    rows = []
    for name in columns.metrics:
        metric = columns.metric(name)
        fields: Row = {"method": method, "estimate": kind, "variant": variant, "metric": name}
        for average in AVERAGES:
            value = estimate(counts[None], metric, average)[0]
            low = high = None
            if rules.has_intervals:
                weights = bootstrap_weights(len(counts), rules.resamples, rules.seed)
                drawn = Resampled(counts[None], metric, average, weights)
                low, high = drawn.interval(0, confidence=rules.confidence)
                if low is not None and high is not None:
                    low, high = METRICS[name].clip(low, high)
            fields |= {average: finite(value), f"{average}_low": low, f"{average}_high": high}
        rows.append({**fields, "units": rules.units, "unit": rules.unit, "note": note})
    return rows


def _bounds(
    name: str, low: float | None, high: float | None
) -> tuple[float, float] | tuple[None, None]:
    """The interval of a metric, from that of its merit."""
    metric = METRICS[name]
    if low is None or high is None or metric.direction == 0:
        return None, None
    return metric.clip(low, high) if metric.direction == 1 else metric.clip(-high, -low)


def finite(value: float) -> float | None:
    """A number; None if it is not finite."""
    return float(value) if np.isfinite(value) else None
