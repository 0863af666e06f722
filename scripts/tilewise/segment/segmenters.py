"""From pixels to a decision on their threshold, from decisions to a mask."""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from tilewise.segment import cleanup, global_thresholds, local_thresholds, masks
from tilewise.store.grid import crop

COLUMNS = (
    "sample",
    "method",
    "tile",
    "scope",
    "threshold",
    "separability",
    "contrast",
    "foreground",
    "note",
)
"""Of the table of thresholds; `foreground` is the fraction of the tile, 0 to 1."""


@dataclass(frozen=True)
class Segmenter:
    """How a method turns filtered pixels into a mask; the configuration's words.

    Parameters
    ----------
    threshold : str
        A method of `global_thresholds.GLOBAL` or `local_thresholds.LOCAL`, or `hysteresis`.
    settings : dict
        Of that method.
    scope : {"tile", "plane", "sample", "calibrated"}
        The pixels that share a threshold; a calibrated one comes from annotated tiles, for all.
    foreground : {"bright", "dark"}
        Whether the foreground is above the threshold, or not above it.
    min_contrast, min_separability : float
        Of a tile's or a plane's own threshold; see `guard`.
    fallback : {"sample", "empty"}
        What is used where they are not reached.
    cleanup : list
        Steps of `cleanup`.
    """

    threshold: str
    settings: dict
    scope: str
    foreground: str
    min_contrast: float
    min_separability: float
    fallback: str
    cleanup: list

    @property
    def is_local(self):
        """Whether every pixel has a threshold of its own."""
        return self.threshold in local_thresholds.LOCAL

    @property
    def is_guarded(self):
        """Whether a tile's or plane's own threshold has to earn its use."""
        return (
            self.scope in ("tile", "plane")
            and self.threshold != "manual"
            and not self.is_local
            and (self.min_contrast > 0 or self.min_separability > 0)
        )

    def needs_sample(self, tiles):
        """Whether a threshold of the whole sample, of so many tiles, is used."""
        falls_back = self.is_guarded and self.fallback == "sample" and tiles > 1
        return falls_back or (self.scope == "sample" and not self.is_local)

    @property
    def reach(self):
        """Pixels around a pixel on which its mask depends; `math.inf` is the whole plane."""
        cleaning = cleanup.steps_reach(self.cleanup)
        if self.is_local:
            return cleaning + local_thresholds.LOCAL[self.threshold].reach(**self.settings)
        if self.threshold == "hysteresis" or self.scope == "plane":
            return math.inf
        # beyond a tile's edge another threshold holds, which takes all of that tile's pixels
        return math.inf if cleaning and self.scope == "tile" else cleaning


@dataclass(frozen=True)
class Decision:
    """The thresholds for some pixels, and what speaks for them.

    Parameters
    ----------
    values : tuple of float
        Thresholds in grey levels: one, several for multi-Otsu, low and high for hysteresis; none
        where no threshold exists and the mask is empty.
    separability : float or None
        Otsu's between-class over total variance, 0 to 1.
    contrast : float or None
        Difference of the class means over the standard deviation of the background class.
    note : str
        Why there is no threshold, or why it is not the pixels' own; empty otherwise.
    """

    values: tuple[float, ...] = ()
    separability: float | None = None
    contrast: float | None = None
    note: str = ""


def decide(counts, centers, name, settings, foreground="bright"):
    """The thresholds of a histogram by a global method.

    Parameters
    ----------
    counts : (bins,) integer ndarray
    centers : (bins,) ndarray
        Grey levels of the bins, ascending.
    name : str
        A method of `global_thresholds.GLOBAL`, or `hysteresis`.
    settings : dict
    foreground : {"bright", "dark"}

    Returns
    -------
    Decision
        Without values, and with the reason, where the pixels are constant or the method fails.
    """
    try:
        if np.count_nonzero(counts) < 2 and name != "manual":
            raise global_thresholds.NoThreshold("constant")
        if name == "hysteresis":
            values = sorted(
                global_thresholds.GLOBAL[level](counts, centers)
                if isinstance(level, str)
                else level
                for level in (settings["low"], settings["high"])
            )
        else:
            values = np.atleast_1d(global_thresholds.GLOBAL[name](counts, centers, **settings))
    except global_thresholds.NoThreshold as error:
        return Decision(note=f"no threshold: {error}")
    values = tuple(map(float, values))
    # the threshold that bounds the foreground
    bound = values[0] if foreground == "dark" else values[-1]
    return Decision(
        values,
        global_thresholds.separability(counts, centers, bound),
        global_thresholds.contrast(counts, centers, bound, foreground),
    )


def guard(own, sample, min_separability, min_contrast):
    """Keep a decision only if two classes are there: a split of pure noise is none.

    Parameters
    ----------
    own : Decision
        Of a tile or a plane.
    sample : Decision or None
        Of its sample, to fall back on; None falls back on an empty mask.
    min_separability, min_contrast : float
        Least `separability` and `contrast` of `own`; 0 accepts everything.

    Returns
    -------
    Decision
        The one to use; its note says why it is not `own`.
    """
    if not own.values:
        return own
    for name, value, least in (
        ("separability", own.separability, min_separability),
        ("contrast", own.contrast, min_contrast),
    ):
        if value < least:
            reason = f"{name} {value:.3g} is below {least:g}"
            if sample is None:
                return replace(own, values=(), note=f"{reason}: empty")
            return replace(own, values=sample.values, note=f"{reason}: threshold of the sample")
    return own


def decide_tiles(pixels, region, grid, segmenter, sample=None):
    """The decision for every tile of a region.

    Parameters
    ----------
    pixels : (rows, columns) ndarray
        Filtered pixels of the region.
    region : Region
        Of one plane; whole tiles unless the scope is the sample or the method local.
    grid : Grid
    segmenter : Segmenter
    sample : Decision or None
        Of the whole sample, where `needs_sample`; of the annotated tiles, where it is calibrated.

    Returns
    -------
    dict of Tile to Decision
    """
    tiles = grid.tiles_in(region)
    if segmenter.is_local:
        return dict.fromkeys(tiles, Decision(note="a threshold per pixel"))
    if segmenter.scope in ("sample", "calibrated"):
        return dict.fromkeys(tiles, sample)
    if segmenter.scope == "plane":
        return dict.fromkeys(tiles, _decide_guarded(pixels, segmenter, sample))
    return {
        tile: _decide_guarded(crop(pixels, region, grid.tile_region(tile)), segmenter, sample)
        for tile in tiles
    }


def _decide_guarded(pixels, segmenter, sample):
    decision = decide(
        *global_thresholds.histogram(pixels),
        segmenter.threshold,
        segmenter.settings,
        segmenter.foreground,
    )
    if not segmenter.is_guarded:
        return decision
    return guard(decision, sample, segmenter.min_separability, segmenter.min_contrast)


def segment(pixels, region, grid, segmenter, decisions, surface=None):
    """The mask of a region, cleaned.

    Parameters
    ----------
    pixels, region, grid, segmenter
        As for `decide_tiles`.
    decisions : dict of Tile to Decision
    surface : (rows, columns) ndarray, optional
        The thresholds of a local method, where they are known.

    Returns
    -------
    (rows, columns) uint8 ndarray
        0 background, 1 foreground. Right where `segmenter.reach` pixels around are in the region.
    """
    if segmenter.is_local:
        if surface is None:
            surface = local_thresholds.LOCAL[segmenter.threshold].surface(
                pixels, **segmenter.settings
            )
        mask = above(pixels, surface, segmenter.foreground)
    elif segmenter.threshold == "hysteresis":
        mask = masks.connected(
            *(_above_tiles(pixels, region, grid, segmenter, decisions, level) for level in (0, -1))
        )
    else:
        mask = _above_tiles(pixels, region, grid, segmenter, decisions)
    return cleanup.clean(mask, segmenter.cleanup) if segmenter.cleanup else mask


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


def _above_tiles(pixels, region, grid, segmenter, decisions, level=0):
    if len(set(decisions.values())) == 1:
        return _above(pixels, next(iter(decisions.values())), segmenter, level)
    mask = np.empty(pixels.shape, np.uint8)
    for tile, decision in decisions.items():
        inner = grid.tile_region(tile)
        _above(crop(pixels, region, inner), decision, segmenter, level, crop(mask, region, inner))
    return mask


def _above(pixels, decision, segmenter, level, out=None):
    if out is None:
        out = np.empty(pixels.shape, np.uint8)
    if not decision.values:
        out[:] = 0
        return out
    if segmenter.threshold == "multiotsu":
        classes = segmenter.settings["foreground"]
        if classes is None:
            classes = 0 if segmenter.foreground == "dark" else len(decision.values)
        out[:] = masks.class_mask(pixels, decision.values, np.atleast_1d(classes))
        return out
    return above(pixels, decision.values[level], segmenter.foreground, out)


def above(pixels, threshold, foreground="bright", out=None):
    """Pixels above a threshold, or not above it where the foreground is dark.

    Parameters
    ----------
    pixels : (rows, columns) ndarray
    threshold : float or (rows, columns) ndarray
    foreground : {"bright", "dark"}
    out : (rows, columns) uint8 ndarray, optional
        Where the mask is written.

    Returns
    -------
    (rows, columns) uint8 ndarray
        0 background, 1 foreground.
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


def fraction(mask):
    """Fraction of a mask that is foreground, 0 to 1."""
    return cv2.countNonZero(mask) / mask.size


def row(decision):
    """A decision as fields of a table."""
    return {
        "threshold": ";".join(map(str, decision.values)),
        "separability": decision.separability,
        "contrast": decision.contrast,
        "note": decision.note,
    }


def from_row(fields):
    """A decision from what `row` gave, read back as text."""
    return Decision(
        tuple(map(float, filter(None, fields["threshold"].split(";")))),
        *(float(fields[name]) if fields[name] else None for name in ("separability", "contrast")),
        fields["note"],
    )
