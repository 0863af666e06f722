"""Trials, which are sets of parameters that are tried, on the same pixels, filtered once."""

import math
from collections.abc import Iterable

from numpy.typing import NDArray

from tilewise.segment.local_thresholds import LOCAL
from tilewise.segment.segmenters import Segmenter
from tilewise.store.grid import Grid, Region, crop


class Surfaces:
    """Thresholds per pixel, computed once for trials that differ in their offset alone.

    Parameters
    ----------
    pixels : (rows, columns) ndarray
        Filtered pixels of `outer`.
    outer : Region
    """

    def __init__(self, pixels: NDArray, outer: Region) -> None:
        self._pixels, self._outer = pixels, outer
        self._known: dict[tuple, NDArray] = {}

    def of(self, segmenter: Segmenter, own: Region) -> NDArray:
        """The surface of a segmenter's thresholds in a region; equal to the last bit."""
        settings = dict(segmenter.settings)
        surface = LOCAL[segmenter.threshold].surface
        pixels = crop(self._pixels, self._outer, own)
        # floats are rounded after the offset is taken off
        if "offset" not in settings or pixels.dtype.kind == "f":
            return surface(pixels, **settings)
        offset = settings.pop("offset")
        key = segmenter.threshold, own, tuple(sorted(settings.items()))
        if key not in self._known:
            self._known[key] = surface(pixels, **settings, offset=0)
        return self._known[key] - offset


def surroundings(segmenters: Iterable[Segmenter], region: Region, grid: Grid) -> Region:
    """A region with all that the segmenters of several trials need around it."""
    return grid.around(region, max(segmenter.reach for segmenter in segmenters))


def by_reach(trials: Iterable[tuple]) -> list[tuple[bool, list[tuple]]]:
    """Trials apart by whether they need whole planes.

    Parameters
    ----------
    trials : iterable of (Segmenter, ...)

    Returns
    -------
    list of (bool, list)
        Whether they do, and the trials; first those that do not.
    """
    groups: dict[bool, list[tuple]] = {False: [], True: []}
    for trial in trials:
        groups[trial[0].reach == math.inf].append(trial)
    return [(whole, chosen) for whole, chosen in groups.items() if chosen]
