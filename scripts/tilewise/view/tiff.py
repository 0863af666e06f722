"""TIFF files of labels, plane by plane."""

import tifffile

ROWS = 512
"""Of a strip, which is compressed by itself."""
CLASSIC = 2**31
"""Pixels up to which the file is no BigTIFF, which some programs do not read."""


def write_tiff(path, planes, shape, pixel_size=None):
    """Write a multi-page TIFF file, deflated.

    Parameters
    ----------
    path : path
    planes : iterable of (rows, columns) uint8 ndarray
    shape : (int, int, int)
        Planes, rows and columns.
    pixel_size : (float or None, float, float), optional
        Micrometres in z, y and x; y and x are written as pixels per centimetre, and all of them as
        metadata.
    """
    metadata, resolution = {"axes": "ZYX"}, {}
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
        rowsperstrip=min(ROWS, shape[1]),
        bigtiff=shape[0] * shape[1] * shape[2] > CLASSIC,
        metadata=metadata,
        **resolution,
    )
