"""Grey levels of annotated tiles, apart by truth: what every global threshold would score."""

from dataclasses import dataclass

import numpy as np

from tilewise.score import formulas
from tilewise.score.pixel_metrics import COUNTS
from tilewise.segment import global_thresholds

LEVELS = 4096
"""Grey levels that floats of a tile are brought to."""


@dataclass(frozen=True)
class Levels:
    """The grey levels of a tile that occur where it is annotated, and how often.

    Parameters
    ----------
    values : (levels,) ndarray
        Ascending; integers, or float64.
    background, foreground : (levels,) int64 ndarray
        Pixels of each.
    """

    values: np.ndarray
    background: np.ndarray
    foreground: np.ndarray


def levels_of(pixels, truth):
    """Count the grey levels of a tile, apart by truth.

    Parameters
    ----------
    pixels : (rows, columns) ndarray
        uint8, uint16, int16 or finite float32; floats are brought to 4096 levels over their range.
    truth : (rows, columns) uint8 ndarray
        0 background, 1 foreground; others are not counted.

    Returns
    -------
    Levels
    """
    kinds = [pixels[truth == kind] for kind in (0, 1)]
    known = [kind for kind in kinds if kind.size]
    if not known:
        return Levels(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))
    low, step = 0, 1
    if pixels.dtype.kind == "f":
        low, high = (
            min(float(kind.min()) for kind in known),
            max(float(kind.max()) for kind in known),
        )
        step = (high - low) / (LEVELS - 1) or 1.0
        kinds = [np.rint((kind - low) / step).astype(np.uint16) for kind in kinds]
    counts, centers = [], None
    for kind in kinds:
        # OpenCV counts rows, and at least one pixel
        padded = np.append(kind, kind.dtype.type(0))[None]
        found, centers = global_thresholds.histogram(padded)
        found[np.searchsorted(centers, 0)] -= 1
        counts.append(found)
    occupied = np.flatnonzero(counts[0] + counts[1])
    return Levels(low + step * centers[occupied], *(found[occupied] for found in counts))


def merge(parts):
    """The levels of several tiles together.

    Parameters
    ----------
    parts : sequence of Levels

    Returns
    -------
    Levels
    """
    values, number = np.unique(np.concatenate([part.values for part in parts]), return_inverse=True)
    sums = [
        np.bincount(number, np.concatenate([getattr(part, kind) for part in parts]), values.size)
        for kind in ("background", "foreground")
    ]
    # exact in double precision: no sample has 2 ** 53 annotated pixels
    return Levels(values, *(total.astype(np.int64) for total in sums))


def histogram(levels, dtype):
    """A histogram as `global_thresholds.histogram` gives it.

    Parameters
    ----------
    levels : Levels
    dtype : str
        Of the pixels.

    Returns
    -------
    counts : (bins,) int64 ndarray
    centers : (bins,) ndarray
    """
    counts = levels.background + levels.foreground
    if np.dtype(dtype).kind == "f":
        total, edges = np.histogram(levels.values, global_thresholds.BINS, weights=counts)
        return total.astype(np.int64), (edges[:-1] + edges[1:]) / 2
    limits = np.iinfo(dtype)
    centers = np.arange(limits.min, limits.max + 1)
    total = np.zeros(centers.size, np.int64)
    total[levels.values.astype(np.int64) - limits.min] = counts
    return total, centers


def counts_of(levels):
    """The confusion counts of every global threshold, in both directions.

    Parameters
    ----------
    levels : Levels

    Returns
    -------
    dict of str to (2, levels + 1) float64 ndarray
        `tp`, `fp`, `fn`, `tn`: first of a foreground above the threshold (below the first level,
        then at each level), then of one that is not above it.
    """
    below_background = np.append(0, np.cumsum(levels.background)).astype(np.float64)
    below_foreground = np.append(0, np.cumsum(levels.foreground)).astype(np.float64)
    above_background = below_background[-1] - below_background
    above_foreground = below_foreground[-1] - below_foreground
    return {
        "tp": np.stack([above_foreground, below_foreground]),
        "fp": np.stack([above_background, below_background]),
        "fn": np.stack([below_foreground, above_foreground]),
        "tn": np.stack([below_background, above_background]),
    }


def best(levels, metric):
    """The best global threshold, given the truth: no global method can do better.

    Parameters
    ----------
    levels : Levels
    metric : str
        Of pixels; a name of `formulas.METRICS`, the higher the better.

    Returns
    -------
    dict of str to float
        The counts at the best threshold; the first of several that are equal.
    """
    counts = counts_of(levels)
    values = formulas.evaluate(metric, counts)
    chosen = np.unravel_index(np.argmax(np.where(np.isnan(values), -np.inf, values)), values.shape)
    return {name: float(counts[name][chosen]) for name in COUNTS}


def at(levels, threshold, is_above):
    """The counts of one global threshold: [tp, fp, fn, tn] as floats."""
    split = int(np.searchsorted(levels.values, threshold, side="right"))
    counts = counts_of(levels)
    return [float(counts[name][0 if is_above else 1, split]) for name in COUNTS]


def best_shared(tiles, unit_of, names, metric):
    """The best single threshold for all tiles, given the truth.

    Parameters
    ----------
    tiles : dict of Place to Levels
    unit_of : dict of Place to str
    names : sequence of str
        Of the units, in order.
    metric : str
        As for `best`.

    Returns
    -------
    (units, 4) ndarray
        `tp`, `fp`, `fn` and `tn` of each unit.
    """
    together = merge(list(tiles.values()))
    values = formulas.evaluate(metric, counts_of(together))
    values = np.where(np.isnan(values), -np.inf, values)
    direction, split = np.unravel_index(np.argmax(values), values.shape)
    threshold = together.values[split - 1] if split else -np.inf
    number = {name: i for i, name in enumerate(names)}
    counts = np.zeros((len(names), len(COUNTS)))
    for place, levels in tiles.items():
        counts[number[unit_of[place]]] += at(levels, threshold, direction == 0)
    return counts


def trivial(truth_pixels, annotated):
    """What knows nothing of the image: counts of two trivial methods.

    Parameters
    ----------
    truth_pixels : ndarray
        Foreground pixels of the truth, by unit.
    annotated : ndarray
        Annotated pixels, by unit.

    Returns
    -------
    dict of str to dict of str to ndarray
        `all background`, and `random at the prevalence`: expected counts of a mask that is
        foreground anywhere with the probability that truth has over all units.
    """
    prevalence = truth_pixels.sum() / max(annotated.sum(), 1)
    background = annotated - truth_pixels
    zero = np.zeros_like(truth_pixels, dtype=np.float64)
    return {
        "all background": {"tp": zero, "fp": zero, "fn": truth_pixels, "tn": background},
        "random at the prevalence": {
            "tp": prevalence * truth_pixels,
            "fp": prevalence * background,
            "fn": (1 - prevalence) * truth_pixels,
            "tn": (1 - prevalence) * background,
        },
    }


def pack(tiles):
    """Levels of several tiles as arrays for one file.

    Parameters
    ----------
    tiles : sequence of (sequence of int, Levels)
        Each with its place: z, y, x and the number of a spatial block, -1 for the whole tile.

    Returns
    -------
    dict of str to ndarray
    """
    parts = [levels for _, levels in tiles]
    empty = [np.zeros(0)]
    return {
        "places": np.array([place for place, _ in tiles], np.int64).reshape(-1, 4),
        "sizes": np.array([part.values.size for part in parts], np.int64),
        **{
            name: np.concatenate([getattr(part, name) for part in parts] or empty)
            for name in ("values", "background", "foreground")
        },
    }


def unpack(packed):
    """What `pack` took, from what it gave.

    Returns
    -------
    list of (tuple of int, Levels)
    """
    ends = np.cumsum(packed["sizes"])
    arrays = [packed[name] for name in ("values", "background", "foreground")]
    return [
        (tuple(map(int, place)), Levels(*(array[end - size : end] for array in arrays)))
        for place, size, end in zip(packed["places"], packed["sizes"], ends, strict=True)
    ]
