"""Several sets of parameters tried on the same pixels, which are filtered once."""

import math
from itertools import groupby
from operator import attrgetter

from tilewise.segment.filters import apply_chain, chain_reach, parse_chain
from tilewise.segment.local_thresholds import LOCAL
from tilewise.segment.segmenters import decide_tiles, segment
from tilewise.store.grid import Region, crop


class Filtered:
    """Filtered pixels of any region, computed from the image around it.

    Parameters
    ----------
    reader : BlockReader
        Of the image, or of pixels that are filtered already.
    steps : list
        Of the filter; none leaves the pixels as they are.
    grid : Grid
    dtype : str
    """

    def __init__(self, reader, steps, grid, dtype):
        self._reader = reader
        self._steps = parse_chain(steps)
        self._grid = grid
        self.dtype = dtype
        self.reach = chain_reach(self._steps, dtype)

    def read(self, region):
        """Filtered pixels of a region of one plane: (rows, columns) ndarray."""
        surroundings = self._grid.around(region, self.reach)
        pixels = apply_chain(self._reader.read(surroundings), self._steps)
        return crop(pixels, surroundings, region)


def runs_of(tiles, grid):
    """Regions of neighbouring tiles of one tile row.

    Parameters
    ----------
    tiles : iterable of Tile
        Plane by plane, row by row.
    grid : Grid

    Returns
    -------
    list of Region
    """
    regions = []
    for _, row in groupby(tiles, attrgetter("z", "row")):
        for _, run in groupby(enumerate(row), lambda item: item[1].column - item[0]):
            parts = [grid.tile_region(tile) for _, tile in run]
            first, last = parts[0], parts[-1]
            regions.append(Region(first.z0, first.z1, first.y0, first.y1, first.x0, last.x1))
    return regions


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


def segment_region(pixels, outer, region, grid, segmenter, sample=None, surfaces=None):
    """The mask of a region, and the decision for each of its tiles.

    Parameters
    ----------
    pixels : (rows, columns) ndarray
        Filtered pixels of `outer`.
    outer, region : Region
        `outer` holds what is within the segmenter's reach of `region`.
    grid : Grid
    segmenter : Segmenter
    sample : Decision or None
        As for `decide_tiles`.
    surfaces : Surfaces, optional
        Of the same pixels, to share with other segmenters.

    Returns
    -------
    mask : (rows, columns) uint8 ndarray
        0 background, 1 foreground.
    decisions : dict of Tile to Decision
    """
    own = grid.around(region, segmenter.reach)
    pixels = crop(pixels, outer, own)
    decisions = decide_tiles(pixels, own, grid, segmenter, sample)
    surface = surfaces.of(segmenter, own) if surfaces and segmenter.is_local else None
    mask = segment(pixels, own, grid, segmenter, decisions, surface)
    return crop(mask, own, region), decisions


def trials_of(segmenters, region, grid):
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
