"""From pixels to the thresholds of their tiles, and from thresholds to a mask."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.segment import (
    cleanup,
    local_thresholds,
    masks,
    own_function,
    own_model,
    trained,
    vote,
)
from tilewise.segment.filtered import Filtered
from tilewise.segment.guard import Limits, Outcome
from tilewise.segment.histograms import histogram
from tilewise.segment.learned import Models
from tilewise.segment.thresholds import EVIDENCE, Threshold, find_threshold
from tilewise.store.grid import Grid, Region, Tile, crop, runs_of
from tilewise.tables import EMPTY, OWN, SAMPLE

COLUMNS = (
    *("sample", "method", "tile", "z", "y", "x", "height", "width", "inside", "scope"),
    *("threshold", *EVIDENCE, "foreground", "guard", "note"),
)
"""Of the table of thresholds; `inside` is how many pixels of the tile are in the region of
interest, `foreground` the fraction of these that is foreground, 0 to 1."""
WITHOUT_THRESHOLD = (own_function.NAME, own_model.NAME, *trained.KINDS, vote.NAME)
"""Ways to a mask that compare no grey level with a threshold."""


@dataclass(frozen=True)
class Segmenter:
    """How a method turns filtered pixels into a mask; the configuration's words."""

    threshold: str
    """A method of `global_thresholds.GLOBAL` or `local_thresholds.LOCAL`, `hysteresis`,
    `own_function.NAME`, `own_model.NAME`, `vote.NAME` or one of `trained.KINDS`."""
    settings: dict
    """Of that method."""
    scope: str
    """`tile`, `plane` or `sample`: pixels that share a threshold; or `calibrated`: one threshold
    for all, from annotated tiles."""
    foreground: str
    """`bright`: above the threshold; or `dark`: not above it."""
    min_contrast: float
    min_separability: float
    """These two are limits of the guard, for tiles and planes with a threshold of their own."""
    fallback: str
    """Where they are not reached: `sample`, which decides; or `empty`."""
    weak: str
    """What such tiles get where the sample does not reach them either: `auto`, `own`, `empty` or
    `sample`; see `guard.of_weak_sample`."""
    cleanup: list
    """Steps of `cleanup`."""
    models: Models | None = None
    """Of a method that learns: those for one sample, once they are trained."""

    @property
    def is_local(self) -> bool:
        """Whether no pixels share a threshold: each has its own, or there is none."""
        return self.has_surface or self.threshold in WITHOUT_THRESHOLD

    @property
    def has_surface(self) -> bool:
        """Whether each pixel has its own threshold."""
        return self.threshold in local_thresholds.LOCAL

    @property
    def is_classifier(self) -> bool:
        """Whether a trained model makes the mask."""
        return self.threshold in trained.KINDS

    @property
    def is_learned(self) -> bool:
        """Whether annotated tiles train that model; else it is a given one."""
        return self.is_classifier and self.settings["model"] is None

    @property
    def is_own(self) -> bool:
        """Whether a function of the user's makes the mask."""
        return self.threshold == own_function.NAME

    @property
    def is_vote(self) -> bool:
        """Whether it counts masks of other methods; see `voters.vote_tiles`."""
        return self.threshold == vote.NAME

    @property
    def is_network(self) -> bool:
        """Whether a network of the user's makes the mask."""
        return self.threshold == own_model.NAME

    @property
    def is_guarded(self) -> bool:
        """Whether a tile's or plane's own threshold is used only if it separates two classes."""
        return (
            self.scope in ("tile", "plane")
            and not self.is_local
            and not self._is_of_numbers
            and (self.min_contrast > 0 or self.min_separability > 0)
        )

    @property
    def _is_of_numbers(self) -> bool:
        """Whether the configuration gives the threshold as a number."""
        if self.threshold == "hysteresis":
            return not any(isinstance(self.settings[bound], str) for bound in ("low", "high"))
        return self.threshold == "manual"

    @property
    def limits(self) -> Limits:
        """Of the guard."""
        return Limits(self.min_contrast, self.min_separability)

    def find_threshold(self, counts: NDArray, centers: NDArray) -> Threshold:
        """The threshold of a histogram, as `thresholds.find_threshold`."""
        return find_threshold(counts, centers, self.threshold, self.settings, self.foreground)

    def needs_sample(self, tiles: int) -> bool:
        """Whether a threshold of the whole sample, of so many tiles, is used."""
        asks = self.is_guarded and self.fallback == SAMPLE and tiles > 1
        return asks or (self.scope == "sample" and not self.is_local)

    @property
    def outcome_alone(self) -> Outcome:
        """What doubtful tiles get where no sample is asked."""
        if self.fallback == EMPTY:
            return Outcome(EMPTY)
        return Outcome(EMPTY if self.weak == EMPTY else OWN, is_weak=True)

    @property
    def reach(self) -> float:
        """Pixels around a pixel on which its mask depends; `math.inf` is the whole plane.

        Of a vote it is 0: the methods that it counts have theirs.
        """
        cleaning = cleanup.steps_reach(self.cleanup)
        if self.is_vote:
            return 0
        if self.is_own:
            halo = self.settings["halo"]
            return math.inf if halo is None else cleaning + halo
        if self.is_network:
            return own_model.reach(self.settings, is_cleaned=bool(self.cleanup))
        if self.is_classifier:
            return cleaning + trained.KINDS[self.threshold].reach(self.settings)
        if self.is_local:
            return cleaning + local_thresholds.LOCAL[self.threshold].reach(**self.settings)
        if self.threshold == "hysteresis" or self.scope == "plane":
            return math.inf
        # beyond a tile's edge another threshold holds, which takes all of that tile's pixels
        return math.inf if cleaning and self.scope == "tile" else cleaning


Inside = NDArray[np.bool] | None
"""Which pixels are in the region of interest; None if all of them are."""


class Surfaces(Protocol):
    """Thresholds per pixel that several segmenters share, such as `trials.Surfaces`."""

    def of(self, segmenter: Segmenter, own: Region) -> NDArray:
        """The thresholds of a segmenter in a region."""

    def scores(self, segmenter: Segmenter, own: Region, inner: Region, grid: Grid) -> NDArray:
        """What a network gives in a region, of which an inner one is wanted."""


def tile_thresholds(
    pixels: NDArray,
    region: Region,
    grid: Grid,
    segmenter: Segmenter,
    outcome: Outcome | None = None,
    inside: Inside = None,
) -> dict[Tile, Threshold]:
    """The threshold of every tile of a region.

    Parameters
    ----------
    pixels
        Filtered pixels of the region.
    region
        Of one plane; whole tiles unless the scope is the sample or the method local.
    outcome
        With the threshold of the whole sample, where `needs_sample`; of the annotated tiles, where
        it is calibrated.
    inside
        Which pixels of the region are in the region of interest: those that count.
    """
    tiles = grid.tiles_in(region)
    if segmenter.is_local:
        note = "a threshold per pixel"
        if segmenter.is_own:
            note = "a mask by {file}: {function}".format(**segmenter.settings)
        if segmenter.is_network:
            note = own_model.note(segmenter.settings)
        if segmenter.is_classifier:
            note = "a class per pixel"
        return dict.fromkeys(tiles, Threshold(note=note))
    if segmenter.scope in ("sample", "calibrated"):
        assert outcome is not None
        assert outcome.threshold is not None
        return dict.fromkeys(tiles, outcome.threshold)
    if segmenter.scope == "plane":
        counted = pixels if inside is None else pixels[inside]
        return dict.fromkeys(tiles, _guarded_threshold(counted, segmenter, outcome))
    thresholds = {}
    for tile in tiles:
        inner = grid.tile_region(tile)
        counted = crop(pixels, region, inner)
        if inside is not None:
            counted = counted[crop(inside, region, inner)]
        thresholds[tile] = _guarded_threshold(counted, segmenter, outcome)
    return thresholds


def _guarded_threshold(pixels, segmenter, outcome):
    own = segmenter.find_threshold(*histogram(pixels))
    if not segmenter.is_guarded:
        return own
    return (outcome or segmenter.outcome_alone).of(own, segmenter.limits)


def segment(
    pixels: NDArray,
    region: Region,
    grid: Grid,
    segmenter: Segmenter,
    thresholds: Mapping[Tile, Threshold],
    surface: NDArray | None = None,
    inside: Inside = None,
    inner: Region | None = None,
) -> NDArray[np.uint8]:
    """The mask of a region, cleaned: 1 foreground, 0 background and outside.

    It is valid only where all pixels within `segmenter.reach` are in the region. The surface is
    that of a local method, where it is known: a threshold per pixel; or scores of a network. If
    only an inner region is wanted, what takes long is left out elsewhere.
    """

    def within(mask):
        return mask if inside is None else mask & inside

    if segmenter.is_own:
        mask = within(own_function.python(pixels, **segmenter.settings, inside=inside))
    elif segmenter.is_network:
        if surface is None:
            surface = network_scores(pixels, region, inner or region, grid, segmenter)
        mask = within(own_model.mask_of(surface, segmenter.settings))
    elif segmenter.is_classifier:
        load = trained.KINDS[segmenter.threshold].load
        mask = within(_models(segmenter).mask(pixels, region, grid, load))
    elif segmenter.is_local:
        if surface is None:
            surface = local_thresholds.LOCAL[segmenter.threshold].surface(
                pixels, **segmenter.settings, inside=inside
            )
        mask = within(above(pixels, surface, segmenter.foreground))
    elif segmenter.threshold == "hysteresis":
        low, high = (
            within(_above_tiles(pixels, region, grid, segmenter, thresholds, index))
            for index in (0, -1)
        )
        mask = masks.connected(low, high)
    else:
        mask = within(_above_tiles(pixels, region, grid, segmenter, thresholds))
    return within(cleanup.clean(mask, segmenter.cleanup)) if segmenter.cleanup else mask


def segment_region(
    pixels: NDArray,
    outer: Region,
    region: Region,
    grid: Grid,
    segmenter: Segmenter,
    outcome: Outcome | None = None,
    surfaces: Surfaces | None = None,
    inside: Inside = None,
) -> tuple[NDArray[np.uint8], dict[Tile, Threshold]]:
    """The mask of a region, 0 background and 1 foreground, and the threshold of each of its tiles.

    Parameters
    ----------
    pixels
        Filtered pixels of `outer`, which holds what is within the segmenter's reach of `region`.
    outcome
        As for `tile_thresholds`.
    surfaces
        Of the same pixels, to share with other segmenters.
    inside
        Which pixels of `outer` are in the region of interest; None if all of them are.
    """
    own = grid.around(region, segmenter.reach)
    pixels = crop(pixels, outer, own)
    inside = None if inside is None else crop(inside, outer, own)
    thresholds = tile_thresholds(pixels, own, grid, segmenter, outcome, inside)
    surface = None
    if surfaces and segmenter.has_surface:
        surface = surfaces.of(segmenter, own)
    elif surfaces and segmenter.is_network:
        surface = surfaces.scores(segmenter, own, region, grid)
    mask = segment(pixels, own, grid, segmenter, thresholds, surface, inside, region)
    return crop(mask, own, region), thresholds


def segment_tiles(
    filtered: Filtered,
    region: Region,
    chosen: Collection[Tile],
    segmenter: Segmenter,
    outcome: Outcome | None = None,
) -> Iterator[tuple[Tile, NDArray[np.uint8], Threshold, int, float]]:
    """Each chosen tile of a region, with its mask and its threshold; see `segment_region`.

    Last come how many of its pixels are in the region of interest, and the fraction of these that
    is foreground: 0 to 1. Tiles without any pixel there are left out.
    """
    grid = filtered.grid
    own = [tile for tile in grid.tiles_in(region) if tile in chosen]
    for run in runs_of(own, grid, segmenter.reach):
        outer = grid.around(run, segmenter.reach)
        read, inside = (filtered.read(outer), outer), filtered.inside(outer)
        mask, thresholds = segment_region(*read, run, grid, segmenter, outcome, inside=inside)
        inside = None if inside is None else crop(inside, outer, run)
        yield from tiles_of_run(mask, thresholds, run, grid, chosen, inside)


def tiles_of_run(
    mask: NDArray[np.uint8],
    thresholds: Mapping[Tile, Threshold],
    run: Region,
    grid: Grid,
    chosen: Collection[Tile],
    inside: Inside = None,
) -> Iterator[tuple[Tile, NDArray[np.uint8], Threshold, int, float]]:
    """Each chosen tile of a region, from the mask of all of it; as `segment_tiles`."""
    for tile in grid.tiles_in(run):
        inner = grid.tile_region(tile)
        own_mask = crop(mask, run, inner)
        pixels = own_mask.size
        if inside is not None:
            pixels = int(np.count_nonzero(crop(inside, run, inner)))
        if tile in chosen and pixels:
            share = cv2.countNonZero(own_mask) / pixels
            yield tile, own_mask, thresholds[tile], pixels, share


def network_scores(
    pixels: NDArray, outer: Region, inner: Region, grid: Grid, segmenter: Segmenter
) -> NDArray[np.float32]:
    """Scores of a network, as `own_model.scores`; a clean-up needs them in all of the region."""
    inner = outer if segmenter.cleanup else inner
    return own_model.scores(pixels, outer, inner, grid, segmenter.settings)


def _models(segmenter):
    """The models of a sample, or the given one for all."""
    return segmenter.models or Models(segmenter.settings["model"])


def _above_tiles(pixels, region, grid, segmenter, thresholds, index=0):
    """Pixels above one of their tile's thresholds: 0 is the lowest of them, -1 the highest."""
    if len(set(thresholds.values())) == 1:
        return _above(pixels, next(iter(thresholds.values())), segmenter, index)
    mask = np.empty(pixels.shape, np.uint8)
    for tile, threshold in thresholds.items():
        inner = grid.tile_region(tile)
        _above(crop(pixels, region, inner), threshold, segmenter, index, crop(mask, region, inner))
    return mask


def _above(pixels, threshold, segmenter, index, out=None):
    if out is None:
        out = np.empty(pixels.shape, np.uint8)
    if not threshold.values:
        out[:] = 0
        return out
    if segmenter.threshold == "multiotsu":
        classes = segmenter.settings["foreground"]
        if classes is None:
            classes = 0 if segmenter.foreground == "dark" else len(threshold.values)
        out[:] = masks.class_mask(pixels, threshold.values, np.atleast_1d(classes))
        return out
    if segmenter.threshold == "circular":
        out[:] = masks.arc_mask(pixels, *threshold.values)
        return out
    return above(pixels, threshold.values[index], segmenter.foreground, out)


def above(
    pixels: NDArray,
    threshold: float | NDArray,
    foreground: str = "bright",
    out: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """The mask, 0 or 1, of pixels above a threshold; of those not above it for a `dark` foreground.

    The threshold is a grey level or one per pixel; the mask is written to `out` if it is given.
    """
    if pixels.dtype.kind in "iu" and np.ndim(threshold) == 0:
        # an integer is above a threshold if it is above its floor: compared without conversion
        threshold = math.floor(threshold)
    else:
        threshold = np.asarray(threshold, np.float64)
    compare = np.less_equal if foreground == "dark" else np.greater
    if out is None:
        out = np.empty(pixels.shape, np.uint8)
    compare(pixels, threshold, out=out.view(bool))
    return out
