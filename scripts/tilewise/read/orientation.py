"""How a picture is turned before it is shown (EXIF 2.3 and TIFF 6.0, tag 274)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.pixels import PixelSize

TAG = 274
UPRIGHT = 1
# by orientation: rows and columns change places, then rows and columns are reversed
TURNS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def of_tag(value: Any) -> int:
    """The orientation that a tag asks for; other values than 1 to 8 are as good as none."""
    return value if value in TURNS else UPRIGHT


def of_exif(exif: bytes | None) -> int:
    """The orientation that the EXIF data of a file ask for."""
    from PIL import Image

    tags = Image.Exif()
    tags.load(exif or b"")
    return of_tag(tags.get(TAG))


def is_transposed(orientation: int) -> bool:
    """Whether the rows that are shown are stored as columns."""
    return TURNS[orientation][0]


def shown_shape(height: int, width: int, orientation: int) -> tuple[int, int]:
    """Height and width as shown, of those that are stored."""
    return (width, height) if is_transposed(orientation) else (height, width)


def shown_size(size: PixelSize | None, orientation: int) -> PixelSize | None:
    """The pixel size as shown."""
    return (size[0], size[2], size[1]) if size and is_transposed(orientation) else size


def stored_range(y0: int, y1: int, height: int, orientation: int) -> slice:
    """Where rows y0 to y1 - 1 of `height` shown ones are stored: rows, or columns if transposed."""
    return slice(height - y1, height - y0) if TURNS[orientation][1] else slice(y0, y1)


def turned(pixels: NDArray, orientation: int) -> NDArray:
    """Stored (height, width, ...) pixels as they are shown."""
    if orientation == UPRIGHT:
        return pixels
    transpose, reverse_rows, reverse_columns = TURNS[orientation]
    if transpose:
        pixels = pixels.swapaxes(0, 1)
    pixels = pixels[:: -1 if reverse_rows else 1, :: -1 if reverse_columns else 1]
    return np.ascontiguousarray(pixels)
