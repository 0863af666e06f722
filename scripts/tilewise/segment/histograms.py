"""Histograms of grey levels, and how well a threshold separates the two classes of one.

Sums of a histogram are exact: integers, or in double precision.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.dtypes import power_of_two
from tilewise.value_counts import count_values

FLOAT_BINS = 256
"""Bins of the histogram of floats."""


def histogram(
    values: NDArray, bins: int | None = None, low: float | None = None, high: float | None = None
) -> tuple[NDArray[np.int64], NDArray]:
    """Count the pixels of each grey level.

    Parameters
    ----------
    values
        uint8, uint16, int16, or finite float32.
    bins
        Of floats, 256 by default. Integers have a bin for each value of their dtype.
    low, high
        Range of the bins of floats; what is outside is not counted. By default from the smallest
        to the greatest value.

    Returns
    -------
    counts : (bins,) int64 ndarray
        Pixels. Histograms of parts, with the same bins, may be added up.
    centers : (bins,) ndarray
        Grey levels in the middle of the bins, ascending; int64 for integers. Of float32 they are
        float32, or float64 where pixels differ so little that float32 has no such bins.
    """
    if values.dtype.kind == "f":
        bounds = None if low is None or high is None else (float(low), float(high))
        return histogram_of_floats(values, bins or FLOAT_BINS, bounds)
    limits = np.iinfo(values.dtype)
    centers = np.arange(limits.min, limits.max + 1)
    counts = count_values(values.view(f"u{values.itemsize}"), centers.size)
    if limits.min:
        # the bit patterns of negative numbers come after those of positive ones
        counts = np.roll(counts, -limits.min)
    return counts, centers


def histogram_of_floats(
    values: NDArray,
    bins: int = FLOAT_BINS,
    bounds: tuple[float, float] | None = None,
    weights: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray]:
    """Count floats in equal bins between bounds, each as often as its weight says.

    Returns counts and centers as `histogram` does; centers of float64 values are float64.
    """
    if bounds is None:
        bounds = (values.min(), values.max()) if values.size else (0.0, 0.0)
    unit = power_of_two(*bounds)
    scaled, low, high = values / unit, bounds[0] / unit, bounds[1] / unit
    # steps of the dtype between -2 and 2 are up to `eps`: a bin has at least two
    if high - low < 2 * bins * np.finfo(values.dtype).eps:
        scaled, low, high = scaled.astype(np.float64), float(low), float(high)
    counts, edges = np.histogram(scaled, bins, (low, high), weights=weights)
    return counts, (edges[:-1] + edges[1:]) / 2 * unit


def moments(counts: NDArray, centers: NDArray) -> tuple[NDArray, NDArray]:
    """Cumulative pixels and sums of grey levels of a histogram; exact for integers."""
    if centers.dtype.kind == "f":
        centers = centers.astype(np.float64)
    return np.cumsum(counts), np.cumsum(counts * centers)


def separability(counts: NDArray, centers: NDArray, threshold: float) -> float:
    """How well a threshold separates its two classes, 0 to 1; 0 if a class is empty.

    This is the between-class over the total variance: Otsu's (1979) eta.
    """
    pixels, sums = moments(counts, centers)
    split = np.searchsorted(centers, threshold, side="right")
    below = pixels[split - 1] if split else 0
    above = pixels[-1] - below
    if not below or not above:
        return 0.0
    average = sums[-1] / pixels[-1]
    total = np.dot(counts, (centers - average) ** 2)
    difference = sums[split - 1] / below - (sums[-1] - sums[split - 1]) / above
    share = float(below) * float(above) / float(pixels[-1])
    return float(min(share * (difference * difference) / total, 1))


def contrast_to_noise(
    counts: NDArray, centers: NDArray, threshold: float, foreground: str = "bright"
) -> float:
    """Contrast-to-noise ratio of the two classes that a threshold makes; 0 if one is empty.

    As `Split.contrast`. The foreground is `bright` or `dark`.
    """
    own = split(counts, centers, threshold)
    return own.contrast(foreground) if own else 0.0


@dataclass(frozen=True)
class Split:
    """The two classes that a threshold makes of some pixels, in grey levels."""

    dark_mean: float
    bright_mean: float
    dark_sd: float
    bright_sd: float
    separability: float
    """As from `separability`."""

    @property
    def difference(self) -> float:
        """Of the class means."""
        return self.bright_mean - self.dark_mean

    def contrast(self, foreground: str) -> float:
        """Difference of the class means over the standard deviation of the background class.

        It is 2.65 for a Gaussian split at its mean, that is for noise alone, and infinite if the
        background is constant: in a single bin.
        """
        deviation = self.bright_sd if foreground == "dark" else self.dark_sd
        return self.difference / deviation if deviation else math.inf


def split(counts: NDArray, centers: NDArray, threshold: float) -> Split | None:
    """The classes of a histogram below and above a threshold; None if one is empty."""
    end = np.searchsorted(centers, threshold, side="right")
    if not counts[:end].any() or not counts[end:].any():
        return None
    dark, bright = (
        _mean_and_deviation(counts[part], centers[part].astype(np.float64))
        for part in (slice(end), slice(end, None))
    )
    own = separability(counts, centers, threshold)
    return Split(dark[0], bright[0], dark[1], bright[1], own)


def _mean_and_deviation(counts, grey_levels):
    pixels = counts.sum()
    mean = counts @ grey_levels / pixels
    variance = counts @ (grey_levels - mean) ** 2 / pixels
    # rounding leaves a constant class a little deviation
    return float(mean), math.sqrt(variance) if np.count_nonzero(counts) > 1 else 0.0
