"""TIFF files of labels, plane by plane."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from tilewise.pixels import PixelSize

ROWS_PER_STRIP = 512
"""A strip is compressed by itself."""
MOST_CLASSIC_PIXELS = 2**31
"""A larger file is a BigTIFF, which some programs do not read."""


def write_tiff(
    path: str | Path,
    planes: Iterator[NDArray[np.uint8]],
    shape: tuple[int, int, int],
    pixel_size: PixelSize | None = None,
) -> None:
    """Write a multi-page TIFF file, deflated; `shape` is planes, rows and columns.

    The size of a pixel is in micrometres, in z, y and x; y and x are written as pixels per
    centimetre, and all of them as metadata.
    """
    metadata: dict[str, Any] = {"axes": "ZYX"}
    resolution: dict[str, Any] = {}
    if pixel_size is not None:
        z, y, x = pixel_size
        metadata |= {"unit": "um"} | ({"spacing": z} if z else {})
        resolution = {"resolution": (1e4 / x, 1e4 / y), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(
        path,
        planes,
        shape=shape,
        dtype="uint8",
        photometric="minisblack",
        compression="zlib",
        compressionargs={"level": 1},
        rowsperstrip=min(ROWS_PER_STRIP, shape[1]),
        bigtiff=shape[0] * shape[1] * shape[2] > MOST_CLASSIC_PIXELS,
        metadata=metadata,
        **resolution,
    )
