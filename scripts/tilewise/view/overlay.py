"""Where a method is right and wrong, drawn over the image; and how long that is."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.labels import FN, FP, TN, TP

COLORS = {"tp": (0, 255, 255), "fp": (255, 0, 255), "fn": (255, 255, 0), "tn": (0, 0, 0)}
"""Cyan, magenta, yellow and black: red, green, blue from 0 to 255."""
HATCH_GREY = 128
"""Of the lines over what was not scored: seen on what is bright, and on what is black."""
LEAST_PERIOD = 8
"""Pixels from one line to the next in small tiles."""


def blend(
    picture: NDArray[np.uint8],
    codes: NDArray[np.uint8],
    colors: Mapping[str, Sequence[int]] = COLORS,
    alpha: float = 0.3,
    corner: tuple[int, int] = (0, 0),
    period: int = LEAST_PERIOD,
) -> NDArray[np.uint8]:
    """Lay the colours of a confusion map over a picture; the result is (rows, columns, 3).

    What was not scored is dark and hatched: not annotated, or outside of the region of interest.

    Parameters
    ----------
    picture : (rows, columns) or (rows, columns, 3) uint8 ndarray
        Grey, or red, green and blue.
    codes
        A confusion map; where it is 0 (not annotated) the picture keeps a third of its brightness
        under grey lines.
    colors
        Red, green and blue of `tp`, `fp`, `fn` and `tn`, 0 to 255.
    alpha
        Weight of the colour, 0 to 1; the picture has the rest.
    corner
        Row and column of the upper left pixel in its sample: lines go on from tile to tile.
    period
        Pixels along a row from one line to the next, as of `hatch_period`.
    """
    if picture.ndim == 2:
        picture = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_GRAY2RGB)
    table = np.zeros((1, 256, 3), np.uint8)
    for name, code in (("tp", TP), ("fp", FP), ("fn", FN), ("tn", TN)):
        table[0, code] = colors[name]
    colored = cv2.LUT(cv2.merge([np.ascontiguousarray(codes)] * 3), table)
    # 1 - (1 - alpha) and not alpha: to the last bit the weights of the published procedure
    blended = cv2.addWeighted(picture, 1 - alpha, colored, 1 - (1 - alpha), 0)
    if cv2.countNonZero(codes) < codes.size:
        unknown = codes == 0
        blended[unknown] = _not_scored(picture, corner, period)[unknown]
    return blended


def hatch_period(sides: tuple[int, int]) -> int:
    """Pixels from one line of the hatching to the next, for tiles of a height and width.

    A figure, which shows large tiles smaller than they are, has about 30 lines a side of these too.
    """
    return max(LEAST_PERIOD, max(sides) // 32)


def _not_scored(picture, corner, period):
    """A picture darkened, with diagonal lines."""
    rows, columns = (
        np.arange(first, first + length)
        for first, length in zip(corner, picture.shape[:2], strict=True)
    )
    hatched = picture // 3
    hatched[(rows[:, None] + columns) % period < max(period // 6, 1)] = HATCH_GREY
    return hatched


def scale_bar(width: int, pixel_size: float) -> tuple[float, str]:
    """Pixels, and the label, of a round length of about a fifth of a picture's width.

    Of 1, 2, 5, 10, 20, ... micrometres, it is the one whose quotient with a fifth of the width is
    nearest to 1, from 0.63 to 1.58. The label is as in `50 um`, in nm below a micrometre, in mm
    from 1000 on. The width is in pixels, the size of a pixel along x in micrometres.
    """
    fifth = width * pixel_size / 5
    power = math.floor(math.log10(fifth))
    lengths = [(digit, exponent) for exponent in (power, power + 1) for digit in (1, 2, 5)]
    digit, exponent = min(
        lengths, key=lambda length: abs(math.log10(length[0]) + length[1] - math.log10(fifth))
    )
    scale, unit = (-3, "nm") if exponent < 0 else (0, "um") if exponent < 3 else (3, "mm")
    return digit * 10.0**exponent / pixel_size, f"{digit * 10.0 ** (exponent - scale):g} {unit}"


def draw_scale_bar(picture: NDArray[np.uint8], pixel_size: float) -> NDArray[np.uint8]:
    """A copy of a (rows, columns, 3) picture with a scale bar in the lower right corner.

    The bar and its length are white with a black rim, to be seen on any ground. There is none if
    the picture is too small for the label. The size of a pixel along x is in micrometres.
    """
    rows, columns = picture.shape[:2]
    pixels, label = scale_bar(columns, pixel_size)
    font, size = cv2.FONT_HERSHEY_SIMPLEX, max(0.4, columns / 1024)
    (width, height), _ = cv2.getTextSize(label, font, size, 1)
    length, margin, thickness = round(pixels), max(4, columns // 40), max(3, columns // 128)
    right, bottom = columns - margin, rows - margin
    left, baseline = right - length, bottom - thickness - margin
    start = min((left + right - width) // 2, right - width)
    if start < 1 or baseline - height < 1:
        return picture.copy()
    white = np.zeros((rows, columns), np.uint8)
    corners = (left, bottom - thickness), (right - 1, bottom - 1)
    cv2.rectangle(white, *corners, 255, cv2.FILLED)
    cv2.putText(white, label, (start, baseline), font, size, 255)
    # grey where letters are smooth
    ground = 255 - cv2.dilate(white, np.ones((3, 3), np.uint8))
    drawn = cv2.multiply(picture, np.dstack([ground] * 3), scale=1 / 255)
    return cv2.add(drawn, np.dstack([white] * 3))


def display(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Pixels as 8 bit, for looking at.

    8-bit pixels are left as they are; others are stretched from their 0.5th to their 99.5th
    percentile. A constant picture becomes mid-grey.
    """
    if pixels.dtype == np.uint8:
        return pixels
    low, high = np.percentile(pixels, (0.5, 99.5))
    if low == high:
        return np.full(pixels.shape, 128, np.uint8)
    scaled = (pixels.astype(np.float64) - low) * (255 / (high - low))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
