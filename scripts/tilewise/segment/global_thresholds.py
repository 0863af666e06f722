"""Global thresholds: from a histogram to the grey level that separates foreground from background.

A method takes a histogram (`counts` and `centers`, as from `histograms.histogram`) and gives one
threshold or several; pixels above it are foreground. All but `manual` raise `NoThreshold` if the
pixels are constant.

A new method is one function and one line of `GLOBAL`. The settings that the configuration may give
are its arguments after the histogram; `{name: value}` sets the first.

Quotients and products are in single precision where scikit-image has them so, and a close call ends
as it does there: up to 2**24 pixels, which single precision counts exactly. Methods that multiply
grey levels are `_at_any_scale`: else squares of large floats would be beyond single precision.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.circular import half_circle, hues_of
from tilewise.segment.dtypes import power_of_two
from tilewise.segment.histograms import moments
from tilewise.value_counts import EXACT_PIXELS

SMOOTHING_PASSES = 10_000
"""Most passes of `minimum` over a histogram, as in scikit-image."""


class NoThreshold(ValueError):  # noqa: N818 - it is an outcome, reported as a note
    """A histogram from which a method cannot get a threshold; the message says why."""


def _occupied(counts, centers):
    """The histogram from the first to the last grey level that has pixels."""
    occupied = np.flatnonzero(counts)
    if occupied.size < 2:
        raise NoThreshold("constant" if occupied.size else "no pixels")
    inner = slice(occupied[0], occupied[-1] + 1)
    return counts[inner], centers[inner]


def _occupied_floats(counts, centers):
    """The same with counts in the precision for quotients and products."""
    counts, centers = _occupied(counts, centers)
    return counts.astype(np.float32 if counts.sum() <= EXACT_PIXELS else np.float64), centers


Result = TypeVar("Result", float, tuple[float, ...])


def _at_any_scale(method: Callable[..., Result]) -> Callable[..., Result]:
    """The method on floats divided by a power of two, and its result multiplied by it."""

    @functools.wraps(method)
    def scaled(counts: NDArray, centers: NDArray, *args: Any, **settings: Any) -> Result:
        if centers.dtype.kind != "f":
            return method(counts, centers, *args, **settings)
        unit = power_of_two(centers[0], centers[-1])
        result = method(counts, centers / unit, *args, **settings)
        if isinstance(result, tuple):
            return tuple(unit * value for value in result)
        return unit * result

    return scaled


def manual(counts: NDArray, centers: NDArray, value: float) -> float:
    """The threshold that was asked for, whatever the pixels.

    Parameters
    ----------
    value : float
        Grey level.
    """
    return float(value)


@_at_any_scale
def otsu(counts: NDArray, centers: NDArray) -> float:
    """Threshold of the greatest variance between the two classes.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        As from `histograms.histogram`.

    Returns
    -------
    float
        The lowest of several that are equal.

    References
    ----------
    Otsu (1979), IEEE Transactions on Systems, Man and Cybernetics 9(1), 62-66.
    """
    counts, centers = _occupied_floats(counts, centers)
    sums = counts * centers
    below, above = np.cumsum(counts), np.cumsum(counts[::-1])[::-1]
    mean_below = np.cumsum(sums) / below
    mean_above = np.cumsum(sums[::-1])[::-1] / above
    between = below[:-1] * above[1:] * (mean_below[:-1] - mean_above[1:]) ** 2
    return float(centers[np.argmax(between)])


@_at_any_scale
def li(counts: NDArray, centers: NDArray) -> float:
    """Threshold of the least cross entropy between the pixels and their class means.

    Iterates from the mean of all pixels until the threshold moves by no more than half a bin.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        As from `histograms.histogram`.

    References
    ----------
    Li and Tam (1998), Pattern Recognition Letters 19(8), 771-776.
    """
    counts, centers = _occupied(counts, centers)
    width = centers[1] - centers[0]
    # logarithms need grey levels that start at zero: the first value, or the lower edge of its bin
    lowest = centers[0] - width / 2 if centers.dtype.kind == "f" else centers[0]
    grey_levels = centers - lowest
    pixels, sums = moments(counts, grey_levels)
    threshold, previous = sums[-1] / pixels[-1], -math.inf
    while abs(threshold - previous) > width / 2:
        previous = threshold
        last = np.searchsorted(grey_levels, threshold, side="right") - 1
        background = sums[last] / pixels[last]
        foreground = (sums[-1] - sums[last]) / (pixels[-1] - pixels[last])
        if background == 0:
            break
        threshold = (background - foreground) / (np.log(background) - np.log(foreground))
    return float(threshold + lowest)


def yen(counts: NDArray, centers: NDArray) -> float:
    """Threshold of the greatest entropic correlation of the two classes.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        As from `histograms.histogram`.

    References
    ----------
    Yen, Chang and Chang (1995), IEEE Transactions on Image Processing 4(3), 370-378.
    """
    counts, centers = _occupied_floats(counts, centers)
    fraction = counts / counts.sum()
    below = np.cumsum(fraction)[:-1]
    squares_below = np.cumsum(fraction**2)[:-1]
    squares_above = np.cumsum(fraction[::-1] ** 2)[::-1][1:]
    # where rounding leaves nothing above, the logarithm is minus infinity, which is never chosen
    with np.errstate(divide="ignore"):
        criterion = np.log((squares_below * squares_above) ** -1 * (below * (1 - below)) ** 2)
    return float(centers[np.argmax(criterion)])


@_at_any_scale
def isodata(counts: NDArray, centers: NDArray) -> float:
    """Lowest threshold in the middle between the means of its two classes.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        As from `histograms.histogram`.

    Returns
    -------
    float
        Equal to the middle, or less than a bin below it.

    Raises
    ------
    NoThreshold
        If the pixels are constant, or rounding leaves no such threshold.

    References
    ----------
    Ridler and Calvard (1978), IEEE Transactions on Systems, Man and Cybernetics 8(8), 630-632.
    """
    counts, centers = _occupied_floats(counts, centers)
    pixels, sums = np.cumsum(counts), np.cumsum(counts * centers)
    mean_below = sums[:-1] / pixels[:-1]
    mean_above = (sums[-1] - sums[:-1]) / (pixels[-1] - pixels)[:-1]
    above_center = (mean_below + mean_above) / 2 - centers[:-1]
    is_middle = (above_center >= 0) & (above_center < centers[1] - centers[0])
    if not is_middle.any():
        raise NoThreshold("no grey level is in the middle between its class means")
    return float(centers[np.argmax(is_middle)])


def triangle(counts: NDArray, centers: NDArray) -> float:
    """Threshold farthest from the line between the peak and the end of the longer tail.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        As from `histograms.histogram`.

    References
    ----------
    Zack, Rogers and Latt (1977), Journal of Histochemistry and Cytochemistry 25(7), 741-753.
    """
    counts, centers = _occupied(counts, centers)
    peak = int(np.argmax(counts))
    if peak < counts.size - 1 - peak:
        counts, centers = counts[::-1], centers[::-1]
        peak = counts.size - 1 - peak
    height = int(counts[peak])
    hypotenuse = math.sqrt(height**2 + peak**2)
    distance = height / hypotenuse * np.arange(peak) - peak / hypotenuse * counts[:peak]
    return float(centers[np.argmax(distance)])


def minimum(counts: NDArray, centers: NDArray) -> float:
    """Threshold at the minimum between the two maxima of the smoothed histogram.

    Each pass averages three neighbouring bins, until two maxima are left.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        As from `histograms.histogram`.

    Raises
    ------
    NoThreshold
        If the pixels are constant or the histogram does not come to have two maxima.

    References
    ----------
    Prewitt and Mendelsohn (1966), Annals of the New York Academy of Sciences 128, 1035-1053.
    """
    from scipy import ndimage

    smooth, centers = _occupied_floats(counts, centers)
    for _ in range(SMOOTHING_PASSES - 1):
        smooth = ndimage.uniform_filter1d(smooth, 3)
        maxima = _maxima(smooth)
        if maxima.size == 2:
            first, last = maxima
            return float(centers[first + np.argmin(smooth[first : last + 1])])
        if maxima.size < 2:
            raise NoThreshold("the smoothed histogram has a single maximum")
    raise NoThreshold(
        f"more than two maxima after smoothing the histogram {SMOOTHING_PASSES} times"
    )


def _maxima(values):
    """Where values stop to rise and start to fall; the right end of a plateau."""
    difference = np.diff(values)
    changes = np.flatnonzero(difference)
    rises = difference[changes] > 0
    return changes[~rises & np.append(True, rises[:-1])]


def mean(counts: NDArray, centers: NDArray) -> float:
    """The mean of the pixels.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        As from `histograms.histogram`.

    Returns
    -------
    float
        Exact for integers.
    """
    pixels, sums = moments(*_occupied(counts, centers))
    return float(sums[-1] / pixels[-1])


@_at_any_scale
def multiotsu(
    counts: NDArray,
    centers: NDArray,
    classes: int = 3,
    foreground: int | Sequence[int] | None = None,
) -> tuple[float, ...]:
    """Thresholds of the greatest variance between several classes.

    Parameters
    ----------
    classes : int
        At least 2.
    foreground : int or list of int, optional
        The classes, from 0 (darkest), that are foreground; the brightest by default.

    Returns
    -------
    tuple of float
        classes - 1 thresholds, ascending.

    Raises
    ------
    NoThreshold
        If the pixels have fewer grey levels than classes.

    Notes
    -----
    The best of all divisions, in double precision, by dynamic programming. As the end of the last
    class rises, its best start never falls: the starts for every other end bound those for the ends
    between them. So the time is in proportion to n log n for n grey levels.

    References
    ----------
    Liao, Chen and Chung (2001), Journal of Information Science and Engineering 17(5), 713-727.
    """
    occupied = np.flatnonzero(counts)
    if occupied.size < classes:
        raise NoThreshold(f"{occupied.size} grey levels do not make {classes} classes")
    grey_levels = centers[occupied]
    # sums around the middle stay small
    around_middle = grey_levels - grey_levels[grey_levels.size // 2]
    # scikit-image counts the lowest grey level as the one above it: so that results are the same
    around_middle[0] += centers[1] - centers[0]
    pixels, sums = moments(counts[occupied], around_middle)
    pixels, sums = np.append(0, pixels), np.append(0, sums)

    def variance(start, stop):
        return (sums[stop] - sums[start]).astype(np.float64) ** 2 / (pixels[stop] - pixels[start])

    stops = np.arange(1, grey_levels.size + 1)
    best = np.append(-math.inf, variance(0, stops))
    starts_of = []
    for _ in range(classes - 1):
        best, starts = _add_class(best, variance)
        starts_of.append(starts)
    thresholds: tuple[float, ...] = ()
    stop = grey_levels.size
    for starts in reversed(starts_of):
        stop = starts[stop]
        thresholds = (float(grey_levels[stop - 1]), *thresholds)
    return thresholds


def _add_class(best, variance):
    """Divide the first grey levels, for every number of them, into one class more.

    `best` is the greatest sum of class variances of the first 0, 1, ... grey levels, minus infinity
    where they are fewer than classes; `variance(start, stop)` is that of a class. Returns `best`
    with the new class, and where this class begins.
    """
    number = best.size - 1
    better, starts = np.full(best.size, -math.inf), np.zeros(best.size, np.int64)
    step = 2 ** number.bit_length() // 2
    while step:
        stops = np.arange(step, number + 1, 2 * step)
        first = starts[stops - step]
        following = stops + step
        last = np.where(following > number, number, starts[np.minimum(following, number)])
        sizes = np.minimum(last, stops - 1) - first + 1
        begins = np.cumsum(sizes) - sizes
        # the candidates of all stops, one after the other
        candidates = np.arange(sizes.sum()) + np.repeat(first - begins, sizes)
        values = best[candidates] + variance(candidates, np.repeat(stops, sizes))
        better[stops] = np.maximum.reduceat(values, begins)
        greatest = np.flatnonzero(values == np.repeat(better[stops], sizes))
        starts[stops] = candidates[greatest[np.searchsorted(greatest, begins)]]
        step //= 2
    return better, starts


def circular(counts: NDArray, centers: NDArray, hue: float | None = None) -> tuple[float, float]:
    """Two half circles of hues of least variance, one of them foreground; after the filter `hue`.

    Pixels without hue are background, and do not count.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        As from `histograms.histogram`, of hues in whole degrees; others than 0 to 359 are left out.
    hue : float, optional
        A hue of the foreground in degrees, 0 to below 360. Without one, it is the half with fewer
        pixels, for the scopes `sample` and `calibrated` alone.

    Returns
    -------
    tuple of float
        The first and the last hue of the foreground; the first is greater where 0 lies between.

    References
    ----------
    Lai and Rosin (2014), IEEE Transactions on Image Processing 23(3), 992-1001.
    """
    hues = hues_of(counts, centers)
    start = half_circle(hues)
    if start is None:
        raise NoThreshold("constant" if hues.any() else "no pixels")
    half = hues.size // 2
    inner = slice(start, start + half)
    is_first = 2 * hues[inner].sum() <= hues.sum()
    if hue is not None:
        is_first = start <= round(hue) % hues.size < start + half
    first = start if is_first else start + half
    return float(first), float((first + half - 1) % hues.size)


GLOBAL: dict[str, Callable[..., Any]] = {
    "manual": manual,
    "otsu": otsu,
    "li": li,
    "yen": yen,
    "isodata": isodata,
    "triangle": triangle,
    "minimum": minimum,
    "mean": mean,
    "multiotsu": multiotsu,
    "circular": circular,
}
"""Methods by the name that the configuration uses; each gives a threshold or a tuple of them."""
