"""Trials, which are sets of parameters that are tried, on the same pixels, filtered once."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.filtered import Filtered
from tilewise.segment.guard import Outcome
from tilewise.segment.learned import Models
from tilewise.segment.local_thresholds import LOCAL
from tilewise.segment.segmenters import Inside, Segmenter, network_scores, segment_region
from tilewise.segment.thresholds import Threshold
from tilewise.store.grid import Grid, Region, crop
from tilewise.tables import SAMPLE


@dataclass(frozen=True)
class Trial:
    """A set of a method's parameters, with what segments by it."""

    segmenter: Segmenter
    outcome: Outcome | None = None
    """With the threshold of the whole sample or of annotated tiles, where it uses one."""
    variant: str = ""
    """Name of the set."""
    folds: tuple[str, ...] = ("",)
    """The folds without which the threshold was calibrated, or models trained, all alike; empty
    where nothing depends on a fold, `all` where none is left out."""


def trials_of(
    variants: Iterable[Mapping[str, Any]],
    calibrated: Mapping[str, Sequence[tuple[str, Threshold]]],
    outcomes: Mapping[str, Outcome],
    models: Mapping[str, Models],
    nested: Mapping[str, Mapping[str, Models]] = MappingProxyType({}),
) -> dict[tuple[str, float], list[Trial]]:
    """The trials of sets of parameters: one each, or one for each fold of a calibrated threshold.

    Parameters
    ----------
    variants
        With `name`, name of the `filter`, and fields of the `segmenter`.
    calibrated
        By name of a calibrated set: each fold with its threshold.
    outcomes
        By name of a set that uses a threshold of the whole sample.
    models
        By name of a set that learns: those for the sample.
    nested
        The same by the fold that they were trained without, where there are such.

    Returns
    -------
    dict
        By filter, and by reach: `math.inf` for trials that need whole planes, 0 for all others.
    """
    groups: dict[tuple[str, float], list[Trial]] = {}
    for variant in variants:
        name = variant["name"]
        segmenter = replace(Segmenter(**variant["segmenter"]), models=models.get(name))
        own = [("", outcomes.get(name))]
        if segmenter.scope == "calibrated":
            own = [(fold, Outcome(SAMPLE, threshold)) for fold, threshold in calibrated[name]]
        key = variant["filter"], math.inf if segmenter.reach == math.inf else 0
        trials = [Trial(segmenter, outcome, name, (fold,)) for fold, outcome in own]
        if known := nested.get(name):
            trials = [
                Trial(replace(segmenter, models=one), outcomes.get(name), name, folds)
                for one, folds in _alike(known)
            ]
        groups.setdefault(key, []).extend(trials)
    return groups


def _alike(known: Mapping[str, Models]) -> list[tuple[Models, tuple[str, ...]]]:
    """Models that differ, each with the folds that they are for."""
    found: list[tuple[Models, tuple[str, ...]]] = []
    for models in known.values():
        if all(models != one for one, _ in found):
            found.append((models, tuple(fold for fold, own in known.items() if own == models)))
    return found


class Surfaces:
    """Thresholds per pixel, computed once for trials that differ in their offset alone.

    With them, what networks give for trials that differ in their `above`.

    `pixels` are the filtered ones of the region `outer`; those `inside` count.
    """

    def __init__(self, pixels: NDArray, outer: Region, inside: Inside = None) -> None:
        self._pixels, self._outer, self._inside = pixels, outer, inside
        self._known: dict[tuple, NDArray] = {}

    def of(self, segmenter: Segmenter, own: Region) -> NDArray:
        """The surface of a segmenter's thresholds in a region; equal to the last bit."""
        settings = dict(segmenter.settings)
        inside = None if self._inside is None else crop(self._inside, self._outer, own)
        surface = partial(LOCAL[segmenter.threshold].surface, inside=inside)
        pixels = crop(self._pixels, self._outer, own)
        # floats are rounded after the offset is taken off
        if "offset" not in settings or pixels.dtype.kind == "f":
            return surface(pixels, **settings)
        offset = settings.pop("offset")
        key = segmenter.threshold, own, tuple(sorted(settings.items()))
        if key not in self._known:
            self._known[key] = surface(pixels, **settings, offset=0)
        return self._known[key] - offset

    def scores(self, segmenter: Segmenter, own: Region, inner: Region, grid: Grid) -> NDArray:
        """What a network gives in a region, of which an inner one is wanted."""
        settings = {name: str(one) for name, one in segmenter.settings.items() if name != "above"}
        key = own, inner, bool(segmenter.cleanup), tuple(sorted(settings.items()))
        if key not in self._known:
            pixels = crop(self._pixels, self._outer, own)
            self._known[key] = network_scores(pixels, own, inner, grid, segmenter)
        return self._known[key]


def trial_masks(
    trials: Sequence[Trial], region: Region, filtered: Filtered
) -> Iterator[tuple[Trial, NDArray[np.uint8]]]:
    """Each of several trials with its mask of a region, 0 background and 1 foreground."""
    grid = filtered.grid
    outer = grid.around(region, max(trial.segmenter.reach for trial in trials))
    pixels = filtered.read(outer)
    inside = filtered.inside(outer)
    surfaces = Surfaces(pixels, outer, inside)
    for trial in trials:
        mask, _ = segment_region(
            pixels, outer, region, grid, trial.segmenter, trial.outcome, surfaces, inside
        )
        yield trial, mask
