"""Several sets of parameters tried on the same pixels, which are filtered once."""

import math

from tilewise.segment.local_thresholds import LOCAL
from tilewise.store.grid import crop


class Surfaces:
    """Thresholds per pixel, computed once for segmenters that differ in their offset alone.

    Parameters
    ----------
    pixels : (rows, columns) ndarray
        Filtered pixels of `outer`.
    outer : Region
    """

    def __init__(self, pixels, outer):
        self._pixels, self._outer = pixels, outer
        self._known = {}

    def of(self, segmenter, own):
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


def surroundings(segmenters, region, grid):
    """What to read for several segmenters at once.

    Returns
    -------
    Region
        The region with what the farthest-reaching of them needs around it.
    """
    return grid.around(region, max(segmenter.reach for segmenter in segmenters))


def by_reach(variants):
    """Variants apart by whether they need whole planes.

    Parameters
    ----------
    variants : iterable of (Segmenter, ...)

    Returns
    -------
    list of (bool, list)
        Those that do not come first.
    """
    groups = {False: [], True: []}
    for variant in variants:
        groups[variant[0].reach == math.inf].append(variant)
    return [(whole, chosen) for whole, chosen in groups.items() if chosen]
