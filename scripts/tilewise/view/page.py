"""The report: one page, which holds its data, and says the most important as plain text."""

import base64
import gzip
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from tilewise.unit_words import counted
from tilewise.view.columns import number, rows_of

FOLDER = Path(__file__).parent / "page"
"""Template, and the bundle that `web/` is built to."""
DASH = "\N{EN DASH}"
"""Where there is no number."""
CODE = re.compile("`([^`]+)`")
MOST_ROWS = 30
"""Of the static lists of tiles; the interactive page has all."""
OF_FRACTIONS = {"intervals": "low", "areas": "corrected_um2", "units": "units"}
"""Columns of the table of fractions that are shown where any of them has a value."""
MOST_SCORES = 400
"""Rows of the scores of samples there."""


def render(data: Mapping[str, Any]) -> str:
    """The page.

    It shows its static part until the bundle has drawn the rest, and where there are no scripts.

    Parameters
    ----------
    data
        As in `workflow/schemas/report.schema.json`.
    """
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"short": short, "percent": percent, "share": share, "counted": counted}
    environment.filters["coded"] = coded
    template = environment.get_template("report.html.j2")
    style, bundle = (_read(f"report.{kind}") for kind in ("css", "js"))
    return template.render(
        **_static(data),
        data=data,
        style=Markup(style.replace("</style", "<\\/style")),
        bundle=Markup(bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")),
        packed=pack(data),
    )


def pack(data: Any) -> str:
    """Data as compact JSON, compressed by gzip, in base64; the same data gives the same text."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def coded(text: str) -> Markup:
    """Text in which what stands between backticks is code."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))


def short(value: Any, digits: int = 3) -> str:
    """A number with three digits after the point; whole numbers with separators, text as it is."""
    try:
        found = number(value)
    except ValueError:
        return str(value)
    if found is None:
        return DASH
    if isinstance(found, int) and "." not in str(value):
        return f"{found:,}"
    # no minus before zero
    return f"{round(found, digits) + 0.0:.{digits}f}"


def percent(value: Any) -> str:
    """A fraction as per cent, with two digits after the point."""
    return DASH if value is None else f"{100 * value:.2f}%"


def share(value: Any) -> str:
    """A fraction as whole per cent."""
    return DASH if value is None else f"{value:.0%}"


def _read(name):
    return (FOLDER / name).read_text(encoding="utf-8")


def _static(data):
    """What the static tables list."""
    tables = {name: rows_of(table) for name, table in data["tables"].items()}
    metric, warnings = data["metric"], rows_of(data["warnings"])
    touching = [warnings[i] for i in data["answer"]["warnings"]]
    decision = data["decision"] or {}
    return {
        "touching": touching,
        "others": [row for row in warnings if row not in touching],
        "metric": next(one for one in data["metrics"] if one["name"] == metric),
        "methods": _methods(data, tables.get("ranking", []), metric),
        "references": _references(data, tables.get("scores", []), metric),
        "quantities": tables.get("quantities", []),
        **{f"has_{name}": _has(tables, column) for name, column in OF_FRACTIONS.items()},
        "groups": tables.get("quantities_groups", []),
        "samples": (own := _samples(tables.get("summary", []), metric))[:MOST_SCORES],
        "samples_left_out": max(len(own) - MOST_SCORES, 0),
        "worst": _worst(data, decision.get("worst", [])[:MOST_ROWS]),
        "next": tables.get("annotate_next", [])[:MOST_ROWS],
    }


def _methods(data, ranking, metric):
    """Methods in the order of their ranks, then those that are not ranked."""
    ranked = {row["method"]: row for row in ranking if row["metric"] == metric}
    unranked = {"rank": None, "value": None, "low": None, "high": None, "relation": "", "guard": ""}
    known = [{**one, **ranked.get(one["name"], unranked)} for one in data["methods"]]
    return sorted(known, key=lambda row: row["rank"] or len(known) + 1)


def _has(tables, column):
    """Whether any fraction has a value in a column."""
    return any(row[column] not in (None, "") for row in tables.get("quantities", []))


def _worst(data, worst):
    """The worst tiles, with why each of them is."""
    why = {(row["sample"], row["tile"]): row.get("why", "") for row in rows_of(data["tiles"])}
    return [{**row, "why": why.get((row["sample"], row["tile"]), "")} for row in worst]


def _references(data, scores, metric):
    """Scores beside those of the methods: of the best thresholds, of annotators, of no method."""
    names = {one["name"] for one in data["methods"]}
    own = [row for row in scores if row["metric"] == metric and row["method"] not in names]
    return sorted(own, key=lambda row: -(row["micro"] if row["micro"] is not None else -2))


def _samples(summary, metric):
    return [row for row in summary if row["metric"] == metric]
