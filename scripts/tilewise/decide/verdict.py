"""What the evidence allows to say: the verdict, the worst tiles, and the decision as text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tilewise.decide.evidence import Rules
from tilewise.score.formulas import METRICS
from tilewise.tables import SLIVER

Row = dict[str, Any]


def verdict(ranking: Sequence[Row], rules: Rules) -> str:
    """The sentence that a ranking by the metric that decides allows."""
    best, others = ranking[0], ranking[1:]
    equals = [row["method"] for row in others if row["indistinguishable"]]
    if not others:
        return f"{best['method']} is the only method: there is nothing to compare it with."
    if not rules.has_intervals:
        return (
            f"Cannot tell with this much truth: {rules.described_units}, at least "
            f"{rules.min_units} are needed. {best['method']} has the highest {best['metric']} here."
        )
    if len(equals) == len(others):
        return (
            f"Cannot tell with this much truth: no method can be told apart from {best['method']}, "
            f"which has the highest {best['metric']}."
        )
    if equals:
        return f"{best['method']} comes first, but cannot be told apart from {', '.join(equals)}."
    return f"{best['method']} is better than every other method."


def worst_tiles(
    rows: Iterable[Mapping[str, str]],
    flags: Mapping[tuple[str, str], str],
    metric: str,
    number: int = 10,
) -> list[Row]:
    """The tiles with the lowest scores by one method, slivers left out.

    `fp` and `fn` are in pixels; `flags` are those of quality, by sample and tile.
    """
    scored = [row for row in rows if row.get(metric) and row["edge"] != SLIVER]
    scored.sort(key=lambda row: float(METRICS[metric].merit(np.array(row[metric], float))))
    return [
        {
            **{"sample": row["sample"], "tile": row["tile"], metric: float(row[metric])},
            **{"fp": int(row["fp"]), "fn": int(row["fn"]), "edge": row["edge"]},
            "flags": flags.get((row["sample"], row["tile"]), ""),
        }
        for row in scored[:number]
    ]


def describe(decision: Mapping[str, Any]) -> str:
    """A decision, as `decision.json` holds it, as text for people, in Markdown."""
    metric, units = decision["metric"], decision["units"]
    variant = f", parameters `{decision['variant']}`" if decision["variant"] else ""
    score = f"{metric} ({decision['average']}, {decision['estimate']})"
    lines = ["# Decision", "", f"**{decision['verdict']}**", ""]
    lines.append(f"- Method: `{decision['method']}`{variant}")
    lines.append(f"- {score}: {_with_interval(decision)}")
    if decision["guard"]:
        lines.append(f"- {decision['guard']}")
    if decision["low"] is not None:
        lines.append("- How the interval is computed: docs/validation.md, *Intervals*")
    if decision["cross_validated"]:
        value = _three(decision["cross_validated"]["value"])
        lines.append(f"- {metric} where the method too is selected by cross-validation: {value}")
    lines.append(f"- Independent units: {units['independent']} ({units['unit']})")
    if decision["estimate"] == "resubstitution":
        lines.append(
            "- The score is on the tiles that its parameters were chosen on: it is too high."
        )
    for row in decision["runners_up"]:
        text = f"- Cannot be told apart: `{row['method']}`, {metric} {_three(row['value'])}"
        if row["p_best"] is not None:
            text += f", p {_three(row['p_best'])}, first in {row['first']:.0%} of resamples"
        lines.append("; ".join(filter(None, (text, row["guard"]))))
    if any(row["p_best"] is not None for row in decision["runners_up"]):
        lines.append(
            "- p is one-sided, of being the best: at most 0.05 leaves the 95 % set. "
            "See docs/validation.md, *The set of the best*"
        )
    if decision["left_out"]:
        lines.append(
            f"- Not ranked, since not run on all samples: {', '.join(decision['left_out'])}"
        )
    if decision["excluded"]:
        lines.append(f"- Tiles excluded by their quality: {decision['excluded']}")
    if decision["warnings"]:
        lines += ["", "## What could mislead", ""]
        lines += [f"- {row['message']}; {row['remedy']}" for row in decision["warnings"]]
    tables = (*_learning_curve(decision["learning_curve"]), *_worst(decision["worst"], metric))
    return "\n".join([*lines, *tables, ""])


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
