"""PNG files, such as those of overlays: the same pixels give the same bytes."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.pixels import PixelSize

HEADER_END = 8 + 25
"""Bytes of the signature and of the header chunk, IHDR, that every PNG file starts with."""
COMPRESSION = 2
"""Of zlib: 3 makes pictures with noise a tenth smaller, and takes half as long again."""


def write_png(
    path: str | Path, pixels: NDArray[np.uint8], pixel_size: PixelSize | None = None
) -> None:
    """Write a PNG file of (height, width) or (height, width, 3) uint8: grey, or red, green, blue.

    Pixels of another shape or dtype are a ValueError. The size of a pixel is in micrometres, in z,
    y and x; y and x are written as pixels per metre (chunk pHYs), if they can be: from 0.0005
    micrometres to 2 metres.
    """
    is_color = pixels.ndim == 3 and pixels.shape[2] == 3
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or is_color) or not pixels.size:
        raise ValueError(
            f"{path}: pixels are {pixels.dtype} of shape {pixels.shape}: "
            "give uint8 of (height, width) or (height, width, 3)"
        )
    pixels = np.ascontiguousarray(pixels)
    if is_color:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    encoded, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, COMPRESSION])
    if not encoded:
        raise OSError(f"{path}: the picture cannot be encoded as PNG")
    data = data.tobytes()
    # pHYs has its place between the header and the pixels
    chunk = _png_resolution(pixel_size)
    Path(path).write_bytes(data[:HEADER_END] + chunk + data[HEADER_END:])


def _png_resolution(pixel_size):
    """The chunk pHYs; empty if there is none."""
    if pixel_size is None:
        return b""
    along_y, along_x = (round(1e6 / size) for size in pixel_size[1:])
    if not (0 < along_y < 2**31 and 0 < along_x < 2**31):
        return b""
    content = b"pHYs" + struct.pack(">IIB", along_x, along_y, 1)
    return struct.pack(">I", 9) + content + struct.pack(">I", zlib.crc32(content))
