"""Additive counts of rows of a table of metrics, and the metrics of their sums."""

import numpy as np

from tilewise.decide.units import Place
from tilewise.score import formulas, pixel_metrics

MEANS = ("hd95",)
"""Metrics without additive counts: summed over extents, and divided by their number."""


class Counts:
    """The counts that some metrics need, as columns of an array.

    Parameters
    ----------
    chosen : sequence of str
        Metrics of structure, as for `structure.compare`.

    Attributes
    ----------
    fields : tuple of str
        Names of the columns.
    metrics : tuple of str
        What can be computed from them.
    """

    def __init__(self, chosen):
        means = [name for name in MEANS if name in formulas.structure_metrics(chosen)]
        self.fields = (
            *pixel_metrics.COUNTS,
            *formulas.structure_fields(chosen),
            *means,
            *(f"{name}_extents" for name in means),
        )
        self.metrics = (
            *(name for name in pixel_metrics.METRICS if name != "prevalence"),
            *formulas.structure_metrics(chosen),
        )

    def of(self, row):
        """The counts of a row, read as text: list of float; what is missing is nan."""
        values = []
        for name in self.fields:
            if name.endswith("_extents"):
                values.append(float(row.get(name.removesuffix("_extents"), "") != ""))
            else:
                text = row.get(name, "")
                values.append(float(text) if text else 0.0 if name in MEANS else np.nan)
        return values

    def metric(self, name):
        """A metric as a function of (..., fields) counts; nan where it is undefined."""

        def compute(counts):
            if name in MEANS:
                total = counts[..., self.fields.index(name)]
                extents = counts[..., self.fields.index(f"{name}_extents")]
                return np.where(extents > 0, total / np.maximum(extents, 1), np.nan)
            needed = formulas.METRICS[name].fields
            known = {field: counts[..., self.fields.index(field)] for field in needed}
            return formulas.evaluate(name, known)

        return compute


def direction(name):
    """1 if a metric is better the higher it is, -1 the lower, 0 the nearer to zero."""
    return -1 if name in MEANS else formulas.METRICS[name].direction


def merit(name, values):
    """Values of a metric such that the higher is the better."""
    return {1: values, -1: -values, 0: -np.abs(values)}[direction(name)]


def place_of(row):
    """Where a row comes from, read as text."""
    return Place(row["sample"], *(int(row[axis]) for axis in "zyx"), row["patch"])
