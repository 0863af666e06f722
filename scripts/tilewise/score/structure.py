"""Metrics of structure: centrelines, surfaces and objects, in a plane or in a stack.

Where truth is not annotated, it and the mask count as background. Its border, and the edge of the
array, are no surface: nobody knows how an object goes on there.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from tilewise.labels import NOT_ANNOTATED
from tilewise.score.formulas import CHOICES
from tilewise.score.skeleton import skeleton

CRITERIA = ("iou", "overlap", "any")
NEAR = 2048
"""Pixels up to which the square of a distance in single precision rounds to the right integer."""
ROUNDING = 1 + 1e-9
"""Of a distance that equals the tolerance: 3 * 0.1 > 0.3 in double precision."""


@dataclass(frozen=True)
class Objects:
    """What an object is, and when one of the mask matches one of the truth.

    Parameters
    ----------
    criterion : {"iou", "overlap", "any"}
        Intersection over union, the share of the true object that is covered, or any common pixel.
    threshold : float
        The criterion has to be above it, 0 to 1; of no use to `any`.
    connectivity : {4, 8}
        Whether pixels that share a corner belong to one object; 6 and 26 in a stack.
    min_size : int
        Pixels of the smallest object that counts.
    """

    criterion: str = "iou"
    threshold: float = 0.5
    connectivity: int = 8
    min_size: int = 1

    def __post_init__(self):
        if self.criterion not in CRITERIA:
            raise ValueError(
                f"criterion {self.criterion} does not exist: use {', '.join(CRITERIA)}"
            )
        if self.connectivity not in (4, 8):
            raise ValueError(f"connectivity is {self.connectivity}: use 4 or 8, in a stack too")


def compare(truth, mask, chosen, spacing=None, tolerance=1.0, objects=None):
    """Compare the structures of a mask with those of the truth.

    Parameters
    ----------
    truth : (rows, columns) or (planes, rows, columns) uint8 ndarray
        0 background, 1 foreground, 255 not annotated.
    mask : uint8 ndarray
        Of the same shape; 0 background, 1 foreground.
    chosen : collection of str
        Of `formulas.CHOICES`; nothing else is computed.
    spacing : sequence of float, optional
        Size of a pixel along each axis; 1 by default.
    tolerance : float
        Distance up to which a surface counts as found, in the unit of `spacing`.
    objects : Objects, optional

    Returns
    -------
    dict of str to number
        The counts of `formulas.structure_fields`, which add up over extents: `skeleton_mask` pixels
        of the mask's centreline, of which `skeleton_mask_right` are in the truth; `skeleton_truth`
        and `skeleton_truth_found` likewise; `surface` pixels of both surfaces, `surface_near` of
        them within the tolerance of the other, `surface_distance` the sum of their distances to the
        other; `objects_mask`, `objects_truth` and `objects_matched` of both. And `hd95`, the
        greater of the 95th percentiles of the distances each way, which does not add up. Where only
        one surface is empty, every distance is the diagonal of the extent.

    Raises
    ------
    ValueError
        If shapes differ, a mask has other values than 0 and 1, or a choice does not exist.

    References
    ----------
    Shit et al., CVPR 2021, for the centreline Dice. Nikolov et al., Journal of Medical Internet
    Research 23(7):e26151 (2021), for the normalised surface distance, counted by pixels.
    """
    if truth.shape != mask.shape:
        raise ValueError(f"truth is {truth.shape}, the mask {mask.shape}: they must be equal")
    if mask.size and mask.max() > 1:
        raise ValueError(f"the mask has the value {mask.max()}: it must be 0 and 1, not 0 and 255")
    if unknown := set(chosen) - set(CHOICES):
        raise ValueError(f"{', '.join(sorted(unknown))} does not exist: use {', '.join(CHOICES)}")
    known = truth != NOT_ANNOTATED
    is_whole = bool(known.all())
    if not is_whole:
        truth, mask = truth * known, mask * known
    if truth.size and truth.max() > 1:
        raise ValueError(f"the truth has the value {truth.max()}: it must be 0, 1 or 255")
    found = {}
    if "cldice" in chosen:
        found |= _centrelines(truth, mask)
    if {"nsd", "hd95", "assd"} & set(chosen):
        unknown = None if is_whole else ~known
        spacing = (1.0,) * truth.ndim if spacing is None else tuple(spacing)
        found |= _surfaces(truth, mask, unknown, chosen, spacing, tolerance)
    if "objects" in chosen:
        found |= _objects(truth, mask, objects or Objects())
    return found


def _centrelines(truth, mask):
    of_mask, of_truth = skeleton(mask), skeleton(truth)
    return {
        "skeleton_mask": int(np.count_nonzero(of_mask)),
        "skeleton_mask_right": int(np.count_nonzero(of_mask & truth)),
        "skeleton_truth": int(np.count_nonzero(of_truth)),
        "skeleton_truth_found": int(np.count_nonzero(of_truth & mask)),
    }


def _box(*arrays):
    """Slices around all that is not zero; None if nothing is."""
    places = np.nonzero(np.logical_or.reduce(arrays))
    if not places[0].size:
        return None
    return tuple(slice(int(along.min()), int(along.max()) + 1) for along in places)


def surface(mask, unknown=None):
    """Foreground pixels that share a side with known background.

    Parameters
    ----------
    mask : (rows, columns) or (planes, rows, columns) uint8 ndarray
        0 or 1.
    unknown : bool ndarray, optional
        Pixels that are not known to be background.

    Returns
    -------
    bool ndarray
    """
    background = mask == 0
    if unknown is not None:
        background &= ~unknown
    beside = np.zeros(mask.shape, bool)
    for axis in range(mask.ndim):
        ahead = (slice(None),) * axis + (slice(1, None),)
        behind = (slice(None),) * axis + (slice(None, -1),)
        beside[behind] |= background[ahead]
        beside[ahead] |= background[behind]
    return beside & (mask != 0)


def _surfaces(truth, mask, unknown, chosen, spacing, tolerance):
    diagonal = float(np.linalg.norm(np.multiply(truth.shape, spacing)))
    of_truth, of_mask = surface(truth, unknown), surface(mask, unknown)
    box = _box(of_truth, of_mask)
    if box is None:
        to_truth = to_mask = np.zeros(0)
    else:
        of_truth, of_mask = of_truth[box], of_mask[box]
        to_truth = _distances(of_truth, of_mask, spacing, diagonal)
        to_mask = _distances(of_mask, of_truth, spacing, diagonal)
    both = np.concatenate([to_truth, to_mask])
    found = {}
    if {"nsd", "assd"} & set(chosen):
        found["surface"] = int(both.size)
    if "nsd" in chosen:
        found["surface_near"] = int(np.count_nonzero(both <= tolerance * ROUNDING))
    if "assd" in chosen:
        found["surface_distance"] = float(both.sum())
    if "hd95" in chosen:
        ways = (to_truth, to_mask)
        found["hd95"] = max(float(np.percentile(way, 95)) if way.size else 0.0 for way in ways)
    return found


def _distances(target, source, spacing, diagonal):
    """Distances of the pixels of a surface to the nearest pixel of another."""
    if not target.any():
        return np.full(np.count_nonzero(source), diagonal)
    if target.ndim == 2 and spacing[0] == spacing[1]:
        away = np.where(target, np.uint8(0), np.uint8(1))
        near = cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[source]
        # OpenCV gives the square root of an integer in single precision
        distances = np.sqrt(np.rint(near.astype(np.float64) ** 2))
        far = np.flatnonzero(distances > NEAR)
        if far.size:
            from scipy.spatial import cKDTree

            distances[far] = cKDTree(np.argwhere(target)).query(np.argwhere(source)[far])[0]
        return distances * spacing[0]
    from scipy import ndimage

    return ndimage.distance_transform_edt(~target, sampling=spacing)[source]


def _objects(truth, mask, objects):
    truth_labels, truth_sizes = _labelled(truth, objects)
    mask_labels, mask_sizes = _labelled(mask, objects)
    both = (truth_labels > 0) & (mask_labels > 0)
    pairs = truth_labels[both].astype(np.int64) * len(mask_sizes) + mask_labels[both]
    pairs, common = np.unique(pairs, return_counts=True)
    of_truth, of_mask = np.divmod(pairs, len(mask_sizes))
    if objects.criterion == "iou":
        union = truth_sizes[of_truth] + mask_sizes[of_mask] - common
        values, threshold = common / union, objects.threshold
    elif objects.criterion == "overlap":
        values, threshold = common / truth_sizes[of_truth], objects.threshold
    else:
        values, threshold = common.astype(np.float64), 0
    return {
        "objects_mask": int(np.count_nonzero(mask_sizes)),
        "objects_truth": int(np.count_nonzero(truth_sizes)),
        "objects_matched": _matched(values, of_truth, of_mask, threshold),
    }


def _labelled(mask, objects):
    """Labels of the objects that count, and their pixels by label, 0 for all others."""
    if not mask.size:
        # OpenCV does not survive an array without pixels
        return np.zeros(mask.shape, np.int32), np.zeros(1, np.int64)
    if mask.ndim == 2:
        _, labels = cv2.connectedComponents(mask, connectivity=objects.connectivity)
    else:
        from scipy import ndimage

        neighbours = ndimage.generate_binary_structure(3, 1 if objects.connectivity == 4 else 3)
        labels, _ = ndimage.label(mask, neighbours)
    # several times as fast as OpenCV's own statistics
    sizes = np.bincount(labels[mask != 0], minlength=1)
    small = (sizes < objects.min_size) & (sizes > 0)
    if small.any():
        sizes[small] = 0
        labels = np.where(small[labels], 0, labels)
    return labels, sizes


def _matched(values, of_truth, of_mask, threshold):
    """Pairs above the threshold, one to one, the greatest first."""
    candidates = np.flatnonzero(values > threshold)
    order = candidates[np.argsort(-values[candidates], kind="stable")]
    if (
        threshold >= 0.5
        and order.size == np.unique(of_truth[order]).size == np.unique(of_mask[order]).size
    ):
        return int(order.size)
    taken_truth, taken_mask, number = set(), set(), 0
    for a, b in zip(of_truth[order].tolist(), of_mask[order].tolist(), strict=True):
        if a not in taken_truth and b not in taken_mask:
            taken_truth.add(a)
            taken_mask.add(b)
            number += 1
    return number
