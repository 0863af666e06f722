"""Additive counts of rows of a table of metrics, and the metrics of their sums."""

from collections.abc import Collection, Mapping

import numpy as np

from tilewise.decide.resampling import Floats, MetricOfCounts, WeightedMetric, mean_of
from tilewise.score import formulas
from tilewise.score.formulas import METRICS

WEIGHT = "weight"
"""The column of the weight of units."""


class CountColumns:
    """The counts that some metrics of structure need, as columns of an array.

    `choices` are of `formulas.CHOICES`. `names` are those of the columns, `metrics` what can be
    computed from them. A metric that counts do not give has two columns: its sum, and how many
    values were summed. Where they are weighted, the last column is the weight of a unit, for means
    over units.
    """

    def __init__(self, choices: Collection[str], is_weighted: bool = False) -> None:
        self.is_weighted = is_weighted
        structural = formulas.metrics_of(choices)
        self._averaged = [metric.name for metric in structural if metric.formula is None]
        self.names = (
            *formulas.COUNTS,
            *formulas.counts_of(choices),
            *self._averaged,
            *map(_number, self._averaged),
            *([WEIGHT] if is_weighted else []),
        )
        pixels = (name for name in formulas.PIXEL_METRICS if name != "prevalence")
        self.metrics = (*pixels, *(metric.name for metric in structural))

    def of(self, row: Mapping[str, str]) -> list[float]:
        """The counts of a row, read as text, without a weight; nan where one is missing."""
        counts = {name: float(row.get(name) or np.nan) for name in self.names if name != WEIGHT}
        for name in self._averaged:
            value = row.get(name, "")
            counts |= {name: float(value or 0), _number(name): float(value != "")}
        return list(counts.values())

    def metric(self, name: str) -> MetricOfCounts:
        """A metric as a function of (..., columns) counts; nan where it is undefined."""
        fields = METRICS[name].counts or (name, _number(name))
        columns = [self.names.index(field) for field in fields]

        def compute(counts: Floats) -> Floats:
            values = [counts[..., column] for column in columns]
            if METRICS[name].formula is None:
                return mean_of(*values)
            return formulas.evaluate(name, dict(zip(fields, values, strict=True)))

        return self._weighted(compute)

    def merit(self, name: str) -> MetricOfCounts:
        """The same, turned so that the higher is the better."""
        compute, metric = self.metric(name), METRICS[name]
        return self._weighted(lambda counts: metric.merit(compute(counts)))

    def _weighted(self, metric: MetricOfCounts) -> MetricOfCounts:
        if not self.is_weighted:
            return metric
        return WeightedMetric(metric, self.names.index(WEIGHT))


def _number(name: str) -> str:
    return f"{name}_extents"
