"""The size of pixels in micrometres, as people write it and as metadata have it."""

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from tilewise.pixels import PixelSize

MICROMETERS_PER_UNIT = {
    **dict.fromkeys(("m", "meter", "metre"), 1e6),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e4),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e3),
    # the micro sign is compared as the Greek letter, the angstrom sign as the Swedish one
    **dict.fromkeys(("\u03bcm", "um", "micrometer", "micrometre", "micron", "microns"), 1),
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-3),
    **dict.fromkeys(("\u00c5", "angstrom"), 1e-4),
    **dict.fromkeys(("pm", "picometer", "picometre"), 1e-6),
}
"""Units of pixel sizes in metadata; pixels, inches and others say nothing of the sample."""
PRINTED_PIXEL_SIZE = 40
"""Micrometres from which on the pixels of a resolution are taken for those of a print or a scan.

600 dpi are 42, 72 dpi 353 and the default of libvips, 1 pixel per millimetre, 1000 micrometres.
"""


def parse_pixel_size(value: str | float | Sequence[float]) -> PixelSize:
    """A pixel size as people write it.

    Parameters
    ----------
    value
        Micrometres: one number for y and x, two for y and x, or three for z, y and x. In a text,
        spaces or commas separate them.

    Returns
    -------
    PixelSize
        z is None where it is not given.

    Raises
    ------
    ValueError
        If it is none of these, or a number is not above 0. So is `1,5`, which may be a decimal
        comma.
    """
    parts: Any = re.split(r"[\s,]+", value.strip()) if isinstance(value, str) else value
    parts = parts if isinstance(parts, list | tuple) else [parts]
    try:
        sizes = [float(part) for part in parts]
    except (TypeError, ValueError):
        sizes = []
    is_clear = not isinstance(value, str) or "." in value or not re.search(r"\d,\d", value)
    if not (is_clear and 1 <= len(sizes) <= 3 and all(0 < size < math.inf for size in sizes)):
        raise ValueError(
            f"pixel_size {value!r} is no size: give micrometres above 0 with a decimal point, one "
            "number (y and x), two (y x) or three (z y x), as in `0.6` or `1.0 0.6 0.7`"
        )
    y, x = (2 * sizes)[-2:]
    return (sizes[0] if len(sizes) == 3 else None), y, x


def micrometers(value: Any, unit: object) -> float | None:
    """A length of metadata; None where it or its unit is unknown."""
    name = unicodedata.normalize("NFKC", str(unit)).strip()
    try:
        size = float(value) * MICROMETERS_PER_UNIT[name]
    except (KeyError, TypeError, ValueError):
        return None
    # 12 digits hide the rounding of the factor
    return float(f"{size:.12g}") if 0 < size < math.inf else None


def size_of_resolution(pixels: float, unit: object) -> float | None:
    """Micrometres of a pixel, of which there are so many in a unit; None where there are none.

    Resolutions are stored as integers or quotients of them: 6 digits hide their rounding.
    """
    size = micrometers(1 / pixels if pixels > 0 else None, unit)
    return size and float(f"{size:.6g}")


def known_size(z: float | None, y: float | None, x: float | None) -> PixelSize | None:
    """The size of a pixel along each axis; None if y or x is unknown."""
    return None if y is None or x is None else (z, y, x)


def unless_printed(size: PixelSize | None) -> PixelSize | None:
    """A size of a resolution; None from `PRINTED_PIXEL_SIZE` on."""
    return None if size is None or max(size[1:]) >= PRINTED_PIXEL_SIZE else size
