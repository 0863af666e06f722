"""Tables of metrics: their columns, their rows of whole tiles, and how they are written."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from tilewise.score.formulas import (
    COUNTS,
    METRICS,
    PIXEL_METRICS,
    counts_of,
    metrics_of,
    set_metrics,
)
from tilewise.tables import write_rows

PLACE = ("sample", "method", "tile", "z", "y", "x", "height", "width")
ADDED = ("extent", "estimate", "flags", "excluded", "guard")
"""Columns of the table of all metrics, besides those of each block's."""
AGREEMENT = ("sample", "measure", "annotators", "value", "pixels")
"""Columns of the table of how far several annotators agree."""
ANNOTATORS = ("sample", "annotator", "estimate", *COUNTS, *PIXEL_METRICS)
"""Columns of the table of each annotator's scores."""


def columns(choices: Collection[str]) -> tuple[str, ...]:
    """Columns of a table of metrics, with those of structure that some words ask for.

    `choices` are of `formulas.CHOICES`.
    """
    pixels = (*PLACE, "patch", "annotated", *COUNTS, *PIXEL_METRICS, "edge")
    return (*pixels, *counts_of(choices), *(metric.name for metric in metrics_of(choices)))


def kinds(choices: Collection[str]) -> dict[str, str]:
    """Dtypes of the columns of numbers, as `frames.read` takes them.

    Counts of structure may be missing: tables of tiles have none where they are of planes.
    """
    whole = dict.fromkeys((*PLACE[3:], "annotated", *COUNTS), "int64")
    structure = dict.fromkeys(counts_of(choices), "Int64")
    # the only one that is no number of pixels or objects
    structure |= dict.fromkeys({"surface_distance"} & structure.keys(), "float64")
    return {**whole, **structure, **dict.fromkeys(METRICS, "float64")}


def write_scores(
    path: Path | str,
    rows: Iterable[dict[str, Any]],
    choices: Collection[str],
    leading: tuple[str, ...] = (),
) -> None:
    """Write counts as from `scoring.count_tile`, with their place and the metrics that follow.

    The columns are those of `columns`, after the `leading` ones.
    """
    rows = list(rows)
    set_metrics(rows, [*PIXEL_METRICS, *(one.name for one in metrics_of(choices) if one.formula)])
    write_rows(path, (*leading, *columns(choices)), rows)


def whole_tiles(rows: Iterable[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The rows of whole tiles among those of a table, without those of spatial blocks."""
    return [row for row in rows if not row["patch"]]
