"""Tables as columns, for the data of the report."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

Table = dict[str, Any]
"""`columns`, names in order, and each of them: a list of numbers, or None where one is missing; or,
of text, `values`, each once, and `codes`, the number of the value in each row."""

TEXTS = frozenset(
    ("sample", "method", "metric", "tile", "name", "group", "other", "unit", "code", "variant")
    + ("annotator", "message", "remedy", "note", "flags", "purpose", "assumption", "relation")
    + ("guard", "estimate", "edge", "extent", "warning", "level", "by", "measure", "excluded")
    + ("indistinguishable", "reasons", "why")
)
"""Columns of the results that are text, whatever they look like."""
DIGITS = 6
"""Significant digits of numbers that are not whole."""


def table(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str] | None = None,
    texts: Collection[str] = TEXTS,
) -> Table:
    """Rows as columns.

    A column is of numbers if each of its fields is one, or is empty: None, "" or nan. Whole numbers
    keep all of their digits, others six.

    Parameters
    ----------
    columns
        By default those of the first row.
    texts
        Names of columns that are text even if all of their fields look like numbers, or are empty.
    """
    rows = list(rows)
    names = list(rows[0] if rows and columns is None else columns or ())
    return {
        "columns": names,
        **{name: _column([row.get(name) for row in rows], name in texts) for name in names},
    }


def rows_of(columns: Table) -> list[dict[str, Any]]:
    """The rows of a table, with None and "" where a number or a text is missing."""
    names = columns["columns"]
    each = [_values(columns[name]) for name in names]
    return [dict(zip(names, fields, strict=True)) for fields in zip(*each, strict=True)]


def number(value: Any) -> int | float | None:
    """A number, or text that is one; None if it is empty, undefined or infinite."""
    if value is None or value == "":
        return None
    if isinstance(value, int):
        return int(value)
    found = float(value)
    if not math.isfinite(found):
        return None
    return int(found) if found.is_integer() else float(f"{found:.{DIGITS}g}")


def _column(fields, is_text):
    if not is_text:
        try:
            return list(map(number, fields))
        except ValueError:
            pass
    words = ["" if field is None else str(field) for field in fields]
    values = {word: i for i, word in enumerate(dict.fromkeys(words))}
    return {"values": list(values), "codes": [values[word] for word in words]}


def _values(column):
    if isinstance(column, dict):
        return [column["values"][code] for code in column["codes"]]
    return column
