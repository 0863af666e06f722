"""Reduced levels: half as many rows and columns."""

import numpy as np


def mean(pixels):
    """The mean of each 2 x 2 pixels, for images; integers are rounded half up.

    Parameters
    ----------
    pixels : (..., rows, columns) ndarray
        An odd last row or column counts twice.

    Returns
    -------
    (..., rows / 2, columns / 2) ndarray
        Of the same dtype, sizes rounded up.
    """
    rows, columns = pixels.shape[-2:]
    if rows % 2 or columns % 2:
        margin = [(0, 0)] * (pixels.ndim - 2) + [(0, rows % 2), (0, columns % 2)]
        pixels = np.pad(pixels, margin, "edge")
    is_integer = pixels.dtype.kind in "iu"
    wide = (np.int16 if pixels.itemsize == 1 else np.int32) if is_integer else pixels.dtype
    total = np.add(pixels[..., ::2, :], pixels[..., 1::2, :], dtype=wide)
    total = total[..., ::2] + total[..., 1::2]
    return ((total + 2) >> 2 if is_integer else total / 4).astype(pixels.dtype)


def nearest(pixels):
    """The upper left of each 2 x 2 pixels, for labels: no value arises that was not there.

    Parameters
    ----------
    pixels : (..., rows, columns) ndarray

    Returns
    -------
    (..., rows / 2, columns / 2) ndarray
        Sizes rounded up.
    """
    return pixels[..., ::2, ::2]
