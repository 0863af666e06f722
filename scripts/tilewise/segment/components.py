"""Connected components of a plane, band by band: labels of all of it take four times its memory."""

import cv2
import numpy as np
from numpy.typing import NDArray

BAND_PIXELS = 2**22
"""Pixels that are labelled at a time."""


class Components:
    """The components of a mask.

    Parameters
    ----------
    mask : (Y, X) uint8 ndarray
        0 or 1.
    connectivity : {8, 4}
        Whether pixels that share a corner are neighbours, or only those that share a side.

    Attributes
    ----------
    area : (components,) int64 ndarray
        Pixels; the first is the background's.
    touches_border : (components,) bool ndarray
        Whether a pixel is on the border of the plane; the first means nothing.
    """

    def __init__(self, mask: NDArray[np.uint8], connectivity: int) -> None:
        self._mask = mask
        self._connectivity = connectivity
        rows, columns = mask.shape
        height = max(BAND_PIXELS // max(columns, 1), 1)
        self._bands = [slice(y, min(y + height, rows)) for y in range(0, rows, height)]
        self._labels = None
        self._starts, self._numbers = [], []
        areas: list[NDArray] = [np.zeros(1, np.int64)]
        edges, seams, last, start = [], [], None, 0
        for band in self._bands:
            _, labels, stats, _ = cv2.connectedComponentsWithStats(
                mask[band], connectivity=connectivity
            )
            self._starts.append(start)
            self._numbers.append(len(stats) - 1)
            areas[0] += stats[0, cv2.CC_STAT_AREA]
            areas.append(stats[1:, cv2.CC_STAT_AREA])
            sides = [labels[:, 0], labels[:, -1]]
            sides += [labels[0]] if band.start == 0 else []
            sides += [labels[-1]] if band.stop == rows else []
            edges.append(_shifted(np.unique(np.concatenate(sides)), start))
            if last is not None:
                seams += self._neighbours(last, _shifted(labels[0], start))
            last = _shifted(labels[-1], start)
            start += len(stats) - 1
        if len(self._bands) == 1:
            self._labels = labels
        self._component = _join(start + 1, seams)
        number = self._component.max() + 1
        # exact in double precision: no plane has 2 ** 53 pixels
        self.area = np.bincount(self._component, np.concatenate(areas), number).astype(np.int64)
        self.touches_border = np.zeros(number, bool)
        self.touches_border[self._component[np.concatenate(edges)]] = True

    def _neighbours(self, upper, lower):
        """Pairs of labels that meet between two rows."""
        steps = (0,) if self._connectivity == 4 else (0, 1, -1)
        for step in steps:
            a = upper[max(step, 0) : upper.size + min(step, 0)]
            b = lower[max(-step, 0) : lower.size + min(-step, 0)]
            both = (a > 0) & (b > 0)
            yield np.unique(np.stack([a[both], b[both]]), axis=1)

    def _labelled(self):
        """Each band with its labels, and what the component of a label is."""
        for band, start, number in zip(self._bands, self._starts, self._numbers, strict=True):
            labels = self._labels
            if labels is None:
                _, labels = cv2.connectedComponents(
                    self._mask[band], connectivity=self._connectivity
                )
            own = self._component[start : start + number + 1].copy()
            own[0] = 0
            yield band, labels, own

    def any(self, pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Whether each component has one of these pixels, 0 or 1; the first means nothing."""
        has_any = np.zeros(self.area.size, bool)
        for band, labels, component in self._labelled():
            occurs = np.zeros(component.size, bool)
            occurs[labels[pixels[band].view(bool)]] = True
            has_any[component[occurs]] = True
        return has_any

    def select(self, chosen: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """The pixels of some components, 0 or 1; `chosen` begins with the background."""
        selected = np.empty(self._mask.shape, np.uint8)
        for band, labels, component in self._labelled():
            chosen[component].view(np.uint8).take(labels, out=selected[band], mode="clip")
        return selected


def _shifted(labels, start):
    """Labels of a band among those of all bands; 0 stays the background's."""
    return np.where(labels, labels.astype(np.int64) + start, 0)


def _join(number, seams):
    """The component of each label, 0 for label 0."""
    seams = [pairs for pairs in seams if pairs.size]
    if not seams:
        return np.arange(number)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    upper, lower = np.concatenate(seams, axis=1)
    graph = coo_array((np.ones(upper.size, bool), (upper, lower)), (number, number))
    _, component = connected_components(graph, directed=False)
    # label 0, which is in no pair, comes first
    return component
