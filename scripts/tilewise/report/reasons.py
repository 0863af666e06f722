"""Why a tile scores as it does, in a sentence, from its counts and flags."""

from collections.abc import Mapping
from typing import Any

MANY = 2
"""How many times as many pixels of one kind of error as of the other are most of them."""
FEW_PIXELS = 200
"""Of true foreground, below which single pixels weigh much."""
GOOD_LINES, LOST_LINES = 0.97, 0.85
"""Shares of centrelines: above both, lines are found, and what is wrong are their outlines; below,
pieces are missing, or there are false ones."""
FLAGS = {
    "empty": "the image is of one grey level",
    "blurred": "the image is out of focus",
    "saturated": "many pixels are at the end of the range",
    "low_contrast": "the contrast is low",
    "uneven": "the light is uneven",
    "striped": "the image has stripes",
    "unimodal": "grey levels do not fall into two classes",
    "foreground_outlier": "much more or less is foreground than in other tiles",
}
"""What flags of quality say."""


def reason(row: Mapping[str, Any]) -> str:
    """Why a tile's mask is as right or wrong as it is.

    Parameters
    ----------
    row : dict
        Of the table of metrics: `tp`, `fp` and `fn` in pixels, `flags` with semicolons between
        them, and perhaps the counts of centrelines, such as `skeleton_truth`, in pixels.

    Returns
    -------
    str
        A sentence without its full stop; empty where the tile has no foreground in mask or truth,
        and no error.
    """
    tp, fp, fn = (int(float(row[name])) for name in ("tp", "fp", "fn"))
    if not tp + fp + fn:
        return ""
    said = [_errors(tp, fp, fn), *_lines(row)] if fp + fn else ["all that is annotated is right"]
    if fp + fn and 0 < tp + fn < FEW_PIXELS:
        said.append(f"only {tp + fn} px are foreground in the truth, so that each weighs much")
    said += [FLAGS[flag] for flag in row["flags"].split(";") if flag in FLAGS]
    return "; ".join(said)


def _errors(tp: int, fp: int, fn: int) -> str:
    counts = f"{fp:,} px too many and {fn:,} px missed"
    if not tp + fn:
        return f"the truth has no foreground, and the mask {fp:,} px"
    if not tp:
        return (
            f"nothing is found: {counts}" if not fp else f"nothing that is found is right: {counts}"
        )
    if fp > MANY * fn:
        return f"mostly false foreground: {counts}"
    if fn > MANY * fp:
        return f"mostly missed foreground: {counts}"
    return f"false and missed foreground alike: {counts}"


def _lines(row: Mapping[str, Any]) -> list[str]:
    """Whether whole pieces or outlines alone are wrong, where centrelines were compared."""
    found = _share(row, "skeleton_truth_found", "skeleton_truth")
    right = _share(row, "skeleton_mask_right", "skeleton_mask")
    if found is None or right is None:
        return []
    if min(found, right) >= GOOD_LINES:
        return ["centrelines are right, so that errors are along outlines"]
    said = []
    if found < LOST_LINES:
        said.append(f"{1 - found:.0%} of the centrelines are missed: whole pieces, not outlines")
    if right < LOST_LINES:
        said.append(
            f"{1 - right:.0%} of the mask's centrelines are false: specks or lines of their own"
        )
    return said


def _share(row: Mapping[str, Any], part: str, whole: str) -> float | None:
    if not row.get(whole) or not float(row[whole]):
        return None
    return float(row[part]) / float(row[whole])
