"""Local thresholds: from a plane to a threshold for every pixel.

A method takes a plane of uint8, uint16, int16 or float32 and gives thresholds of its shape, in
float64, or float32 for float32. Pixels above theirs are foreground.

A new method is one function and one line of `LOCAL`. The settings that the configuration may give
are its arguments after the plane; `{name: value}` sets the first.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.segment.smoothing import convolve, gaussian_radius, gaussian_weights

STRIP_COLUMNS = 512
"""Columns of which the thresholds per pixel are computed at a time, so that they stay in cache."""


@dataclass(frozen=True)
class Local:
    """A method that gives every pixel its threshold."""

    surface: Callable[..., NDArray]
    """`surface(plane, **settings)` are the thresholds, of the plane's shape."""
    reach: Callable[..., int]
    """`reach(**settings)`: pixels around a pixel on which its threshold depends."""


def adaptive(
    plane: NDArray,
    size: int,
    offset: float = 0,
    weights: str = "gaussian",
    *,
    inside: NDArray[np.bool] | None = None,
) -> NDArray[np.floating]:
    """Mean of the surroundings, less an offset; `skimage.filters.threshold_local`.

    Parameters
    ----------
    size : int
        Side of the window in pixels, odd; a gaussian has a standard deviation of (size - 1) / 6.
    offset : float
        Grey levels that a pixel may be below the mean of its surroundings.
    weights : {"gaussian", "mean"}
        With `gaussian`, near pixels count more than far ones.

    Notes
    -----
    Constant surroundings have exactly their value as mean.
    """
    compute = functools.partial(_adaptive, size=size, offset=offset, weights=weights)
    return _in_strips(compute, plane, _adaptive_reach(size, weights=weights), inside)


def _adaptive(plane, size, offset, weights, inside=None):
    if weights == "mean":
        values = plane.astype(np.float64)
        return _window_mean(values, size, cv2.BORDER_REFLECT, plane.dtype, inside) - offset
    kernel = gaussian_weights(_window_sigma(size))
    if inside is None:
        average = convolve(plane, kernel, kernel)
    else:
        total = convolve(np.where(inside, plane, 0), kernel, kernel)
        average = _per_weight(total, convolve(inside.astype(np.float64), kernel, kernel))
    if plane.dtype.kind != "f":
        # finer than matters, coarser than rounding errors
        average = np.rint(average * 2**24) / 2**24
    return average - offset


def _in_strips(compute, plane, reach, inside=None):
    """Compute the thresholds of strips of columns, each with its surroundings.

    Those of floats are rounded to single precision: a constant plane is not above its own mean.
    """
    columns = plane.shape[1]
    surface = np.empty(plane.shape, np.float32 if plane.dtype.kind == "f" else np.float64)
    # wider than these, little is computed twice
    width = max(STRIP_COLUMNS, 4 * reach)
    for start in range(0, columns, width):
        first, stop = max(start - reach, 0), min(start + width, columns)
        columns_read = np.s_[:, first : stop + reach]
        strip = compute(
            plane[columns_read], inside=None if inside is None else inside[columns_read]
        )
        surface[:, start:stop] = strip[:, start - first : stop - first]
    return surface


def _window_sigma(size):
    return (size - 1) / 6


def _adaptive_reach(size, offset=0, weights="gaussian"):
    return size // 2 if weights == "mean" else gaussian_radius(_window_sigma(size))


def niblack(
    plane: NDArray, size: int = 15, k: float = 0.2, *, inside: NDArray[np.bool] | None = None
) -> NDArray[np.floating]:
    """Mean less k standard deviations of the window; `skimage.filters.threshold_niblack`.

    Parameters
    ----------
    size : int
        Side of the window in pixels, odd.
    k : float
        Number of standard deviations by which the threshold is below the mean.

    References
    ----------
    Niblack (1986), An Introduction to Digital Image Processing.
    """
    compute = functools.partial(_niblack, size=size, k=k)
    return _in_strips(compute, plane, _window_reach(size), inside)


def _niblack(plane, size, k, inside=None):
    average, deviation = _mean_and_deviation(plane, size, inside)
    return average - k * deviation


def sauvola(
    plane: NDArray,
    size: int = 15,
    k: float = 0.2,
    r: float | None = None,
    *,
    inside: NDArray[np.bool] | None = None,
) -> NDArray[np.floating]:
    """Mean times 1 + k (standard deviation / r - 1); `skimage.filters.threshold_sauvola`.

    Parameters
    ----------
    size : int
        Side of the window in pixels, odd.
    k : float
        Fraction of the mean by which the threshold is below it in a uniform window.
    r : float, optional
        Greatest standard deviation: by default half the range of an integer dtype (127.5 or
        32767.5), and 1 for float32, which suits values from -1 to 1.

    Notes
    -----
    A constant plane is above its threshold, (1 - k) times its value: where that can be, make the
    foreground dark, as Sauvola's is.

    References
    ----------
    Sauvola and Pietikainen (2000), Pattern Recognition 33(2), 225-236.
    """
    if r is None:
        r = 1 if plane.dtype.kind == "f" else (2 ** (8 * plane.itemsize) - 1) / 2
    compute = functools.partial(_sauvola, size=size, k=k, r=r)
    return _in_strips(compute, plane, _window_reach(size), inside)


def _sauvola(plane, size, k, r, inside=None):
    average, deviation = _mean_and_deviation(plane, size, inside)
    return average * (1 + k * (deviation / r - 1))


def _mean_and_deviation(plane, size, inside=None):
    # the pixel at the border is not repeated, as in scikit-image
    border = cv2.BORDER_REFLECT_101
    values = plane.astype(np.float64)
    average = _window_mean(values, size, border, plane.dtype, inside)
    square = _window_mean(values * values, size, border, plane.dtype, inside)
    return average, np.sqrt(np.maximum(square - average * average, 0))


def _window_mean(values, size, border, dtype, inside=None):
    """Mean of the window around each pixel, of pixels inside; the same wherever a plane is cut."""
    if inside is None:
        return _window_sum(values, size, border, dtype) / size**2
    total = _window_sum(np.where(inside, values, 0), size, border, dtype)
    return _per_weight(total, _window_sum(inside.astype(np.float64), size, border, np.dtype("u1")))


def _per_weight(total, weight):
    """A mean; 0 where there is no weight, far outside of the region of interest."""
    return np.divide(total, weight, out=np.zeros(total.shape), where=weight > 0)


def _window_sum(values, size, border, dtype):
    if dtype.kind == "f":
        # running sums of floats would depend on where they start
        ones = np.ones(size)
        return cv2.sepFilter2D(values, cv2.CV_64F, ones, ones, borderType=border)
    return cv2.boxFilter(values, cv2.CV_64F, (size, size), normalize=False, borderType=border)


def _window_reach(size=15, **settings):
    return size // 2


LOCAL = {
    "adaptive": Local(adaptive, _adaptive_reach),
    "sauvola": Local(sauvola, _window_reach),
    "niblack": Local(niblack, _window_reach),
}
"""Methods on a plane by the name that the configuration uses."""
