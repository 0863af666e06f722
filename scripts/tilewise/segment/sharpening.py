"""Filters against blur: unsharp mask and deconvolution."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from tilewise.segment import point_spread
from tilewise.segment.dtypes import in_padded_bands
from tilewise.segment.smoothing import convolve, gaussian_radius, gaussian_weights
from tilewise.segment.steps import check_positive, is_number, is_whole

ONE = np.ones(1)
"""Weights that leave columns as they are."""


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


def deconvolve(
    plane: NDArray,
    sigma: float | None = None,
    iterations: int = 10,
    offset: float = 0,
    psf: str | None = None,
) -> NDArray:
    """Undo the blur of a microscope, whose image of a point is known (Richardson-Lucy).

    Parameters
    ----------
    sigma : float, optional
        Of a gaussian that stands for the image of a point: its standard deviation in pixels, above
        0. It ends at 4 of them. Without it, give `psf`.
    iterations : int
        At least 1. The more, the sharper, and the more noise; jobs read some 8 sigma, or the side
        of `psf`, more around with each.
    offset : float
        Grey level without light, such as the offset of the camera. What is darker counts as it.
    psf : str, optional
        The image of a point: path of a TIFF, a PNG or a .npy from the folder of the configuration
        file. One grey plane with an odd number of rows and of columns, the point in the middle, and
        no background; its sum does not matter. Takes about nine times as long as a gaussian of
        its size, and grows with its area.

    Notes
    -----
    As `skimage.restoration.richardson_lucy` with `clip=False`, but that the plane goes on beyond
    its border, mirrored, and is not black there. What has no light around stays without.

    References
    ----------
    Richardson, Journal of the Optical Society of America 62(1), 55-59, 1972; Lucy, Astronomical
    Journal 79(6), 745-754, 1974.
    """
    radius = _blur_radius(sigma, psf)
    return in_padded_bands(
        _deconvolved,
        plane,
        _deconvolution_radius(radius, iterations),
        blurs=_blurs(sigma, psf),
        radius=radius,
        iterations=iterations,
        offset=offset,
    )


def _deconvolved(padded, blurs, radius, iterations, offset):
    blur, mirrored_blur = blurs
    light = np.maximum(padded - np.float64(offset), 0)
    # what the first iteration makes of any even estimate
    estimate = mirrored_blur(light)
    for _ in range(iterations - 1):
        ratio = blur(estimate)
        # no light where the estimate is 0 all around
        np.divide(light, ratio, out=ratio, where=ratio > 0)
        estimate *= mirrored_blur(ratio)
    margin = _deconvolution_radius(radius, iterations)
    return estimate[margin : padded.shape[0] - margin, margin : padded.shape[1] - margin] + offset


def _blurs(sigma, psf):
    """What blurs a plane, and what does so with the image of a point turned by half a turn."""
    if psf is None:
        weights = gaussian_weights(sigma)
        blur = partial(convolve, row_weights=weights, column_weights=weights)
        return blur, blur
    weights = point_spread.read(psf)
    return partial(_correlate, weights=weights[::-1, ::-1]), partial(_correlate, weights=weights)


def _correlate(plane, weights):
    """Sum of the pixels around each, times weights; those beyond the plane's first and last rows 0.

    OpenCV would do larger kernels by Fourier transforms, whose last digits depend on where a plane
    is cut.
    """
    total = np.zeros(plane.shape)
    height, radius = plane.shape[0], weights.shape[0] // 2
    for number, row in enumerate(weights):
        shift = number - radius
        above, below = max(-shift, 0), max(shift, 0)
        sums = convolve(plane[below : height - above], row, ONE)
        total[above : height - below] += sums
    return total


def _blur_radius(sigma, psf):
    return gaussian_radius(sigma) if psf is None else max(point_spread.read(psf).shape) // 2


def _deconvolution_radius(radius, iterations):
    """The first iteration smooths once, each other twice."""
    return radius * (2 * iterations - 1)


def deconvolve_reach(
    dtype: np.dtype, sigma: float | None, iterations: int, psf: str | None, **settings: object
) -> int:
    """Reach of `deconvolve`, in pixels."""
    return _deconvolution_radius(_blur_radius(sigma, psf), iterations)


def deconvolve_seconds(
    sigma: float | None, iterations: int, psf: str | None, **settings: object
) -> float:
    """Seconds of `deconvolve` per million pixels, on one core: an image of a point has an area."""
    if psf is None:
        return iterations * 0.0024 * (2 * _blur_radius(sigma, psf) + 1)
    return iterations * 0.0014 * point_spread.read(psf).size


def check_deconvolve(
    dtype: np.dtype, sigma: object, iterations: object, offset: object, psf: object
) -> None:
    """Make sure that the settings of `deconvolve` can be applied; ValueError otherwise."""
    if (sigma is None) == (psf is None):
        raise ValueError("give either sigma, of a gaussian, or psf, the file of a point's image")
    if sigma is not None:
        check_positive("sigma", sigma)
    elif not isinstance(psf, str):
        raise ValueError(f"psf is {psf!r}: give the path of a file")
    else:
        point_spread.read(psf)
    if not is_whole(iterations) or iterations < 1:
        raise ValueError(f"iterations is {iterations!r}: give a whole number of at least 1")
    if not is_number(offset):
        raise ValueError(f"offset is {offset!r}: give a grey level")
