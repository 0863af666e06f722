"""Metrics of one confusion matrix in whole numbers: what the formulas are compared with."""

import math


def metrics(tp, fp, fn, tn):
    """Metrics of the counts of a confusion matrix; exact to the last bit at any size.

    Parameters
    ----------
    tp, fp, fn, tn : int
        Counts of pixels; Python integers, which do not overflow.

    Returns
    -------
    dict of str to (float or None)
        Those of `formulas.PIXEL_METRICS`; None where a quotient is 0/0 and there is no convention.
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
