"""Features of a tile: what it looks like, in numbers, without truth and without other tiles."""

import math
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.segment.global_thresholds import otsu
from tilewise.segment.histograms import contrast_to_noise, histogram, separability
from tilewise.segment.roi import fill_outside

MIN_SIDE = 32
"""Side of a tile, in pixels, from which it has `focus`, `gradient` and `stripes`."""
FLOAT_GREY_LEVELS = 2**16
"""Grey levels that floats are brought to."""
CHANCE_PIXELS = 16
"""Pixels that may share the smallest or greatest value of a tile by chance."""
CLIPPED_RATIO = 4
"""Least ratio of the pixels at a clipped end of the grey levels to those at the next value."""
MAX_CONTRAST_TO_NOISE = 100
"""Contrast to noise of a tile whose background is constant."""
DETAIL_PIXELS = 15
"""Side of the window, at half the resolution, whose mean is taken off for the detail of a tile."""
TREND_LINES = 31
"""Rows or columns over which their means are averaged: stripes are narrower."""
PATCHES = 8
"""Patches along each side of a tile, whose medians show the illumination."""
PATCH_LINES = 16
"""Rows and columns of a patch that its median is taken of, at the least."""


def features(pixels: NDArray, inside: NDArray[np.bool] | None = None) -> dict[str, float | None]:
    """What a tile looks like, in numbers, by the names of `feature_names.FEATURES`.

    `pixels` are (rows, columns), uint8, uint16, int16 or finite float32. Those that are not
    `inside` of the region of interest do not count; some are. For `focus`, `gradient` and
    `stripes`, they take the value of the nearest inside.

    Returns
    -------
    dict
        `mean`, `sd` : in grey levels.
        `contrast` : 99th less 1st percentile, in grey levels.
        `saturated` : fraction of the pixels at the ends of the dtype's range, 0 to 1. Cameras of 10
        or 12 bits, and floats, clip elsewhere: of wider dtypes than 8 bits, pixels at the tile's
        own smallest or greatest value count too, if they are more than `CHANCE_PIXELS` and more
        than `CLIPPED_RATIO` times as many as at the next value.
        `focus` : variance of the Laplacian over the variance of the detail, 0 or more, no unit;
        both at half the resolution. See the notes.
        `gradient` : range of a quadratic surface fitted to the medians of 8 x 8 patches, over the
        contrast: 0 or more, about 1 where illumination is all there is. 0 if there is no contrast.
        `stripes` : share of the variance, without the trend, that is between columns or between
        rows, whichever is greater: 0 to 1; for noise, 1 / number of rows or columns.
        `separability` : Otsu's between-class over total variance, 0 to 1; 2/pi for normal noise.
        `contrast_to_noise` : difference of the means of Otsu's classes over the standard deviation
        of the larger one, 0 to `MAX_CONTRAST_TO_NOISE`; 2.65 for normal noise.

        Of a constant tile, `focus`, `separability` and `contrast_to_noise` are None, `saturated` is
        1 if the constant is an end of an integer dtype, and all others are 0 but for the mean. Of a
        tile with a side under `MIN_SIDE` pixels, `focus`, `gradient` and `stripes` are None.

    Raises
    ------
    ValueError
        If a pixel is not a finite number.

    Notes
    -----
    The variance of the Laplacian (Pech-Pacheco et al. 2000) grows with the square of the contrast,
    and in it, the camera's noise, which no defocus blurs, outweighs the structures. Divided by the
    variance of the tile, it does not depend on the contrast, but a wide vessel or uneven light
    makes a sharp tile look blurred. So the tile is smoothed to half its resolution, which removes
    most of the noise, and the variance is that of its detail: without what is coarser than
    `DETAIL_PIXELS`.

    References
    ----------
    Pech-Pacheco, Cristobal, Chamorro-Martinez and Fernandez-Valdivia, Proceedings of ICPR 3,
    314-317 (2000), for the focus. Otsu, IEEE Transactions on Systems, Man and Cybernetics 9(1),
    62-66 (1979), for the separability.
    """
    if inside is not None:
        pixels = fill_outside(pixels, inside)
    low, high = float(pixels.min()), float(pixels.max())
    if not math.isfinite(high - low):
        raise ValueError("pixels are not finite numbers: replace NaN and infinity in the image")
    if low == high:
        return _of_constant(low, pixels)
    grey_levels, unit = pixels, 1.0
    if pixels.dtype.kind == "f":
        grey_levels, unit = _quantized(pixels, low, high)
    counted = slice(None) if inside is None else inside
    average, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(pixels[counted]))
    counts, centers = histogram(grey_levels[counted])
    saturated = _saturated(counts, pixels.dtype)
    occupied = np.flatnonzero(counts)
    inner = slice(occupied[0], occupied[-1] + 1)
    counts, centers = counts[inner], centers[inner]
    contrast = _contrast(counts, centers)
    threshold = otsu(counts, centers)
    return {
        "mean": average,
        "sd": deviation,
        "contrast": contrast * unit,
        "saturated": saturated,
        **_of_structure(grey_levels, contrast, deviation / unit),
        "separability": separability(counts, centers, threshold),
        "contrast_to_noise": _contrast_to_noise(counts, centers, threshold),
    }


def _of_constant(value, pixels):
    limits = np.iinfo(pixels.dtype) if pixels.dtype.kind in "iu" else None
    saturated = float(limits is not None and value in (limits.min, limits.max))
    structure = None if min(pixels.shape) < MIN_SIDE else 0.0
    return {
        **{"mean": value, "sd": 0.0, "contrast": 0.0, "saturated": saturated},
        **{"focus": None, "gradient": structure, "stripes": structure},
        **{"separability": None, "contrast_to_noise": None},
    }


def _quantized(pixels, low, high):
    """Floats as uint16 from 0 to 65535, and the grey levels of a step."""
    unit = (high - low) / (FLOAT_GREY_LEVELS - 1)
    steps = np.subtract(pixels, low, dtype=np.float64)
    steps /= unit
    return np.rint(steps, out=steps).astype(np.uint16), unit


def _contrast(counts, centers):
    below = np.cumsum(counts)
    # of integers, so that no percentile depends on rounding
    first, last = np.searchsorted(100 * below, (below[-1], 99 * below[-1]))
    return float(centers[last] - centers[first])


def _saturated(counts, dtype):
    occupied = np.flatnonzero(counts)
    clipped = 0
    for end, following, limit in (
        (occupied[0], occupied[1], 0),
        (occupied[-1], occupied[-2], counts.size - 1),
    ):
        is_limit = dtype.kind != "f" and end == limit
        is_clipped = counts[end] > max(CHANCE_PIXELS, CLIPPED_RATIO * counts[following])
        if is_limit or (dtype.itemsize > 1 and is_clipped):
            clipped += int(counts[end])
    return clipped / int(counts.sum())


def _contrast_to_noise(counts, centers, threshold):
    below = int(counts[: np.searchsorted(centers, threshold, side="right")].sum())
    foreground = "bright" if 2 * below >= counts.sum() else "dark"
    ratio = contrast_to_noise(counts, centers, threshold, foreground)
    return min(ratio, float(MAX_CONTRAST_TO_NOISE))


def _of_structure(grey_levels, contrast, deviation):
    if min(grey_levels.shape) < MIN_SIDE:
        return dict.fromkeys(("focus", "gradient", "stripes"))
    tile = grey_levels.astype(np.float32)
    return {
        "focus": _focus(tile),
        "gradient": _illumination_range(grey_levels) / contrast if contrast else 0.0,
        "stripes": _stripes(tile, deviation**2),
    }


def _variance(values):
    return float(cv2.meanStdDev(values)[1][0, 0]) ** 2


def _focus(tile):
    half = cv2.pyrDown(tile)
    detail = _variance(half - cv2.blur(half, (DETAIL_PIXELS, DETAIL_PIXELS)))
    return _variance(cv2.Laplacian(half, cv2.CV_32F)) / detail if detail else 0.0


def _illumination_range(grey_levels):
    height, width = (side // PATCHES for side in grey_levels.shape)
    inner = grey_levels[: PATCHES * height, : PATCHES * width]
    patches = inner.reshape(PATCHES, height, PATCHES, width)
    sampled = patches[:, :: max(height // PATCH_LINES, 1), :, :: max(width // PATCH_LINES, 1)]
    medians = np.median(sampled.transpose(0, 2, 1, 3).reshape(PATCHES**2, -1), axis=1)
    return float(np.ptp(np.einsum("ij,j->i", _quadratic_fit(), medians)))


@cache
def _quadratic_fit():
    """The matrix from the medians of the patches to the least-squares quadratic surface."""
    y, x = np.indices((PATCHES, PATCHES)).reshape(2, -1) - (PATCHES - 1) / 2
    terms = np.stack((np.ones(y.size), y, x, y * y, y * x, x * x), axis=1)
    return terms @ np.linalg.pinv(terms)


def _stripes(tile, variance):
    profiles = [cv2.reduce(tile, axis, cv2.REDUCE_AVG).ravel().astype(float) for axis in (0, 1)]
    trends = [_moving_average(profile) for profile in profiles]
    rest = variance - sum(float(np.var(trend)) for trend in trends)
    if rest <= 0:
        return 0.0
    details = []
    for profile, trend in zip(profiles, trends, strict=True):
        margin = (profile.size - trend.size) // 2
        details.append(float(np.var(profile[margin:-margin] - trend)))
    return min(max(details) / rest, 1.0)


def _moving_average(profile):
    """Without the ends, where the window would be cut off and a slope look like detail."""
    window = min(TREND_LINES, profile.size // 4 * 2 + 1)
    return np.convolve(profile, np.full(window, 1 / window), mode="valid")
