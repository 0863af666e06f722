"""Filters against uneven illumination: background and stripes."""

import math

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.dtypes import BAND_PIXELS, in_bands, power_of_two
from tilewise.segment.rank_filters import check_window, median, opening, opening_reach, window_reach
from tilewise.segment.smoothing import convolve, gaussian, gaussian_radius, gaussian_weights
from tilewise.segment.steps import check_choice, is_number


def background(
    plane: NDArray,
    method: str = "median",
    size: int = 101,
    mode: str = "subtract",
    offset: float | None = None,
) -> NDArray:
    """Remove what varies over distances of about `size` pixels.

    Parameters
    ----------
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
    (Y, X) ndarray
        What is outside the range of the dtype saturates. A background below 1 divides integers as
        1; a float pixel whose background is not above 0 becomes `offset`.
    """
    estimate, _ = BACKGROUNDS[method]
    if offset is None:
        offset = _default_offset(plane.dtype, mode)
    return in_bands(MODES[mode], plane, estimate(plane, size), offset=offset)


def _gaussian_window(plane, size):
    return gaussian(plane, _window_sigma(size))


def _gaussian_window_reach(dtype, size):
    return gaussian_radius(_window_sigma(size))


def _window_sigma(size):
    return size / math.sqrt(12)


def _subtract(plane, estimate, offset):
    return np.subtract(plane, estimate, dtype=np.float64) + offset


def _divide(plane, estimate, offset):
    scaled = np.multiply(plane, offset, dtype=np.float64)
    if plane.dtype.kind == "f":
        return np.divide(
            scaled, estimate, out=np.full(plane.shape, float(offset)), where=estimate > 0
        )
    return scaled / np.maximum(estimate, 1)


def _default_offset(dtype, mode):
    if mode == "subtract":
        return default_offset(dtype)
    return 1 if dtype.kind == "f" else (np.iinfo(dtype).max + 1) // 2


def default_offset(dtype: np.dtype) -> int:
    """The middle of a dtype's range: what stands for a difference of nothing."""
    if dtype.kind == "f":
        return 0
    limits = np.iinfo(dtype)
    return (limits.min + limits.max + 1) // 2


BACKGROUNDS = {
    "median": (median, window_reach),
    "opening": (opening, opening_reach),
    "gaussian": (_gaussian_window, _gaussian_window_reach),
}
"""Methods of `background`: the background by the plane and the size of the window, and its reach
by the dtype and the size."""

MODES = {"subtract": _subtract, "divide": _divide}
"""How `background` removes it."""


def background_reach(dtype: np.dtype, method: str, size: int, **settings: object) -> int:
    """Reach of `background`, in pixels."""
    _, reach = BACKGROUNDS[method]
    return reach(dtype, size)


def check_background(
    dtype: np.dtype, method: object, size: object, mode: object, offset: object
) -> None:
    """Make sure that the settings of `background` can be applied; ValueError otherwise."""
    check_choice("method", method, BACKGROUNDS)
    check_choice("mode", mode, MODES)
    check_window(dtype, size)
    check_offset(dtype, offset)


def check_offset(dtype: np.dtype, offset: object) -> None:
    """Make sure that an offset is a grey level of the dtype, or left out; ValueError otherwise."""
    if offset is None:
        return
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    if not is_number(offset) or not limits.min <= offset <= limits.max:
        raise ValueError(
            f"offset is {offset!r}: give a number from {limits.min} to {limits.max}, the range of "
            f"{dtype}, or leave it out"
        )


def destripe(
    plane: NDArray, axis: str = "rows", size: int = 51, *, inside: NDArray[np.bool] | None = None
) -> NDArray:
    """Remove stripes: the additive error of each row (knife chatter) or column.

    Parameters
    ----------
    axis : {"rows", "columns"}
        Direction of the stripes.
    size : int
        Pixels, odd: what varies over about so many rows is not a stripe. The medians of the rows
        are smoothed by a gaussian with the standard deviation of such a window, size / sqrt(12),
        and what a row's median is above it is subtracted from the row.

    Returns
    -------
    (Y, X) ndarray
        Integers are lowered by whole numbers.
    """
    along = ("columns", "rows").index(axis)
    is_float = plane.dtype.kind == "f"
    # the median adds up two pixels
    unit = power_of_two(plane.min(), plane.max()) if is_float else 1.0
    scaled = plane / unit if is_float else plane
    if inside is None:
        profile = np.median(scaled, axis=along, keepdims=True).astype(np.float64) * unit
    else:
        profile = _median_inside(scaled, inside, along) * unit
    weights, alone = gaussian_weights(_window_sigma(size)), np.ones(1)
    pair = (alone, weights) if axis == "rows" else (weights, alone)
    excess = profile - convolve(profile, *pair)
    if not is_float:
        excess = np.rint(excess)
    return in_bands(lambda band, error: band - error, plane, np.broadcast_to(excess, plane.shape))


def _median_inside(plane, inside, along):
    """Median of the inside pixels of each line; of the nearest line where there are none."""
    known = np.flatnonzero(inside.any(axis=along))
    # a few lines at a time, in double precision
    number = max(BAND_PIXELS // plane.shape[along], 1)
    medians = np.concatenate(
        [
            np.nanmedian(_lines(plane, inside, known[at : at + number], along), axis=along)
            for at in range(0, known.size, number)
        ]
    )
    nearest = np.abs(np.arange(plane.shape[1 - along])[:, None] - known).argmin(axis=1)
    return np.expand_dims(medians[nearest], along)


def _lines(plane, inside, places, along):
    """Some rows or columns, nan outside."""
    own, counted = (pixels.take(places, axis=1 - along) for pixels in (plane, inside))
    return np.where(counted, own.astype(np.float64), np.nan)


def check_destripe(dtype: np.dtype, axis: object, size: object) -> None:
    """Make sure that the settings of `destripe` can be applied; ValueError otherwise."""
    check_choice("axis", axis, ("rows", "columns"))
    check_window(dtype, size)
