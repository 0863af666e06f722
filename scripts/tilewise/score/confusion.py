"""Where a mask agrees with the truth: the confusion map, its counts and their degenerate cases."""

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.labels import FN, FP, TN, TP


def confusion_map(truth: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Where a mask of 0 and 1 is right and wrong; the truth is 255 where it is not annotated.

    All are (rows, columns). In the map, 0 is not annotated, 1 true negative, 2 false positive, 3
    false negative, 4 true positive.
    """
    check_mask(mask, truth)
    # 1 + 2 * truth + mask is the code; where truth is 255 it wraps to 255 or 0
    codes = np.add(truth, truth)
    codes += mask
    codes += TN
    cv2.threshold(codes, TP, 0, cv2.THRESH_TOZERO_INV, dst=codes)
    return codes


def check_mask(mask: NDArray[np.uint8], truth: NDArray[np.uint8]) -> None:
    """Refuse a mask of another shape than the truth's, or with other values than 0 and 1."""
    if truth.shape != mask.shape:
        raise ValueError(f"truth is {truth.shape}, the mask {mask.shape}: they must be equal")
    if mask.size and mask.max() > 1:
        raise ValueError(f"the mask has the value {mask.max()}: it must be 0 and 1, not 0 and 255")


def count(codes: NDArray[np.uint8]) -> dict[str, int]:
    """Pixels of each kind, `formulas.COUNTS`, in a confusion map."""
    tp, fp, fn = (cv2.countNonZero((codes == code).view(np.uint8)) for code in (TP, FP, FN))
    return {"tp": tp, "fp": fp, "fn": fn, "tn": cv2.countNonZero(codes) - tp - fp - fn}


def edge(tp: int, fp: int, fn: int, tn: int) -> str:
    """The degenerate case that counts are; `normal` if they are none.

    `not_annotated`, `both_empty`, `both_full`, `mask_empty`, `mask_full`, `truth_empty`,
    `truth_full`, `all_wrong` (no pixel is right, neither mask nor truth is uniform) or `normal`. A
    uniform mask against an opposite uniform truth is `mask_empty` or `mask_full`.
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
