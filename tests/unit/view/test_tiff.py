"""TIFF files of labels, read by tifffile and Pillow."""

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageSequence

from tilewise.view import tiff

PLANES = np.random.default_rng(0).integers(0, 2, (3, 600, 7), np.uint8)


def write(path, pixel_size=None, planes=PLANES):
    tiff.write_tiff(path, iter(planes), planes.shape, pixel_size)
    return path


def test_planes_are_pages(tmp_path):
    path = write(tmp_path / "a.tif")
    with Image.open(path) as image:
        pages = [np.asarray(page) for page in ImageSequence.Iterator(image)]
    np.testing.assert_array_equal(pages, PLANES)
    with tifffile.TiffFile(path) as file:
        assert not file.is_bigtiff
        page = file.pages[0]
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        # of 512 and of 88 rows
        assert len(page.dataoffsets) == 2
        assert file.series[0].axes == "ZYX"


@pytest.mark.parametrize("depth", [2.5, None])
def test_the_size_of_a_pixel(tmp_path, depth):
    with tifffile.TiffFile(write(tmp_path / "a.tif", (depth, 0.5, 0.25))) as file:
        page = file.pages[0]
        # 10,000 micrometres are a centimetre
        assert page.get_resolution("CENTIMETER") == (40_000, 20_000)
        described = file.shaped_metadata[0]
    assert described["unit"] == "um"
    assert described.get("spacing") == depth


def test_a_file_that_classic_tiff_cannot_hold_is_a_bigtiff(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff, "MOST_CLASSIC_PIXELS", PLANES.size - 1)
    with tifffile.TiffFile(write(tmp_path / "a.tif")) as file:
        assert file.is_bigtiff
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), PLANES)
