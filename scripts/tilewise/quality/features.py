"""Features of a tile: what it looks like, in numbers, without truth and without other tiles."""

import math
from functools import lru_cache

import cv2
import numpy as np

from tilewise.segment.global_thresholds import otsu
from tilewise.segment.histograms import contrast_to_noise, histogram, separability

SMALLEST = 32
"""Sides of a tile in pixels that `focus`, `gradient` and `stripes` need."""
LEVELS = 2**16
"""Of floats."""
HANDFUL = 16
"""Pixels that may share the smallest or greatest value of a tile by chance."""
PILE = 4
"""How many times as many pixels are at the clipped end of the grey levels as at the next level."""
CLEAREST = 100
"""Greatest contrast to noise, of a tile whose background is constant."""
DETAIL = 15
"""Pixels, at half the resolution, over which a tile is averaged for what focus is relative to."""
TREND = 31
"""Rows or columns over which their means are averaged: stripes are narrower."""
BLOCKS = 8
"""Along each side of a tile, whose medians show the illumination."""
SAMPLED = 16
"""Rows and columns of a block, at the least, that its median is taken of."""


def features(pixels):
    """What a tile looks like, in numbers.

    Parameters
    ----------
    pixels : (rows, columns) ndarray
        uint8, uint16, int16 or finite float32.

    Returns
    -------
    dict of str to (float or None)
        The names of `feature_names.FEATURES`.

        `mean`, `sd` : in grey levels.
        `contrast` : 99th less 1st percentile, in grey levels.
        `saturated` : fraction of the pixels at the ends of the dtype's range, 0 to 1. Cameras of 10
        or 12 bits, and floats, clip elsewhere: of wider dtypes than 8 bits, pixels at the tile's
        own smallest or greatest value count too, if they are more than `HANDFUL` and more than
        `PILE` times as many as at the next value.
        `focus` : variance of the Laplacian over the variance of all that is as fine as `DETAIL`, 0
        or more, no unit; both at half the resolution. See the notes.
        `gradient` : range of a quadratic surface fitted to the medians of 8 x 8 blocks, over the
        contrast: 0 or more, about 1 where illumination is all there is. 0 if there is no contrast.
        `stripes` : share of the variance, without the trend, that is between columns or between
        rows, whichever is greater: 0 to 1; for noise, one by the number of rows or columns.
        `separability` : Otsu's between-class over total variance, 0 to 1; 2/pi for normal noise.
        `contrast_to_noise` : difference of the means of Otsu's classes over the standard deviation
        of the larger one, 0 to `CLEAREST`; 2.65 for normal noise.

        Of a constant tile, `focus`, `separability` and `contrast_to_noise` are None, `saturated` is
        1 if the constant is an end of an integer dtype, and all others are 0 but for the mean. Of a
        tile with a side under `SMALLEST` pixels, `focus`, `gradient` and `stripes` are None.

    Raises
    ------
    ValueError
        If a pixel is not a finite number.

    Notes
    -----
    The variance of the Laplacian (Pech-Pacheco et al. 2000) grows with the square of the contrast,
    and the noise of the camera, which no defocus blurs, outweighs the structures in it. Over the
    variance of the tile, the contrast cancels, but a wide vessel or uneven light makes a sharp tile
    look blurred. So the tile is smoothed to half its resolution, which takes most of the noise, and
    coarse structures are left out of the variance.

    References
    ----------
    Pech-Pacheco, Cristobal, Chamorro-Martinez and Fernandez-Valdivia, Proceedings of ICPR 3,
    314-317 (2000), for the focus. Otsu, IEEE Transactions on Systems, Man and Cybernetics 9(1),
    62-66 (1979), for the separability.
    """
    low, high = float(pixels.min()), float(pixels.max())
    if not math.isfinite(high - low):
        raise ValueError("pixels are not finite numbers: replace NaN and infinity in the image")
    if low == high:
        return _of_constant(low, pixels)
    levels, unit = pixels, 1.0
    if pixels.dtype.kind == "f":
        levels, unit = _quantized(pixels, low, high)
    average, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(pixels))
    counts, centers = histogram(levels)
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
        **_of_structure(levels, contrast, deviation / unit),
        "separability": separability(counts, centers, threshold),
        "contrast_to_noise": _contrast_to_noise(counts, centers, threshold),
    }


def _of_constant(value, pixels):
    limits = np.iinfo(pixels.dtype) if pixels.dtype.kind in "iu" else None
    is_small = min(pixels.shape) < SMALLEST
    return {
        "mean": value,
        "sd": 0.0,
        "contrast": 0.0,
        "saturated": float(limits is not None and value in (limits.min, limits.max)),
        "focus": None,
        "gradient": None if is_small else 0.0,
        "stripes": None if is_small else 0.0,
        "separability": None,
        "contrast_to_noise": None,
    }


def _quantized(pixels, low, high):
    """Floats as uint16 from 0 to 65535, and the grey levels of a step."""
    unit = (high - low) / (LEVELS - 1)
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
    for level, following, limit in (
        (occupied[0], occupied[1], 0),
        (occupied[-1], occupied[-2], counts.size - 1),
    ):
        is_limit = dtype.kind != "f" and level == limit
        is_piled = counts[level] > max(HANDFUL, PILE * counts[following])
        if is_limit or (dtype.itemsize > 1 and is_piled):
            clipped += int(counts[level])
    return clipped / int(counts.sum())


def _contrast_to_noise(counts, centers, threshold):
    below = int(counts[: np.searchsorted(centers, threshold, side="right")].sum())
    foreground = "bright" if 2 * below >= counts.sum() else "dark"
    found = contrast_to_noise(counts, centers, threshold, foreground)
    return min(found, float(CLEAREST))


def _of_structure(levels, contrast, deviation):
    if min(levels.shape) < SMALLEST:
        return dict.fromkeys(("focus", "gradient", "stripes"))
    tile = levels.astype(np.float32)
    return {
        "focus": _focus(tile),
        "gradient": _illumination_range(levels) / contrast if contrast else 0.0,
        "stripes": _stripes(tile, deviation**2),
    }


def _variance(values):
    return float(cv2.meanStdDev(values)[1][0, 0]) ** 2


def _focus(tile):
    half = cv2.pyrDown(tile)
    fine = _variance(half - cv2.blur(half, (DETAIL, DETAIL)))
    return _variance(cv2.Laplacian(half, cv2.CV_32F)) / fine if fine else 0.0


def _illumination_range(levels):
    height, width = (side // BLOCKS for side in levels.shape)
    blocks = levels[: BLOCKS * height, : BLOCKS * width].reshape(BLOCKS, height, BLOCKS, width)
    sampled = blocks[:, :: max(height // SAMPLED, 1), :, :: max(width // SAMPLED, 1)]
    medians = np.median(sampled.transpose(0, 2, 1, 3).reshape(BLOCKS**2, -1), axis=1)
    return float(np.ptp(np.einsum("ij,j->i", _quadratic_fit(), medians)))


@lru_cache(maxsize=1)
def _quadratic_fit():
    """The matrix that takes the blocks' medians to the least-squares quadratic surface."""
    y, x = np.indices((BLOCKS, BLOCKS)).reshape(2, -1) - (BLOCKS - 1) / 2
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
    window = min(TREND, profile.size // 4 * 2 + 1)
    return np.convolve(profile, np.full(window, 1 / window), mode="valid")
