"""Counting how many pixels have each value."""

import cv2
import numpy as np
from numpy.typing import NDArray

EXACT_PIXELS = 2**24
"""Pixels that single precision, in which OpenCV counts, tells apart from one more."""


def count_values(pixels: NDArray, number: int) -> NDArray[np.int64]:
    """Count the pixels of each value from 0 to `number` - 1; greater ones are not counted.

    Pixels are uint8 or uint16, of any shape; there are `number` counts.
    """
    counts = np.zeros(number, np.int64)
    if not pixels.size:
        return counts
    rows = pixels.reshape(-1, pixels.shape[-1] if pixels.ndim > 1 else 1)
    height = max(EXACT_PIXELS // rows.shape[1], 1)
    for start in range(0, rows.shape[0], height):
        band = rows[start : start + height]
        counts += cv2.calcHist([band], [0], None, [number], [0, number]).ravel().astype(np.int64)
    return counts
