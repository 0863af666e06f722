"""Values of a truth image: which occur, and which of them is foreground."""

from collections.abc import Iterable
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.read.header import without_bool

LABELS: Literal["labels"] = "labels"
"""For a foreground's value: all but 0, as in a label image, whose objects are numbered from 1."""
Foreground = float | Literal["labels"]


def distinct(plane: NDArray) -> set[float]:
    """The values that occur in a plane or a part of it: int or float, as its dtype."""
    if plane.size == 0:
        return set()
    plane = without_bool(plane)
    if plane.ndim == 2 and plane.dtype in (np.uint8, np.uint16):
        plane = np.ascontiguousarray(plane)
        top, occupied = int(plane.max()), cv2.countNonZero(plane)
        # most planes hold 0 and one more: found by faster passes than a histogram's
        if cv2.sumElems(plane)[0] == top * occupied:
            return {top} if occupied in (0, plane.size) else {0, top}
        levels = np.iinfo(plane.dtype).max + 1
        counts = cv2.calcHist([plane], [0], None, [levels], [0, levels])
        return set(np.flatnonzero(counts).tolist())
    return set(np.unique(plane).tolist())


def truth_foreground_of(
    values: Iterable[float], foreground: Foreground | None = None
) -> Foreground:
    """Decide which of a truth's values is foreground.

    Parameters
    ----------
    values
        All that occur in the truth, as of `distinct`.
    foreground
        The foreground's value, or `LABELS`. Without it, values must be 0 and 255, or 0 and 1, or
        one of them.

    Returns
    -------
    float or `LABELS`
        The value of foreground pixels, an int if it is whole; all others are background.

    Raises
    ------
    ValueError
        If there are more than two values, or two of which neither is `foreground`, or others than
        the usual ones without `foreground`; or of labels, if one is no whole number from 0 on. The
        message names the setting `truth_foreground`.
    """
    values = sorted(values)
    shown = ", ".join(f"{value:g}" for value in values[:5]) + (", ..." if len(values) > 5 else "")
    if foreground == LABELS:
        odd = [value for value in values if value < 0 or value % 1]
        if odd:
            raise ValueError(
                f"the truth has the value {odd[0]:g}, `truth_foreground` is labels: save labels as "
                "whole numbers from 0 on, or set another foreground"
            )
        return LABELS
    if len(values) > 2:
        raise ValueError(
            f"the truth has {len(values)} values ({shown}) where it may have two: if it is a label "
            "image, which numbers its objects from 1, set `truth_foreground: labels`; else save it "
            "as 0 and 255 without smoothing or lossy compression (no JPEG), and name a foreground "
            "other than 255 or 1 in `truth_foreground`"
        )
    if foreground is not None:
        if len(values) == 2 and foreground not in values:
            raise ValueError(
                f"the truth has the values {shown}, `truth_foreground` is {foreground:g}: "
                "set `truth_foreground` to one of them"
            )
        # comparing integer pixels with a float would convert all of them
        return int(foreground) if float(foreground).is_integer() else foreground
    for usual in (255, 1):
        if set(values) <= {0, usual}:
            return usual
    raise ValueError(
        f"the truth has the values {shown}, not 0 and 255 or 0 and 1: "
        "set `truth_foreground` to that of the foreground"
    )
