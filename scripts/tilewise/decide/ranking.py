"""Which method to trust: ranking, verdict and what speaks for them, by independent unit."""

from dataclasses import dataclass

import numpy as np

from tilewise.decide import inference
from tilewise.decide.counts import direction, merit

ANEW = "(chosen anew in each fold)"
"""Stands for choosing the method too without the units that it is then scored on."""
RANKING = (
    *("metric", "rank", "method", "estimate", "value", "low", "high"),
    *("difference", "difference_low", "difference_high", "p", "p_adjusted", "indistinguishable"),
    *("first", "units", "unit", "note"),
)
"""Columns of the ranking."""
SCORES = (
    *("method", "estimate", "variant", "metric", "micro", "micro_low", "micro_high"),
    *("macro", "macro_low", "macro_high", "units", "unit", "note"),
)
"""Columns of the scores."""


@dataclass(frozen=True)
class Evidence:
    """What is known of a method.

    Parameters
    ----------
    estimate : {"fixed", "held out", "resubstitution"}
        Whether no parameter was chosen on annotated tiles; whether they were chosen on others than
        those that are scored; or on the same.
    counts : (units, fields) ndarray
    variant : str
        The parameters that all units choose; empty where there are none to choose.
    training : dict of int to (units, fields) ndarray
        Counts of the units outside of a fold, by what those units choose.
    resubstitution : (units, fields) ndarray or None
        Counts by the variant, where it was chosen.
    """

    estimate: str
    counts: np.ndarray
    variant: str = ""
    training: dict | None = None
    resubstitution: np.ndarray | None = None


@dataclass(frozen=True)
class Rules:
    """How methods are compared: the configuration's `decision`, and what the units are."""

    average: str
    level: float
    min_units: int
    resamples: int
    seed: int
    test: str
    unit: str
    units: int
    """Independent ones."""

    @property
    def has_intervals(self):
        """Whether there are enough independent units."""
        return self.units >= self.min_units

    @property
    def note(self):
        """Why there is no interval."""
        if self.has_intervals:
            return ""
        what = f"{self.units} independent unit{'s' if self.units > 1 else ''} ({self.unit})"
        return f"no interval: {what}, {self.min_units} are needed"


def rank(evidence, merit_of, name, rules):
    """The methods in order of a metric.

    Parameters
    ----------
    evidence : dict of str to Evidence
        By method.
    merit_of : Counts
    name : str
        A metric.
    rules : Rules

    Returns
    -------
    list of dict
        Fields of `RANKING`, the best first.
    """
    names = list(evidence)
    metric = merit_of.metric(name)
    table = inference.rank(
        np.stack([found.counts for found in evidence.values()]),
        lambda counts: merit(name, metric(counts)),
        rules.average,
        seed=rules.seed,
        resamples=rules.resamples,
        test=rules.test,
        alpha=1 - rules.level,
        min_units=rules.min_units if rules.has_intervals else np.inf,
    )
    rows = []
    for place, found in enumerate(table, 1):
        method = names[found["index"]]
        counts = evidence[method].counts[None]
        value = float(inference.estimate(counts, metric, rules.average)[0])
        bounds = _bounds(name, found["low"], found["high"])
        rows.append(
            {
                **{"metric": name, "rank": place, "method": method},
                **{"estimate": evidence[method].estimate, "value": _number(value)},
                **{"low": bounds[0], "high": bounds[1]},
                **{
                    key: found[key]
                    for key in RANKING
                    if key in found and key not in ("low", "high", "value")
                },
                "indistinguishable": "yes" if found["indistinguishable"] else "",
                **{"units": rules.units, "unit": rules.unit, "note": rules.note},
            }
        )
    return rows


def score(method, estimate, counts, merit_of, rules, variant=""):
    """A method's scores by all metrics.

    Returns
    -------
    list of dict
        Fields of `SCORES`, a row per metric.
    """
    rows = []
    draws = None
    if rules.has_intervals:
        draws = inference.weights(len(counts), rules.resamples, rules.seed)
    for name in merit_of.metrics:
        fields = {"method": method, "estimate": estimate, "variant": variant, "metric": name}
        for average in ("micro", "macro"):
            metric = merit_of.metric(name)
            value = float(inference.estimate(counts[None], metric, average)[0])
            low = high = None
            if draws is not None:
                drawn = inference.Resampled(counts[None], metric, average, draws)
                low, high = within(name, *drawn.interval(0, level=rules.level))
            fields |= {average: _number(value), f"{average}_low": low, f"{average}_high": high}
        note = rules.note
        if estimate == "resubstitution":
            note = "; ".join(filter(None, ("tuned on these tiles", note)))
        rows.append({**fields, "units": rules.units, "unit": rules.unit, "note": note})
    return rows


def chosen_anew(evidence, merit_of, name, fold_of, rules):
    """What deciding on the best method gives on units that have no part in it.

    Parameters
    ----------
    evidence, merit_of, name, rules
        As for `rank`.
    fold_of : (units,) int ndarray

    Returns
    -------
    counts : (units, fields) ndarray
        Each unit's by the method that is best on the other folds.
    chosen : list of str
        That method, by fold.
    """
    methods = list(evidence)
    metric = merit_of.metric(name)
    counts = np.zeros_like(next(iter(evidence.values())).counts)
    chosen = []
    for fold in range(fold_of.max() + 1):
        out = fold_of == fold
        training = [
            found.training[fold] if found.training else np.where(out[:, None], 0, found.counts)
            for found in evidence.values()
        ]
        values = merit(name, inference.estimate(np.stack(training)[:, ~out], metric, rules.average))
        best = inference.best_of(values)
        chosen.append(methods[best])
        counts[out] = evidence[methods[best]].counts[out]
    return counts, chosen


def verdict(ranking, rules):
    """What the ranking allows to say.

    Parameters
    ----------
    ranking : list of dict
        As from `rank`, by the metric that decides.
    rules : Rules

    Returns
    -------
    str
    """
    best, others = ranking[0], ranking[1:]
    equals = [row["method"] for row in others if row["indistinguishable"]]
    if not others:
        return f"{best['method']} is the only method: there is nothing to compare it with."
    if not rules.has_intervals:
        return (
            f"Cannot tell with this much truth: {rules.units} independent "
            f"unit{'s' if rules.units != 1 else ''} ({rules.unit}), at least {rules.min_units} are "
            f"needed. {best['method']} has the highest {best['metric']} here."
        )
    if len(equals) == len(others):
        return (
            f"Cannot tell with this much truth: no method can be told apart from {best['method']}, "
            f"which has the highest {best['metric']}."
        )
    if equals:
        return f"{best['method']} comes first, but cannot be told apart from {', '.join(equals)}."
    return f"{best['method']} is better than every other method."


def worst_tiles(rows, flags, metric, number=10):
    """The tiles with the lowest scores.

    Parameters
    ----------
    rows : list of dict of str to str
        Rows of tiles by one method.
    flags : dict of (str, str) to str
        Flags of quality by sample and tile.
    metric : str
    number : int

    Returns
    -------
    list of dict
        `sample`, `tile`, the metric, `fp`, `fn` in pixels and `flags`.
    """
    scored = [row for row in rows if row.get(metric)]
    scored.sort(key=lambda row: merit(metric, float(row[metric])))
    return [
        {
            **{"sample": row["sample"], "tile": row["tile"], metric: float(row[metric])},
            **{"fp": int(row["fp"]), "fn": int(row["fn"]), "edge": row["edge"]},
            "flags": flags.get((row["sample"], row["tile"]), ""),
        }
        for row in scored[:number]
    ]


def describe(decision):
    """A decision as text for people, Markdown.

    Parameters
    ----------
    decision : dict
        What `decision.json` holds.

    Returns
    -------
    str
    """
    metric = decision["metric"]
    lines = ["# Decision", "", f"**{decision['verdict']}**", ""]
    lines.append(
        f"- Method: `{decision['method']}`"
        + (f", parameters `{decision['variant']}`" if decision["variant"] else "")
    )
    lines.append(
        f"- {metric} ({decision['average']}, {decision['estimate']}): {_with_interval(decision)}"
    )
    if decision["anew"]:
        lines.append(
            f"- {metric} of deciding anew without the units that are scored: "
            f"{_three(decision['anew']['value'])}"
        )
    units = decision["units"]
    lines.append(f"- Independent units: {units['independent']} ({units['unit']})")
    if decision["estimate"] == "resubstitution":
        lines.append(
            "- The score is on the tiles that its parameters were chosen on: it is too high."
        )
    for row in decision["runners_up"]:
        text = f"- Cannot be told apart: `{row['method']}`, {metric} {_three(row['value'])}"
        if row["p_adjusted"] is not None:
            text += f", p {_three(row['p_adjusted'])}, first in {row['first']:.0%} of resamples"
        lines.append(text)
    if decision["left_out"]:
        names = ", ".join(decision["left_out"])
        lines.append(f"- Not ranked, since not run on all samples: {names}")
    if decision["excluded"]:
        lines.append(f"- Tiles excluded by their quality: {decision['excluded']}")
    if decision["learning_curve"]:
        lines += [
            "",
            "## What more annotation would buy",
            "",
            "| units | width of the interval |",
            "| ---: | ---: |",
        ]
        lines += [f"| {row['units']} | {row['width']:.3f} |" for row in decision["learning_curve"]]
    if decision["worst"]:
        lines += ["", "## Worst tiles", "", f"| sample | tile | {metric} | FP px | FN px | flags |"]
        lines.append("| --- | --- | ---: | ---: | ---: | --- |")
        lines += [
            f"| {row['sample']} | {row['tile']} | {row[metric]:.3f} | {row['fp']} | {row['fn']} "
            f"| {row['flags'].replace(';', ', ')} |"
            for row in decision["worst"]
        ]
    return "\n".join([*lines, ""])


def _with_interval(decision):
    text = _three(decision["value"])
    if decision["low"] is None:
        return f"{text} ({decision['note']})"
    return (
        f"{text}, {decision['level']:.0%} interval {decision['low']:.3f} to {decision['high']:.3f}"
    )


def _three(value):
    return "undefined" if value is None else f"{value:.3f}"


def _bounds(name, low, high):
    """The interval of a metric, from that of its merit."""
    if low is None or direction(name) == 0:
        return None, None
    return within(name, low, high) if direction(name) == 1 else within(name, -high, -low)


def within(name, low, high):
    """An interval cut at the range of its metric: no interval loses coverage by it."""
    if low is None or direction(name) == 0:
        return low, high
    least = -1.0 if name == "mcc" else 0.0
    most = np.inf if direction(name) == -1 else 1.0
    return max(low, least), min(high, most)


def _number(value):
    return float(value) if np.isfinite(value) else None
