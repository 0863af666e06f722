"""The report: one page that needs nothing else."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from operator import itemgetter
from typing import Any

from tilewise.doubts import Doubt

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; }
body { max-width: 70em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: .2em .7em; border-bottom: 1px solid #ddd; text-align: right; }
th { border-bottom: 2px solid #888; }
th:first-child, td:first-child, .text { text-align: left; }
.wide { overflow-x: auto; }
img { max-width: 100%; }
.warning { background: #fff3cd; padding: .5em 1em; }
.verdict { font-size: 1.3em; border-left: .3em solid #2a7; padding-left: .7em; }
figure { margin: 1em 0; display: inline-block; vertical-align: top; }
"""
TUNED_NOTE = "tuned on these tiles"
"""What stands wherever a score is too high for it."""
_NOT_SCORED = (
    "In an overlay, what was not scored is dark and hatched: "
    "it is not annotated, or outside of the region of interest."
)
_HARD_TILES = (
    "These tiles look hard, so scores on them are biased: annotate them to choose parameters, with "
    "<code>train</code> in the column <code>purpose</code>. For scores, annotate those of "
    "<code>annotate_random.tsv</code>, which are drawn at random."
)
_OF_QUANTITIES = (
    "The share of the area within the region of interest that is foreground: as the mask of all "
    "tiles has it, and corrected by how far mask and truth are apart on annotated tiles that were "
    "drawn at random. How: docs/validation.md, <i>Fraction of foreground</i>."
)
_OF_DIFFERENCES = (
    "Of the corrected fractions of these images. They say nothing of other animals or specimens: "
    "for that, compare the fractions of samples in a test of your own."
)
_OF_COSTS = (
    "Of this machine, and of applying the method: what it takes to choose its parameters is not in "
    "it. On few pixels, the start of a job weighs most."
)
TABLE_METRICS = ("mcc", "f1", "iou", "precision", "recall", "accuracy")
"""Columns of a sample's table."""

Rows = Sequence[Mapping[str, str]]


def page(
    summary: Rows,
    figures: Mapping[str, Iterable[tuple[str, bytes]]],
    decision: Mapping[str, Any] | None = None,
    ranking: Rows = (),
    scores: Rows = (),
    costs: Rows = (),
    following: Rows = (),
    doubts: Sequence[Doubt] = (),
    quantities: Rows = (),
    differences: Rows = (),
) -> str:
    """The report, as HTML.

    Parameters
    ----------
    summary, ranking, scores, costs
        Rows of these tables, in order.
    figures
        By method: media type and content.
    decision
        What `decision.json` holds; None where nothing could be decided.
    following
        Rows of the tiles most worth annotating.
    doubts
        What could mislead in all of this.
    quantities, differences
        Rows of these tables: fractions of foreground, and differences of groups; none where no
        method segments all tiles.
    """
    html = [
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>tilewise</title>",
        f"<style>{_STYLE}</style></head><body>",
    ]
    if doubts:
        html.append("<h1>What could mislead</h1>")
        html += [f"<p class='warning'>{escape(str(doubt))}</p>" for doubt in doubts]
    if decision:
        html += _decision(decision, ranking, scores, costs)
    html += _quantities(quantities, differences)
    html.append("<h1>Validation</h1>")
    if not summary:
        html.append("<p>No sample has truth: there is nothing to validate.</p>")
    for sample, rows in groupby(summary, itemgetter("sample")):
        html.append(f"<h2>{escape(sample)}</h2>{_table(list(rows))}")
    if figures:
        html.append("<h1>A few tiles through every method</h1>")
        html.append(f"<p>{_NOT_SCORED}</p>")
    for method, pictures in figures.items():
        html.append(f"<h2>{escape(method)}</h2>")
        html += [_figure(kind, content) for kind, content in pictures]
    if following:
        html.append("<h1>Tiles most worth annotating next</h1>")
        html.append(f"<p>{_HARD_TILES}</p>")
        columns = ("rank", "sample", "tile", "trust", "agreement", "drift_z", "distance", "flags")
        html.append(_selection(columns, following))
    return "\n".join([*html, "</body></html>\n"])


def _quantities(quantities, differences):
    html = ["<h1>Foreground of all tiles</h1>"]
    if not quantities:
        return [*html, "<p>No method segments all tiles: there is nothing to estimate.</p>"]
    html.append(f"<p>{_OF_QUANTITIES}</p>")
    head = ["", "of the mask", "corrected", _interval_of(quantities), "corrected, \u00b5m\u00b2"]
    table = list(map(_quantity, quantities))
    html.append(_plain([*head, "annotated", "units", "note"], table))
    if differences:
        html.append("<h2>Differences of groups</h2>")
        html.append(f"<p>{_OF_DIFFERENCES}</p>")
        head = ["groups", "difference", _interval_of(differences), "p adjusted", "note"]
        html.append(_plain(head, list(map(_difference, differences))))
    return html


def _interval_of(rows):
    known = {row["confidence"] for row in rows} - {""}
    return " ".join([*(f"{float(confidence):.0%}" for confidence in known), "interval"])


def _quantity(row):
    name = row["name"] if row["level"] == "sample" else f"{row['name']} (group)"
    size = f"{float(row['corrected_um2']):,.0f}" if row["corrected_um2"] else "\u2013"
    return [
        *(name, _percent(row["uncorrected"]), _percent(row["corrected"]), _percents(row), size),
        f"{row['annotated']} of {row['tiles']} tiles",
        f"{row['units']} ({row['unit']})" if row["units"] else "\u2013",
        "; ".join(filter(None, (row["assumption"], row["note"]))),
    ]


def _difference(row):
    name = f"{row['group']} less {row['other']}"
    shares = _percent(row["difference"]), _percents(row)
    return [name, *shares, _short(row["p_adjusted"]), row["note"]]


def _percents(row):
    if not row["low"]:
        return "\u2013"
    return f"{_percent(row['low'])} to {_percent(row['high'])}"


def _percent(value):
    return f"{100 * float(value):.2f}%" if value else "\u2013"


def _decision(decision, ranking, scores, costs):
    metric = decision["metric"]
    method = escape(decision["method"])
    interval = decision["note"]
    if decision["low"] is not None:
        interval = (
            f"{decision['confidence']:.0%} interval {decision['low']:.3f} to {decision['high']:.3f}"
        )
    units, label = decision["units"], decision["label"] and f", {decision['label']}"
    use, *sentences = decision["opening"]
    html = [
        "<h1>Decision</h1>",
        f"<p class='verdict'>{escape(use)}</p>",
        f"<p>{escape(' '.join(sentences))}</p>",
        f"<p>Its own {metric}, {decision['average']}, {decision['estimate']}{label}: "
        f"{_short(decision['value'])}; {escape(interval)}. "
        f"Independent units: {units['independent']} ({escape(units['unit'])}).</p>",
    ]
    if decision["estimate"] == "resubstitution":
        html.append(
            "<p class='warning'>Parameters were chosen on the tiles that are scored: "
            "the score is too high.</p>"
        )
    columns = ["rank", "method", "estimate", "value", "low", "high", "difference", "relation"]
    columns += ["p_adjusted", "p_best", "first"]
    columns += ["guard"] * any(row["guard"] for row in ranking)
    rows = [row for row in ranking if row["metric"] == metric]
    html.append(f"<h2>Methods by {metric}</h2>")
    html.append(_selection(columns, rows))
    html += _costs(costs, rows)
    html += _within(decision["within"], metric)
    by_metric: dict[str, dict[str, str]] = {}
    for row in ranking:
        by_metric.setdefault(row["metric"], {})[row["method"]] = row["rank"]
    others = list(by_metric)
    html.append("<h2>Rank by each metric</h2>")
    table = [
        [row["method"], *(by_metric[name].get(row["method"], "") for name in others)]
        for row in rows
    ]
    html.append(_plain(("method", *others), table))
    html.append("<h2>Reference scores</h2>")
    columns = ["method", "estimate", "variant", "micro", "micro_low", "micro_high", "macro"]
    placed = [row for row in scores if row["metric"] == metric]
    placed.sort(key=lambda row: -float(row["micro"] or "-inf"))
    html.append(_selection(columns, placed))
    if decision["worst"]:
        tuned = "" if decision["estimate"] == "fixed" else f" ({TUNED_NOTE})"
        html.append(f"<h2>Worst tiles of {method}{tuned}</h2>")
        columns = ["sample", "tile", metric, "fp", "fn", "edge", "flags"]
        html.append(_selection(columns, decision["worst"]))
    if decision["learning_curve"]:
        html.append("<h2>Expected width of the interval</h2>")
        curve = [[row["units"], _short(row["width"])] for row in decision["learning_curve"]]
        html.append(_plain(("units", "width"), curve))
    return html


def _costs(costs, ranking):
    """What the methods cost, in the order of their ranks."""
    by_method = {row["method"]: row for row in costs}
    rows = [by_method[row["method"]] for row in ranking if row["method"] in by_method]
    if not rows:
        return []
    table = [
        [row["method"], _short(row["mpx"]), _short(row["cpu_s_per_mpx"]), row["peak_mb"]]
        for row in rows
    ]
    head = ("method", "Mpx segmented", "CPU seconds per Mpx", "peak memory, MB")
    return ["<h2>Cost of methods</h2>", f"<p>{_OF_COSTS}</p>", _plain(head, table)]


def _within(rows, metric):
    """What holds within annotated parts that are too few or too near to speak of other samples."""
    if not rows:
        return []
    first = rows[0]
    table = [
        [row["method"], f"{row['better']} of {row['parts']}"]
        + [_short(row[name]) for name in ("difference", "low", "high")]
        for row in rows
    ]
    head = ("method", f"{first['best']} is higher in", f"{metric} of it is less by", "low", "high")
    return [
        f"<h2>Within {first['within']} alone</h2>",
        f"<p>{escape(first['best'])} beside the others, over {first['part']}. This says nothing of "
        "other samples.</p>",
        _plain(head, table),
    ]


def _selection(columns, rows):
    """A table of some columns of rows."""
    return _plain(columns, [[_short(row[name]) for name in columns] for row in rows])


def _plain(columns, rows):
    head = "".join(f"<th>{escape(str(name).replace('_', ' '))}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<div class='wide'><table><tr>{head}</tr>{body}</table></div>"


def _cell(value):
    text = str(value)
    is_number = text.lstrip("-")[:1].isdigit() or text == "\u2013"
    return f"<td>{text}</td>" if is_number else f"<td class='text'>{escape(text)}</td>"


def _short(value):
    """A number with three digits after the point; other text as it is."""
    if value is None or value == "":
        return "\u2013"
    try:
        number = float(value)
    except ValueError:
        return value
    if number.is_integer() and "." not in str(value):
        return str(int(number))
    # no minus before zero
    return f"{round(number, 3) + 0.0:.3f}"


def _table(rows):
    head = "".join(f"<th>{name}</th>" for name in ("method", "tiles", *TABLE_METRICS))
    lines = []
    for method, group in groupby(rows, itemgetter("method")):
        by_metric = {row["metric"]: row for row in group}
        first = by_metric[TABLE_METRICS[0]]
        notes = [TUNED_NOTE] if first["estimate"] == "resubstitution" else []
        if first["left_empty"] not in ("", "0"):
            notes.append(f"{first['left_empty']} of {first['tiles']} tiles left empty by the guard")
        small = "".join(f"<br><small>{note}</small>" for note in notes)
        cells = [escape(method) + small, first["tiles"]]
        cells += [_value(by_metric[name]) for name in TABLE_METRICS]
        lines.append("".join(f"<td>{cell}</td>" for cell in cells))
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    note = (
        "Pooled over the tiles; below, mean &plusmn; standard deviation over those with foreground."
    )
    return f"<table><tr>{head}</tr>{body}</table><p>{note}</p>"


def _value(row):
    pooled = f"{float(row['pooled']):.3f}" if row["pooled"] else "&ndash;"
    if not row["mean"]:
        return pooled
    spread = f" &plusmn; {float(row['sd']):.3f}" if row["sd"] else ""
    return f"{pooled}<br><small>{float(row['mean']):.3f}{spread} ({row['averaged']})</small>"


def _figure(kind, content):
    data = base64.b64encode(content).decode()
    return f"<figure><img alt='' src='data:{kind};base64,{data}'></figure>"
