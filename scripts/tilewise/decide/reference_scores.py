"""What scores are compared with: the best global thresholds given the truth, and chance."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from tilewise.decide.places import Place
from tilewise.decide.resampling import Floats
from tilewise.score import formulas
from tilewise.score.formulas import COUNTS
from tilewise.store.class_histograms import ClassHistogram, merge_many


def counts_of(classes: ClassHistogram) -> dict[str, Floats]:
    """The confusion counts of every global threshold, in both directions.

    Each is a (2, levels + 1) float64 ndarray: first of a foreground above the threshold (below the
    first level, then at each level), then of one that is not above it.
    """
    below_background = np.append(0, np.cumsum(classes.background)).astype(np.float64)
    below_foreground = np.append(0, np.cumsum(classes.foreground)).astype(np.float64)
    above_background = below_background[-1] - below_background
    above_foreground = below_foreground[-1] - below_foreground
    return {
        "tp": np.stack([above_foreground, below_foreground]),
        "fp": np.stack([above_background, below_background]),
        "fn": np.stack([below_foreground, above_foreground]),
        "tn": np.stack([below_background, above_background]),
    }


class Oracle(NamedTuple):
    """The best global threshold, which needs the truth, and the counts that it gives."""

    threshold: float
    """-inf where all pixels are above it."""
    is_above: bool
    """Whether foreground is what lies above it."""
    counts: list[float]
    """tp, fp, fn and tn."""


def best(classes: ClassHistogram, metric: str) -> Oracle:
    """The best global threshold: no global method can do better.

    The metric is one of pixels, the higher the better; of several thresholds that are equal, the
    first counts.
    """
    counts = counts_of(classes)
    chosen = _best(counts, metric)
    direction, split = map(int, chosen)
    own = [float(counts[name][chosen]) for name in COUNTS]
    return Oracle(_level(classes, split), direction == 0, own)


def best_shared(
    tiles: Iterable[tuple[Place, ClassHistogram]],
    metric: str,
    weight: Callable[[Place], float] | None = None,
) -> dict[Place, Oracle]:
    """The best single threshold for all tiles, given the truth, and what it gives in each.

    `tiles`, of which there is at least one, are gone through twice. `weight` says by how much the
    pixels of a tile count in the choice; what it gives is not weighted. Of more levels than
    `class_histograms.MANY_LEVELS` not each is tried: see `class_histograms.thin`.
    """
    weighted = ((histogram, weight(place) if weight else 1) for place, histogram in tiles)
    together = merge_many(weighted, is_weighted=weight is not None)
    direction, split = map(int, _best(counts_of(together), metric))
    threshold = _level(together, split)
    return {
        place: Oracle(threshold, direction == 0, _divided(histogram, threshold, direction))
        for place, histogram in tiles
    }


def _divided(histogram: ClassHistogram, threshold: float, direction: int) -> list[float]:
    """tp, fp, fn and tn of one threshold, with a direction as in `counts_of`."""
    level = np.searchsorted(histogram.values, threshold, side="right")
    positive, negative = slice(level, None), slice(level)
    if direction:
        positive, negative = negative, positive
    background, foreground = histogram.background, histogram.foreground
    parts = foreground[positive], background[positive], foreground[negative], background[negative]
    return [float(pixels.sum()) for pixels in parts]


def describe(oracles: Collection[Oracle]) -> str:
    """Their thresholds, as text: `above 120`, or `above 101 to 140` where they differ."""
    texts = []
    for is_above, word in ((True, "above"), (False, "up to")):
        levels = [one.threshold for one in oracles if one.is_above is is_above]
        if levels:
            low, high = min(levels), max(levels)
            texts.append(f"{word} {low:.6g}" + (f" to {high:.6g}" if high > low else ""))
    return ", ".join(texts)


def _level(classes: ClassHistogram, split: int) -> float:
    return float(classes.values[split - 1]) if split else -np.inf


def _best(counts: Mapping[str, Floats], metric: str) -> tuple[np.intp, ...]:
    """Direction and level of the threshold with the greatest value; nan is less than any."""
    values = formulas.evaluate(metric, counts)
    return np.unravel_index(np.argmax(np.where(np.isnan(values), -np.inf, values)), values.shape)


def trivial(truth_pixels: Floats, annotated: Floats) -> dict[str, Floats]:
    """What knows nothing of the image: counts of two trivial methods, (units, 4).

    Parameters
    ----------
    truth_pixels, annotated : (units,) ndarray
        Foreground pixels of the truth, and annotated pixels.

    Returns
    -------
    dict of str to (units, 4) float64 ndarray
        tp, fp, fn and tn of `all background`, and of `random at the prevalence`: expected counts of
        a mask that is foreground anywhere with the probability that truth has over all units.
    """
    prevalence = truth_pixels.sum() / max(annotated.sum(), 1)
    background = annotated - truth_pixels
    zero = np.zeros_like(truth_pixels, dtype=np.float64)
    right, missed = prevalence * truth_pixels, (1 - prevalence) * truth_pixels
    wrong, left_out = prevalence * background, (1 - prevalence) * background
    return {
        "all background": np.stack([zero, zero, truth_pixels, background], axis=-1),
        "random at the prevalence": np.stack([right, wrong, missed, left_out], axis=-1),
    }
