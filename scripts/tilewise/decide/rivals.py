"""Where the method that was decided on is worse than another that may be as good."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tilewise.doubts import Doubt
from tilewise.score.formulas import label_of

Row = Mapping[str, Any]

OTHER_METRICS = ("mcc", "f1", "cldice", "nsd", "object_f1")
"""Scores that weigh both kinds of error; precision against recall is a matter of taste."""
MARGINS = 3
"""By how many margins of the decision another metric has to differ."""
SHARE = 2 / 3
"""Of the units in which it has to, where there are enough for intervals."""
GREAT_LOSS = 0.05
"""Difference of the recall in a class of calibre that a warning is given for."""
LEAST_SHARE = 0.01
"""Of the true foreground that such a class has."""
THICK = 9
"""Pixels of calibre from which local thresholds hollow objects out."""


def rivals(decision: Row) -> list[str]:
    """Methods that may be as good as the one that was decided on.

    Those of the set of the best; and, as long as nothing was tested, those with fixed parameters
    that score above what is to be expected of it.
    """
    is_tested = any(row["p_best"] is not None for row in decision["others"])
    if is_tested:
        return [row["method"] for row in decision["others"] if row["indistinguishable"]]
    return [row["method"] for row in _fixed_above(decision)]


def _fixed_above(decision: Row) -> list[Row]:
    expected = decision["expected"]["value"]
    return [
        row
        for row in decision["others"]
        if row["estimate"] == "fixed"
        and None not in (expected, row["value"])
        and row["value"] > expected
    ]


def expected_doubts(decision: Row) -> list[Doubt]:
    """Methods without tuned parameters that score above what the tuned choice is worth."""
    own, expected = rivals(decision), decision["expected"]["value"]
    above = [row for row in _fixed_above(decision) if row["method"] in own]
    if decision["estimate"] == "fixed" or not above:
        return []
    label, method = label_of(decision["metric"]), decision["method"]
    scores = ", ".join(f"{row['method']} ({row['value']:.3f})" for row in above)
    several = len(above) > 1
    return [
        Doubt(
            "fixed_above",
            f"{scores} {'score' if several else 'scores'} above {expected:.3f}, the {label} to "
            f"expect of choosing {method}; none of {'their' if several else 'its'} parameters was "
            "tuned",
            f"{'one of them' if several else 'it'} may do as well on new samples: annotate more, "
            f"or write `apply: {above[0]['method']}` in the configuration",
        )
    ]


def metric_doubts(decision: Row, ranking: Sequence[Row], units: Sequence[Row]) -> list[Doubt]:
    """Other metrics by which a rival is clearly better.

    Parameters
    ----------
    ranking, units
        Rows of `ranking.RANKING`, and of each unit by each method, as from `ranking.unit_rows`.
    """
    method, known = decision["method"], rivals(decision)
    values = {(row["metric"], row["method"]): row["value"] for row in ranking}
    of_unit = {(row["unit"], row["method"]): row for row in units}
    names = list(dict.fromkeys(row["unit"] for row in units))
    has_intervals = decision["units"]["independent"] >= decision["units"]["needed"]
    said, better = [], []
    for metric in OTHER_METRICS:
        own = values.get((metric, method))
        each = {one: values.get((metric, one)) for one in known}
        scores = {one: float(value) for one, value in each.items() if value is not None}
        if metric == decision["metric"] or own is None or not scores:
            continue
        best = max(scores, key=lambda one: scores[one])
        higher = sum(
            _is_higher(of_unit[name, best][metric], of_unit[name, method][metric]) for name in names
        )
        is_consistent = not has_intervals or higher >= SHARE * len(names)
        if scores[best] - own >= MARGINS * decision["margin"] and is_consistent:
            said.append(
                f"its {label_of(metric)} is {own:.3f}, that of {best} {scores[best]:.3f}, which is "
                f"higher in {higher} of {len(names)} units"
            )
            better.append(best)
    if not said:
        return []
    return [
        Doubt(
            "worse_by_metric",
            f"{method} is not the best in everything: {'; '.join(said)}",
            f"look at both where they differ; if that matters more to you than "
            f"{label_of(decision['metric'])}, write `apply: {better[0]}` in the configuration",
        )
    ]


def _is_higher(value: float | None, other: float | None) -> bool:
    return value is not None and other is not None and value > other


def calibre_doubts(decision: Row, errors: Iterable[Mapping[str, str]]) -> list[Doubt]:
    """Classes of calibre of which a rival finds clearly more.

    `errors` are rows of `errors.tsv`, whose counts are in pixels and add up over samples.
    """
    method, known = decision["method"], rivals(decision)
    found: Counter[tuple[str, float, float]] = Counter()
    missed: Counter[tuple[str, float, float]] = Counter()
    for row in errors:
        if row["by"] == "calibre":
            key = row["method"], float(row["low"]), float(row["high"])
            found[key] += int(row["tp"])
            missed[key] += int(row["fn"])
    classes = sorted({(low, high) for name, low, high in found if name == method})
    pixels = {one: found[method, *one] + missed[method, *one] for one in classes}
    said, better, is_thick = [], [], False
    for one in classes:
        if not pixels[one] or pixels[one] < LEAST_SHARE * sum(pixels.values()):
            continue
        recalls = {
            name: found[name, *one] / (found[name, *one] + missed[name, *one])
            for name in (method, *known)
            if found[name, *one] + missed[name, *one]
        }
        best = max(recalls, key=lambda name: recalls[name])
        if recalls[best] - recalls[method] >= GREAT_LOSS:
            said.append(
                f"of what is {_width(*one)} px wide {method} finds {recalls[method]:.0%}, {best} "
                f"{recalls[best]:.0%}"
            )
            better.append(best)
            is_thick = one[0] >= THICK
    if not said:
        return []
    mend = "fill holes of the mask (`cleanup: [fill_holes]`) or " if is_thick else ""
    return [
        Doubt(
            "worse_by_calibre",
            "; ".join(said),
            f"look at such places; if they matter to you, {mend}write `apply: {better[0]}` in the "
            "configuration",
        )
    ]


def _width(low: float, high: float) -> str:
    if math.isinf(high):
        return f"{low:g} or more"
    return f"less than {high:g}" if low == 0 else f"{low:g} to {high:g}"
