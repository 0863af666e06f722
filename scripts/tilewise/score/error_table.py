"""Tables of errors: their columns, and their rows added up over tiles and blocks."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from tilewise.score.formulas import COUNTS, set_metrics

Row = Mapping[str, Any]

PIXELS = (
    *("annotated", "all_right", "all_wrong_fp", "all_wrong_fn"),
    *("only_right_foreground", "only_right_background", "only_wrong_fp", "only_wrong_fn"),
)
"""Columns of pixels that methods differ in; the last four are of one method."""
OBJECTS = (
    *("truth_objects", "truth_objects_all_found", "truth_objects_all_missed"),
    *("truth_objects_only_found", "truth_objects_only_missed"),
    *("false_objects", "false_objects_of_all", "false_objects_only", "false_objects_all_but"),
)
"""The same of objects."""
STRATUM = ("sample", "method", "by", "low", "high")
"""What a stratum is of; `by` is calibre, distance or quality."""
STRATUM_METRICS = ("recall", "precision", "f1", "mcc")
STRATA_COLUMNS = (*STRATUM, *COUNTS, *STRATUM_METRICS)
DIFFERENCE_COLUMNS = ("sample", "method", *PIXELS, *OBJECTS)


def sum_strata(rows: Iterable[Row], tiles: Any) -> list[dict[str, Any]]:
    """Errors by calibre, by distance to the boundary and by quality, as `STRATA_COLUMNS`.

    `rows` are strata of blocks, `tiles` the table of metrics as a `pandas.DataFrame`: each flag of
    `flags`, and the tiles without any, is a stratum. Strata stand in the order in which they first
    occur. Of a calibre there is recall alone: what is not there has none.
    """
    strata = add_up([*rows, *_by_quality(tiles)], STRATUM, COUNTS)
    set_metrics(strata, STRATUM_METRICS)
    for row in strata:
        if row["by"] == "calibre":
            row |= dict.fromkeys(("precision", "f1", "mcc"))
    return strata


def sum_differences(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """What methods differ in, per sample and method, as `DIFFERENCE_COLUMNS`."""
    return add_up(rows, ("sample", "method"), (*PIXELS, *OBJECTS))


def _by_quality(tiles: Any) -> Iterator[Row]:
    keys = ["sample", "method", "flags"]
    own = tiles[tiles["extent"] == "tile"].groupby(keys, sort=False, observed=True)
    for row in own[list(COUNTS)].sum().reset_index().to_dict("records"):
        for flag in (row["flags"] or "no flag").split(";"):
            yield {**row, "by": "quality", "low": flag, "high": ""}


def add_up(
    rows: Iterable[Row], keys: Collection[str], counts: Collection[str]
) -> list[dict[str, Any]]:
    """Rows with the same keys, their counts added up; in the order in which keys first occur."""
    totals: dict[tuple, dict[str, Any]] = {}
    for row in rows:
        total = totals.setdefault(tuple(row[name] for name in keys), dict.fromkeys(counts, 0))
        for name in counts:
            total[name] += int(row[name])
    return [dict(zip(keys, key, strict=True)) | total for key, total in totals.items()]
