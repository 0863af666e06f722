"""Filters: chains of steps that prepare a plane for thresholding.

A plane is a 2-D array (y, x) of uint8, uint16, int16 or float32. Every filter keeps its shape and
dtype: integers are rounded to the nearest and saturate, nothing wraps around or is cut to 8 bits.
The border is continued by its mirror image (d c b a | a b c d | d c b a, SciPy's `reflect`). Planes
are never modified. A new filter is one function and one line of `FILTERS`; the settings that the
configuration may give are its arguments, and its first one is what `{name: value}` sets.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from tilewise.segment.steps import parse
from tilewise.value_counts import count_values

DTYPES = ("uint8", "uint16", "int16", "float32")
"""Of the planes that can be filtered."""

PLANE = math.inf
"""The reach of a filter that needs the whole plane."""

BAND = 2**18
"""Pixels that are computed at a time in double precision, so that temporaries stay in cache."""

LARGEST_WINDOW = 255
"""Side of the largest window whose pixels OpenCV's median can count: it does so in 16 bits."""

TRUNCATE = 4
"""Where a gaussian ends, in standard deviations, as in SciPy."""


def _whole_plane(dtype, **settings):
    return PLANE


def _accept(dtype, **settings):
    pass


@dataclass(frozen=True)
class Filter:
    """A filter and what has to be known of it before it is applied."""

    apply: Callable
    """`apply(plane, **settings)` is the filtered plane."""
    reach: Callable = _whole_plane
    """`reach(dtype, **settings)`: pixels around a pixel that its result depends on, or `PLANE`."""
    check: Callable = _accept
    """`check(dtype, **settings)` raises ValueError for settings that cannot be applied."""


def invert(plane):
    """Swap bright and dark.

    Parameters
    ----------
    plane : (Y, X) array

    Returns
    -------
    (Y, X) array
        maximum - v for unsigned integers, -1 - v for signed ones (the whole range is mirrored),
        0 - v for float.
    """
    return np.subtract(0, plane) if plane.dtype.kind == "f" else cv2.bitwise_not(plane)


def median(plane, size):
    """Median of the square window around each pixel; `scipy.ndimage.median_filter`.

    Parameters
    ----------
    plane : (Y, X) array
    size : int
        Side of the window in pixels, odd.

    Returns
    -------
    (Y, X) array

    Notes
    -----
    8-bit planes take the same time for any size up to 255, and some 50 times that above it. From
    size 7 on, 16-bit planes take longer the more their medians vary, and float ones in proportion
    to the area of the window: a background of a float image is better estimated by an opening or a
    gaussian.
    """
    if size <= 5 or plane.dtype == np.uint8:
        return _reflected_median(plane, size)
    if plane.dtype.kind == "f":
        return _sorted_median(plane, size)
    return _signed_as(plane.dtype, _bytewise_median(_unsigned(plane), size))


def _reflected_median(plane, size):
    """Median by OpenCV, which repeats the border pixels: the mirror image of one pixel."""
    if size <= 3:
        return cv2.medianBlur(plane, size)
    if size > LARGEST_WINDOW:
        return _counted_median(plane, size)
    half = size // 2
    padded = cv2.copyMakeBorder(plane, half, half, half, half, cv2.BORDER_REFLECT)
    return cv2.medianBlur(padded, size)[half:-half, half:-half]


def _counted_median(plane, size):
    """Median of a uint8 plane as the number of levels that most of the window is above."""
    darkest = plane.min()
    result = np.full(plane.shape, darkest)
    for level in range(darkest, plane.max()):
        above = (plane > level).astype(np.uint8)
        count = cv2.boxFilter(
            above, cv2.CV_32S, (size, size), normalize=False, borderType=cv2.BORDER_REFLECT
        )
        result += count > size**2 // 2
    return result


def _sorted_median(plane, size):
    from scipy import ndimage

    return ndimage.median_filter(plane, size, mode="reflect")


def _bytewise_median(plane, size):
    """Median of a uint16 plane from 8-bit medians.

    A median commutes with every monotone function. So the high byte of the median is the median of
    the high bytes; and where it is h, the low byte is the median of the pixels clipped to the
    values whose high byte is h.
    """
    high = _reflected_median((plane >> 8).astype(np.uint8), size)
    levels = np.unique(high)
    # Measured: what one level costs is what sorting costs for a window of some two pixels.
    if size**2 < 2 * levels.size:
        return _sorted_median(plane, size)
    result = np.empty_like(plane)
    for level in levels:
        chosen = high == level
        rows, inner_rows, outer_rows = _span(chosen.any(axis=1), size // 2)
        columns, inner_columns, outer_columns = _span(chosen.any(axis=0), size // 2)
        lowest = int(level) << 8
        low = np.clip(plane[outer_rows, outer_columns], lowest, lowest + 255) - np.uint16(lowest)
        found = _reflected_median(low.astype(np.uint8), size)[inner_rows, inner_columns]
        box = rows, columns
        np.add(found, np.uint16(lowest), out=result[box], where=chosen[box])
    return result


def _span(chosen, margin):
    """From the first to the last chosen index: in the axis, in what is around it, and that."""
    first, last = np.flatnonzero(chosen)[[0, -1]]
    start = max(first - margin, 0)
    inner = slice(first - start, last + 1 - start)
    return slice(first, last + 1), inner, slice(start, last + 1 + margin)


def gaussian(plane, sigma):
    """Smooth with a gaussian; `scipy.ndimage.gaussian_filter` in double precision, rounded.

    Parameters
    ----------
    plane : (Y, X) array
    sigma : float
        Standard deviation in pixels, above 0. The gaussian ends at 4 of them.

    Returns
    -------
    (Y, X) array
    """
    weights = _gaussian_weights(sigma)
    radius = weights.size // 2
    rows, columns = plane.shape
    result = np.empty(plane.shape, plane.dtype)
    # A band is computed with its surroundings; taller than these, little is computed twice.
    height = max(BAND // columns, 4 * radius, 1)
    for start in range(0, rows, height):
        stop, first = min(start + height, rows), max(start - radius, 0)
        smooth = _convolve(plane[first : stop + radius], weights, weights)[start - first :]
        result[start:stop] = _as_dtype(smooth[: stop - start], plane.dtype)
    return result


def _gaussian_weights(sigma):
    radius = _gaussian_radius(sigma)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return weights / weights.sum()


def _gaussian_radius(sigma):
    return int(TRUNCATE * sigma + 0.5)


def _convolve(plane, row_weights, column_weights):
    # Single precision would be faster, but round differently at the end of a row: with it, results
    # would depend on where planes are cut.
    return cv2.sepFilter2D(
        plane, cv2.CV_64F, row_weights, column_weights, borderType=cv2.BORDER_REFLECT
    )


def clahe(plane, clip_limit=2.0, tiles=8):
    """Contrast-limited adaptive histogram equalisation (Zuiderveld 1994), by OpenCV.

    Parameters
    ----------
    plane : (Y, X) integer array
    clip_limit : float
        Most pixels that a bin of a tile's histogram keeps, in multiples of the average bin.
    tiles : int
        Tiles per axis, of one histogram each; no more than the axis has pixels.

    Returns
    -------
    (Y, X) array
    """
    rows, columns = plane.shape
    equaliser = cv2.createCLAHE(clip_limit, (min(tiles, columns), min(tiles, rows)))
    return _signed_as(plane.dtype, equaliser.apply(_unsigned(plane)))


def equalize(plane):
    """Equalise the histogram of the plane.

    Parameters
    ----------
    plane : (Y, X) array

    Returns
    -------
    (Y, X) array
        (pixels up to v - pixels of the smallest value) / (pixels above the smallest value), from 0
        to 1 for float, stretched onto the range of the dtype for integers. A constant plane stays
        as it is.
    """
    if plane.dtype == np.uint8:
        return cv2.equalizeHist(plane)
    if plane.dtype.kind == "f":
        _, index, count = np.unique(plane, return_inverse=True, return_counts=True)
        return (
            plane.copy()
            if count.size == 1
            else _equal_steps(count).astype(plane.dtype)[index.reshape(plane.shape)]
        )
    unsigned = _unsigned(plane)
    brightest = np.iinfo(unsigned.dtype).max
    count = count_values(unsigned, brightest + 1)
    if np.count_nonzero(count) == 1:
        return plane.copy()
    table = _as_dtype(_equal_steps(count) * brightest, unsigned.dtype)
    return _signed_as(plane.dtype, table[unsigned])


def _equal_steps(count):
    """Fraction of the pixels above the smallest value that are not above each value."""
    smallest = count[np.flatnonzero(count)[0]]
    return np.maximum(np.cumsum(count) - smallest, 0) / (count.sum() - smallest)


def rescale(plane, low=1, high=99):
    """Stretch the plane from its percentiles onto the whole range of the dtype.

    Parameters
    ----------
    plane : (Y, X) array
    low, high : float
        Percentiles (0 to 100, interpolated linearly) that become the least and the greatest value;
        what is beyond saturates.

    Returns
    -------
    (Y, X) array
        Onto 0 to 1 for float. A plane whose two percentiles are equal stays as it is.
    """
    if plane.dtype.kind == "f":
        first, last = (float(value) for value in np.percentile(plane, (low, high)))
        if first == last:
            return plane.copy()
        return _in_bands(lambda band: np.clip((band - first) / (last - first), 0, 1), plane)
    unsigned = _unsigned(plane)
    brightest = np.iinfo(unsigned.dtype).max
    count = count_values(unsigned, brightest + 1)
    first, last = _percentile(count, low), _percentile(count, high)
    if first == last:
        return plane.copy()
    stretched = (np.arange(brightest + 1) - first) / (last - first) * brightest
    table = _as_dtype(stretched, unsigned.dtype)
    if plane.dtype == np.uint8:
        return cv2.LUT(plane, table)
    return _signed_as(plane.dtype, table[unsigned])


def _percentile(count, percent):
    """Percentile of the pixels that a histogram counts, as `numpy.percentile` interpolates it."""
    cumulative = np.cumsum(count)
    rank = (cumulative[-1] - 1) * percent / 100
    below = math.floor(rank)
    lower, upper = np.searchsorted(cumulative, (below, math.ceil(rank)), side="right")
    return lower + (upper - lower) * (rank - below)


def background(plane, method="median", size=101, mode="subtract", offset=None):
    """Remove what varies over distances of about `size` pixels.

    Parameters
    ----------
    plane : (Y, X) array
    method : {"median", "opening", "gaussian"}
        The background: the median of a window; the grey opening, which suits bright structures
        narrower than the window; or a gaussian with the standard deviation of a window, size /
        sqrt(12).
    size : int
        Side of the window in pixels, odd; larger than what is to be kept.
    mode : {"subtract", "divide"}
        v - background + offset, or v / background * offset.
    offset : float, optional
        What a pixel that equals its background becomes. By default the middle of the dtype's range
        (uint8 128, uint16 32768, int16 0; float32 0) where the background is subtracted, and the
        middle of the values above zero (128, 32768, 16384; 1) where it is divided by.

    Returns
    -------
    (Y, X) array
        What is outside the range of the dtype saturates. A background below 1 divides integers as
        1; a float pixel whose background is not above 0 becomes `offset`.
    """
    estimate = BACKGROUNDS[method].apply(plane, size)
    level = _default_offset(plane.dtype, mode) if offset is None else offset
    return _in_bands(MODES[mode], plane, estimate, level=level)


def _gaussian_window(plane, size):
    return gaussian(plane, _window_sigma(size))


def _window_sigma(size):
    return size / math.sqrt(12)


def _subtract(plane, estimate, level):
    return np.subtract(plane, estimate, dtype=np.float64) + level


def _divide(plane, estimate, level):
    scaled = np.multiply(plane, level, dtype=np.float64)
    if plane.dtype.kind == "f":
        return np.divide(
            scaled, estimate, out=np.full(plane.shape, float(level)), where=estimate > 0
        )
    return scaled / np.maximum(estimate, 1)


def _default_offset(dtype, mode):
    if dtype.kind == "f":
        return 0 if mode == "subtract" else 1
    limits = np.iinfo(dtype)
    return ((limits.min if mode == "subtract" else 0) + limits.max + 1) // 2


def tophat(plane, size, dark=False):
    """What is brighter than its surroundings and narrower than the window (white top-hat).

    Parameters
    ----------
    plane : (Y, X) array
    size : int
        Side of the square window in pixels, odd.
    dark : bool
        Instead, what is darker than its surroundings, bright on black (black top-hat).

    Returns
    -------
    (Y, X) array
        v - opening, or closing - v, never below 0.
    """
    if dark:
        return cv2.subtract(_morphology(plane, cv2.MORPH_CLOSE, size), plane)
    return cv2.subtract(plane, _opening(plane, size))


def _opening(plane, size):
    return _morphology(plane, cv2.MORPH_OPEN, size)


def _morphology(plane, operation, size):
    # OpenCV ignores what is outside. So does a mirrored border: the window has its originals too.
    return cv2.morphologyEx(plane, operation, np.ones((size, size), np.uint8))


def destripe(plane, axis="rows", size=51):
    """Remove stripes: the additive error of each row (knife chatter) or column.

    Parameters
    ----------
    plane : (Y, X) array
    axis : {"rows", "columns"}
        Direction of the stripes.
    size : int
        Pixels, odd: what varies over about so many rows is not a stripe. The medians of the rows
        are smoothed by a gaussian with the standard deviation of such a window, size / sqrt(12),
        and what a row's median is above it is subtracted from the row.

    Returns
    -------
    (Y, X) array
        Integers are lowered by whole numbers.
    """
    along = ("columns", "rows").index(axis)
    profile = np.median(plane, axis=along, keepdims=True).astype(np.float64)
    weights, alone = _gaussian_weights(_window_sigma(size)), np.ones(1)
    pair = (alone, weights) if axis == "rows" else (weights, alone)
    excess = profile - _convolve(profile, *pair)
    if plane.dtype.kind != "f":
        excess = np.rint(excess)
    return _in_bands(lambda band, error: band - error, plane, np.broadcast_to(excess, plane.shape))


def _in_bands(compute, plane, *others, **settings):
    """Compute in double precision, a band of rows at a time, and return it in the plane's dtype."""
    result = np.empty(plane.shape, plane.dtype)
    height = max(BAND // plane.shape[1], 1)
    for start in range(0, plane.shape[0], height):
        rows = slice(start, start + height)
        values = compute(plane[rows], *(other[rows] for other in others), **settings)
        result[rows] = _as_dtype(values, plane.dtype)
    return result


def _as_dtype(values, dtype):
    """Values of double precision in a dtype: rounded to the nearest (even) and saturated."""
    if dtype.kind == "f":
        limits = np.finfo(dtype)
        return np.clip(values, limits.min, limits.max).astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)


def _unsigned(plane):
    """An int16 plane as uint16, in the same order; unsigned ones as they are."""
    return (plane ^ np.int16(-(2**15))).view(np.uint16) if plane.dtype == np.int16 else plane


def _signed_as(dtype, unsigned):
    """Undo `_unsigned`."""
    return (unsigned ^ np.uint16(2**15)).view(np.int16) if dtype == np.int16 else unsigned


def _no_reach(dtype):
    return 0


def _window_reach(dtype, size, **settings):
    return size // 2


def _opening_reach(dtype, size, **settings):
    return 2 * (size // 2)


def _gaussian_reach(dtype, sigma):
    return _gaussian_radius(sigma)


def _background_reach(dtype, method, size, **settings):
    return BACKGROUNDS[method].reach(dtype, size)


def _check_size(dtype, size, **settings):
    if not _is_whole(size) or size < 1 or size % 2 == 0:
        raise ValueError(f"size is {size!r}: give an odd whole number of pixels, such as 3 or 5")


def _check_gaussian(dtype, sigma):
    if not _is_number(sigma) or sigma <= 0:
        raise ValueError(f"sigma is {sigma!r}: give a number of pixels above 0")


def _check_clahe(dtype, clip_limit, tiles):
    if dtype.kind == "f":
        raise ValueError(
            f"{dtype} images have no histogram of fixed bins: use equalize or rescale instead"
        )
    if not _is_number(clip_limit) or clip_limit <= 0:
        raise ValueError(f"clip_limit is {clip_limit!r}: give a number above 0, such as 2")
    if not _is_whole(tiles) or tiles < 1:
        raise ValueError(f"tiles is {tiles!r}: give a whole number of at least 1")


def _check_rescale(dtype, low, high):
    if not (_is_number(low) and _is_number(high) and 0 <= low < high <= 100):
        raise ValueError(f"low is {low!r}, high {high!r}: give percentiles, 0 <= low < high <= 100")


def _check_background(dtype, method, size, mode, offset):
    _check_choice("method", method, BACKGROUNDS)
    _check_choice("mode", mode, MODES)
    _check_size(dtype, size)
    if offset is None:
        return
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    if not _is_number(offset) or not limits.min <= offset <= limits.max:
        raise ValueError(
            f"offset is {offset!r}: give a number from {limits.min} to {limits.max}, the range of "
            f"{dtype}, or leave it out"
        )


def _check_tophat(dtype, size, dark):
    _check_size(dtype, size)
    if not isinstance(dark, bool):
        raise ValueError(f"dark is {dark!r}: give true or false")


def _check_destripe(dtype, axis, size):
    _check_choice("axis", axis, ("rows", "columns"))
    _check_size(dtype, size)


def _check_choice(name, value, choices):
    if value not in tuple(choices):
        raise ValueError(f"{name} is {value!r}: choose one of {', '.join(choices)}")


def _is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value):
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def _gaussian_window_reach(dtype, size):
    return _gaussian_radius(_window_sigma(size))


BACKGROUNDS = {
    "median": Filter(median, _window_reach),
    "opening": Filter(_opening, _opening_reach),
    "gaussian": Filter(_gaussian_window, _gaussian_window_reach),
}
"""Methods of `background`; their one setting is the size of the window."""

MODES = {"subtract": _subtract, "divide": _divide}
"""How `background` removes it."""

FILTERS = {
    "invert": Filter(invert, reach=_no_reach),
    "median": Filter(median, reach=_window_reach, check=_check_size),
    "gaussian": Filter(gaussian, reach=_gaussian_reach, check=_check_gaussian),
    "clahe": Filter(clahe, check=_check_clahe),
    "equalize": Filter(equalize),
    "rescale": Filter(rescale, check=_check_rescale),
    "background": Filter(background, reach=_background_reach, check=_check_background),
    "tophat": Filter(tophat, reach=_opening_reach, check=_check_tophat),
    "destripe": Filter(destripe, check=_check_destripe),
}
"""Every filter by the name that the configuration uses."""


def parse_chain(steps):
    """The steps of a chain as the configuration gives them, with their settings filled in.

    Parameters
    ----------
    steps : list
        Of names (`invert`), of names with the first setting (`{median: 3}`) or with named settings
        (`{gaussian: {sigma: 2}}`); or what this function returns.

    Returns
    -------
    list of (str, dict)
        Name and all settings of each step.

    Raises
    ------
    ValueError
        For steps of another form, unknown filters and settings, and settings that are missing.
    """
    functions = {name: known.apply for name, known in FILTERS.items()}
    return [parse(step, functions, "filter") for step in steps]


def check_chain(steps, dtype):
    """Make sure that a chain can be applied to planes of a dtype.

    Parameters
    ----------
    steps : list
        See `parse_chain`.
    dtype : str or dtype
        Of the planes.

    Raises
    ------
    ValueError
        Says which step cannot be applied, why, and what to do.
    """
    dtype = np.dtype(dtype)
    if dtype.name not in DTYPES:
        raise ValueError(
            f"{dtype} images cannot be filtered: convert to one of {', '.join(DTYPES)}"
        )
    plane = np.arange(64).reshape(8, 8).astype(dtype)
    for name, settings in parse_chain(steps):
        try:
            FILTERS[name].check(dtype, **settings)
            filtered = FILTERS[name].apply(plane, **settings)
        except (ValueError, TypeError, cv2.error) as error:
            raise ValueError(f"{name}: {error}") from error
        if filtered.dtype != dtype or filtered.shape != plane.shape:
            raise ValueError(
                f"{name}: its function makes {filtered.dtype} {filtered.shape} of {dtype} "
                f"{plane.shape}: it must keep both"
            )


def chain_reach(steps, dtype):
    """How far from a pixel its result depends on the plane.

    Parameters
    ----------
    steps : list
        See `parse_chain`.
    dtype : str or dtype
        Of the planes.

    Returns
    -------
    int or PLANE
        In pixels. A region that is filtered with so many pixels around it (fewer at the plane's
        border) has the values of the filtered plane, bit for bit. `PLANE` if any step needs the
        whole plane.
    """
    dtype = np.dtype(dtype)
    return sum(FILTERS[name].reach(dtype, **settings) for name, settings in parse_chain(steps))


def apply_chain(plane, steps):
    """Apply the steps of a chain to a plane, in order.

    Parameters
    ----------
    plane : (Y, X) array
        uint8, uint16, int16 or float32, finite; it is not modified.
    steps : list
        See `parse_chain`.

    Returns
    -------
    (Y, X) array
        Of the same dtype; the plane itself if there are no steps.
    """
    for name, settings in parse_chain(steps):
        plane = FILTERS[name].apply(plane, **settings)
    return plane
