"""From a histogram to a decision, from a decision to a mask."""

import math
from dataclasses import dataclass, replace

import numpy as np

from tilewise import cleanup, thresholds


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
        A global method of `thresholds`, or `hysteresis`.
    settings : dict
    foreground : {"bright", "dark"}

    Returns
    -------
    Decision
        Without values, and with the reason, where the pixels are constant or the method fails.
    """
    try:
        if np.count_nonzero(counts) < 2 and name != "manual":
            raise thresholds.NoThreshold("constant")
        if name == "hysteresis":
            values = tuple(
                thresholds.GLOBAL[level](counts, centers) if isinstance(level, str) else level
                for level in (settings["low"], settings["high"])
            )
        else:
            values = np.atleast_1d(thresholds.GLOBAL[name](counts, centers, **settings))
    except thresholds.NoThreshold as error:
        return Decision(note=f"no threshold: {error}")
    values = tuple(map(float, values))
    # the threshold that bounds the foreground
    bound = values[0] if foreground == "dark" else values[-1]
    return Decision(
        values,
        thresholds.separability(counts, centers, bound),
        contrast(counts, centers, bound, foreground),
    )


def contrast(counts, centers, threshold, foreground="bright"):
    """Contrast-to-noise ratio of the two classes that a threshold makes.

    Returns
    -------
    float
        Difference of the class means over the standard deviation of the background class: 2.65 for
        a Gaussian split at its mean, that is for noise alone. 0 if a class is empty, infinite if
        the background is constant.
    """
    above = centers > threshold
    background = above if foreground == "dark" else ~above
    weights = counts.astype(np.float64)
    inside, outside = weights * background, weights * ~background
    if not inside.any() or not outside.any():
        return 0.0
    mean = np.average(centers, weights=inside)
    difference = abs(np.average(centers, weights=outside) - mean)
    deviation = math.sqrt(np.average((centers - mean) ** 2, weights=inside))
    return float(difference / deviation) if deviation else math.inf


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


def apply(pixels, decision, name, settings, foreground="bright"):
    """The mask of a decision.

    Parameters
    ----------
    pixels : (rows, columns) ndarray
    decision : Decision
    name, settings, foreground
        As for `decide`. A dark foreground is what is not above the threshold.

    Returns
    -------
    (rows, columns) uint8 ndarray
        0 background, 1 foreground.
    """
    if not decision.values:
        return np.zeros(pixels.shape, np.uint8)
    if name == "hysteresis":
        return thresholds.hysteresis(pixels, *decision.values)
    if name == "multiotsu":
        classes = settings.get("foreground")
        if classes is None:
            classes = [0 if foreground == "dark" else len(decision.values)]
        return thresholds.class_mask(pixels, decision.values, classes)
    return above(pixels, decision.values[0], foreground)


def above(pixels, threshold, foreground="bright"):
    """Pixels above a threshold, or not above it where the foreground is dark.

    Parameters
    ----------
    pixels : (rows, columns) ndarray
    threshold : float or (rows, columns) ndarray
    foreground : {"bright", "dark"}

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
    return compare(pixels, threshold).view(np.uint8)


def clean(mask, steps):
    """Clean-up after thresholding; see `cleanup`."""
    return cleanup.clean(mask, steps) if steps else mask
