"""What scores are compared with: the best global thresholds given the truth, and chance."""

from collections.abc import Mapping, Sequence

import numpy as np

from tilewise.decide.places import Place
from tilewise.decide.resampling import Floats
from tilewise.score import formulas
from tilewise.score.formulas import COUNTS
from tilewise.store.class_histograms import ClassHistogram, merge


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


def best(classes: ClassHistogram, metric: str) -> list[float]:
    """The best global threshold, given the truth: no global method can do better.

    Parameters
    ----------
    classes : ClassHistogram
    metric : str
        Of pixels; a name of `formulas.METRICS`, the higher the better.

    Returns
    -------
    list of float
        tp, fp, fn and tn at the best threshold; the first of several that are equal.
    """
    counts = counts_of(classes)
    values = formulas.evaluate(metric, counts)
    chosen = np.unravel_index(np.argmax(np.where(np.isnan(values), -np.inf, values)), values.shape)
    return [float(counts[name][chosen]) for name in COUNTS]


def counts_at(classes: ClassHistogram, threshold: float, is_above: bool) -> list[float]:
    """tp, fp, fn and tn of one global threshold."""
    split = int(np.searchsorted(classes.values, threshold, side="right"))
    counts = counts_of(classes)
    return [float(counts[name][0 if is_above else 1, split]) for name in COUNTS]


def best_shared(
    tiles: Mapping[Place, ClassHistogram],
    unit_of: Mapping[Place, str],
    names: Sequence[str],
    metric: str,
) -> Floats:
    """The best single threshold for all tiles, given the truth.

    Parameters
    ----------
    tiles : dict of Place to ClassHistogram
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
    for place, classes in tiles.items():
        counts[number[unit_of[place]]] += counts_at(classes, threshold, direction == 0)
    return counts


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
    found, missed = prevalence * truth_pixels, (1 - prevalence) * truth_pixels
    wrong, right = prevalence * background, (1 - prevalence) * background
    return {
        "all background": np.stack([zero, zero, truth_pixels, background], axis=-1),
        "random at the prevalence": np.stack([found, wrong, missed, right], axis=-1),
    }
