"""Pictures of tiles for the report: small ones of all, and packs of those shown in full."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.labels import NOT_ANNOTATED

Pixels = NDArray[np.uint8]

THUMBNAIL = 64
"""Pixels along the longer side of a thumbnail."""
MOST_SIDE = 1024
"""The same of a picture in a pack."""
LOSSY = [cv2.IMWRITE_WEBP_QUALITY, 80]
"""Settings of images: from 0 to 100."""
LOSSLESS = [cv2.IMWRITE_WEBP_QUALITY, 101]
"""Above 100, OpenCV writes WebP without loss."""
OF_LABELS = [
    *(cv2.IMWRITE_PNG_COMPRESSION, 2),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE),
]
"""Settings of labels: without a filter of rows, they take a quarter of the time."""
BINS = 256
UNKNOWN, OUTSIDE = 2, 3
"""What the truth is where it is not annotated, and outside of the region of interest."""


def label_codes(
    mask: Pixels, truth: Pixels | None = None, inside: NDArray[np.bool] | None = None
) -> Pixels:
    """What a mask and the truth say of each pixel: `mask + 2 * truth`.

    Parameters
    ----------
    mask : (rows, columns) ndarray
        0 and 1.
    truth : (rows, columns) ndarray, optional
        0 and 1, and `NOT_ANNOTATED`; without it, nothing is annotated.
    inside : (rows, columns) ndarray, optional
        Whether a pixel is in the region of interest; without it, all are.

    Returns
    -------
    (rows, columns) ndarray
        0 true negative, 1 false positive, 2 false negative, 3 true positive; not annotated 4, or 5
        where the mask is foreground; outside of the region of interest 6, or 7.
    """
    known = np.full(mask.shape, UNKNOWN, np.uint8) if truth is None else truth
    known = np.where(known == NOT_ANNOTATED, np.uint8(UNKNOWN), known)
    if inside is not None:
        known = np.where(inside, known, np.uint8(OUTSIDE))
    return cv2.add(mask, cv2.add(known, known))


def disagreement(masks: Sequence[Pixels]) -> float | None:
    """Share of pixels on which masks of 0 and 1 are not all equal; None of less than two masks."""
    if len(masks) < 2:
        return None
    differs = cv2.bitwise_xor(np.bitwise_or.reduce(masks), np.bitwise_and.reduce(masks))
    return cv2.countNonZero(differs) / differs.size


def thumbnail(picture: Pixels) -> str:
    """A picture, grey or in colour, as a small WebP in base64."""
    size = _size(picture, THUMBNAIL)
    return _encoded(".webp", cv2.resize(picture, size, interpolation=cv2.INTER_AREA), LOSSY)


def small_codes(codes: Pixels) -> str:
    """Codes of labels as a small WebP without loss, in base64: every few pixels, one."""
    return _encoded(".webp", _nearest(codes, THUMBNAIL), LOSSLESS)


def image(picture: Pixels) -> dict[str, Any]:
    """A picture, grey or in colour, of a pack."""
    size = _size(picture, MOST_SIDE)
    if size != picture.shape[1::-1]:
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    data = _encoded(".webp", picture, LOSSY)
    return {"type": "image/webp", "data": data, "width": size[0], "height": size[1]}


def labels(codes: Pixels) -> dict[str, Any]:
    """Codes of labels of a pack, of the size of its pictures."""
    return {"type": "image/png", "data": _encoded(".png", _nearest(codes, MOST_SIDE), OF_LABELS)}


def histogram(values: NDArray[Any]) -> dict[str, Any]:
    """Pixels per grey level, or per bin of `BINS` where levels are not 8-bit.

    `edges` are the first edge and the width of a bin. Without a pixel, and of constant ones, there
    is one bin.
    """
    if values.dtype == np.uint8:
        counts = np.bincount(values.ravel(), minlength=1)
        return {"edges": [-0.5, 1], "counts": counts.tolist()}
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    if low == high:
        return {"edges": [low - 0.5, 1], "counts": [int(known.size)]}
    found, _ = np.histogram(known, BINS, (low, high))
    return {"edges": [low, (high - low) / BINS], "counts": found.tolist()}


def as_script(number: int, pack: str) -> str:
    """A pack, as JSON, as a classic script that hands it over."""
    return f"tilewise_pack({number}, {pack});\n"


def from_script(text: str) -> str:
    """The pack in a script, as JSON."""
    return text.partition(", ")[2].rstrip().removesuffix(");")


def as_json(pack: Mapping[str, Any] | None) -> str:
    """A pack as JSON in ASCII, without spaces; no text in it can end a script."""
    return json.dumps(pack, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _encoded(kind, pixels, settings):
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(kind, np.ascontiguousarray(pixels), settings)
    if not done:
        raise OSError(f"a picture of {pixels.shape} cannot be encoded as {kind}")
    return base64.b64encode(data).decode()


def _size(picture, longest):
    """Columns and rows of a picture that is reduced to a longest side."""
    rows, columns = picture.shape[:2]
    factor = min(longest / max(rows, columns), 1)
    return max(round(columns * factor), 1), max(round(rows * factor), 1)


def _nearest(codes, longest):
    size = _size(codes, longest)
    if size == codes.shape[::-1]:
        return codes
    return cv2.resize(codes, size, interpolation=cv2.INTER_NEAREST_EXACT)
