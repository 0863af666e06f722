"""Trials, which are sets of parameters that are tried, on the same pixels, filtered once."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.filtered import Filtered
from tilewise.segment.local_thresholds import LOCAL
from tilewise.segment.segmenters import Segmenter, segment_region
from tilewise.segment.thresholds import Threshold
from tilewise.store.grid import Grid, Region, crop


@dataclass(frozen=True)
class Trial:
    """A set of a method's parameters, with what segments by it.

    Parameters
    ----------
    segmenter : Segmenter
    threshold : Threshold or None
        That of the whole sample or of annotated tiles, where it uses one.
    variant : str
        Name of the set.
    fold : str
        The fold without which the threshold was calibrated; empty where it was not.
    """

    segmenter: Segmenter
    threshold: Threshold | None = None
    variant: str = ""
    fold: str = ""


def trials_of(
    variant: Mapping[str, Any],
    calibrated: Mapping[str, Sequence[tuple[str, Threshold]]],
    histogram: tuple[NDArray, NDArray] | None,
) -> list[Trial]:
    """The trials of a set of parameters: one, or one for each fold of a calibrated threshold.

    Parameters
    ----------
    variant : dict
        `name`, and the fields of the `segmenter`.
    calibrated : dict of str to list of (str, Threshold)
        By name of a calibrated set: each fold with its threshold.
    histogram : (counts, centers) or None
        Of the whole sample, where its threshold is used.
    """
    segmenter, name = Segmenter(**variant["segmenter"]), variant["name"]
    if segmenter.scope == "calibrated":
        return [Trial(segmenter, threshold, name, fold) for fold, threshold in calibrated[name]]
    threshold = segmenter.find_threshold(*histogram) if histogram is not None else None
    return [Trial(segmenter, threshold, name)]


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


def trial_masks(
    trials: Sequence[Trial], region: Region, filtered: Filtered, grid: Grid
) -> Iterator[tuple[Trial, NDArray[np.uint8]]]:
    """The mask of a region by each of several trials.

    Yields
    ------
    trial : Trial
    mask : (rows, columns) uint8 ndarray
        0 background, 1 foreground.
    """
    outer = grid.around(region, max(trial.segmenter.reach for trial in trials))
    pixels = filtered.read(outer)
    surfaces = Surfaces(pixels, outer)
    for trial in trials:
        mask, _ = segment_region(
            pixels, outer, region, grid, trial.segmenter, trial.threshold, surfaces
        )
        yield trial, mask


def by_reach(trials: Iterable[Trial]) -> list[tuple[bool, list[Trial]]]:
    """Whether trials need whole planes, and which; first those that do not."""
    groups: dict[bool, list[Trial]] = {False: [], True: []}
    for trial in trials:
        groups[trial.segmenter.reach == math.inf].append(trial)
    return [(is_whole, some) for is_whole, some in groups.items() if some]
