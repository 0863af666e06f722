"""Threshold methods: from grey levels to what separates foreground from background.

A global method takes a histogram and gives one threshold or several; a local one takes a plane and
gives a threshold for every pixel. Pixels above the threshold are foreground. A new method is one
function and one line of `GLOBAL` or `LOCAL`; the settings that the configuration may give are its
arguments after the histogram or the plane, and the first of them is what `{name: value}` sets.

Sums of a histogram are exact: integers, or in double precision. Only up to 2**24 pixels, where
single precision still counts exactly, quotients and products are rounded to it wherever
scikit-image does so, so that close calls end alike.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from tilewise import steps
from tilewise.components import Components

BINS = 256
"""Of the histogram of floats."""

COUNTABLE = 2**24
"""Pixels that single precision counts exactly."""

TRUNCATE = 4
"""Where a gaussian ends, in standard deviations, as in SciPy."""

WIDTH = 512
"""Columns of which the thresholds per pixel are computed at a time, so that they stay in cache."""

SMOOTHINGS = 10_000
"""Most passes of `minimum` over a histogram, as in scikit-image."""


KIND = "threshold method"
"""What a method is called in messages."""


class NoThreshold(ValueError):  # noqa: N818 - it is an outcome, reported as a note
    """A histogram from which a method cannot get a threshold; the message says why."""


def histogram(values, bins=None, low=None, high=None):
    """Count the pixels of each grey level.

    Parameters
    ----------
    values : ndarray
        uint8, uint16, int16, or finite float32.
    bins : int, optional
        Of floats, 256 by default. Integers have a bin for each value of their dtype.
    low, high : float, optional
        Range of the bins of floats, what is outside is not counted; from the smallest to the
        greatest value by default.

    Returns
    -------
    counts : (bins,) int64 ndarray
        Pixels. Histograms of parts, with the same bins, may be added up.
    centers : (bins,) ndarray
        Grey levels in the middle of the bins, ascending; int64 for integers.
    """
    if values.dtype.kind == "f":
        bounds = None if low is None else (float(low), float(high))
        counts, edges = np.histogram(values, bins or BINS, bounds)
        return counts, (edges[:-1] + edges[1:]) / 2
    limits = np.iinfo(values.dtype)
    centers = np.arange(limits.min, limits.max + 1)
    counts = _count(values.view(f"u{values.itemsize}"), centers.size)
    if limits.min:
        # the bit patterns of negative numbers come after those of positive ones
        counts = np.roll(counts, -limits.min)
    return counts, centers


def _count(unsigned, bins):
    counts = np.zeros(bins, np.int64)
    rows = unsigned.reshape(-1, unsigned.shape[-1])
    # OpenCV counts in single precision
    height = max(COUNTABLE // rows.shape[1], 1)
    for start in range(0, rows.shape[0], height):
        band = rows[start : start + height]
        counts += cv2.calcHist([band], [0], None, [bins], [0, bins]).ravel().astype(np.int64)
    return counts


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
    return counts.astype(np.float32 if counts.sum() <= COUNTABLE else np.float64), centers


def _moments(counts, centers):
    """Cumulative pixels and sums of grey levels; exact for integers."""
    if centers.dtype.kind == "f":
        centers = centers.astype(np.float64)
    return np.cumsum(counts), np.cumsum(counts * centers)


def manual(counts, centers, value):
    """The threshold that was asked for, whatever the pixels.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        See `histogram`.
    value : float
        Grey level.

    Returns
    -------
    float
    """
    return float(value)


def otsu(counts, centers):
    """Threshold of the greatest variance between the two classes.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        See `histogram`.

    Returns
    -------
    float
        The lowest of several that are equal.

    Raises
    ------
    NoThreshold
        If the pixels are constant.

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


def li(counts, centers):
    """Threshold of the least cross entropy between the pixels and their class means.

    Iterates from the mean of all pixels until the threshold moves by no more than half a bin.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        See `histogram`.

    Returns
    -------
    float

    Raises
    ------
    NoThreshold
        If the pixels are constant.

    References
    ----------
    Li and Tam (1998), Pattern Recognition Letters 19(8), 771-776.
    """
    counts, centers = _occupied(counts, centers)
    width = centers[1] - centers[0]
    # logarithms need grey levels that start at zero: the first value, or the lower edge of its bin
    lowest = centers[0] - width / 2 if centers.dtype.kind == "f" else centers[0]
    levels = centers - lowest
    pixels, sums = _moments(counts, levels)
    threshold, previous = sums[-1] / pixels[-1], -math.inf
    while abs(threshold - previous) > width / 2:
        previous = threshold
        last = np.searchsorted(levels, threshold, side="right") - 1
        background = sums[last] / pixels[last]
        foreground = (sums[-1] - sums[last]) / (pixels[-1] - pixels[last])
        if background == 0:
            break
        threshold = (background - foreground) / (np.log(background) - np.log(foreground))
    return float(threshold + lowest)


def yen(counts, centers):
    """Threshold of the greatest entropic correlation of the two classes.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        See `histogram`.

    Returns
    -------
    float

    Raises
    ------
    NoThreshold
        If the pixels are constant.

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


def isodata(counts, centers):
    """Lowest threshold in the middle between the means of its two classes.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        See `histogram`.

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
    found = np.flatnonzero((above_center >= 0) & (above_center < centers[1] - centers[0]))
    if not found.size:
        raise NoThreshold("no grey level is in the middle between its class means")
    return float(centers[found[0]])


def triangle(counts, centers):
    """Threshold farthest from the line between the peak and the end of the longer tail.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        See `histogram`.

    Returns
    -------
    float

    Raises
    ------
    NoThreshold
        If the pixels are constant.

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


def minimum(counts, centers):
    """Threshold at the minimum between the two maxima of the smoothed histogram.

    Each pass averages three neighbouring bins, until two maxima are left.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        See `histogram`.

    Returns
    -------
    float

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
    for _ in range(SMOOTHINGS - 1):
        smooth = ndimage.uniform_filter1d(smooth, 3)
        maxima = _maxima(smooth)
        if maxima.size == 2:
            first, last = maxima
            return float(centers[first + np.argmin(smooth[first : last + 1])])
        if maxima.size < 2:
            raise NoThreshold("the smoothed histogram has a single maximum")
    raise NoThreshold(f"more than two maxima after smoothing the histogram {SMOOTHINGS} times")


def _maxima(values):
    """Where values stop to rise and start to fall; the right end of a plateau."""
    difference = np.diff(values)
    changes = np.flatnonzero(difference)
    rises = difference[changes] > 0
    return changes[~rises & np.append(True, rises[:-1])]


def mean(counts, centers):
    """The mean of the pixels.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        See `histogram`.

    Returns
    -------
    float
        Exact for integers.

    Raises
    ------
    NoThreshold
        If the pixels are constant.
    """
    pixels, sums = _moments(*_occupied(counts, centers))
    return float(sums[-1] / pixels[-1])


def multiotsu(counts, centers, classes=3, foreground=None):
    """Thresholds of the greatest variance between several classes.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        See `histogram`.
    classes : int
        At least 2.
    foreground : int or list of int, optional
        The classes, from 0, that a mask takes; see `class_mask`. No threshold depends on it.

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
    The optimum of all divisions, in double precision, by dynamic programming. The best start of a
    last class never falls as its end rises, so that the starts for every other end bound those for
    the ends between, and all takes time in proportion to n log n for n grey levels.

    References
    ----------
    Liao, Chen and Chung (2001), Journal of Information Science and Engineering 17(5), 713-727.
    """
    occupied = np.flatnonzero(counts)
    if occupied.size < classes:
        raise NoThreshold(f"{occupied.size} grey levels do not make {classes} classes")
    levels = centers[occupied]
    # sums around the middle stay small
    around_middle = levels - levels[levels.size // 2]
    # scikit-image counts the lowest grey level as the one above it: so that results are the same
    around_middle[0] += centers[1] - centers[0]
    pixels, sums = _moments(counts[occupied], around_middle)
    pixels, sums = np.append(0, pixels), np.append(0, sums)

    def variance(start, stop):
        return (sums[stop] - sums[start]).astype(np.float64) ** 2 / (pixels[stop] - pixels[start])

    stops = np.arange(1, levels.size + 1)
    best = np.append(-math.inf, variance(0, stops))
    starts_of = []
    for _ in range(classes - 1):
        best, starts = _add_class(best, variance)
        starts_of.append(starts)
    stop, thresholds = levels.size, []
    for starts in reversed(starts_of):
        stop = starts[stop]
        thresholds.insert(0, float(levels[stop - 1]))
    return tuple(thresholds)


def _add_class(best, variance):
    """Divide the first levels, for every number of them, into one class more.

    Parameters
    ----------
    best : (levels + 1,) ndarray
        Greatest sum of class variances of the first 0, 1, ... levels; minus infinity where they are
        fewer than classes.
    variance : callable
        Of the class from one level up to before another.

    Returns
    -------
    best : (levels + 1,) ndarray
        With the class.
    starts : (levels + 1,) int ndarray
        Where it begins.
    """
    levels = best.size - 1
    better, starts = np.full(best.size, -math.inf), np.zeros(best.size, np.int64)
    step = 2 ** levels.bit_length() // 2
    while step:
        stops = np.arange(step, levels + 1, 2 * step)
        first = starts[stops - step]
        following = stops + step
        last = np.where(following > levels, levels, starts[np.minimum(following, levels)])
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


GLOBAL = {
    "manual": manual,
    "otsu": otsu,
    "li": li,
    "yen": yen,
    "isodata": isodata,
    "triangle": triangle,
    "minimum": minimum,
    "mean": mean,
    "multiotsu": multiotsu,
}
"""Methods on a histogram by the name that the configuration uses."""


def separability(counts, centers, threshold):
    """How well a threshold separates its two classes.

    Parameters
    ----------
    counts, centers : (bins,) ndarray
        See `histogram`.
    threshold : float

    Returns
    -------
    float
        Between-class over total variance, 0 to 1: Otsu's (1979) eta. 0 if a class is empty.
    """
    pixels, sums = _moments(counts, centers)
    below = np.searchsorted(centers, threshold, side="right")
    inside = pixels[below - 1] if below else 0
    outside = pixels[-1] - inside
    if not inside or not outside:
        return 0.0
    average = sums[-1] / pixels[-1]
    total = np.dot(counts, (centers - average) ** 2)
    difference = sums[below - 1] / inside - (sums[-1] - sums[below - 1]) / outside
    share = float(inside) * float(outside) / float(pixels[-1])
    return float(min(share * difference**2 / total, 1))


@dataclass(frozen=True)
class Local:
    """A method that gives every pixel its threshold."""

    surface: Callable
    """`surface(plane, **settings)` are the thresholds, of the plane's shape."""
    reach: Callable
    """`reach(**settings)`: pixels around a pixel on which its threshold depends."""


def adaptive(plane, size, offset=0, weights="gaussian"):
    """Mean of the surroundings, less an offset; `skimage.filters.threshold_local`.

    Parameters
    ----------
    plane : (Y, X) ndarray
        uint8, uint16, int16 or float32.
    size : int
        Side of the window in pixels, odd; a gaussian has a standard deviation of (size - 1) / 6.
    offset : float
        Grey levels that a pixel may be below the mean of its surroundings.
    weights : {"gaussian", "mean"}
        Of the surroundings.

    Returns
    -------
    (Y, X) ndarray
        float64, or float32 for float32. Constant surroundings have exactly their value as mean.
    """
    return _in_strips(
        functools.partial(_adaptive, size=size, offset=offset, weights=weights),
        plane,
        _adaptive_reach(size, weights=weights),
    )


def _adaptive(plane, size, offset, weights):
    if weights == "mean":
        values = plane.astype(np.float64)
        return _window_mean(values, size, cv2.BORDER_REFLECT, plane.dtype) - offset
    kernel = _gaussian_weights(size)
    average = cv2.sepFilter2D(plane, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
    if plane.dtype.kind != "f":
        # finer than matters, coarser than rounding errors
        average = np.rint(average * 2**24) / 2**24
    return average - offset


def _in_strips(compute, plane, reach):
    """Compute the thresholds of strips of columns, each with its surroundings.

    Those of floats are rounded to single precision: a constant plane is not above its own mean.
    """
    columns = plane.shape[1]
    surface = np.empty(plane.shape, np.float32 if plane.dtype.kind == "f" else np.float64)
    # wider than these, little is computed twice
    width = max(WIDTH, 4 * reach)
    for start in range(0, columns, width):
        first, stop = max(start - reach, 0), min(start + width, columns)
        strip = compute(plane[:, first : stop + reach])
        surface[:, start:stop] = strip[:, start - first : stop - first]
    return surface


def _gaussian_weights(size):
    sigma, radius = _gaussian_extent(size)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return weights / weights.sum()


def _gaussian_extent(size):
    sigma = (size - 1) / 6
    return sigma, int(TRUNCATE * sigma + 0.5)


def _adaptive_reach(size, offset=0, weights="gaussian"):
    return size // 2 if weights == "mean" else _gaussian_extent(size)[1]


def niblack(plane, size=15, k=0.2):
    """Mean less k standard deviations of the window; `skimage.filters.threshold_niblack`.

    Parameters
    ----------
    plane : (Y, X) ndarray
        uint8, uint16, int16 or float32.
    size : int
        Side of the window in pixels, odd.
    k : float

    Returns
    -------
    (Y, X) ndarray
        float64, or float32 for float32.

    References
    ----------
    Niblack (1986), An Introduction to Digital Image Processing.
    """
    return _in_strips(functools.partial(_niblack, size=size, k=k), plane, _window_reach(size))


def _niblack(plane, size, k):
    average, deviation = _mean_and_deviation(plane, size)
    return average - k * deviation


def sauvola(plane, size=15, k=0.2, r=None):
    """Mean times 1 + k (standard deviation / r - 1); `skimage.filters.threshold_sauvola`.

    Parameters
    ----------
    plane : (Y, X) ndarray
        uint8, uint16, int16 or float32.
    size : int
        Side of the window in pixels, odd.
    k : float
    r : float, optional
        Greatest standard deviation: by default half the range of an integer dtype (127.5 or
        32767.5), and 1 for float32, which suits values from -1 to 1.

    Returns
    -------
    (Y, X) ndarray
        float64, or float32 for float32. (1 - k) times the value of a constant plane, which is
        above it: where that can be, make the foreground dark, as Sauvola's is.

    References
    ----------
    Sauvola and Pietikainen (2000), Pattern Recognition 33(2), 225-236.
    """
    if r is None:
        r = 1 if plane.dtype.kind == "f" else (2 ** (8 * plane.itemsize) - 1) / 2
    return _in_strips(functools.partial(_sauvola, size=size, k=k, r=r), plane, _window_reach(size))


def _sauvola(plane, size, k, r):
    average, deviation = _mean_and_deviation(plane, size)
    return average * (1 + k * (deviation / r - 1))


def _mean_and_deviation(plane, size):
    # the pixel at the border is not repeated, as in scikit-image
    border = cv2.BORDER_REFLECT_101
    values = plane.astype(np.float64)
    average = _window_mean(values, size, border, plane.dtype)
    square = _window_mean(values * values, size, border, plane.dtype)
    return average, np.sqrt(np.maximum(square - average * average, 0))


def _window_mean(values, size, border, dtype):
    """Mean of the window around each pixel, the same wherever a plane is cut."""
    if dtype.kind == "f":
        # running sums of floats would depend on where they start
        ones = np.ones(size)
        total = cv2.sepFilter2D(values, cv2.CV_64F, ones, ones, borderType=border)
    else:
        total = cv2.boxFilter(values, cv2.CV_64F, (size, size), normalize=False, borderType=border)
    return total / size**2


def _window_reach(size=15, **settings):
    return size // 2


LOCAL = {
    "adaptive": Local(adaptive, _adaptive_reach),
    "sauvola": Local(sauvola, _window_reach),
    "niblack": Local(niblack, _window_reach),
}
"""Methods on a plane by the name that the configuration uses."""


def hysteresis(plane, low, high):
    """Regions above a low threshold that have a pixel above a high one.

    Parameters
    ----------
    plane : (Y, X) ndarray
    low, high : float

    Returns
    -------
    (Y, X) uint8 ndarray
        1 in the regions, else 0; as `skimage.filters.apply_hysteresis_threshold`.

    Raises
    ------
    ValueError
        If the low threshold is above the high one.
    """
    if low > high:
        raise ValueError(f"low is {low}, high is {high}: give a low threshold that is not above")
    return connected((plane > low).view(np.uint8), (plane > high).view(np.uint8))


def connected(low, high):
    """Regions of one mask or the other that have a pixel of the second.

    Parameters
    ----------
    low, high : (Y, X) uint8 ndarray
        Masks, 0 or 1. Neighbours share a side (4-connectivity).

    Returns
    -------
    (Y, X) uint8 ndarray
        0 or 1.
    """
    regions = Components(low | high, 4)
    chosen = regions.any(high)
    chosen[0] = False
    return regions.select(chosen)


def class_mask(plane, thresholds, classes):
    """Pixels of some of the classes between several thresholds.

    Parameters
    ----------
    plane : (Y, X) ndarray
    thresholds : sequence of float
        Ascending. A pixel's class is the number of them that it is above.
    classes : sequence of int

    Returns
    -------
    (Y, X) uint8 ndarray
        0 or 1.
    """
    chosen = np.isin(np.arange(len(thresholds) + 1), classes).view(np.uint8)
    if plane.dtype.kind == "f":
        return chosen[np.searchsorted(thresholds, plane)]
    unsigned = np.dtype(f"u{plane.itemsize}")
    values = np.arange(np.iinfo(unsigned).max + 1, dtype=unsigned).view(plane.dtype)
    table = chosen[np.searchsorted(thresholds, values)]
    if plane.dtype == np.uint8:
        return cv2.LUT(plane, table)
    return table[plane.view(unsigned)]


def parse(step):
    """A method's name and settings from the configuration.

    Parameters
    ----------
    step : str or dict
        `otsu`, `{manual: 79}` or `{adaptive: {size: 51, offset: -25}}`.

    Returns
    -------
    (str, dict)
        Name and all settings.

    Raises
    ------
    ValueError
        If the name or a setting is unknown or a setting is missing.
    """
    return steps.parse(step, _functions(), KIND)


def given(step):
    """A method's name and the settings that are given; as `parse`, but others may be missing."""
    return steps.given(step, _functions(), KIND)


def settings_of(name):
    """Names of a method's settings."""
    return list(steps.settings_of(_functions()[name]))


def _functions():
    """All methods, as functions whose first argument only is not a setting."""
    histogram_methods = {name: functools.partial(method, None) for name, method in GLOBAL.items()}
    plane_methods = {name: method.surface for name, method in LOCAL.items()}
    return {**histogram_methods, **plane_methods, "hysteresis": hysteresis}


def check_settings(name, settings):
    """Make sure that a method can be applied with its settings.

    Parameters
    ----------
    name : str
        Of `GLOBAL` or `LOCAL`, or `hysteresis`.
    settings : dict
        Those that are given. `low` and `high` of `hysteresis` are each a number or the name of a
        global method.

    Raises
    ------
    ValueError
        Says what is wrong and what to do.
    """
    _, settings = parse({name: settings})
    check = CHECKS.get(name)
    if check:
        try:
            check(**settings)
        except ValueError as error:
            raise ValueError(f"threshold method {name}: {error}") from error


def _check_manual(value):
    _check_number("value", value)


def _check_multiotsu(classes, foreground):
    if not _is_whole(classes) or classes < 2:
        raise ValueError(f"classes is {classes!r}: give a whole number of at least 2")
    if foreground is None:
        return
    numbers = foreground if isinstance(foreground, list | tuple) else [foreground]
    if not numbers or not all(_is_whole(number) and 0 <= number < classes for number in numbers):
        raise ValueError(
            f"foreground is {foreground!r}: give a class or a list of classes, from 0 (darkest) "
            f"to {classes - 1} (brightest)"
        )


def _check_adaptive(size, offset, weights):
    _check_size(size)
    _check_number("offset", offset)
    if weights not in ("gaussian", "mean"):
        raise ValueError(f"weights is {weights!r}: choose gaussian or mean")


def _check_sauvola(size, k, r):
    _check_niblack(size, k)
    if r is not None and (not _is_number(r) or r <= 0):
        raise ValueError(f"r is {r!r}: give a number of grey levels above 0, or leave it out")


def _check_niblack(size, k):
    _check_size(size)
    _check_number("k", k)


def _check_hysteresis(low, high):
    choices = [name for name in GLOBAL if name not in ("manual", "multiotsu")]
    for setting, level in (("low", low), ("high", high)):
        if level not in choices and not _is_number(level):
            raise ValueError(
                f"{setting} is {level!r}: give a number, or a method: {', '.join(choices)}"
            )
    if _is_number(low) and _is_number(high) and low > high:
        raise ValueError(f"low is {low}, high is {high}: give a low that is not above high")


def _check_size(size):
    if not _is_whole(size) or size < 3 or size % 2 == 0:
        raise ValueError(f"size is {size!r}: give an odd whole number of pixels, such as 15")


def _check_number(setting, value):
    if not _is_number(value):
        raise ValueError(f"{setting} is {value!r}: give a number")


def _is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value):
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))


CHECKS = {
    "manual": _check_manual,
    "multiotsu": _check_multiotsu,
    "adaptive": _check_adaptive,
    "sauvola": _check_sauvola,
    "niblack": _check_niblack,
    "hysteresis": _check_hysteresis,
}
"""What raises ValueError for settings that a method cannot use, by method."""
