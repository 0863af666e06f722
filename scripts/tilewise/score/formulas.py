"""Metrics as functions of additive counts, for many units and resamples at once.

`pixel_metrics.metrics` has those of pixels for one confusion matrix, exact to the last bit; here
they are vectorised, in double precision, with the same conventions. So are those of structure,
whose counts `structure.compare` gives.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

PIXELS = ("tp", "fp", "fn", "tn")
OBJECTS = ("objects_mask", "objects_truth", "objects_matched")


@dataclass(frozen=True)
class Formula:
    """A metric of counts.

    Parameters
    ----------
    fields : tuple of str
        The counts that it takes, in order.
    compute : callable
        Takes float64 ndarrays of one shape, gives one; nan where the metric is undefined.
    direction : {1, -1, 0}
        1 if higher is better, -1 if lower is, 0 if the best value is zero.
    """

    fields: tuple[str, ...]
    compute: Callable
    direction: int = 1


def _quotient(numerator, denominator):
    """Their quotient, nan for 0/0."""
    is_defined = denominator != 0
    return np.where(is_defined, numerator / np.where(is_defined, denominator, 1), np.nan)


def _product(a, b):
    """A product, and what rounding took from it (Dekker, Numerische Mathematik 18, 1971)."""
    product = a * b
    high_a, high_b = (134217729 * x - (134217729 * x - x) for x in (a, b))
    low_a, low_b = a - high_a, b - high_b
    return product, (high_a * high_b - product + high_a * low_b + low_a * high_b) + low_a * low_b


def _accuracy(tp, fp, fn, tn):
    return _quotient(tp + tn, tp + fp + fn + tn)


def _precision(tp, fp, fn, tn):
    return _quotient(tp, tp + fp)


def _recall(tp, fp, fn, tn):
    return _quotient(tp, tp + fn)


def _specificity(tp, fp, fn, tn):
    return _quotient(tn, tn + fp)


def _both_empty(tp, fp, fn, tn):
    return (tp + fp + fn == 0) & (tn > 0)


def _f1(tp, fp, fn, tn):
    return np.where(_both_empty(tp, fp, fn, tn), 1.0, _quotient(2 * tp, 2 * tp + fp + fn))


def _iou(tp, fp, fn, tn):
    return np.where(_both_empty(tp, fp, fn, tn), 1.0, _quotient(tp, tp + fp + fn))


def _balanced_accuracy(tp, fp, fn, tn):
    return (_recall(tp, fp, fn, tn) + _specificity(tp, fp, fn, tn)) / 2


def _mcc(tp, fp, fn, tn):
    annotated = tp + fp + fn + tn
    # the product of all four margins would overflow long before those of their square roots
    scale = np.sqrt(tp + fp) * np.sqrt(tn + fn), np.sqrt(tp + fn) * np.sqrt(tn + fp)
    is_defined = (scale[0] > 0) & (scale[1] > 0)
    safe = [np.where(is_defined, part, 1) for part in scale]
    # near zero the products of large counts agree in all the digits that a double holds
    right, right_rest = _product(tp, tn)
    wrong, wrong_rest = _product(fp, fn)
    value = ((right - wrong) + (right_rest - wrong_rest)) / safe[0] / safe[1]
    value = np.where(is_defined, np.clip(value, -1, 1), 0.0)
    value = np.where(tp + tn == 0, -1.0, value)
    value = np.where(fp + fn == 0, 1.0, value)
    return np.where(annotated > 0, value, np.nan)


def _prevalence(tp, fp, fn, tn):
    return _quotient(tp + fn, tp + fp + fn + tn)


def _cldice(mask, mask_right, truth, truth_found):
    precision, sensitivity = _quotient(mask_right, mask), _quotient(truth_found, truth)
    total = precision + sensitivity
    value = np.where(total > 0, _quotient(2 * precision * sensitivity, total), 0.0)
    value = np.where((mask > 0) & (truth > 0), value, 0.0)
    return np.where(mask + truth == 0, 1.0, value)


def _nsd(surface, surface_near):
    return np.where(surface == 0, 1.0, _quotient(surface_near, surface))


def _assd(surface, surface_distance):
    return np.where(surface == 0, 0.0, _quotient(surface_distance, surface))


def _object_precision(mask, truth, matched):
    return np.where(mask + truth == 0, 1.0, _quotient(matched, mask))


def _object_recall(mask, truth, matched):
    return np.where(mask + truth == 0, 1.0, _quotient(matched, truth))


def _object_f1(mask, truth, matched):
    return np.where(mask + truth == 0, 1.0, _quotient(2 * matched, mask + truth))


def _count_error(mask, truth, matched):
    return mask - truth


def _area_error(tp, fp, fn, tn):
    error = _quotient(fp - fn, tp + fn)
    return np.where(_both_empty(tp, fp, fn, tn), 0.0, error)


METRICS = {
    "accuracy": Formula(PIXELS, _accuracy),
    "precision": Formula(PIXELS, _precision),
    "recall": Formula(PIXELS, _recall),
    "specificity": Formula(PIXELS, _specificity),
    "f1": Formula(PIXELS, _f1),
    "iou": Formula(PIXELS, _iou),
    "balanced_accuracy": Formula(PIXELS, _balanced_accuracy),
    "mcc": Formula(PIXELS, _mcc),
    "prevalence": Formula(PIXELS, _prevalence, 0),
    "cldice": Formula(
        ("skeleton_mask", "skeleton_mask_right", "skeleton_truth", "skeleton_truth_found"), _cldice
    ),
    "nsd": Formula(("surface", "surface_near"), _nsd),
    "assd": Formula(("surface", "surface_distance"), _assd, -1),
    "object_precision": Formula(OBJECTS, _object_precision),
    "object_recall": Formula(OBJECTS, _object_recall),
    "object_f1": Formula(OBJECTS, _object_f1),
    "count_error": Formula(OBJECTS, _count_error, 0),
    "area_error": Formula(PIXELS, _area_error, 0),
}
"""Every metric that additive counts give; a 95th percentile, `hd95`, has none."""

CHOICES = {
    "cldice": (
        ("skeleton_mask", "skeleton_mask_right", "skeleton_truth", "skeleton_truth_found"),
        ("cldice",),
    ),
    "nsd": (("surface", "surface_near"), ("nsd",)),
    "hd95": ((), ("hd95",)),
    "assd": (("surface", "surface_distance"), ("assd",)),
    "objects": (
        ("objects_mask", "objects_truth", "objects_matched"),
        ("object_precision", "object_recall", "object_f1", "count_error", "area_error"),
    ),
}
"""Counts and metrics of each choice that `structure.compare` has."""


def structure_fields(chosen):
    """Names of the additive counts of some `CHOICES`, each once."""
    return tuple(
        dict.fromkeys(name for choice in CHOICES if choice in chosen for name in CHOICES[choice][0])
    )


def structure_metrics(chosen):
    """Names of the metrics of some `CHOICES`."""
    return tuple(name for choice in CHOICES if choice in chosen for name in CHOICES[choice][1])


def evaluate(name, counts):
    """A metric of counts, pooled or not.

    Parameters
    ----------
    name : str
        Of `METRICS`.
    counts : dict of str to (number or ndarray)
        At least the formula's fields, of one shape.

    Returns
    -------
    ndarray
        float64, of that shape; nan where the metric is undefined (0/0 without a convention).
    """
    formula = METRICS[name]
    arrays = [np.asarray(counts[field], np.float64) for field in formula.fields]
    # nan where a count is not known
    is_known = np.logical_and.reduce([np.isfinite(array) for array in arrays])
    value = formula.compute(*(np.where(is_known, array, 0) for array in arrays))
    return np.where(is_known, value, np.nan)
