"""Projections: from a colour plane to a plane of one value per pixel, as a filter's first step.

A colour plane is (3, y, x): red, green and blue. Integers are colours from 0 to the greatest value
of their dtype, floats from 0 to 1; what is beyond counts as the bound. A projection gives (y, x)
pixels of the same dtype, which span the range of integers as the docstring of each says; `hue`
alone gives degrees, as int16.

`channel` gives one of an image's channels, however many it has; `channels` several planes,
(planes, y, x): each of a projection.

A new projection is one function and one line of `PROJECTIONS`. The settings that the configuration
may give are its arguments after the colours.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.segment.dtypes import BAND_PIXELS, in_bands
from tilewise.segment.steps import is_number, is_whole, parse

STAINS = ((0.65, 0.70, 0.29), (0.07, 0.99, 0.11), (0.27, 0.57, 0.78))
"""How much red, green and blue hematoxylin, eosin and DAB absorb."""
LEAST_LIGHT = 1e-6
"""Of what fell in: no pixel is taken to be darker, as in scikit-image."""
FULL_DENSITY = 2.55
"""Optical density that the greatest integer stands for; 8 bits have steps of 0.01."""
XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
"""From linear red, green and blue of sRGB to CIE XYZ."""
WHITE = np.array([0.95047, 1, 1.08883])
"""CIE XYZ of D65, 2 degrees."""
CHANNEL = "channel"
"""What the configuration calls a channel of an image by its number or name."""
CHANNELS = "channels"
"""What it calls several planes of an image."""
NO_HUE = -1
"""The hue of pixels that have none."""
FULL_CIRCLE = 360


def red(pixels: NDArray) -> NDArray:
    """The red channel; a grey image itself.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    """
    return pixels[0]


def green(pixels: NDArray) -> NDArray:
    """The green channel; a grey image itself.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    """
    return pixels[1]


def blue(pixels: NDArray) -> NDArray:
    """The blue channel; a grey image itself.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    """
    return pixels[2]


def luma(pixels: NDArray) -> NDArray:
    """0.299 red + 0.587 green + 0.114 blue (Rec. 601), by OpenCV; a grey image itself.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    """
    if pixels.dtype != np.int16:
        return cv2.cvtColor(cv2.merge(list(pixels)), cv2.COLOR_RGB2GRAY)
    return in_bands(lambda r, g, b: 0.299 * r + 0.587 * g + 0.114 * b, *pixels)


def value(pixels: NDArray) -> NDArray:
    """The greatest of red, green and blue: the value of HSV; a grey image itself.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    """
    return pixels.max(axis=0)


def saturation(pixels: NDArray) -> NDArray:
    """(greatest - least) / greatest of red, green and blue: the saturation of HSV; 0 of black.

    The greatest value of integers is a saturation of 1.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    """
    top = _top(pixels.dtype)
    return in_bands(lambda *rgb: _saturation(_light(rgb, top)) * top, *pixels)


def _top(dtype):
    """The greatest value of a colour."""
    return 1 if dtype.kind == "f" else np.iinfo(dtype).max


def _light(rgb, top, unit=1):
    """Red, green and blue from 0 to a unit, (3, rows, columns) in double precision."""
    return np.clip(np.stack(rgb).astype(np.float64) / (top / unit), 0, unit)


def _of_light(function, rgb, top):
    """A function of red, green and blue from 0 to 1; of integers, computed once per grey level."""
    if rgb[0].dtype.kind == "f":
        return function(_light(rgb, top))
    return function(np.arange(top + 1) / top)[np.stack(rgb)]


def _saturation(rgb):
    greatest, least = rgb.max(axis=0), rgb.min(axis=0)
    return (greatest - least) / np.where(greatest > 0, greatest, 1)


def hue(pixels: NDArray, min_saturation: float = 0.1, min_value: float = 0.1) -> NDArray[np.int16]:
    """The hue of HSV in whole degrees: 0 red, 120 green, 240 blue, up to 359; -1 where it has none.

    It is a circle: its threshold is `circular`, and no step may follow it.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    min_saturation : float
        Pixels of less, from 0 to 1, have no hue; grey ones have none in any case.
    min_value : float
        Pixels whose greatest channel is less, from 0 to 1 of its range, have no hue.

    Returns
    -------
    (Y, X) int16 ndarray
    """
    top = _top(pixels.dtype)
    hues = np.empty(pixels.shape[1:], np.int16)
    height = max(BAND_PIXELS // pixels.shape[2], 1)
    for start in range(0, pixels.shape[1], height):
        rows = slice(start, start + height)
        # in grey levels, so that integers are compared exactly
        rgb = _light(pixels[:, rows], top, unit=top)
        greatest, saturated = rgb.max(axis=0), _saturation(rgb)
        has_hue = (saturated > 0) & (saturated >= min_saturation) & (greatest >= min_value * top)
        hues[rows] = np.where(has_hue, np.rint(_degrees(rgb)) % FULL_CIRCLE, NO_HUE)
    return hues


def _degrees(rgb):
    """The hue of (3, rows, columns) colours, in degrees; anything where they are grey."""
    r, g, b = rgb
    greatest = rgb.max(axis=0)
    spread = greatest - rgb.min(axis=0)
    spread[spread == 0] = 1
    sixth = np.where(
        greatest == r,
        (g - b) / spread,
        np.where(greatest == g, 2 + (b - r) / spread, 4 + (r - g) / spread),
    )
    return sixth * 60


def lightness(pixels: NDArray) -> NDArray:
    """CIE L* (sRGB, D65): 0 to 100, stretched onto the range of integers.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    """
    top = _top(pixels.dtype)
    scale = top / 100 if pixels.dtype.kind != "f" else 1
    return in_bands(lambda *rgb: _lab(rgb, top)[0] * scale, *pixels)


def a(pixels: NDArray) -> NDArray:
    """CIE a* (sRGB, D65), from green to red: -128 to 127, onto the range of integers.

    In 8 bits it is a* + 128.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    """
    return _opponent(pixels, 1)


def b(pixels: NDArray) -> NDArray:
    """CIE b* (sRGB, D65), from blue to yellow: -128 to 127, onto the range of integers.

    In 8 bits it is b* + 128.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    """
    return _opponent(pixels, 2)


def _opponent(pixels, index):
    top = _top(pixels.dtype)
    shift, scale = (128, top / 255) if pixels.dtype.kind != "f" else (0, 1)
    return in_bands(lambda *rgb: (_lab(rgb, top)[index] + shift) * scale, *pixels)


def _lab(rgb, top):
    """L*, a* and b*. Those of OpenCV, which interpolates them, are up to 0.6 off."""
    xyz = np.tensordot(XYZ, _of_light(_linear, rgb, top), 1) / WHITE[:, None, None]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _linear(light):
    return np.where(light > 0.04045, ((light + 0.055) / 1.055) ** 2.4, light / 12.92)


def hematoxylin(pixels: NDArray) -> NDArray:
    """How much hematoxylin a pixel has, beside eosin and DAB; as `stain`.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    """
    return stain(pixels, STAINS, 0)


def eosin(pixels: NDArray) -> NDArray:
    """How much eosin a pixel has, beside hematoxylin and DAB; as `stain`.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    """
    return stain(pixels, STAINS, 1)


def dab(pixels: NDArray) -> NDArray:
    """How much DAB a pixel has, beside hematoxylin and eosin; as `stain`.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    """
    return stain(pixels, STAINS, 2)


def stain(pixels: NDArray, matrix: Sequence[Sequence[float]], index: int = 0) -> NDArray:
    """How much of a stain a pixel has, by colour deconvolution; 0 is none.

    It is in units of optical density (base 10), 0.01 per grey level in 8 bits: the greatest integer
    is 2.55 and more.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    matrix : list of lists of numbers
        Three rows, one per stain: how much red, green and blue it absorbs.
    index : int
        Row of the stain that is wanted, from 0.

    References
    ----------
    Ruifrok and Johnston (2001), Analytical and Quantitative Cytology and Histology 23(4), 291-299.
    """
    top = _top(pixels.dtype)
    scale = 1 if pixels.dtype.kind == "f" else top / FULL_DENSITY
    weights = np.linalg.inv(np.asarray(matrix, np.float64))[:, index]

    def amount(*rgb):
        density = _of_light(_density, rgb, top)
        return np.maximum(np.tensordot(weights, density, 1), 0) * scale

    return in_bands(amount, *pixels)


def _density(light):
    return -np.log10(np.maximum(light, LEAST_LIGHT))


def channel(pixels: NDArray, which: int | str) -> NDArray:
    """A channel of any image, as its file has it; number 0 of a grey image is the image itself.

    Of red, green and blue, these are 0, 1 and 2. The names of others are those of OME metadata.

    Parameters
    ----------
    pixels : (channels, Y, X) ndarray
    which : int or str
        Its number, from 0, or its name.
    """
    return pixels[which]


def channels(pixels: NDArray, of: Sequence[Any]) -> NDArray:
    """Several of the steps above at once, each a plane that the steps after it are applied to.

    `pixel_classifier`, `unet` and `onnx` take them.

    Parameters
    ----------
    pixels : (3, Y, X) ndarray
    of : list
        Of steps, as in `[green, lightness, a]`, all but `hue`; of an image that has not three
        channels, `[{channel: 0}, {channel: DAPI}]`.

    Returns
    -------
    (channels, Y, X) ndarray
    """
    steps = steps_of(of)
    return np.stack([PROJECTIONS[name].apply(pixels, **settings) for name, settings in steps])


def steps_of(of: Sequence[Any]) -> list[tuple[str, dict[str, Any]]]:
    """Name and all settings of each step that gives one of several planes."""
    return [parse(step, _functions(), "channel") for step in of]


def channel_names(of: Sequence[Any]) -> list[str]:
    """What channels are called: each is a step's name, with the settings that it is given."""
    return [step if isinstance(step, str) else json.dumps(step, sort_keys=True) for step in of]


def _functions():
    return {name: known.apply for name, known in PROJECTIONS.items()}


def _check_channels(dtype: np.dtype, of: Any) -> None:
    if not isinstance(of, list | tuple) or not of:
        raise ValueError(f"of is {of!r}: give a list, such as [red, green, blue]")
    for name, settings in steps_of(of):
        if name in ("hue", CHANNELS):
            raise ValueError(f"{name} is no plane of grey levels: leave it out")
        PROJECTIONS[name].check(dtype, **settings)
    names = channel_names(of)
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{repeated[0]} is given twice: leave one out")


def _check_channel(dtype: np.dtype, which: Any) -> None:
    is_name = isinstance(which, str) and bool(which)
    if not is_name and (not is_whole(which) or which < 0):
        raise ValueError(f"which is {which!r}: give a number from 0, or a name")


def _check_colors(dtype: np.dtype, **settings: object) -> None:
    if dtype == np.int16:
        raise ValueError("int16 colours have no known range: convert to uint8 or uint16")


def _check_hue(dtype: np.dtype, min_saturation: object, min_value: object) -> None:
    _check_colors(dtype)
    for name, share in (("min_saturation", min_saturation), ("min_value", min_value)):
        if not is_number(share) or not 0 <= share <= 1:
            raise ValueError(f"{name} is {share!r}: give a number from 0 to 1")


def _check_stain(dtype: np.dtype, matrix: object, index: object) -> None:
    _check_colors(dtype)
    rows = matrix if isinstance(matrix, list | tuple) else []
    if len(rows) != 3 or not all(
        isinstance(row, list | tuple) and len(row) == 3 and all(map(is_number, row)) for row in rows
    ):
        raise ValueError(f"matrix is {matrix!r}: give three rows of three numbers")
    if np.linalg.cond(np.array(rows, np.float64)) > 1e6:
        raise ValueError(f"matrix is {matrix!r}: two of its stains absorb the same colours")
    if not is_whole(index) or not 0 <= index < 3:
        raise ValueError(f"index is {index!r}: give 0, 1 or 2")


@dataclass(frozen=True)
class Projection:
    """A projection and what has to be known of it before it is applied."""

    apply: Callable[..., NDArray]
    """`apply(pixels, **settings)` is the plane."""
    check: Callable[..., None] = _check_colors
    """`check(dtype, **settings)` raises ValueError for settings that cannot be applied."""
    is_grey: bool = False
    """Whether a grey image has it, too: itself."""


def _any(dtype: np.dtype) -> None:
    """Of all dtypes."""


PROJECTIONS = {
    "red": Projection(red, _any, is_grey=True),
    "green": Projection(green, _any, is_grey=True),
    "blue": Projection(blue, _any, is_grey=True),
    "luma": Projection(luma, _any, is_grey=True),
    "value": Projection(value, _any, is_grey=True),
    "saturation": Projection(saturation),
    "hue": Projection(hue, _check_hue),
    "lightness": Projection(lightness),
    "a": Projection(a),
    "b": Projection(b),
    "hematoxylin": Projection(hematoxylin),
    "eosin": Projection(eosin),
    "dab": Projection(dab),
    "stain": Projection(stain, _check_stain),
    CHANNEL: Projection(channel, _check_channel, is_grey=True),
    CHANNELS: Projection(channels, _check_channels),
}
"""Every projection by the name that the configuration uses."""
