"""Filters against noise that keep edges: bilateral, non-local means, and wavelets."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.segment.dtypes import as_dtype, in_padded_bands, padded_bands
from tilewise.segment.rank_filters import check_window
from tilewise.segment.steps import check_choice, check_positive, is_whole

NOISE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64)
"""Difference of two Laplacians: nothing but noise is left of an image of planes and edges."""


def bilateral(plane: NDArray, size: int, levels: float, sigma: float | None = None) -> NDArray:
    """Mean of the near pixels of a similar grey level (Tomasi and Manduchi).

    Parameters
    ----------
    size : int
        Side of the window in pixels, odd.
    levels : float
        Standard deviation of the gaussian that weighs differences of grey level, above 0: edges
        that are higher than some of these stay.
    sigma : float, optional
        Standard deviation of the gaussian that weighs distances, in pixels. By default a fourth of
        the window.

    Notes
    -----
    All pixels of the square window count; OpenCV's `bilateralFilter` takes those of a circle.
    `skimage.restoration.denoise_bilateral` means the same, but up to version 0.26 its weights of
    distance are of a window that is one pixel wider, and so belong to other pixels.

    References
    ----------
    Tomasi and Manduchi, IEEE International Conference on Computer Vision, 839-846, 1998.
    """
    near = size / 4 if sigma is None else sigma
    radius = size // 2
    return in_padded_bands(
        _bilateral_of_band, plane, radius, radius=radius, levels=levels, near=near
    )


def _bilateral_of_band(padded, radius, levels, near):
    values = padded.astype(np.float64)
    height, width = (side - 2 * radius for side in values.shape)
    centre = values[radius : radius + height, radius : radius + width]
    total, weights = np.zeros(centre.shape), np.zeros(centre.shape)
    for y in range(2 * radius + 1):
        for x in range(2 * radius + 1):
            shifted = values[y : y + height, x : x + width]
            far = ((y - radius) ** 2 + (x - radius) ** 2) / (2 * near**2)
            weight = np.exp(-(((shifted - centre) / levels) ** 2) / 2 - far)
            weights += weight
            weight *= shifted
            total += weight
    return total / weights


def bilateral_reach(dtype: np.dtype, size: int, **settings: object) -> int:
    """Reach of `bilateral`, in pixels."""
    return size // 2


def bilateral_seconds(size: int, **settings: object) -> float:
    """Seconds of `bilateral` per million pixels, on one core, by the area of its window."""
    return 0.03 * size**2


def check_bilateral(dtype: np.dtype, size: object, levels: object, sigma: object) -> None:
    """Make sure that the settings of `bilateral` can be applied; ValueError otherwise."""
    check_window(dtype, size)
    check_positive("levels", levels)
    if sigma is not None:
        check_positive("sigma", sigma)


def nlm(
    plane: NDArray,
    strength: float = 0.8,
    noise: float | None = None,
    patch: int = 5,
    distance: int = 6,
    *,
    inside: NDArray[np.bool] | None = None,
) -> NDArray:
    """Non-local means: mean of pixels with similar surroundings (scikit-image's, the fast one).

    Parameters
    ----------
    strength : float
        How different surroundings may be, in standard deviations of the noise (`h`).
    noise : float, optional
        Standard deviation of the noise, in grey levels. By default it is estimated for each plane
        (Immerkaer 1996).
    patch : int
        Side of the surroundings in pixels, odd.
    distance : int
        How far away similar pixels are looked for, in pixels.

    Notes
    -----
    `skimage.restoration.denoise_nl_means` with `fast_mode` and `sigma`: noise is subtracted from
    differences of surroundings. OpenCV's `fastNlMeansDenoising` is another definition. The last
    digits of its sums depend on where a band begins, so that jobs read whole planes.

    References
    ----------
    Buades, Coll and Morel, IEEE CVPR 2, 60-65, 2005; Darbon et al., IEEE ISBI, 1331-1334, 2008;
    Immerkaer, Computer Vision and Image Understanding 64(2), 300-302, 1996.
    """
    spread = noise_of(plane, inside) if noise is None else noise
    if spread == 0 or min(plane.shape) < patch:
        return plane.copy()
    settings = {"spread": spread, "patch": patch, "distance": distance, "strength": strength}
    return in_padded_bands(_nlm_of_band, plane, patch // 2 + distance, **settings)


def _nlm_of_band(padded, spread, patch, distance, strength):
    from skimage.restoration import denoise_nl_means

    # in units of the noise, so that the scale of the image does not matter
    scaled = padded / np.float64(spread)
    known = {"h": strength, "sigma": 1.0, "fast_mode": True, "preserve_range": True}
    margin = patch // 2 + distance
    smooth = denoise_nl_means(scaled, patch, distance, **known)
    return smooth[margin : padded.shape[0] - margin, margin : padded.shape[1] - margin] * spread


def noise_of(plane: NDArray, inside: NDArray[np.bool] | None = None) -> float:
    """Standard deviation of the noise of a plane, in grey levels.

    Parameters
    ----------
    plane : (Y, X) ndarray
    inside : (Y, X) ndarray of bool, optional
        Pixels that count, if all eight around them do too.

    Returns
    -------
    float
        0 where no pixel counts or a side is under 3 pixels.
    """
    counted = np.ones(plane.shape, np.uint8) if inside is None else inside.astype(np.uint8)
    around = np.ones((3, 3), np.uint8)
    counted = cv2.erode(counted, around, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    total, number = 0.0, cv2.countNonZero(counted)
    if number == 0:
        return 0.0
    for rows, padded in padded_bands(plane, 1):
        left = cv2.filter2D(padded.astype(np.float64), cv2.CV_64F, NOISE)[1:-1, 1:-1]
        total += float(np.abs(left[counted[rows] != 0]).sum())
    # the kernel makes 6 deviations of one, whose mean absolute value is sqrt(2 / pi) of them
    return math.sqrt(math.pi / 2) * total / number / 6


def nlm_seconds(distance: int, **settings: object) -> float:
    """Seconds of `nlm` per million pixels, on one core, by how many places it compares."""
    return 0.02 * (2 * distance + 1) ** 2


def check_nlm(
    dtype: np.dtype, strength: object, noise: object, patch: object, distance: object
) -> None:
    """Make sure that the settings of `nlm` can be applied; ValueError otherwise."""
    check_positive("strength", strength)
    if noise is not None:
        check_positive("noise", noise)
    if not is_whole(patch) or patch < 1 or patch % 2 == 0:
        raise ValueError(f"patch is {patch!r}: give an odd whole number of pixels, such as 5")
    if not is_whole(distance) or distance < 1:
        raise ValueError(f"distance is {distance!r}: give a whole number of pixels of at least 1")


RULES = {"bayes": "BayesShrink", "visu": "VisuShrink"}
"""What scikit-image calls the rules of `wavelet`."""


def wavelet(
    plane: NDArray,
    shape: str = "sym4",
    noise: float | None = None,
    rule: str = "bayes",
    levels: int = 3,
    *,
    inside: NDArray[np.bool] | None = None,
) -> NDArray:
    """Remove small coefficients of a wavelet transform (scikit-image's `denoise_wavelet`).

    Parameters
    ----------
    shape : str
        Name of an orthogonal wavelet of PyWavelets, such as `db1`, `db4` or `sym4`. Short ones
        (`db1`) leave square steps, long ones ripples beside edges.
    noise : float, optional
        Standard deviation of the noise, in grey levels. By default it is estimated for each plane
        (Immerkaer 1996).
    rule : {"bayes", "visu"}
        How small a coefficient has to be: less than a limit for each size and direction of
        details, by what they have besides noise, or than one limit that no noise exceeds, which
        is smoother and loses faint details.
    levels : int
        How many sizes of details lose noise: up to some 2**levels pixels. Planes that are too
        small for them have fewer.

    Notes
    -----
    Coefficients are drawn towards 0 by the limit (*soft*). The transform belongs to a grid of
    pixels that begins at the plane's corner, so that jobs read whole planes.

    References
    ----------
    Donoho and Johnstone, Biometrika 81(3), 425-455, 1994; Chang, Yu and Vetterli, IEEE Transactions
    on Image Processing 9(9), 1532-1546, 2000; Immerkaer, Computer Vision and Image Understanding
    64(2), 300-302, 1996.
    """
    spread = noise_of(plane, inside) if noise is None else noise
    if spread == 0:
        return plane.copy()
    import pywt
    from skimage.restoration import denoise_wavelet

    levels = min(levels, pywt.dwtn_max_level(plane.shape, shape))
    if levels == 0:
        return plane.copy()
    # in units of the noise, so that the scale of the image does not matter
    scaled = plane / np.float64(spread)
    smooth = denoise_wavelet(scaled, 1.0, shape, wavelet_levels=levels, method=RULES[rule])
    return as_dtype(smooth * spread, plane.dtype)


def check_wavelet(
    dtype: np.dtype, shape: object, noise: object, rule: object, levels: object
) -> None:
    """Make sure that the settings of `wavelet` can be applied; ValueError otherwise."""
    import pywt

    if shape not in pywt.wavelist(kind="discrete") or not pywt.Wavelet(shape).orthogonal:
        raise ValueError(f"shape is {shape!r}: give an orthogonal wavelet, such as db1 or sym4")
    if noise is not None:
        check_positive("noise", noise)
    check_choice("rule", rule, RULES)
    if not is_whole(levels) or levels < 1:
        raise ValueError(f"levels is {levels!r}: give a whole number of at least 1")
