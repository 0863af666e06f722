"""Pictures of tiles for people who paint, as all programs show them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DARK, BRIGHT = 0.1, 99.9
"""Percentiles of the pixels that are shown black and white."""


def contrast(images: Sequence[NDArray]) -> tuple[float, float] | None:
    """Values that are black and white in all of these images; None if they are of uint8.

    Those have the values that programs show. Where nearly all pixels are alike, the extremes are
    taken.
    """
    if all(image.dtype == np.uint8 for image in images):
        return None
    pixels = np.concatenate([image.ravel() for image in images])
    low, high = map(float, np.percentile(pixels, (DARK, BRIGHT)))
    return (low, high) if low < high else (float(pixels.min()), float(pixels.max()))


def picture(image: NDArray, limits: tuple[float, float] | None) -> NDArray[np.uint8]:
    """An image in 8 bits; `limits` as from `contrast`. Of a constant one, all is black."""
    if limits is None:
        return image
    low, high = limits
    scale = 255 / (high - low) if high > low else 0
    return np.rint((image.astype(np.float64) - low).clip(0, high - low) * scale).astype(np.uint8)
