"""Metrics of structure: centrelines, surfaces and objects, in a plane or in a stack.

Where truth is not annotated, it and the mask count as background. Its border, and the edge of the
array, are no surface: nobody knows how an object goes on there.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.labels import NOT_ANNOTATED
from tilewise.score.confusion import check_mask
from tilewise.score.formulas import CHOICES, counts_of, metrics_of
from tilewise.score.skeleton import skeleton

Pixels = NDArray[np.uint8]
Counts = dict[str, float]

CRITERIA = ("iou", "overlap", "any")
EXACT_DISTANCE = 2048
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

    def __post_init__(self) -> None:
        if self.criterion not in CRITERIA:
            raise ValueError(
                f"criterion {self.criterion} does not exist: use {', '.join(CRITERIA)}"
            )
        if self.connectivity not in (4, 8):
            raise ValueError(f"connectivity is {self.connectivity}: use 4 or 8, in a stack too")


@dataclass(frozen=True)
class Extent:
    """A plane, tile or stack that is compared with its truth.

    Parameters
    ----------
    truth, mask : (rows, columns) or (planes, rows, columns) uint8 ndarray
        0 or 1; 0 where the truth is not annotated.
    unknown : bool ndarray or None
        Where the truth is not annotated; None if it is everywhere.
    spacing : tuple of float
        Size of a pixel along each axis.
    tolerance : float
        Greatest distance from the other surface that still counts as right, in the unit of
        `spacing`.
    """

    truth: Pixels
    mask: Pixels
    unknown: NDArray[np.bool_] | None
    spacing: tuple[float, ...]
    tolerance: float
    objects: Objects


def compare(
    truth: Pixels,
    mask: Pixels,
    choices: Collection[str],
    spacing: Sequence[float] | None = None,
    tolerance: float = 1.0,
    objects: Objects | None = None,
) -> Counts:
    """Compare the structures of a mask with those of the truth.

    Parameters
    ----------
    truth : (rows, columns) or (planes, rows, columns) uint8 ndarray
        0 background, 1 foreground, 255 not annotated.
    mask : uint8 ndarray
        Of the same shape; 0 background, 1 foreground.
    choices : collection of str
        Of `formulas.CHOICES`; nothing else is measured.
    spacing : sequence of float, optional
        Size of a pixel along each axis; 1 by default.
    tolerance, objects
        As for `Extent`.

    Returns
    -------
    dict of str to number
        The counts of `formulas.counts_of`, which add up over extents, and the metrics that have no
        counts: what the functions in `MEASURES` give of them.

    Raises
    ------
    ValueError
        If shapes differ, a mask has other values than 0 and 1, or a choice does not exist.
    """
    check_mask(mask, truth)
    if absent := set(choices) - set(CHOICES):
        raise ValueError(f"{', '.join(sorted(absent))} does not exist: use {', '.join(CHOICES)}")
    is_known = truth != NOT_ANNOTATED
    unknown = None if is_known.all() else ~is_known
    if unknown is not None:
        truth, mask = truth * is_known, mask * is_known
    if truth.size and truth.max() > 1:
        raise ValueError(f"the truth has the value {truth.max()}: it must be 0, 1 or 255")
    spacing = (1.0,) * truth.ndim if spacing is None else tuple(spacing)
    extent = Extent(truth, mask, unknown, spacing, tolerance, objects or Objects())
    metrics = metrics_of(choices)
    wanted = {*counts_of(choices), *(metric.name for metric in metrics if not metric.formula)}
    counts: Counts = {}
    for measure in dict.fromkeys(metric.needs for metric in metrics if metric.needs):
        counts |= MEASURES[measure](extent, wanted)
    return counts


def centrelines(extent: Extent, wanted: Collection[str]) -> Counts:
    """Pixels of the centrelines: of the mask's, and how many of them are in the truth, and back."""
    of_mask, of_truth = skeleton(extent.mask), skeleton(extent.truth)
    return {
        "skeleton_mask": int(np.count_nonzero(of_mask)),
        "skeleton_mask_right": int(np.count_nonzero(of_mask & extent.truth)),
        "skeleton_truth": int(np.count_nonzero(of_truth)),
        "skeleton_truth_found": int(np.count_nonzero(of_truth & extent.mask)),
    }


def _box(pixels):
    """Slices around all that is not zero; empty ones if nothing is."""
    return tuple(
        slice(along.min(initial=pixels.size), along.max(initial=-1) + 1)
        for along in np.nonzero(pixels)
    )


def surface(mask: Pixels, unknown: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Foreground pixels of a mask of 0 and 1 that share a side with known background.

    Pixels that are `unknown` are not known to be background.
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


def surfaces(extent: Extent, wanted: Collection[str]) -> Counts:
    """Pixels of both surfaces, and their distances to the other surface.

    What is wanted of: `surface` pixels, `surface_near` of them within the tolerance,
    `surface_distance` the sum of their distances, and `hd95`, the greater of the 95th percentiles
    of the distances each way. Where only one surface is empty, every distance is the diagonal of
    the extent.
    """
    diagonal = float(np.linalg.norm(np.multiply(extent.truth.shape, extent.spacing)))
    of_truth = surface(extent.truth, extent.unknown)
    of_mask = surface(extent.mask, extent.unknown)
    box = _box(of_truth | of_mask)
    of_truth, of_mask = of_truth[box], of_mask[box]
    to_truth = _distances(of_truth, of_mask, extent.spacing, diagonal)
    to_mask = _distances(of_mask, of_truth, extent.spacing, diagonal)
    both = np.concatenate([to_truth, to_mask])
    counts: Counts = {
        "surface": int(both.size),
        "surface_near": int(np.count_nonzero(both <= extent.tolerance * ROUNDING)),
        "surface_distance": float(both.sum()),
    }
    counts = {name: number for name, number in counts.items() if name in wanted}
    if "hd95" in wanted:
        ways = (to_truth, to_mask)
        counts["hd95"] = max(float(np.percentile(way, 95)) if way.size else 0.0 for way in ways)
    return counts


def _distances(target, source, spacing, diagonal):
    """Distances of the pixels of a surface to the nearest pixel of another."""
    if not target.any():
        return np.full(np.count_nonzero(source), diagonal)
    if target.ndim == 2 and spacing[0] == spacing[1]:
        away = np.where(target, np.uint8(0), np.uint8(1))
        near = cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[source]
        # OpenCV gives the square root of an integer in single precision
        distances = np.sqrt(np.rint(near.astype(np.float64) ** 2))
        far = np.flatnonzero(distances > EXACT_DISTANCE)
        if far.size:
            from scipy.spatial import cKDTree

            distances[far] = cKDTree(np.argwhere(target)).query(np.argwhere(source)[far])[0]
        return distances * spacing[0]
    from scipy import ndimage

    # distances of all pixels would take five times the memory of the places that they are from
    nearest = ndimage.distance_transform_edt(
        ~target, sampling=spacing, return_distances=False, return_indices=True
    )
    steps = [
        ((own[source] - places) * size) ** 2
        for own, places, size in zip(nearest, np.nonzero(source), spacing, strict=True)
    ]
    return np.sqrt(sum(steps))


def objects(extent: Extent, wanted: Collection[str]) -> Counts:
    """Objects of the mask, of the truth, and pairs that match, one to one."""
    objects = extent.objects
    truth_labels, truth_sizes = _labelled(extent.truth, objects)
    mask_labels, mask_sizes = _labelled(extent.mask, objects)
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


MEASURES: dict[str, Callable[[Extent, Collection[str]], Counts]] = {
    "centrelines": centrelines,
    "surfaces": surfaces,
    "objects": objects,
}
"""What measures the counts of metrics, by the name that `formulas.Metric.needs` has."""
