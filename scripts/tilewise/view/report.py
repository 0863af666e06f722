"""The report: one page that needs nothing else."""

import base64
from html import escape
from itertools import groupby
from operator import itemgetter

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
TUNED = "tuned on these tiles"
"""What stands wherever a score is too high for it."""
SHOWN = ("mcc", "f1", "iou", "precision", "recall", "accuracy")
"""Metrics of the report's table."""


def page(summary, figures, decision=None, ranking=(), scores=(), following=()):
    """The report.

    Parameters
    ----------
    summary : list of dict of str to str
        Rows of the summary, in order.
    figures : dict of str to list of (str, bytes)
        By method: media type and content.
    decision : dict or None
        What `decision.json` holds; None where nothing could be decided.
    ranking, scores : sequence of dict of str to str
        Rows of the ranking, and of the scores.
    following : sequence of dict of str to str
        Rows of the tiles most worth annotating.

    Returns
    -------
    str
        HTML.
    """
    parts = [
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>tilewise</title>",
        f"<style>{_STYLE}</style></head><body>",
    ]
    if decision:
        parts += _decision(decision, ranking, scores)
    parts.append("<h1>Validation</h1>")
    if not summary:
        parts.append("<p>No sample has truth: there is nothing to validate.</p>")
    for warning in dict.fromkeys(row["warning"] for row in summary if row["warning"]):
        parts.append(f"<p class='warning'>{escape(warning)}</p>")
    for sample, rows in groupby(summary, itemgetter("sample")):
        parts.append(f"<h2>{escape(sample)}</h2>{_table(list(rows))}")
    if figures:
        parts.append("<h1>A few tiles through every method</h1>")
    for method, pictures in figures.items():
        parts.append(f"<h2>{escape(method)}</h2>")
        parts += [_figure(kind, content) for kind, content in pictures]
    if following:
        parts.append("<h1>Tiles most worth annotating next</h1>")
        columns = ("rank", "sample", "tile", "trust", "agreement", "drift_z", "distance", "flags")
        parts.append(
            _plain(columns, [[_short(row[name]) for name in columns] for row in following])
        )
    return "\n".join([*parts, "</body></html>\n"])


def _decision(decision, ranking, scores):
    metric = decision["metric"]
    method = escape(decision["method"])
    variant = f" ({escape(decision['variant'])})" if decision["variant"] else ""
    interval = decision["note"]
    if decision["low"] is not None:
        interval = (
            f"{decision['level']:.0%} interval {decision['low']:.3f} to {decision['high']:.3f}"
        )
    units = decision["units"]
    parts = [
        "<h1>Decision</h1>",
        f"<p class='verdict'>{escape(decision['verdict'])}</p>",
        f"<p><b>{method}</b>{variant}: {metric} {_short(decision['value'])}, "
        f"{decision['average']}, {decision['estimate']}; {escape(interval)}. "
        f"Independent units: {units['independent']} ({escape(units['unit'])}).</p>",
    ]
    if decision["estimate"] == "resubstitution":
        parts.append(
            "<p class='warning'>Parameters were chosen on the tiles that are scored: "
            "the score is too high.</p>"
        )
    if decision["anew"]:
        parts.append(
            f"<p>Deciding anew without the units that are scored: {metric} "
            f"{_short(decision['anew']['value'])}.</p>"
        )
    columns = ("rank", "method", "estimate", "value", "low", "high", "difference", "p_adjusted")
    columns += ("indistinguishable", "first")
    rows = [row for row in ranking if row["metric"] == metric]
    parts.append(f"<h2>Methods by {metric}</h2>")
    parts.append(_plain(columns, [[_short(row[name]) for name in columns] for row in rows]))
    by_metric = {}
    for row in ranking:
        by_metric.setdefault(row["metric"], {})[row["method"]] = row["rank"]
    others = list(by_metric)
    parts.append("<h2>Rank by each metric</h2>")
    table = [
        [row["method"], *(by_metric[name].get(row["method"], "") for name in others)]
        for row in rows
    ]
    parts.append(_plain(("method", *others), table))
    parts.append("<h2>What puts the scores in their place</h2>")
    columns = ("method", "estimate", "micro", "micro_low", "micro_high", "macro")
    placed = [row for row in scores if row["metric"] == metric]
    placed.sort(key=lambda row: -float(row["micro"] or "-inf"))
    parts.append(_plain(columns, [[_short(row[name]) for name in columns] for row in placed]))
    if decision["worst"]:
        tuned = "" if decision["estimate"] == "fixed" else f" ({TUNED})"
        parts.append(f"<h2>Worst tiles of {method}{tuned}</h2>")
        columns = ("sample", "tile", metric, "fp", "fn", "edge", "flags")
        worst = [[_short(row[name]) for name in columns] for row in decision["worst"]]
        parts.append(_plain(columns, worst))
    if decision["learning_curve"]:
        parts.append("<h2>What more annotation would buy</h2>")
        curve = [[row["units"], _short(row["width"])] for row in decision["learning_curve"]]
        parts.append(_plain(("units", "width of the interval"), curve))
    return parts


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
    head = "".join(f"<th>{name}</th>" for name in ("method", "tiles", *SHOWN))
    lines = []
    for method, group in groupby(rows, itemgetter("method")):
        by_metric = {row["metric"]: row for row in group}
        first = by_metric[SHOWN[0]]
        tuned = f"<br><small>{TUNED}</small>" if first["estimate"] == "resubstitution" else ""
        cells = [escape(method) + tuned, first["tiles"]]
        cells += [_value(by_metric[name]) for name in SHOWN]
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
