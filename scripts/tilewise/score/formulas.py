"""Every metric: the counts that it takes, its formula, and which values are good.

Counts add up over tiles, units and resamples of units. Formulas work on arrays of counts, in double
precision. A new metric is one function and one line in `REGISTRY`; if it takes counts that nothing
else takes, also a function that measures them, in `structure.MEASURES`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]

INF = np.inf
COUNTS = ("tp", "fp", "fn", "tn")
"""Pixels of each kind in a confusion matrix."""
SKELETONS = ("skeleton_mask", "skeleton_mask_right", "skeleton_truth", "skeleton_truth_found")
NEAR = ("surface", "surface_near")
DISTANCES = ("surface", "surface_distance")
OBJECTS = ("objects_mask", "objects_truth", "objects_matched")


@dataclass(frozen=True)
class Metric:
    """A metric of segmentations.

    Parameters
    ----------
    formula : callable or None
        Takes float64 ndarrays of one shape, one for each of `counts`, and gives one; nan where the
        metric is undefined. None if counts do not give the metric: it is then measured by itself,
        and the mean over several tiles, planes or samples stands for it.
    counts : tuple of str
        What it takes, in order.
    direction : {1, -1, 0}
        1 if higher is better, -1 if lower is better, 0 if the best value is zero.
    low, high : float
        Its range.
    choice : str
        The word in `metrics` under `validate` that asks for it; empty if it is always computed.
    needs : str
        The name in `structure.MEASURES` of what measures its counts; empty if they are `COUNTS`.
    decides : bool
        Whether methods may be ranked by it: not if a mask that is empty or full is the best.
    """

    name: str
    formula: Callable[..., Values] | None
    counts: tuple[str, ...]
    direction: int = 1
    low: float = 0
    high: float = 1
    choice: str = ""
    needs: str = ""
    decides: bool = True

    def merit(self, values: Values) -> Values:
        """Values turned so that the higher is the better."""
        return {1: values, -1: -values, 0: -np.abs(values)}[self.direction]

    def clip(self, low: float, high: float) -> tuple[float, float]:
        """An interval cut at the metric's range; that of an error with a sign stays as it is."""
        if self.direction == 0:
            return low, high
        return max(low, self.low), min(high, self.high)


def _quotient(numerator: Values, denominator: Values) -> Values:
    """Their quotient, nan for 0/0."""
    is_defined = denominator != 0
    return np.where(is_defined, numerator / np.where(is_defined, denominator, 1), np.nan)


def _exact_product(a: Values, b: Values) -> tuple[Values, Values]:
    """A product, and what rounding took from it (Dekker, Numerische Mathematik 18, 1971)."""
    product = a * b
    high_a, high_b = (134217729 * x - (134217729 * x - x) for x in (a, b))
    low_a, low_b = a - high_a, b - high_b
    return product, (high_a * high_b - product + high_a * low_b + low_a * high_b) + low_a * low_b


def _both_empty(tp: Values, fp: Values, fn: Values, tn: Values) -> NDArray[np.bool_]:
    return np.asarray((tp + fp + fn == 0) & (tn > 0))


def accuracy(tp: Values, fp: Values, fn: Values, tn: Values) -> Values:
    """Share of pixels that are right."""
    return _quotient(tp + tn, tp + fp + fn + tn)


def precision(tp: Values, fp: Values, fn: Values, tn: Values) -> Values:
    """Share of the mask that is right; also called positive predictive value."""
    return _quotient(tp, tp + fp)


def recall(tp: Values, fp: Values, fn: Values, tn: Values) -> Values:
    """Share of the true foreground that is found; also called sensitivity."""
    return _quotient(tp, tp + fn)


def specificity(tp: Values, fp: Values, fn: Values, tn: Values) -> Values:
    """Share of the true background that is left out."""
    return _quotient(tn, tn + fp)


def f1(tp: Values, fp: Values, fn: Values, tn: Values) -> Values:
    """Harmonic mean of precision and recall, the Dice coefficient; 1 if both masks are empty."""
    return np.where(_both_empty(tp, fp, fn, tn), 1.0, _quotient(2 * tp, 2 * tp + fp + fn))


def iou(tp: Values, fp: Values, fn: Values, tn: Values) -> Values:
    """Intersection over union, the Jaccard index; 1 if both masks are empty."""
    return np.where(_both_empty(tp, fp, fn, tn), 1.0, _quotient(tp, tp + fp + fn))


def balanced_accuracy(tp: Values, fp: Values, fn: Values, tn: Values) -> Values:
    """Mean of recall and specificity."""
    return (recall(tp, fp, fn, tn) + specificity(tp, fp, fn, tn)) / 2


def mcc(tp: Values, fp: Values, fn: Values, tn: Values) -> Values:
    """Matthews correlation coefficient of mask and truth.

    1 if all is right, -1 if nothing is, 0 if another quotient is 0/0, as in Chicco and Jurman, BMC
    Genomics 21:6 (2020).
    """
    # the product of all four margins would overflow long before those of their square roots
    scale = np.sqrt(tp + fp) * np.sqrt(tn + fn), np.sqrt(tp + fn) * np.sqrt(tn + fp)
    is_defined = (scale[0] > 0) & (scale[1] > 0)
    safe = [np.where(is_defined, factor, 1) for factor in scale]
    # near zero the products of large counts agree in all the digits that a double holds
    right, right_rest = _exact_product(tp, tn)
    wrong, wrong_rest = _exact_product(fp, fn)
    value = ((right - wrong) + (right_rest - wrong_rest)) / safe[0] / safe[1]
    value = np.where(is_defined, np.clip(value, -1, 1), 0.0)
    value = np.where(tp + tn == 0, -1.0, value)
    value = np.where(fp + fn == 0, 1.0, value)
    return np.where(tp + fp + fn + tn > 0, value, np.nan)


def prevalence(tp: Values, fp: Values, fn: Values, tn: Values) -> Values:
    """Share of pixels that are true foreground: of the truth, not of the method."""
    return _quotient(tp + fn, tp + fp + fn + tn)


def cldice(mask: Values, mask_right: Values, truth: Values, truth_found: Values) -> Values:
    """Centreline Dice (Shit et al., CVPR 2021); 1 without any centreline."""
    of_mask, of_truth = _quotient(mask_right, mask), _quotient(truth_found, truth)
    total = of_mask + of_truth
    value = np.where(total > 0, _quotient(2 * of_mask * of_truth, total), 0.0)
    value = np.where((mask > 0) & (truth > 0), value, 0.0)
    return np.where(mask + truth == 0, 1.0, value)


def nsd(surface: Values, near: Values) -> Values:
    """Normalised surface distance: share of both surfaces within the tolerance of the other.

    Nikolov et al., Journal of Medical Internet Research 23(7):e26151 (2021), counted by pixels.
    """
    return np.where(surface == 0, 1.0, _quotient(near, surface))


def assd(surface: Values, distance: Values) -> Values:
    """Average symmetric surface distance."""
    return np.where(surface == 0, 0.0, _quotient(distance, surface))


def object_precision(mask: Values, truth: Values, matched: Values) -> Values:
    """Share of the mask's objects that match one of the truth."""
    return np.where(mask + truth == 0, 1.0, _quotient(matched, mask))


def object_recall(mask: Values, truth: Values, matched: Values) -> Values:
    """Share of the truth's objects that match one of the mask."""
    return np.where(mask + truth == 0, 1.0, _quotient(matched, truth))


def object_f1(mask: Values, truth: Values, matched: Values) -> Values:
    """Harmonic mean of precision and recall of objects."""
    return np.where(mask + truth == 0, 1.0, _quotient(2 * matched, mask + truth))


def count_error(mask: Values, truth: Values, matched: Values) -> Values:
    """Objects that the mask has too many."""
    return mask - truth


def area_error(tp: Values, fp: Values, fn: Values, tn: Values) -> Values:
    """Foreground that the mask has too much, as a share of the true foreground."""
    return np.where(_both_empty(tp, fp, fn, tn), 0.0, _quotient(fp - fn, tp + fn))


REGISTRY = (
    Metric("accuracy", accuracy, COUNTS),
    Metric("precision", precision, COUNTS, decides=False),
    Metric("recall", recall, COUNTS, decides=False),
    Metric("specificity", specificity, COUNTS, decides=False),
    Metric("f1", f1, COUNTS),
    Metric("iou", iou, COUNTS),
    Metric("balanced_accuracy", balanced_accuracy, COUNTS),
    Metric("mcc", mcc, COUNTS, low=-1),
    Metric("prevalence", prevalence, COUNTS, 0, decides=False),
    Metric("cldice", cldice, SKELETONS, choice="cldice", needs="centrelines"),
    Metric("nsd", nsd, NEAR, choice="nsd", needs="surfaces"),
    Metric("hd95", None, (), -1, 0, INF, "hd95", "surfaces", decides=False),
    Metric("assd", assd, DISTANCES, -1, 0, INF, "assd", "surfaces", decides=False),
    Metric("object_precision", object_precision, OBJECTS, 1, 0, 1, "objects", "objects", False),
    Metric("object_recall", object_recall, OBJECTS, 1, 0, 1, "objects", "objects", False),
    Metric("object_f1", object_f1, OBJECTS, choice="objects", needs="objects"),
    Metric("count_error", count_error, OBJECTS, 0, -INF, INF, "objects", "objects", False),
    Metric("area_error", area_error, COUNTS, 0, -1, INF, "objects", decides=False),
)
"""All metrics, in the order of tables."""
METRICS = {metric.name: metric for metric in REGISTRY}
PIXEL_METRICS = tuple(name for name, metric in METRICS.items() if not metric.choice)
"""Metrics of the confusion matrix, which are always computed."""
CHOICES = tuple(dict.fromkeys(metric.choice for metric in METRICS.values() if metric.choice))
"""Words of `metrics` under `validate`."""


LABELS = {
    **{"mcc": "MCC", "f1": "F1 (Dice)", "iou": "IoU", "cldice": "clDice", "nsd": "NSD"},
    **{"hd95": "HD95", "assd": "ASSD", "object_f1": "F1 of objects"},
}
"""Metrics that people write in another way than tables."""


def label_of(metric: str) -> str:
    """A metric as people write it."""
    return LABELS.get(metric, metric.replace("_", " "))


def metrics_of(choices: Collection[str]) -> list[Metric]:
    """The metrics that some `CHOICES` ask for, in the order of `METRICS`."""
    return [metric for metric in METRICS.values() if metric.choice in choices]


def counts_of(choices: Collection[str]) -> tuple[str, ...]:
    """The counts that these metrics take besides `COUNTS`, each once."""
    fields = dict.fromkeys(name for metric in metrics_of(choices) for name in metric.counts)
    return tuple(name for name in fields if name not in COUNTS)


def evaluate(name: str, counts: Mapping[str, ArrayLike]) -> Values:
    """A metric of counts, pooled or not: a float64 ndarray of their shape.

    nan where the metric is undefined (0/0 without a convention) or a count is. `name` is one of
    `METRICS` with a formula; `counts` are at least those that it takes.
    """
    metric = METRICS[name]
    if metric.formula is None:
        raise ValueError(f"counts do not give {name}: average it")
    arrays = [np.asarray(counts[field], np.float64) for field in metric.counts]
    is_known = np.logical_and.reduce([np.isfinite(array) for array in arrays])
    value = metric.formula(*(np.where(is_known, array, 0) for array in arrays))
    return np.where(is_known, value, np.nan)


def set_metrics(rows: Collection[dict[str, Any]], names: Collection[str]) -> None:
    """Give rows of a table their metrics, of all rows at once: a float, or None where undefined.

    The rows have the counts that the metrics take. `names` are of `METRICS`, with a formula.
    """
    fields = dict.fromkeys(field for name in names for field in METRICS[name].counts)
    counts = {field: np.array([row[field] for row in rows], np.float64) for field in fields}
    for name in names:
        for row, value in zip(rows, evaluate(name, counts).tolist(), strict=True):
            row[name] = None if value != value else value
