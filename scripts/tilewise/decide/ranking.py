"""The methods in order of a metric, and each method's scores, over independent units."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.decide.choice import TIE
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import Splits
from tilewise.decide.evidence import Evidence, Rules
from tilewise.decide.resampling import (
    AVERAGES,
    Floats,
    MetricOfCounts,
    bootstrap_weights,
    estimate,
)
from tilewise.decide.significance import TESTS, holm, set_of_best, wilcoxon
from tilewise.decide.uncertainty import Uncertainty
from tilewise.score.formulas import METRICS
from tilewise.tables import EQUIVALENT, LITTLE_WORSE, UNKNOWN, UNTESTED, WORSE

Row = dict[str, Any]

RANKING = (
    *("metric", "rank", "method", "estimate", "value", "low", "high"),
    *("difference", "difference_low", "difference_high", "relation", "p", "p_adjusted", "pairs"),
    *("p_best", "indistinguishable", "first", "units", "unit", "guard", "note"),
)
"""Columns of the ranking; `guard` says how many tiles it left empty, in words."""
SCORES = (
    *("method", "estimate", "variant", "metric", "micro", "micro_low", "micro_high"),
    *("macro", "macro_low", "macro_high", "units", "unit", "note"),
)
"""Columns of the scores."""


def rank_methods(
    methods: Sequence[Evidence],
    metric: MetricOfCounts,
    rules: Rules,
    *,
    splits: Splits | None = None,
    chooser: MetricOfCounts | None = None,
) -> list[Row]:
    """The methods in order, and which of them cannot be told apart from the best.

    Parameters
    ----------
    metric : callable
        Of counts, (..., columns); the higher the better.
    rules : Rules
        A method leaves the set of the best where `p_best` is at most 1 - `confidence`; with fewer
        than `min_units` there are no intervals, and nothing is tested.
    splits, chooser
        Folds of the units, and the metric that chooses parameters, for methods that are held out.

    Returns
    -------
    list of dict
        The best first. `index` of the method; `rank`, the same for scores that are equal; `value`,
        `low`, `high`; `difference` of the best to it, with `difference_low` and `difference_high`;
        `relation` to the best, in words; `p` and `p_adjusted`, two-sided, for the number of all
        `pairs`; `p_best` as from `set_of_best`, one-sided; `first`, the share of resamples in which
        it comes first; `indistinguishable`: it is in the set of the best. None without units.
        Undefined methods come last, and have no p.

    Notes
    -----
    p values are adjusted by Holm's method over all pairs of methods, not only those with the best:
    which one is the best was learned from the same units. `relation` is `equivalent` where the
    interval of the difference with confidence 1 - 2 (1 - `confidence`) lies within the margin (two
    one-sided tests).
    """
    average = rules.average
    values = estimate(np.stack([one.counts for one in methods]), metric, average)
    is_defined = np.isfinite(values)
    rows = _in_order(values, is_defined)
    best = rows[0]["index"]
    if not rules.has_intervals or not is_defined[best]:
        return rows
    weights = bootstrap_weights(len(methods[0].counts), rules.resamples, rules.seed)
    sure = Uncertainty(methods, metric, average, weights, splits)
    first, known = sure.first_places(), np.flatnonzero(is_defined).tolist()
    p = _pairwise(methods, metric, rules, sure, known)
    adjusted = dict(zip(p, holm(list(p.values())), strict=True))
    own = [methods[i] for i in known]
    in_set = set_of_best(own, metric, average, rules.seed, splits=splits, chooser=chooser)
    p_best = dict(zip(known, in_set.tolist(), strict=True))
    for row in rows:
        i = row["index"]
        row["first"] = float(first[i])
        if not is_defined[i]:
            continue
        row["p_best"] = p_best[i]
        row["indistinguishable"] = i == best or p_best[i] > rules.alpha
        row["low"], row["high"] = sure.interval(i, confidence=rules.confidence)
        if i != best:
            pair = min(i, best), max(i, best)
            bounds = sure.interval(best, i, rules.confidence)
            row["difference_low"], row["difference_high"] = bounds
            row["p"], row["p_adjusted"], row["pairs"] = p[pair], float(adjusted[pair]), len(p)
            narrow = sure.interval(best, i, 1 - 2 * rules.alpha)
            row["relation"] = _relation(row, narrow, rules.margin)
    return rows


def _in_order(values: Floats, is_defined: NDArray[np.bool_]) -> list[Row]:
    """The methods, the best first; what resamples and tests say of them is not known yet."""
    order = np.argsort(np.where(is_defined, -values, np.inf), kind="stable").tolist()
    best, rank = order[0], 1
    rows: list[Row] = []
    for place, i in enumerate(order, 1):
        if rows and not abs(values[i] - values[rows[-1]["index"]]) <= TIE:
            rank = place
        rows.append(
            {
                **{"index": i, "rank": rank, "value": float(values[i])},
                "difference": float(values[best] - values[i]),
                **dict.fromkeys(("low", "high", "difference_low", "difference_high")),
                **dict.fromkeys(("p", "p_adjusted", "pairs", "p_best", "first")),
                "relation": "" if i == best else UNTESTED,
                "indistinguishable": None,
            }
        )
    return rows


def _pairwise(
    methods: Sequence[Evidence],
    metric: MetricOfCounts,
    rules: Rules,
    sure: Uncertainty,
    known: Sequence[int],
) -> dict[tuple[int, int], float]:
    """The p value of every pair of some methods, by their indices, the lower first."""
    if rules.test not in TESTS:
        raise ValueError(f"test is {rules.test!r}: choose one of {', '.join(TESTS)}")
    pairs = list(combinations(known, 2))
    if rules.test == "wilcoxon":
        values = [metric(one.counts) for one in methods]
        return {(i, k): wilcoxon(values[i] - values[k]) for i, k in pairs}
    return {(i, k): sure.p(i, k) for i, k in pairs}


def _relation(row: Row, narrow: tuple[float | None, float | None], margin: float) -> str:
    """Of a method to the best one; `narrow` is an interval of their difference."""
    if not row["indistinguishable"]:
        return WORSE if row["difference"] >= margin - TIE else LITTLE_WORSE
    low, high = narrow
    if low is not None and high is not None and -margin <= low and high <= margin:
        return EQUIVALENT
    return UNKNOWN


def rank_rows(
    evidence: Mapping[str, Evidence],
    columns: CountColumns,
    name: str,
    rules: Rules,
    splits: Splits,
    guard: Mapping[str, str],
) -> list[Row]:
    """The methods in order of the metric `name`, the best first, with the fields of `RANKING`.

    `guard` is the text of that column, by method.
    """
    methods, metric = list(evidence), columns.metric(name)
    places = rank_methods(
        list(evidence.values()),
        columns.merit(name),
        rules,
        splits=splits,
        chooser=columns.merit(rules.metric),
    )
    rows = []
    for place in places:
        method = methods[place["index"]]
        known = evidence[method]
        value = estimate(known.counts[None], metric, rules.average)[0]
        low, high = _bounds(name, place["low"], place["high"])
        fields = place | {
            **{"metric": name, "method": method},
            **{"estimate": known.estimate, "value": finite(value), "low": low, "high": high},
            "indistinguishable": "yes" if place["indistinguishable"] else "",
            **{"units": rules.units, "unit": rules.unit, "note": rules.note},
            "guard": guard[method],
        }
        if name != rules.metric:
            # the margin is one of the metric that decides
            fields["relation"] = ""
        rows.append({column: fields[column] for column in RANKING})
    return rows


def unit_rows(
    method: str, evidence: Evidence, units: Sequence[str], columns: CountColumns
) -> list[Row]:
    """The scores of a method on each unit, pooled over its tiles: `unit`, `method` and metrics.

    They are those that intervals and tests go by: held out, where parameters are chosen. None where
    a metric is undefined.
    """
    values = {name: columns.metric(name)(evidence.counts) for name in columns.metrics}
    return [
        {"unit": unit, "method": method, **{name: finite(own[i]) for name, own in values.items()}}
        for i, unit in enumerate(units)
    ]


def score_rows(
    method: str,
    known: Evidence,
    columns: CountColumns,
    rules: Rules,
    splits: Splits | None = None,
    kind: str = "",
) -> list[Row]:
    """A method's scores: a row per metric, with the fields of `SCORES`.

    `kind` is that of the estimate in words, where it is none of `Evidence.estimate`.
    """
    tuned = "tuned on these tiles" if known.estimate == "resubstitution" else ""
    note = "; ".join(filter(None, (tuned, rules.note)))
    rows = []
    for name in columns.metrics:
        metric = columns.metric(name)
        fields: Row = {"method": method, "estimate": kind or known.estimate}
        fields |= {"variant": known.variant, "metric": name}
        for average in AVERAGES:
            value = estimate(known.counts[None], metric, average)[0]
            low = high = None
            if rules.has_intervals:
                weights = bootstrap_weights(len(known.counts), rules.resamples, rules.seed)
                sure = Uncertainty([known], metric, average, weights, splits)
                low, high = sure.interval(0, confidence=rules.confidence)
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
