"""Quality of tiles without any truth: what stands out in a sample, and what is plainly wrong.

Features are of one tile alone. Flags compare them with limits: some of them absolute, others
relative to the tiles of the sample. None depends on the unit of the grey levels, so that an image
and its copy of another dtype, brightness or gain are flagged alike, as long as nothing is clipped.
"""

import math
from functools import lru_cache

import cv2
import numpy as np

from tilewise.segment import segmenters
from tilewise.segment.global_thresholds import histogram, otsu, separability

FEATURES = (
    *("mean", "sd", "contrast", "saturated", "focus", "gradient", "stripes"),
    *("separability", "contrast_to_noise"),
)
FLAGS = (
    *("empty", "blurred", "saturated", "low_contrast", "uneven", "striped", "unimodal"),
    "foreground_outlier",
)
DEFAULTS = {
    "focus": 2.5,
    "saturated": 0.05,
    "contrast": 3.5,
    "gradient": 0.4,
    "stripes": 0.15,
    "contrast_to_noise": 3.2,
    "foreground": 3.5,
}
"""Limits of the flags.

`focus` and `contrast`: robust standard deviations of the logarithm that a tile may be below the
median of its sample. `foreground`: robust standard deviations of the logit that its fraction of
foreground may be off the median. `saturated`: greatest fraction of pixels. `gradient`: greatest
range of the illumination over the contrast. `stripes`: greatest share of the variance.
`contrast_to_noise`: least of two classes; noise alone has 2.65.
"""

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

FEWEST = 8
"""Tiles of a sample, without the empty ones, from which one of them can stand out."""
NORMAL = 1.4826
"""Standard deviation of a normal distribution by its median absolute deviation."""
LEAST_SCALE = 0.1
"""Robust standard deviation of logarithms and logits that is assumed at the least, about 10 %: in a
sample of equal tiles, the deviation is 0 and the smallest difference would stand out."""
LEAST_FRACTION = 1e-4
"""Of the foreground, and of the background: 26 pixels of 512 x 512. Logits end there."""


def features(pixels):
    """What a tile looks like, in numbers.

    Parameters
    ----------
    pixels : (rows, columns) ndarray
        uint8, uint16, int16 or finite float32.

    Returns
    -------
    dict of str to (float or None)
        The names of `FEATURES`.

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
    return min(segmenters.contrast(counts, centers, threshold, foreground), float(CLEAREST))


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


def flag(rows, thresholds=DEFAULTS):
    """What is wrong with each tile of a sample.

    Parameters
    ----------
    rows : sequence of dict
        A row per tile of one sample, with the features, as numbers or as text; None or an empty
        text where there is none. Where a row has `foreground`, the fraction of its pixels that a
        method found, 0 to 1, it is compared too.
    thresholds : dict of str to float
        Limits that replace those of `DEFAULTS`, which see.

    Returns
    -------
    list of list of str
        For each row, in the order of `FLAGS`:

        `empty` : constant. No other flag is given then.
        `blurred` : focus far below that of the sample.
        `saturated` : too many pixels at an end of the grey levels.
        `low_contrast` : contrast far below that of the sample.
        `uneven` : illumination differs over the tile by too much of its contrast.
        `striped` : rows or columns differ too much.
        `unimodal` : no two classes are there, as in noise: the contrast to noise is too low. The
        separability cannot tell this: it is 2/pi for noise, and less for a few clear vessels.
        `foreground_outlier` : far less or far more foreground than in the sample.

        The relative ones, `blurred`, `low_contrast` and `foreground_outlier`, are given only in
        samples of at least `FEWEST` tiles that are not empty: with fewer there is nothing to
        compare with. A feature that is missing gives no flag.

    Raises
    ------
    ValueError
        If there is no limit of a name.
    """
    unknown = sorted(set(thresholds) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"no limit is called {', '.join(unknown)}: use {', '.join(DEFAULTS)}")
    limits = {**DEFAULTS, **thresholds}
    value = {name: column(rows, name) for name in (*FEATURES, "foreground")}
    is_empty = value["sd"] == 0
    focus, contrast = (_deviation(log(value[name]), ~is_empty) for name in ("focus", "contrast"))
    foreground = _deviation(logit(value["foreground"]), ~is_empty)
    # comparisons with NaN are false: what is missing is not flagged
    found = {
        "empty": is_empty,
        "blurred": focus < -limits["focus"],
        "saturated": value["saturated"] > limits["saturated"],
        "low_contrast": contrast < -limits["contrast"],
        "uneven": value["gradient"] > limits["gradient"],
        "striped": value["stripes"] > limits["stripes"],
        "unimodal": value["contrast_to_noise"] < limits["contrast_to_noise"],
        "foreground_outlier": np.abs(foreground) > limits["foreground"],
    }
    return [
        ["empty"] if is_empty[i] else [name for name in FLAGS if found[name][i]]
        for i in range(len(rows))
    ]


def _deviation(values, compared):
    """Robust standard deviations from the median of the compared tiles; NaN if they are too few."""
    known = values[compared & ~np.isnan(values)]
    if known.size < FEWEST:
        return np.full(values.shape, np.nan)
    center = np.median(known)
    return (values - center) / max(NORMAL * np.median(np.abs(known - center)), LEAST_SCALE)


def column(rows, name):
    """A field of all rows.

    Parameters
    ----------
    rows : sequence of dict
    name : str

    Returns
    -------
    (rows,) float64 ndarray
        NaN where a row does not have it, or has None or an empty text.
    """
    fields = (row.get(name) for row in rows)
    return np.array([np.nan if field in (None, "") else float(field) for field in fields], float)


def log(values):
    """Natural logarithm of features that are 0 or more.

    Parameters
    ----------
    values : (rows,) float64 ndarray

    Returns
    -------
    (rows,) float64 ndarray
        Values under a millionth of the greatest, such as 0, count as that; all 0 if it is 0.
    """
    greatest = np.max(values, initial=0, where=~np.isnan(values))
    if not greatest:
        return values * 0
    return np.log(np.maximum(values, 1e-6 * greatest))


def logit(fraction):
    """Logarithm of the odds, so that 1 and 2 % differ as much as 98 and 99 %.

    Parameters
    ----------
    fraction : (rows,) float64 ndarray
        0 to 1.

    Returns
    -------
    (rows,) float64 ndarray
        Fractions within `LEAST_FRACTION` of 0 or 1 count as that: nothing is infinite.
    """
    inner = np.clip(fraction, LEAST_FRACTION, 1 - LEAST_FRACTION)
    return np.log(inner / (1 - inner))
