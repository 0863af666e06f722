"""Filters that find lines and spots: ridges, matched lines, differences of gaussians."""

import functools
import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.segment.dtypes import in_padded_bands, padded_bands
from tilewise.segment.illumination import check_offset, default_offset
from tilewise.segment.smoothing import convolve, gaussian_radius, gaussian_weights
from tilewise.segment.steps import (
    WHOLE_PLANE,
    check_choice,
    check_positive,
    is_number,
    is_whole,
)

TRUNCATE = 5
"""Where the gaussians of derivatives end, in standard deviations: a derivative of them is exact to
one part in 30,000, and one that ended at 4 to one in 500."""
FLAT = 1e-12
"""Second derivatives that are so small, beside the grey levels, are rounding errors."""
DIRECT_TAPS = 49
"""Weights of the largest kernel that OpenCV applies as they are. Larger ones go by Fourier
transforms, whose rounding depends on where planes are cut."""


def ridge(
    plane: NDArray,
    sigmas: float | Sequence[float],
    measure: str = "eigenvalue",
    dark: bool = False,
    gain: float | None = None,
    beta: float = 0.5,
    gamma: float | None = None,
    *,
    inside: NDArray[np.bool] | None = None,
) -> NDArray:
    """How much a pixel lies on a line, from second derivatives: bright on black.

    Parameters
    ----------
    sigmas : float or list of float
        Scales, in pixels: the standard deviations of the gaussians that smooth the plane. A line
        is found best at a scale of about half its width. The result is the greatest of all scales.
    measure : {"eigenvalue", "sato", "frangi"}
        What is computed from the eigenvalues of the second derivatives at each scale, which are
        multiplied by sigma squared. `eigenvalue`: the curvature across the line, in grey levels;
        below 0 on valleys. `sato`: the same, 0 instead of values below (`skimage.filters.sato`).
        `frangi`: from 0 to 1, small also on spots (`skimage.filters.frangi`).
    dark : bool
        Find dark lines instead of bright ones.
    gain : float, optional
        What the measure is multiplied by before it is rounded. By default 1 for float planes; for
        integers 3, so that a line of gaussian profile, as wide as the scale, becomes about as
        bright as it was above its surroundings, and for `frangi` the greatest value of the dtype.
    beta : float
        For `frangi`: the ratio of both eigenvalues above which it is a spot.
    gamma : float, optional
        For `frangi`: the curvature in grey levels (the norm of both eigenvalues) above which it is
        a line. By default half of the greatest one in the plane and at all scales, for which jobs
        read whole planes; with a number they read only surroundings.

    Notes
    -----
    scikit-image does not multiply by sigma squared in its `frangi`: its `gamma` is this one
    divided by that, and its default is of the first scale. At one scale, both have the same
    default. At the border it mirrors first derivatives, here the plane is mirrored.

    References
    ----------
    Sato et al., Medical Image Analysis 2(2), 143-168, 1998; Frangi et al., MICCAI, 130-137, 1998.
    """
    scales = _scales(sigmas)
    reach = max(map(_hessian_radius, scales))
    norm = math.inf if gamma is None else gamma
    if measure == "frangi" and gamma is None:
        norm = _greatest_norm(plane, scales, reach, inside) / 2
    if gain is None:
        gain = _default_gain(plane.dtype, measure)
    return in_padded_bands(
        _ridge_of_band,
        plane,
        reach,
        scales=scales,
        measure=measure,
        dark=dark,
        gain=gain,
        beta=beta,
        gamma=norm,
    )


def _ridge_of_band(padded, scales, measure, dark, gain, beta, gamma):
    greatest = -np.inf
    for sigma in scales:
        mean, spread = _eigenvalues(padded, sigma, max(map(_hessian_radius, scales)))
        if not dark:
            mean = -mean
        is_bounded = measure == "frangi"
        values = _frangi(mean, spread, beta, gamma) if is_bounded else mean + spread
        greatest = np.maximum(greatest, values)
    return gain * (np.maximum(greatest, 0) if measure == "sato" else greatest)


def _eigenvalues(padded, sigma, margin):
    """Eigenvalues of the Hessian of a smoothed band, times sigma squared: mean - and + spread."""
    smooth, first = _derivative_weights(sigma)
    second = np.convolve(first, first)
    once, twice = np.convolve(smooth, first), np.convolve(smooth, smooth)
    inner = np.s_[margin : padded.shape[0] - margin, margin : padded.shape[1] - margin]
    rows, columns, mixed = (
        sigma**2 * convolve(padded, *weights)[inner]
        for weights in ((twice, second), (second, twice), (once, once))
    )
    return (rows + columns) / 2, np.sqrt(mixed**2 + ((rows - columns) / 2) ** 2)


def _derivative_weights(sigma):
    """Weights of a gaussian, and of its derivative, that smooth by sigma if applied twice."""
    half = sigma / math.sqrt(2)
    radius = _hessian_radius(sigma) // 2
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / half) ** 2)
    weights /= weights.sum()
    return weights, weights * offsets / half**2


def _hessian_radius(sigma):
    return 2 * int(TRUNCATE * sigma / math.sqrt(2) + 0.5)


def _frangi(mean, spread, beta, gamma):
    """Eqs. 13 and 15 of Frangi et al., for a dark line: the larger eigenvalue is above 0."""
    is_line = mean > 0
    across = np.where(is_line, mean + spread, 1)
    likeness = np.exp(-(((mean - spread) / across) ** 2) / (2 * beta**2))
    strength = -np.expm1(-(mean**2 + spread**2) / gamma**2)
    return np.where(is_line, likeness * strength, 0)


def _greatest_norm(plane, scales, reach, inside):
    """The greatest norm of both eigenvalues; infinite if there are none but rounding errors."""
    squares, level = 0.0, 0.0
    for rows, padded in padded_bands(plane, reach):
        counted = slice(None) if inside is None else inside[rows]
        level = max(level, float(np.abs(plane[rows][counted].astype(np.float64)).max(initial=0)))
        for sigma in scales:
            mean, spread = _eigenvalues(padded, sigma, reach)
            squares = max(squares, float((mean**2 + spread**2)[counted].max(initial=0)))
    norm = math.sqrt(2 * squares)
    return norm if norm > FLAT * level else math.inf


def _scales(sigmas):
    return (sigmas,) if is_number(sigmas) else tuple(sigmas)


def _default_gain(dtype, measure):
    if dtype.kind == "f":
        return 1
    return np.iinfo(dtype).max if measure == "frangi" else 3


def ridge_reach(
    dtype: np.dtype,
    sigmas: float | Sequence[float],
    measure: str,
    gamma: float | None,
    **settings: object,
) -> float:
    """Reach of `ridge`, in pixels."""
    if measure == "frangi" and gamma is None:
        return WHOLE_PLANE
    return max(map(_hessian_radius, _scales(sigmas)))


def check_ridge(
    dtype: np.dtype,
    sigmas: object,
    measure: object,
    dark: object,
    gain: object,
    beta: object,
    gamma: object,
) -> None:
    """Make sure that the settings of `ridge` can be applied; ValueError otherwise."""
    given = sigmas if isinstance(sigmas, list | tuple) else [sigmas]
    if not given or not all(is_number(sigma) and sigma >= 0.5 for sigma in given):
        raise ValueError(
            f"sigmas is {sigmas!r}: give a number of pixels of at least 0.5, or a list of such"
        )
    check_choice("measure", measure, ("eigenvalue", "sato", "frangi"))
    if not isinstance(dark, bool):
        raise ValueError(f"dark is {dark!r}: give true or false")
    check_positive("beta", beta)
    for name, value in (("gain", gain), ("gamma", gamma)):
        if value is not None:
            check_positive(name, value)


def dog(
    plane: NDArray,
    sigma: float,
    high: float | None = None,
    gain: float = 1.0,
    offset: float | None = None,
) -> NDArray:
    """Difference of gaussians: bright spots and lines of one size, without noise and background.

    Parameters
    ----------
    sigma : float
        Standard deviation of the narrow gaussian in pixels; what is smaller is smoothed away.
        Spots are found best at 0.6 of their radius. As in
        `skimage.filters.difference_of_gaussians`, gaussians end at 4 standard deviations.
    high : float, optional
        Standard deviation of the wide gaussian, which is subtracted; what is larger is removed.
        By default 1.6 times sigma.
    gain : float
        What the difference is multiplied by.
    offset : float, optional
        What is added then: the grey level of what is even. By default the middle of the dtype's
        range (uint8 128, uint16 32768, int16 0; float32 0).

    References
    ----------
    Marr and Hildreth, Proceedings of the Royal Society B 207, 187-217, 1980.
    """
    high = _high(sigma, high)
    if offset is None:
        offset = default_offset(plane.dtype)
    return in_padded_bands(
        _dog_of_band,
        plane,
        gaussian_radius(high),
        weights=[gaussian_weights(sigma), gaussian_weights(high)],
        gain=gain,
        offset=offset,
    )


def _dog_of_band(padded, weights, gain, offset):
    narrow, wide = (convolve(padded, one, one) for one in weights)
    margin = weights[1].size // 2
    inner = np.s_[margin : padded.shape[0] - margin, margin : padded.shape[1] - margin]
    return gain * (narrow - wide)[inner] + offset


def _high(sigma, high):
    return 1.6 * sigma if high is None else high


def dog_reach(dtype: np.dtype, sigma: float, high: float | None, **settings: object) -> int:
    """Reach of `dog`, in pixels."""
    return gaussian_radius(_high(sigma, high))


def check_dog(dtype: np.dtype, sigma: object, high: object, gain: object, offset: object) -> None:
    """Make sure that the settings of `dog` can be applied; ValueError otherwise."""
    if not is_number(sigma) or sigma <= 0:
        raise ValueError(f"sigma is {sigma!r}: give a number of pixels above 0")
    if high is not None and (not is_number(high) or high <= sigma):
        raise ValueError(f"high is {high!r}: give a number of pixels above sigma, {sigma}")
    check_positive("gain", gain)
    check_offset(dtype, offset)


def matched(
    plane: NDArray,
    sigma: float = 2.0,
    length: float = 9.0,
    orientations: int = 12,
    dark: bool = False,
) -> NDArray:
    """Straight pieces of vessels: the best match with a line of gaussian profile, of any direction.

    Parameters
    ----------
    sigma : float
        Standard deviation of the profile in pixels, about half the half-width of the vessel. The
        kernel ends at 3 of them, and its mean is 0.
    length : float
        Of the line, in pixels.
    orientations : int
        Directions of the line, evenly over 180 degrees; the result is the greatest of them.
    dark : bool
        Find dark vessels instead of bright ones.

    Returns
    -------
    (Y, X) ndarray
        In grey levels: a long line of this profile becomes as bright as it was above its
        surroundings. Below 0 where no line matches; unsigned integers are 0 there.

    References
    ----------
    Chaudhuri et al., IEEE Transactions on Medical Imaging 8(3), 263-269, 1989.
    """
    kernels = [
        (-1 if dark else 1) * _line(sigma, length, math.pi * number / orientations)
        for number in range(orientations)
    ]
    return in_padded_bands(_matched_of_band, plane, _line_radius(sigma, length), kernels=kernels)


def _matched_of_band(padded, kernels):
    # one after the other: all of them would take a plane each
    return functools.reduce(np.maximum, (_correlate(padded, kernel) for kernel in kernels))


def _correlate(padded, kernel):
    """Correlate with a kernel that is not separable, in double precision, without the margin."""
    side = len(kernel)
    height, width = padded.shape[0] - side + 1, padded.shape[1] - side + 1
    columns = min(side, DIRECT_TAPS)
    rows = DIRECT_TAPS // columns
    # OpenCV takes no other dtype from single to double precision
    padded = padded.astype(np.float64) if padded.dtype.kind == "f" else padded
    total = np.zeros((height, width))
    for top in range(0, side, rows):
        for left in range(0, side, columns):
            part = kernel[top : top + rows, left : left + columns]
            if part.any():
                seen = padded[top:, left:][: height + len(part) - 1, : width + part.shape[1] - 1]
                values = cv2.filter2D(seen, cv2.CV_64F, part, anchor=(0, 0))
                total += values[:height, :width]
    return total


def _line(sigma, length, angle):
    """Kernel of a bright line: mean 0, and 1 for an endless line of its profile and of height 1."""
    radius = _line_radius(sigma, length)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    # rounded, so that what is exactly at the end of the kernel belongs to it at every angle
    across = np.round(x * math.cos(angle) + y * math.sin(angle), 9)
    along = np.round(y * math.cos(angle) - x * math.sin(angle), 9)
    profile = np.exp(-0.5 * (across / sigma) ** 2)
    is_near = (np.abs(across) <= 3 * sigma) & (np.abs(along) <= length / 2)
    kernel = np.where(is_near, profile - profile[is_near].mean(), 0)
    return kernel / (kernel * profile).sum()


def _line_radius(sigma, length):
    return math.floor(math.hypot(3 * sigma, length / 2))


def matched_reach(dtype: np.dtype, sigma: float, length: float, **settings: object) -> int:
    """Reach of `matched`, in pixels."""
    return _line_radius(sigma, length)


def check_matched(
    dtype: np.dtype, sigma: object, length: object, orientations: object, dark: object
) -> None:
    """Make sure that the settings of `matched` can be applied; ValueError otherwise."""
    if not is_number(sigma) or sigma < 0.5:
        raise ValueError(f"sigma is {sigma!r}: give a number of pixels of at least 0.5")
    check_positive("length", length)
    if not is_whole(orientations) or orientations < 1:
        raise ValueError(f"orientations is {orientations!r}: give a whole number of at least 1")
    if not isinstance(dark, bool):
        raise ValueError(f"dark is {dark!r}: give true or false")
