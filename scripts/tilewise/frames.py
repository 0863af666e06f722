"""Tables as columns: for steps that read a row of each annotated tile, of which there may be many.

Rows as dictionaries of text take thirty times the memory. Numbers are read as numbers, and written
as they were: the shortest text that gives a floating-point number back is what writes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from tilewise.tables import damage

TEXT = "category"
"""Each text is kept once."""


def read(
    paths: Iterable[str | Path], columns: Sequence[str], kinds: Mapping[str, str]
) -> pd.DataFrame:
    """Rows of several tables, one after the other.

    Parameters
    ----------
    columns
        Those to read, in order. Where a table has not got one, its fields are empty.
    kinds
        Dtypes of columns of numbers, by name: `int64`, which have no empty field; `Int64`; or
        `float64`. All others are text.

    Returns
    -------
    pandas.DataFrame
        Empty fields are NA in columns of numbers, and empty text in others.

    Raises
    ------
    ValueError
        If a table cannot be read, or has text where numbers should be; the message names it.
    """
    dtypes = {name: kinds.get(name, TEXT) for name in columns}
    empty = {name: [""] for name in columns if name in kinds}
    return together([_read(path, dtypes, empty) for path in paths], columns, kinds)


def _read(path, dtypes, empty):
    try:
        return pd.read_csv(
            path,
            sep="\t",
            usecols=lambda name: name in dtypes,
            dtype=dtypes,
            keep_default_na=False,
            na_values=empty,
            encoding="utf-8-sig",
        )
    except ValueError:
        raise damage(path) from None


def of_rows(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], kinds: Mapping[str, str]
) -> pd.DataFrame:
    """The same of rows of text that are read already."""
    table = pd.DataFrame(list(rows), dtype=object)
    table = table[[name for name in columns if name in table]].copy()
    for name in table:
        if name in kinds:
            table[name] = pd.to_numeric(table[name]).astype(kinds[name])
        else:
            table[name] = texts(table[name].fillna(""))
    return together([table], columns, kinds)


def in_order(table: pd.DataFrame, samples: Iterable[str]) -> pd.DataFrame:
    """The rows of samples in the order given, those of one in that of the table."""
    number = {sample: i for i, sample in enumerate(samples)}
    return table.iloc[np.argsort([number[name] for name in table["sample"]], kind="stable")]


def texts(values: Sequence[Any]) -> pd.Categorical:
    """A column of text."""
    return pd.Categorical(values)


def together(
    tables: Sequence[pd.DataFrame], columns: Sequence[str], kinds: Mapping[str, str]
) -> pd.DataFrame:
    """The rows of several tables, with these columns."""
    whole = {}
    for name in columns:
        kind = kinds.get(name, TEXT)
        parts = [
            table[name] if name in table else _empty(name, kind, len(table)) for table in tables
        ] or [_empty(name, kind, 0)]
        if kind == TEXT:
            whole[name] = pd.Series(union_categoricals(list(map(_of_text, parts))))
        else:
            whole[name] = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(whole, copy=False)


def _of_text(column: pd.Series) -> pd.Series:
    """The same, also of a table without rows, whose categories are of no dtype."""
    return column.cat.rename_categories(column.cat.categories.astype("str"))


def _empty(name: str, kind: str, rows: int) -> pd.Series:
    if kind == "int64" and rows:
        raise ValueError(f"a table has no column {name}")
    if kind == TEXT:
        return pd.Series(pd.Categorical([""] * rows, [""]))
    return pd.Series(pd.NA if kind == "Int64" else np.nan, index=range(rows), dtype=kind)


def write(path: str | Path, columns: Sequence[str], table: pd.DataFrame) -> None:
    """Write a table as `tables.write_rows` writes its rows."""
    table.to_csv(path, sep="\t", columns=list(columns), index=False, lineterminator="\n")
