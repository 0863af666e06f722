"""Where a method is right and wrong, drawn over the image."""

import cv2
import numpy as np

from tilewise.labels import FN, FP, TN, TP

COLORS = {"tp": (0, 255, 255), "fp": (255, 0, 255), "fn": (255, 255, 0), "tn": (0, 0, 0)}
"""Cyan, magenta, yellow and black: red, green, blue from 0 to 255."""


def blend(picture, codes, colors=COLORS, alpha=0.3):
    """Lay the colours of a confusion map over a picture.

    Parameters
    ----------
    picture : (rows, columns) or (rows, columns, 3) uint8 ndarray
        Grey, or red, green and blue.
    codes : (rows, columns) uint8 ndarray
        A confusion map; where it is 0 (not annotated) the picture stays as it is.
    colors : dict of str to sequence of int
        Red, green and blue of `tp`, `fp`, `fn` and `tn`, 0 to 255.
    alpha : float
        Weight of the colour, 0 to 1; the picture has the rest.

    Returns
    -------
    (rows, columns, 3) uint8 ndarray
    """
    if picture.ndim == 2:
        picture = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_GRAY2RGB)
    table = np.zeros((256, 3), np.uint8)
    for name, code in (("tp", TP), ("fp", FP), ("fn", FN), ("tn", TN)):
        table[code] = colors[name]
    # 1 - (1 - alpha) and not alpha: to the last bit the weights of the published procedure
    blended = cv2.addWeighted(picture, 1 - alpha, table[codes], 1 - (1 - alpha), 0)
    blended[codes == 0] = picture[codes == 0]
    return blended


def display(pixels):
    """Pixels as 8 bit, for looking at.

    Parameters
    ----------
    pixels : ndarray
        8-bit pixels are left as they are; others are stretched from their 0.5th to their
        99.5th percentile, a constant picture becomes mid-grey.

    Returns
    -------
    uint8 ndarray
        Same shape.
    """
    if pixels.dtype == np.uint8:
        return pixels
    low, high = np.percentile(pixels, (0.5, 99.5))
    if low == high:
        return np.full(pixels.shape, 128, np.uint8)
    scaled = (pixels.astype(np.float64) - low) * (255 / (high - low))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
