"""Additive counts of rows of a table of metrics, and the metrics of their sums."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tilewise.decide.resampling import Floats, mean_of
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

    def table(self, rows: Any) -> Floats:
        """The counts of rows, (rows, columns), without a weight; nan where one is missing.

        `rows` is a `pandas.DataFrame` as `score_table.kinds` says.
        """
        counts = np.full((len(rows), len(self.names) - self.is_weighted), np.nan)
        for i, name in enumerate(self.names[: counts.shape[1]]):
            if name in rows:
                counts[:, i] = rows[name].to_numpy(np.float64, na_value=np.nan)
        for name in self._averaged:
            at, number = self.names.index(name), self.names.index(_number(name))
            counts[:, number] = ~np.isnan(counts[:, at])
            np.nan_to_num(counts[:, at], copy=False)
        return counts

    def pixels(self, counts: Floats) -> Floats:
        """Pixels that are scored, of (..., columns) counts."""
        total: Floats = counts[..., : len(formulas.COUNTS)].sum(axis=-1)
        return total

    def metric(self, name: str) -> "ColumnMetric":
        """A metric as a function of (..., columns) counts; nan where it is undefined."""
        fields = METRICS[name].counts or (name, _number(name))
        columns = tuple(self.names.index(field) for field in fields)
        weight = self.names.index(WEIGHT) if self.is_weighted else None
        return ColumnMetric(name, columns, fields, weight)

    def merit(self, name: str) -> "ColumnMetric":
        """The same, turned so that the higher is the better."""
        return replace(self.metric(name), is_merit=True)


@dataclass(frozen=True)
class ColumnMetric:
    """A metric as a function of counts, (..., columns) to (...); nan where it is undefined."""

    name: str
    columns: tuple[int, ...]
    """Those that it needs."""
    fields: tuple[str, ...]
    """Their names."""
    weight: int | None = None
    """The column of the weight of a unit in means over units, if it has one."""
    is_merit: bool = False
    """Whether it is turned so that the higher is the better."""

    def __call__(self, counts: Floats) -> Floats:
        """Of all columns."""
        return self.of_own(counts[..., self.columns])

    def of_own(self, counts: Floats) -> Floats:
        """The same of its own columns alone."""
        metric, values = METRICS[self.name], np.moveaxis(counts, -1, 0)
        if metric.formula is None:
            found = mean_of(*values)
        else:
            found = formulas.evaluate(self.name, dict(zip(self.fields, values, strict=True)))
        return metric.merit(found) if self.is_merit else found


def _number(name: str) -> str:
    return f"{name}_extents"
