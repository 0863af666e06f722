"""Rows of tables of metrics whose accuracy is worked out easily."""

from tilewise import frames
from tilewise.score import score_table
from tilewise.score.formulas import CHOICES, PIXEL_METRICS

SETTINGS = {
    **{"metric": "accuracy", "average": "micro", "margin": 0.01, "unit": "auto"},
    **{"plane_gap": 10, "folds": 10, "confidence": 0.95, "min_units": 5, "resamples": 200},
    **{"seed": 0, "test": "bootstrap_t"},
}
"""The configuration's `decision`."""


def row_of(place, right, **more):
    """A tile of 100 background pixels, some of which a mask gets right, as text."""
    counts = {"tp": 0, "fp": 100 - right, "fn": 0, "tn": right}
    metrics = dict.fromkeys(PIXEL_METRICS, "") | {"accuracy": right / 100}
    fields = {name: str(value) for name, value in (counts | metrics).items()}
    origin = {"z": "0", "y": "0", "x": "0", "patch": "", "edge": ""}
    return origin | place | fields | more


def table_of(rows):
    """Rows of text as columns, those that there are; of none, those of rows of sweeps."""
    rows = list(rows)
    given = rows or [row_of({"sample": "", "variant": "", "fold": ""}, 0)]
    names = dict.fromkeys(name for row in given for name in row)
    return frames.of_rows(rows, list(names), score_table.kinds(CHOICES))


def counts_of(rows, columns):
    """Counts of such rows, (rows, columns)."""
    return columns.table(table_of(rows))
