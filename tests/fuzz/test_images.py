"""Damaged images: read as another decoder reads them, or refused by name."""

import io
import random

import cv2
import numpy as np
import pytest
import tifffile
from conftest import numbers, outcome
from mutations import damaged
from PIL import Image

from tilewise.read.files import naming, open_file, read_header
from tilewise.read.header import check_size, dtype_name

EACH = 330
"""Inputs of each kind."""
NOISE = np.random.default_rng(0).integers(0, 255, (3, 24, 40), np.uint8)
COLOUR = np.moveaxis(NOISE, 0, -1)
MOST_GB = 1
MOST_PLANES, MOST_ROWS = 4, 64
"""Of those that a damaged header may announce, what is read."""


def tiff(pixels, **settings):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **settings)
    return file.getvalue()


def picture(pixels, kind, **settings):
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, kind, **settings)
    return file.getvalue()


def frames(kind):
    return picture(NOISE[0], kind, save_all=True, append_images=[Image.fromarray(NOISE[1])])


FILES = {
    "stack.tif": tiff(NOISE, photometric="minisblack"),
    "strips.tif": tiff(NOISE[0], compression="zlib", rowsperstrip=5),
    "predicted.tif": tiff(NOISE, photometric="minisblack", compression="zlib", predictor=2),
    "tiled.tif": tiff(COLOUR, photometric="rgb", tile=(16, 16), compression="zlib"),
    "big.tif": tiff(NOISE, photometric="minisblack", bigtiff=True),
    "imagej.tif": tiff(NOISE.astype(np.uint16) * 200, imagej=True),
    "plain.ome.tif": tiff(NOISE, ome=True, metadata={"axes": "ZYX", "PhysicalSizeX": 0.5}),
    "deflated.ome.tif": tiff(NOISE, ome=True, compression="zlib", metadata={"axes": "ZYX"}),
    "grey.png": picture(NOISE[0], "PNG"),
    "deep.png": picture(NOISE[0].astype(np.uint16) * 200, "PNG"),
    "colour.png": picture(COLOUR, "PNG"),
    "frames.png": frames("PNG"),
    "colour.jpg": picture(COLOUR, "JPEG"),
    "progressive.jpg": picture(NOISE[0], "JPEG", progressive=True),
    "colour.bmp": picture(COLOUR, "BMP"),
    "frames.gif": frames("GIF"),
    "lossless.webp": picture(COLOUR, "WEBP", lossless=True),
    "grey.pgm": picture(NOISE[0], "PPM"),
    "colour.ppm": picture(COLOUR, "PPM"),
}


def read(path):
    """Header, and the first rows of the first planes."""
    header = read_header(path)
    check_size(header, path, MOST_GB)
    rows, planes = min(header.height, MOST_ROWS), min(header.planes, MOST_PLANES)
    with naming(path):
        reader = open_file(path)
        try:
            channel = None if header.channels == 3 else 0
            pixels = [reader.read(plane, 0, rows, channel).copy() for plane in range(planes)]
        finally:
            reader.close()
    for plane in pixels:
        assert dtype_name(plane.dtype) == header.dtype
        assert plane.shape[:2] == (rows, header.width)
    return header, pixels


def check(path, header, pixels):
    """Another decoder, where one reads the file, has seen the same."""
    if path.suffix in (".png", ".bmp", ".pgm", ".ppm") and header.planes == 1:
        other = cv2.imread(str(path), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
        if other is not None and other.shape[:2] == pixels[0].shape[:2]:
            other = other[..., 2::-1] if other.ndim == 3 else other
            np.testing.assert_array_equal(pixels[0], other)


@pytest.mark.parametrize("name", FILES)
def test_damaged(name, tmp_path):
    (tmp_path / name).write_bytes(FILES[name])
    check(tmp_path / name, *read(tmp_path / name))
    path = tmp_path / f"damaged-{name}"
    refused = 0
    for number in numbers(EACH):
        path.write_bytes(damaged(FILES[name], random.Random(f"{name} {number}")))
        reason = outcome(lambda: check(path, *read(path)), f"damage {number} of {name}")
        if reason is not None:
            assert str(path) in reason
            refused += 1
    assert refused
