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
th:first-child, td:first-child { text-align: left; }
img { max-width: 100%; }
.warning { background: #fff3cd; padding: .5em 1em; }
figure { margin: 1em 0; display: inline-block; vertical-align: top; }
"""
SHOWN = ("mcc", "f1", "iou", "precision", "recall", "accuracy")
"""Metrics of the report's table."""


def page(summary, figures):
    """The report.

    Parameters
    ----------
    summary : list of dict of str to str
        Rows of the summary, in order.
    figures : dict of (str, str) to list of (str, bytes)
        By sample and method: media type and content.

    Returns
    -------
    str
        HTML.
    """
    parts = [
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>tilewise</title>",
        f"<style>{_STYLE}</style></head><body><h1>Validation</h1>",
    ]
    if not summary:
        parts.append("<p>No sample has truth: there is nothing to validate.</p>")
    for warning in dict.fromkeys(row["warning"] for row in summary if row["warning"]):
        parts.append(f"<p class='warning'>{escape(warning)}</p>")
    for sample, rows in groupby(summary, itemgetter("sample")):
        parts.append(f"<h2>{escape(sample)}</h2>{_table(list(rows))}")
        for (name, method), pictures in figures.items():
            if name == sample:
                parts.append(f"<h3>{escape(method)}</h3>")
                parts += [_figure(kind, content) for kind, content in pictures]
    return "\n".join([*parts, "</body></html>\n"])


def _table(rows):
    head = "".join(f"<th>{name}</th>" for name in ("method", "tiles", *SHOWN))
    lines = []
    for method, group in groupby(rows, itemgetter("method")):
        by_metric = {row["metric"]: row for row in group}
        cells = [escape(method), by_metric[SHOWN[0]]["tiles"]]
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
