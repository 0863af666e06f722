"""Where methods differ, and what kind of errors they make."""

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.labels import FN, FP, TN, TP
from tilewise.score.skeleton import skeleton

Codes = NDArray[np.uint8]

CALIBRES = (0, 3, 5, 9, 17, math.inf)
"""Limits of the calibre of the foreground, in pixels."""
DISTANCES = (0, 1, 2, 4, 8, math.inf)
"""Limits of the distance to the truth's boundary, in pixels: up to 1 touches it."""


def is_wrong(codes: Codes) -> NDArray[np.bool_]:
    """Which methods are wrong where, from their confusion maps, (methods, rows, columns)."""
    return (codes == FP) | (codes == FN)


def error_map(codes: Codes) -> NDArray[np.uint8]:
    """How many methods are wrong at each pixel: 0 not annotated, else 1 + their number."""
    number = is_wrong(codes).sum(axis=0, dtype=np.uint8) + np.uint8(1)
    return np.where(codes[0] > 0, number, np.uint8(0))


def differences(codes: Codes) -> list[dict[str, int]]:
    """Pixels that every method gets right or wrong, and those that only one does.

    `error_table.PIXELS` of each method; counts, which add up over regions. With a single method
    nothing is of it alone.
    """
    methods = len(codes)
    wrong = is_wrong(codes)
    number = wrong.sum(axis=0, dtype=np.uint8)
    is_known, is_true = codes[0] > 0, _is_true(codes)
    common = {
        "annotated": _number(is_known),
        "all_right": _number(is_known & (number == 0)),
        "all_wrong_fp": _number(is_known & ~is_true & (number == methods)),
        "all_wrong_fn": _number(is_true & (number == methods)),
    }
    several = methods > 1
    only_right = ~wrong & (number == methods - 1) & is_known & several
    only_wrong = wrong & (number == 1) & several
    return [
        common
        | {
            "only_right_foreground": _number(only_right[i] & is_true),
            "only_right_background": _number(only_right[i] & ~is_true),
            "only_wrong_fp": _number(only_wrong[i] & ~is_true),
            "only_wrong_fn": _number(only_wrong[i] & is_true),
        }
        for i in range(methods)
    ]


def _is_true(codes):
    """Where the truth is foreground, from the confusion map of any method."""
    return (codes[0] == TP) | (codes[0] == FN)


def _number(pixels):
    return int(np.count_nonzero(pixels))


def object_differences(
    codes: Codes, coverage: float = 0.5, connectivity: int = 8
) -> list[dict[str, int]]:
    """Objects that every method finds, misses or makes up, and those that only one does.

    `error_table.OBJECTS` of each method; counts, which add up over regions that cut no object. An
    object of the truth is found where more than the share `coverage` of its pixels is. A false
    object is one of a mask without a pixel of the truth; those of several methods that touch are
    one.
    """
    methods = len(codes)
    number, labels = cv2.connectedComponents(
        _is_true(codes).view(np.uint8), connectivity=connectivity
    )
    sizes = np.bincount(labels.ravel(), minlength=number)[1:]
    is_found = np.stack(
        [np.bincount(labels[own == TP], minlength=number)[1:] > coverage * sizes for own in codes]
    )
    times = is_found.sum(axis=0)
    false = np.stack([_false_objects(own, connectivity) for own in codes])
    is_false = np.asarray(false.any(axis=0)).view(np.uint8)
    together, regions = cv2.connectedComponents(is_false, connectivity=connectivity)
    made = np.stack([np.bincount(regions[own], minlength=together)[1:] > 0 for own in false])
    makers = made.sum(axis=0)
    common = {
        "truth_objects": number - 1,
        "truth_objects_all_found": _number(times == methods),
        "truth_objects_all_missed": _number(times == 0),
        "false_objects": together - 1,
        "false_objects_of_all": _number(makers == methods),
    }
    several = methods > 1
    return [
        common
        | {
            "truth_objects_only_found": _number(is_found[i] & (times == 1)) * several,
            "truth_objects_only_missed": _number(~is_found[i] & (times == methods - 1)) * several,
            "false_objects_only": _number(made[i] & (makers == 1)) * several,
            "false_objects_all_but": _number(~made[i] & (makers == methods - 1)) * several,
        }
        for i in range(methods)
    ]


def _false_objects(codes, connectivity):
    """Pixels of objects of a mask that have no pixel of the truth."""
    mask = ((codes == TP) | (codes == FP)).view(np.uint8)
    number, labels = cv2.connectedComponents(mask, connectivity=connectivity)
    is_false = np.ones(number, bool)
    is_false[labels[codes == TP]] = False
    is_false[0] = False
    return is_false[labels]


def calibre(is_true: NDArray[np.uint8], line: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Local width of the foreground `is_true`, whose centreline is `line`; both are 0 or 1.

    In pixels: twice the distance from the nearest pixel of the object's own centreline to the
    background, less one; 0 outside. An object that the edge cuts is measured by what is seen.
    """
    if not line.any():
        return np.zeros(is_true.shape, np.float32)
    if is_true.all():
        return np.full(is_true.shape, float(min(is_true.shape)), np.float32)
    away = cv2.distanceTransform(is_true, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    _, nearest = cv2.distanceTransformWithLabels(
        1 - line, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    _, objects = cv2.connectedComponents(is_true, connectivity=8)
    inside, on_line = is_true.ravel().nonzero()[0], line.ravel().nonzero()[0]
    pixel = np.zeros(on_line.size + 1, np.intp)
    pixel[nearest.ravel()[on_line]] = on_line
    middle = pixel[nearest.ravel()[inside]]
    own = objects.ravel()[inside]
    astray = own != objects.ravel()[middle]
    if astray.any():
        middle[astray] = _nearest_of_object(objects, on_line, inside[astray])
    width = np.zeros(is_true.shape, np.float32)
    width.ravel()[inside] = 2 * away.ravel()[middle] - 1
    return width


def _nearest_of_object(objects, line, pixels):
    """The nearest of the line's pixels that is of the same object as each pixel; flat indices."""
    from scipy.spatial import cKDTree

    labels = objects.ravel()
    line = line[np.isin(labels[line], labels[pixels])]
    # the object is a third coordinate, along which every other one is farther than any pixel
    apart = sum(objects.shape)
    points, wanted = (
        np.stack([*np.divmod(at, objects.shape[1]), labels[at].astype(np.int64) * apart], axis=1)
        for at in (line, pixels)
    )
    return line[cKDTree(points).query(wanted)[1]]


def boundary_distance(
    is_true: NDArray[np.uint8], is_known: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Distance of each pixel to the boundary between foreground, 1, and background, 0.

    In pixels, to the nearest pixel of the other kind: 1 touches it; infinite without one. Where the
    truth is not annotated (`is_known`, everywhere by default) it is neither foreground nor
    background, so that the border of the annotation is no boundary; the distance means nothing
    there.
    """
    is_false = 1 - is_true if is_known is None else is_known & (is_true == 0)
    if not is_true.any() or not is_false.any():
        return np.full(is_true.shape, np.inf, np.float32)
    to_true, to_false = (
        np.asarray(
            cv2.distanceTransform(1 - pixels.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE),
            np.float32,
        )
        for pixels in (is_true, is_false)
    )
    # one of them is 0 at each annotated pixel
    return to_true + to_false


def strata(codes: Codes, values: NDArray, edges: Sequence[float]) -> list[dict[str, float]]:
    """Confusion counts in strata of some value, from a method's confusion map.

    Parameters
    ----------
    codes, values : (rows, columns) ndarray
        Pixels whose value is 0 or less are in no stratum.
    edges : sequence of float
        Ascending; a stratum holds what is above one edge and not above the next.

    Returns
    -------
    list of dict
        `low`, `high`, and the pixels `tp`, `fp`, `fn` and `tn`, which add up over regions.
    """
    number = len(edges) - 1
    chosen = values > edges[0]
    values, kinds = values[chosen], codes[chosen]
    # adding comparisons is several times faster than searching
    place = np.zeros(values.shape, np.uint16)
    for edge in edges[1:-1]:
        place += values > edge
    place *= 8
    place += kinds
    counts = np.bincount(place, minlength=8 * number).reshape(number, 8)
    return [
        {"low": low, "high": high, "tp": int(row[TP]), "fp": int(row[FP])}
        | {"fn": int(row[FN]), "tn": int(row[TN])}
        for low, high, row in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


def tile_rows(
    codes: Codes, methods: Sequence[str], connectivity: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of a tile for the tables of errors, from the confusion maps of its methods.

    Returns
    -------
    strata : list of dict
        `method`, `by`, `low`, `high` and counts of pixels: by calibre and by distance.
    differences : list of dict
        `method`, `error_table.PIXELS` and `error_table.OBJECTS`.
    """
    is_true = _is_true(codes).view(np.uint8)
    values = {
        "calibre": (calibre(is_true, skeleton(is_true)), CALIBRES),
        "distance": (boundary_distance(is_true, codes[0] > 0), DISTANCES),
    }
    rows = [
        {"method": method, "by": kind, **counts}
        for method, own in zip(methods, codes, strict=True)
        for kind, (value, edges) in values.items()
        for counts in strata(own, value, edges)
    ]
    objects = object_differences(codes, connectivity=connectivity)
    return rows, [
        {"method": method, **of_pixels, **of_objects}
        for method, of_pixels, of_objects in zip(methods, differences(codes), objects, strict=True)
    ]
