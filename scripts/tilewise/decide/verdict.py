"""What the evidence allows to say: the verdict, the worst tiles, and the decision as text."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tilewise.decide.evidence import Rules
from tilewise.decide.planning import MOST_UNITS
from tilewise.score.formulas import METRICS, label_of
from tilewise.tables import EQUIVALENT, LITTLE_WORSE, SLIVER, UNKNOWN, WORSE
from tilewise.unit_words import counted, described

Row = dict[str, Any]

OTHERS = "others"
WHICH = {
    "sample": ": other samples, since further tiles of the same ones are no new units",
    **dict.fromkeys(
        ("plane", "tile", "cell"), ": other samples, or places far from those that are annotated"
    ),
    OTHERS: ": other samples or, if there are none, planes or places far from what is annotated",
}
"""What counts as further units, by what units are."""


def verdict(ranking: Sequence[Row], applied: str, rules: Rules) -> str:
    """What a ranking by the metric that decides allows to say; `applied` is the method to use."""
    best, others = ranking[0], ranking[1:]
    label = label_of(best["metric"])
    if not others:
        return f"{applied} is the only method: there is nothing to compare it with."
    if not rules.has_intervals:
        return (
            f"Cannot tell with this much truth: {rules.described_units}, at least "
            f"{rules.min_units} are needed. {best['method']} has the highest {label} here."
        )
    names = {
        relation: [row["method"] for row in others if row["relation"] == relation]
        for relation in (WORSE, LITTLE_WORSE, EQUIVALENT, UNKNOWN)
    }
    if names[UNKNOWN]:
        if len(names[UNKNOWN]) == len(others):
            text = (
                "Cannot tell with this much truth: no method can be told apart from "
                f"{best['method']}, which has the highest {label}."
            )
        else:
            text = (
                f"{best['method']} has the highest {label}, but cannot be told apart from "
                f"{', '.join(names[UNKNOWN])}."
            )
        if names[EQUIVALENT]:
            text += f" {_equivalent(best, names[EQUIVALENT], rules.margin)}"
    elif names[EQUIVALENT]:
        text = _equivalent(best, names[EQUIVALENT], rules.margin)
        if len(names[EQUIVALENT]) < len(others):
            text += f" {best['method']} is better than all others."
    else:
        text = f"{best['method']} is better than every other method"
        little = names[LITTLE_WORSE]
        text += f", than {', '.join(little)} by less than {rules.margin:g}." if little else "."
    if applied != best["method"]:
        text += (
            f" {applied} is used: of those that may be the best and score within {rules.margin:g} "
            "of the highest, it is the simplest."
        )
    return text


def _equivalent(best: Row, names: Sequence[str], margin: float) -> str:
    verb = "are" if len(names) > 1 else "is"
    return (
        f"{', '.join(names)} {verb} equivalent to {best['method']}: {label_of(best['metric'])} "
        f"differs by less than {margin:g}."
    )


def worst_tiles(
    tiles: Any,
    flags: Mapping[tuple[str, str], str],
    metric: str,
    number: int = 10,
) -> list[Row]:
    """The tiles with the lowest scores by one method, slivers left out.

    `tiles` is a `pandas.DataFrame` of them. `fp` and `fn` are in pixels; `flags` are those of
    quality, by sample and tile.
    """
    if metric not in tiles:
        return []
    scored = tiles[tiles[metric].notna() & (tiles["edge"] != SLIVER)]
    merits = METRICS[metric].merit(scored[metric].to_numpy())
    scored = scored.iloc[np.argsort(merits, kind="stable")[:number]]
    return [
        {
            **{"sample": row["sample"], "tile": row["tile"], metric: float(row[metric])},
            **{"fp": int(row["fp"]), "fn": int(row["fn"]), "edge": row["edge"]},
            "flags": flags.get((row["sample"], row["tile"]), ""),
        }
        for row in scored.to_dict("records")
    ]


def describe(decision: Mapping[str, Any]) -> str:
    """A decision, as `decision.json` holds it, as text for people, in Markdown."""
    metric, units = decision["metric"], decision["units"]
    use, *sentences = decision["opening"]
    lines = ["# Decision", "", " ".join([f"**{use}**", *sentences]), ""]
    variant = f", parameters `{decision['variant']}`" if decision["variant"] else ""
    lines.append(f"- Method: `{decision['method']}`{variant}")
    label = f" ({decision['label']})" if decision["label"] else ""
    score = f"its own {metric}, {decision['average']}, {decision['estimate']}{label}"
    lines.append(f"- {score[0].upper()}{score[1:]}: {_with_interval(decision)}")
    if decision["guard"]:
        lines.append(f"- {decision['guard']}")
    lines.append(f"- Independent units: {units['independent']} ({units['unit']})")
    if "effective" in units:
        lines.append(
            f"- Neighbouring units have a correlation of {units['correlation']:.2f}, as if there "
            f"were {units['effective']:.0f}: a rough guess, which no test uses"
        )
    if decision["low"] is not None:
        lines.append("- How intervals are computed: docs/validation.md, *Intervals*")
    if decision["estimate"] == "resubstitution":
        lines.append(
            "- The score is on the tiles that its parameters were chosen on: it is too high."
        )
    if decision["left_out"]:
        lines.append(
            f"- Not ranked, since not run on all samples: {', '.join(decision['left_out'])}"
        )
    if decision["excluded"]:
        lines.append(f"- Tiles excluded by their quality: {decision['excluded']}")
    if decision["seeds"]:
        text = ", ".join(f"{name} {count}" for name, count in decision["seeds"].items())
        lines.append(
            f"- Used with {sum(decision['seeds'].values())} seeds of folds and flips: {text}"
        )
    if decision["metrics"]:
        text = ", ".join(f"{name} {tau:.2f}" for name, tau in decision["metrics"].items())
        lines.append(f"- How alike other metrics order the methods (Kendall's tau): {text}")
    lines += [*_others(decision), *_within(decision["within"], metric)]
    if decision["warnings"]:
        lines += ["", "## What could mislead", ""]
        lines += [f"- {row['message']}; {row['remedy']}" for row in decision["warnings"]]
    tables = (*_learning_curve(decision["learning_curve"]), *_worst(decision["worst"], metric))
    return "\n".join([*lines, *tables, ""])


def opening(decision: Mapping[str, Any]) -> list[str]:
    """The decision in sentences: what to use, how good it is, how sure that is, and what next."""
    metric, expected = label_of(decision["metric"]), decision["expected"]
    variant = f" with {decision['variant']}" if decision["variant"] else ""
    sentences = [f"Use {decision['method']}{variant}."]
    value = _three(expected["value"])
    if expected["low"] is not None:
        sentences.append(
            f"On new samples like these, expect {metric} {value} "
            f"({decision['confidence']:.0%} interval {expected['low']:.3f} to "
            f"{expected['high']:.3f}): {expected['what']}."
        )
    else:
        sentences.append(
            f"{_here(decision, metric)} What that says of other samples cannot be told from "
            f"{described(decision['units'])}."
        )
    sentences.append(decision["verdict"])
    return [*sentences, *decision["next"]]


def _here(decision: Mapping[str, Any], metric: str) -> str:
    """The score of the method, and what is to be expected of having chosen it by that score."""
    expected, own = decision["expected"], _three(decision["value"])
    value = _three(expected["value"])
    if value == own:
        return f"It has {metric} {own} on these tiles: {expected['what']}."
    return f"It has {metric} {own} on these tiles; expect {value}, {expected['what']}."


def advice(curve: Sequence[Row], plan: Mapping[str, Any] | None, rules: Rules) -> list[str]:
    """What would make a decision surer, in sentences."""
    if not rules.has_intervals:
        more = counted(rules.min_units - rules.units, "unit", "more independent")
        return [f"Annotate at least {more}{WHICH.get(rules.unit, WHICH[OTHERS])}."]
    sentences = []
    if plan:
        number = _number(plan["units"])
        sentences.append(
            f"To tell {' and '.join(plan['methods'])} apart, {number} units like these would be "
            f"needed (power {plan['power']:.0%}; in resamples {_number(plan['low'])} to "
            f"{_number(plan['high'])})."
        )
    now = [row for row in curve if row["units"] == rules.units]
    more_rows = [row for row in curve if row["units"] >= 2 * rules.units]
    if now and more_rows:
        sentences.append(
            f"With {more_rows[0]['units']} units instead of {rules.units}, the interval of the "
            f"score would be about {more_rows[0]['width']:.3f} wide instead of "
            f"{now[0]['width']:.3f}."
        )
    return sentences


def _number(units: float | None) -> str:
    return f"over {MOST_UNITS:,}" if units is None else f"{units:.0f}"


def _others(decision: Mapping[str, Any]) -> list[str]:
    if not decision["others"]:
        return []
    metric = decision["metric"]
    head = ["", "## The other methods", ""]
    head.append(f"| method | {metric} | less than the highest by | relation to it | p | first |")
    head.append("| --- | ---: | ---: | --- | ---: | ---: |")
    rows = []
    for row in decision["others"]:
        difference = _three(row["difference"])
        if row["difference_low"] is not None:
            difference += f" ({row['difference_low']:.3f} to {row['difference_high']:.3f})"
        relation = row["relation"] or "the highest"
        p, first = row["p_best"], row["first"]
        known = (
            f"`{row['method']}`",
            _three(row["value"]),
            difference,
            "; ".join(filter(None, (relation, row["guard"]))),
            "" if p is None else _three(p),
            "" if first is None else f"{first:.0%}",
        )
        rows.append(f"| {' | '.join(known)} |")
    text = []
    if any(row["p_best"] is not None for row in decision["others"]):
        text = [
            "",
            "p is one-sided, of being the best: at most "
            f"{1 - decision['confidence']:.2g} is not in the set of the best "
            "(docs/validation.md, *The set of the best*). *First* is the share of resamples in "
            "which a method has the highest score; it is no test.",
        ]
    return [*head, *rows, *text]


def _within(rows: Sequence[Row], metric: str) -> list[str]:
    """What holds within the annotated parts, which are too few or too near to speak of others."""
    if not rows:
        return []
    first = rows[0]
    title = f"## Within {first['within']} alone"
    lines = ["", title, "", f"This says nothing of other samples. `{first['best']}` beside others:"]
    lines.append("")
    for row in rows:
        text = (
            f"- higher {metric} than `{row['method']}` in {row['better']} of {row['parts']} "
            f"{first['part']}, by {_three(row['difference'])}"
        )
        if row["low"] is not None:
            text += f" (interval over {first['part']} {row['low']:.3f} to {row['high']:.3f})"
        lines.append(text)
    return lines


def _learning_curve(curve: Sequence[Row]) -> list[str]:
    if not curve:
        return []
    head = ["", "## Expected width of the interval", "", "| units | width |", "| ---: | ---: |"]
    return head + [f"| {row['units']} | {row['width']:.3f} |" for row in curve]


def _worst(tiles: Sequence[Row], metric: str) -> list[str]:
    if not tiles:
        return []
    head = ["", "## Worst tiles", "", f"| sample | tile | {metric} | FP px | FN px | flags |"]
    head.append("| --- | --- | ---: | ---: | ---: | --- |")
    return head + [
        f"| {row['sample']} | {row['tile']} | {row[metric]:.3f} | {row['fp']} | {row['fn']} "
        f"| {row['flags'].replace(';', ', ')} |"
        for row in tiles
    ]


def _with_interval(decision: Mapping[str, Any]) -> str:
    text = _three(decision["value"])
    if decision["low"] is None:
        return f"{text} ({decision['note']})"
    bounds = f"{decision['low']:.3f} to {decision['high']:.3f}"
    return f"{text}, {decision['confidence']:.0%} interval {bounds}"


def _three(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
