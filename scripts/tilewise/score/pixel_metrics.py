"""Metrics of one confusion matrix of pixels, exact to the last bit."""

import math

COUNTS = ("tp", "fp", "fn", "tn")
METRICS = (
    "accuracy",
    "precision",
    "recall",
    "specificity",
    "f1",
    "iou",
    "balanced_accuracy",
    "mcc",
    "prevalence",
)
COLUMNS = (
    *("sample", "method", "tile", "z", "y", "x", "annotated"),
    *COUNTS,
    *METRICS,
    "edge",
)
"""Of the table of metrics; z in planes, y and x of the tile's upper left corner in pixels."""


def edge(tp, fp, fn, tn):
    """Names the degenerate case that the counts are, `normal` where they are none.

    Returns
    -------
    str
        `not_annotated`, `both_empty`, `both_full`, `mask_empty`, `mask_full`, `truth_empty`,
        `truth_full`, `all_wrong` (no pixel is right, neither mask nor truth is uniform) or
        `normal`. A uniform mask against an opposite uniform truth is `mask_empty` or `mask_full`.
    """
    annotated = tp + fp + fn + tn
    cases = (
        ("not_annotated", annotated == 0),
        ("both_empty", tn == annotated),
        ("both_full", tp == annotated),
        ("mask_empty", tp + fp == 0),
        ("mask_full", fn + tn == 0),
        ("truth_empty", tp + fn == 0),
        ("truth_full", fp + tn == 0),
        ("all_wrong", tp + tn == 0),
    )
    return next((name for name, holds in cases if holds), "normal")


def metrics(tp, fp, fn, tn):
    """Metrics of the counts of a confusion matrix; exact to the last bit at any size.

    Parameters
    ----------
    tp, fp, fn, tn : int
        Counts of pixels; Python integers, which do not overflow.

    Returns
    -------
    dict of str to (float or None)
        The names of `METRICS`; None where a quotient is 0/0 and there is no convention.
        Both empty or both full: F1 = IoU = MCC = 1. Nothing right (tp = tn = 0): F1 = 0, MCC = -1.
        Any other MCC without a denominator is 0.

    References
    ----------
    Chicco and Jurman, BMC Genomics 21:6 (2020), for the MCC and its conventions.
    """
    tp, fp, fn, tn = map(int, (tp, fp, fn, tn))
    annotated = tp + fp + fn + tn
    recall = _quotient(tp, tp + fn)
    specificity = _quotient(tn, tn + fp)
    both_empty = annotated > 0 and tn == annotated
    balanced = None if recall is None or specificity is None else (recall + specificity) / 2
    return {
        "accuracy": _quotient(tp + tn, annotated),
        "precision": _quotient(tp, tp + fp),
        "recall": recall,
        "specificity": specificity,
        "f1": 1.0 if both_empty else _quotient(2 * tp, 2 * tp + fp + fn),
        "iou": 1.0 if both_empty else _quotient(tp, tp + fp + fn),
        "balanced_accuracy": balanced,
        "mcc": _matthews(tp, fp, fn, tn),
        "prevalence": _quotient(tp + fn, annotated),
    }


def score(counts):
    """Counts with all that follows from them, as fields of a table.

    Parameters
    ----------
    counts : dict of str to int
        As from `confusion.count`.

    Returns
    -------
    dict
        `annotated` pixels, `COUNTS`, `METRICS` and `edge`.
    """
    return {
        "annotated": sum(counts.values()),
        **counts,
        **metrics(**counts),
        "edge": edge(**counts),
    }


def _quotient(numerator, denominator):
    return numerator / denominator if denominator else None


def _matthews(tp, fp, fn, tn):
    annotated = tp + fp + fn + tn
    if annotated == 0:
        return None
    if annotated in (tp, tn):
        return 1.0
    if tp + tn == 0:
        return -1.0
    margins = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    if margins == 0:
        return 0.0
    # 2 ** 64 times the quotient's square root, in integers: the product of the margins of 10 ** 12
    # pixels has 160 bits, more than a double holds
    covariance = tp * tn - fp * fn
    scaled = math.isqrt((covariance * covariance << 128) // margins)
    return math.copysign(scaled / 2**64, covariance)
