"""What stands beside a decision: how sure it is, and what would make it surer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import Splits
from tilewise.decide.evidence import Evidence, Rules
from tilewise.decide.planning import (
    POWER,
    kendall_tau,
    rank_frequencies,
    units_to_tell_apart,
)
from tilewise.decide.ranking import Row, finite, rank_methods
from tilewise.decide.resampling import bootstrap_weights, estimate, learning_curve
from tilewise.decide.uncertainty import Uncertainty
from tilewise.tables import UNKNOWN

STEP = 10
"""Of resamples, every such is planned with: two quantiles need no more."""
WITHIN = {
    "block": ("this tile", "blocks"),
    "near": ("these tiles", "tiles"),
    "part": ("this unit", "parts"),
}
"""What is cut where there is a single unit, and in what, by the kind of unit."""


def expected_widths(
    own: Evidence, columns: CountColumns, rules: Rules, splits: Splits
) -> list[Row]:
    """The expected width of a method's interval, by number of units."""
    if not rules.has_intervals:
        return []
    metric = columns.metric(rules.metric)
    weights = bootstrap_weights(len(own.counts), rules.resamples, rules.seed)
    sure = Uncertainty([own], metric, rules.average, weights, splits)
    low, high = sure.interval(0, confidence=rules.confidence)
    if low is None or high is None:
        return []
    drawn, confidence = (rules.seed, rules.resamples), rules.confidence
    given = own.counts, metric, rules.average, *drawn, high - low
    curve = learning_curve(*given, confidence=confidence)
    return [{"units": size, "width": width} for size, width in curve]


def planned(
    known: Mapping[str, Evidence],
    decisive: Sequence[Row],
    columns: CountColumns,
    rules: Rules,
    splits: Splits,
) -> dict[str, Any] | None:
    """How many units would tell the two leading methods apart; None where they are.

    `low` and `high` hold 80 % of what resamples say; None is more than `planning.MOST_UNITS`.
    """
    if not rules.has_intervals or len(decisive) < 2 or decisive[1]["relation"] != UNKNOWN:
        return None
    first, second = (row["method"] for row in decisive[:2])
    methods = [known[first], known[second]]
    weights = bootstrap_weights(len(methods[0].counts), rules.resamples, rules.seed)
    merit, average = columns.merit(rules.metric), rules.average
    sure = Uncertainty(methods, merit, average, weights, splits)
    value, error, values, errors = sure.contrast(0, 1)
    numbers = [
        units_to_tell_apart(*pair, rules.units, rules.alpha)
        for pair in zip([value, *values[::STEP]], [error, *errors[::STEP]], strict=True)
    ]
    least, most = (
        np.quantile(numbers[1:], (0.1, 0.9), method="higher") if numbers[1:] else 2 * [np.inf]
    )
    return {
        **{"methods": [first, second], "power": POWER, "units": finite(numbers[0])},
        **{"low": finite(least), "high": finite(most)},
    }


def shares_of_ranks(
    known: Mapping[str, Evidence], columns: CountColumns, rules: Rules
) -> dict[str, list[float]]:
    """How often each method has each rank under the bootstrap; empty without intervals."""
    if not rules.has_intervals:
        return {}
    counts = np.stack([own.counts for own in known.values()])
    weights = bootstrap_weights(counts.shape[1], rules.resamples, rules.seed)
    resampled = estimate(counts, columns.merit(rules.metric), rules.average, weights)
    return dict(zip(known, rank_frequencies(resampled).tolist(), strict=True))


def orders_alike(ranking: Sequence[Row], rules: Rules) -> dict[str, float]:
    """How alike other metrics order the methods (Kendall's tau), where they order any."""
    ranks: dict[str, dict[str, int]] = {}
    for row in ranking:
        ranks.setdefault(row["metric"], {})[row["method"]] = row["rank"]
    own = ranks.pop(rules.metric)
    taus = {
        name: kendall_tau([own[method] for method in own], [others[method] for method in own])
        for name, others in ranks.items()
    }
    return {name: tau for name, tau in taus.items() if tau is not None}


def within_units(
    known: Mapping[str, Evidence],
    decisive: Sequence[Row],
    columns: CountColumns,
    rules: Rules,
    kind: str,
) -> list[Row]:
    """How the method with the highest score does beside the others in the parts there are.

    Where these are too few, or too near, to speak of other samples; empty elsewhere.
    """
    best, merit = decisive[0]["method"], columns.merit(rules.metric)
    parts = len(known[best].counts)
    if rules.has_intervals or parts < 2:
        return []
    within, part = WITHIN.get(kind, ("these units", "units"))
    own = replace(rules, units=parts if kind in WITHIN else rules.units)
    order = list(known)
    rows = rank_methods([replace(one, estimate="fixed") for one in known.values()], merit, own)
    values = {method: merit(one.counts) for method, one in known.items()}
    return [
        {
            **{"best": best, "method": order[row["index"]], "parts": parts},
            "better": int(np.count_nonzero(values[best] > values[order[row["index"]]])),
            **{"difference": finite(row["difference"])},
            **{"low": row["difference_low"], "high": row["difference_high"]},
            **{"within": within, "part": part},
        }
        for row in rows
        if order[row["index"]] != best
    ]
