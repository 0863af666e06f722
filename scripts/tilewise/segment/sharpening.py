"""Filters against blur: unsharp mask and deconvolution."""

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.dtypes import in_padded_bands
from tilewise.segment.smoothing import convolve, gaussian_radius, gaussian_weights
from tilewise.segment.steps import check_positive, is_number, is_whole


def unsharp(plane: NDArray, sigma: float = 1.0, amount: float = 1.0) -> NDArray:
    """Sharpen: add what a gaussian smooths away; `skimage.filters.unsharp_mask`.

    Parameters
    ----------
    sigma : float
        Standard deviation of the gaussian in pixels, above 0. It ends at 4 of them.
    amount : float
        How much is added: v + amount * (v - smoothed v).
    """
    weights = gaussian_weights(sigma)
    return in_padded_bands(
        _sharpened, plane, gaussian_radius(sigma), weights=weights, amount=amount
    )


def _sharpened(padded, weights, amount):
    radius = weights.size // 2
    inner = np.s_[radius : padded.shape[0] - radius, radius : padded.shape[1] - radius]
    values = padded[inner].astype(np.float64)
    return values + amount * (values - convolve(padded, weights, weights)[inner])


def unsharp_reach(dtype: np.dtype, sigma: float, **settings: object) -> int:
    """Reach of `unsharp`, in pixels."""
    return gaussian_radius(sigma)


def check_unsharp(dtype: np.dtype, sigma: object, amount: object) -> None:
    """Make sure that the settings of `unsharp` can be applied; ValueError otherwise."""
    check_positive("sigma", sigma)
    check_positive("amount", amount)


def deconvolve(plane: NDArray, sigma: float, iterations: int = 10, offset: float = 0) -> NDArray:
    """Undo the blur of a microscope whose point is a gaussian (Richardson-Lucy).

    Parameters
    ----------
    sigma : float
        Standard deviation of the image of a point in pixels, above 0. It ends at 4 of them.
    iterations : int
        At least 1. The more, the sharper, and the more noise; jobs read some 8 sigma more around
        with each.
    offset : float
        Grey level without light, such as the offset of the camera. What is darker counts as it.

    Notes
    -----
    As `skimage.restoration.richardson_lucy` with `clip=False`, but that the plane goes on beyond
    its border, mirrored, and is not black there. What has no light around stays without.

    References
    ----------
    Richardson, Journal of the Optical Society of America 62(1), 55-59, 1972; Lucy, Astronomical
    Journal 79(6), 745-754, 1974.
    """
    return in_padded_bands(
        _deconvolved,
        plane,
        _deconvolution_radius(sigma, iterations),
        weights=gaussian_weights(sigma),
        iterations=iterations,
        offset=offset,
    )


def _deconvolved(padded, weights, iterations, offset):
    light = np.maximum(padded - np.float64(offset), 0)
    # what the first iteration makes of any even estimate
    estimate = convolve(light, weights, weights)
    for _ in range(iterations - 1):
        blurred = convolve(estimate, weights, weights)
        ratio = np.divide(light, blurred, out=np.zeros_like(light), where=blurred > 0)
        estimate *= convolve(ratio, weights, weights)
    margin = (weights.size // 2) * (2 * iterations - 1)
    return estimate[margin : padded.shape[0] - margin, margin : padded.shape[1] - margin] + offset


def _deconvolution_radius(sigma, iterations):
    """The first iteration smooths once, each other twice."""
    return gaussian_radius(sigma) * (2 * iterations - 1)


def deconvolve_reach(dtype: np.dtype, sigma: float, iterations: int, **settings: object) -> int:
    """Reach of `deconvolve`, in pixels."""
    return _deconvolution_radius(sigma, iterations)


def check_deconvolve(dtype: np.dtype, sigma: object, iterations: object, offset: object) -> None:
    """Make sure that the settings of `deconvolve` can be applied; ValueError otherwise."""
    check_positive("sigma", sigma)
    if not is_whole(iterations) or iterations < 1:
        raise ValueError(f"iterations is {iterations!r}: give a whole number of at least 1")
    if not is_number(offset):
        raise ValueError(f"offset is {offset!r}: give a grey level")
