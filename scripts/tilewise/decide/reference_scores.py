"""What scores are compared with: the best global thresholds given the truth, and chance."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tilewise.decide.places import Place
from tilewise.decide.resampling import Floats
from tilewise.score import formulas
from tilewise.score.formulas import COUNTS
from tilewise.store.class_histograms import ClassHistogram, merge_many

AT_ONCE = 2**16
"""Levels of tiles that are worked on together, which takes less time than one by one."""


class Oracle(NamedTuple):
    """The best global threshold, which needs the truth, and the counts that it gives."""

    threshold: float
    """-inf where all pixels are above it."""
    is_above: bool
    """Whether foreground is what lies above it."""
    counts: list[float]
    """tp, fp, fn and tn."""


def counts_of(histograms: Sequence[ClassHistogram]) -> dict[str, Floats]:
    """The confusion counts of every global threshold of each histogram, in both directions.

    Each is a (histograms, 2, levels + 1) float64 ndarray: first of a foreground above the threshold
    (below the first level, then at each level), then of one that is not above it. Where a histogram
    has fewer levels than another, its last threshold is repeated.
    """
    most = max(own.values.size for own in histograms)
    background, foreground = below = np.zeros((2, len(histograms), most + 1))
    for i, own in enumerate(histograms):
        background[i, 1 : own.values.size + 1] = own.background
        foreground[i, 1 : own.values.size + 1] = own.foreground
    np.cumsum(below, axis=-1, out=below)
    above = below[..., -1:] - below
    return {
        "tp": np.stack([above[1], foreground], axis=1),
        "fp": np.stack([above[0], background], axis=1),
        "fn": np.stack([foreground, above[1]], axis=1),
        "tn": np.stack([background, above[0]], axis=1),
    }


def best(histograms: Sequence[ClassHistogram], metric: str) -> list[Oracle]:
    """The best global threshold for each histogram: no global method can do better.

    The metric is one of pixels, the higher the better; of several thresholds that are equal, the
    first counts.
    """
    counts = counts_of(histograms)
    values = formulas.evaluate(metric, counts)
    # undefined is less than any value
    flat = np.where(np.isnan(values), -np.inf, values).reshape(len(histograms), -1)
    number, chosen = np.arange(len(histograms)), flat.argmax(axis=1)
    direction, split = np.unravel_index(chosen, values.shape[1:])
    own = np.stack([counts[name][number, direction, split] for name in COUNTS], axis=1)
    return [
        Oracle(float(histogram.values[level - 1]) if level else -np.inf, is_above, each)
        for histogram, level, is_above, each in zip(
            histograms, split.tolist(), (direction == 0).tolist(), own.tolist(), strict=True
        )
    ]


def best_each(tiles: Iterable[tuple[Place, ClassHistogram]], metric: str) -> dict[Place, Oracle]:
    """The best threshold for each tile."""
    oracles: dict[Place, Oracle] = {}
    for some in _in_turn(tiles):
        oracles |= zip(some, best(list(some.values()), metric), strict=True)
    return oracles


def _in_turn(
    tiles: Iterable[tuple[Place, ClassHistogram]],
) -> Iterator[dict[Place, ClassHistogram]]:
    """Tiles that follow each other, as many as are worked on at once."""
    some: dict[Place, ClassHistogram] = {}
    most = 0
    for place, histogram in tiles:
        most = max(most, histogram.values.size)
        if some and (len(some) + 1) * most > AT_ONCE:
            yield some
            some, most = {}, histogram.values.size
        some[place] = histogram
    if some:
        yield some


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
    (shared,) = best([together], metric)
    return {place: shared._replace(counts=_divided(own, shared)) for place, own in tiles}


def _divided(histogram: ClassHistogram, shared: Oracle) -> list[float]:
    """tp, fp, fn and tn of a threshold, which is of other tiles, too."""
    level = np.searchsorted(histogram.values, shared.threshold, side="right")
    positive, negative = slice(level, None), slice(level)
    if not shared.is_above:
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
