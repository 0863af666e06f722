import json
import os
import struct
import subprocess
import sys
import warnings
import zlib

import cv2
import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image, ImageFile

from tilewise.read import omezarr
from tilewise.read.files import read_header
from tilewise.read.header import Header, channel_number
from tilewise.read.stack import open_stack

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (37, 53), np.uint8)
RGB = RNG.integers(0, 256, (37, 53, 3), np.uint8)
STACK = RNG.integers(0, 256, (4, 37, 53), np.uint8)
DEEP = RNG.integers(0, 2**16, (37, 53), np.uint16)
DEEP_RGB = RNG.integers(0, 2**16, (37, 53, 3), np.uint16)
FLOAT = RNG.normal(size=(37, 53)).astype(np.float32)
MASK = GREY > 127


def rec601(rgb):
    return rgb.astype(np.float64) @ [0.299, 0.587, 0.114]


def planes_of(paths, channel="luma"):
    """All planes of a stack, read in two strips each."""
    with open_stack(paths, channel) as stack:
        height = stack.header.height
        planes = [
            np.concatenate([stack.rows(z, 0, 7), stack.rows(z, 7, height)])
            for z in range(stack.header.planes)
        ]
        return np.array(planes)


def colors_of(paths, z=0):
    with open_stack(paths) as stack:
        return np.moveaxis(stack.color_rows(z, 0, stack.header.height), 0, -1)


def assert_same(actual, expected):
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(actual, expected)


def png_chunk(kind, data):
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def write_png(path, pixels, depth, color, palette=None):
    """A PNG as the specification says, for the kinds that Pillow does not write."""

    height, width = pixels.shape[:2]
    lines = b"".join(b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() for row in pixels)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
        + (png_chunk(b"PLTE", palette) if palette else b"")
        + png_chunk(b"IDAT", zlib.compress(lines))
        + png_chunk(b"IEND", b"")
    )


# pictures


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "gif"])
def test_grey_pictures(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    Image.fromarray(GREY).save(path)
    assert read_header(path) == Header(1, 37, 53, 1, "uint8")
    assert_same(planes_of(path), GREY[None])


@pytest.mark.parametrize("ending", ["png", "bmp", "tif"])
def test_color_pictures(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    Image.fromarray(RGB).save(path)
    assert read_header(path) == Header(1, 37, 53, 3, "uint8")
    assert_same(colors_of(path), RGB)
    assert_same(planes_of(path, "green"), RGB[None, ..., 1])
    assert_same(planes_of(path, 2), RGB[None, ..., 2])
    np.testing.assert_allclose(planes_of(path)[0], rec601(RGB), atol=0.51)


@pytest.mark.parametrize("pixels", [GREY, RGB])
def test_jpeg(tmp_path, pixels):
    smooth = cv2.GaussianBlur(pixels, (0, 0), 5)
    path = tmp_path / "a.jpg"
    Image.fromarray(smooth).save(path, quality=100, subsampling=0)
    channels = 1 if pixels.ndim == 2 else 3
    assert read_header(path) == Header(1, 37, 53, channels, "uint8")
    decoded = planes_of(path, 0)[0] if channels == 1 else colors_of(path)
    np.testing.assert_allclose(decoded, smooth, atol=4)


# what people see of stored pixels, by orientation (EXIF 2.3, tag 274): written out by hand
STORED = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
SHOWN = {
    1: [[1, 2, 3], [4, 5, 6]],
    2: [[3, 2, 1], [6, 5, 4]],
    3: [[6, 5, 4], [3, 2, 1]],
    4: [[4, 5, 6], [1, 2, 3]],
    5: [[1, 4], [2, 5], [3, 6]],
    6: [[4, 1], [5, 2], [6, 3]],
    7: [[6, 3], [5, 2], [4, 1]],
    8: [[3, 6], [2, 5], [1, 4]],
}


def orient(value):
    exif = Image.Exif()
    exif[274] = value
    return exif


def write_turned_tiff(path, pixels, value, **options):
    tifffile.imwrite(path, pixels, extratags=[(274, 3, 1, value, True)], metadata=None, **options)


@pytest.mark.parametrize("value", SHOWN)
@pytest.mark.parametrize("kind", ["png", "webp", "tif", "zlib", "tiles", "big"])
def test_pictures_are_turned_as_they_are_shown(tmp_path, kind, value):
    path = tmp_path / "a"
    options = {
        "png": {},
        "webp": {"lossless": True},
        "tif": {},
        "zlib": {"compression": "zlib"},
        "tiles": {"tile": (16, 16)},
        "big": {"byteorder": ">"},
    }[kind]
    if kind in ("png", "webp"):
        Image.fromarray(STORED).save(path, kind, exif=orient(value), **options)
    else:
        write_turned_tiff(
            path, STORED.astype(np.uint16 if kind == "big" else "u1"), value, **options
        )
    expected = np.array(SHOWN[value])
    header = read_header(path)
    assert (header.height, header.width) == expected.shape
    with open_stack(path) as stack:
        for y in range(header.height):
            np.testing.assert_array_equal(stack.rows(0, y, y + 1), expected[y : y + 1])
        np.testing.assert_array_equal(stack.rows(0, 0, header.height), expected)


def test_turned_jpeg_and_16_bit_colors(tmp_path):
    smooth = cv2.GaussianBlur(GREY, (0, 0), 5)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=100, exif=orient(6))
    assert read_header(tmp_path / "a.jpg") == Header(1, 53, 37, 1, "uint8")
    np.testing.assert_allclose(planes_of(tmp_path / "a.jpg")[0], np.rot90(smooth, -1), atol=4)
    make_deep(tmp_path / "b.png")
    data = (tmp_path / "b.png").read_bytes()
    exif = png_chunk(b"eXIf", orient(8).tobytes()[6:])
    (tmp_path / "c.png").write_bytes(data[:33] + exif + data[33:])
    assert_same(colors_of(tmp_path / "c.png"), np.rot90(colors_of(tmp_path / "b.png")).copy())
    (tmp_path / "d.png").write_bytes(data[:-12] + exif + data[-12:])
    with pytest.raises(ValueError, match="d.png cannot be read: .*save it turned"):
        planes_of(tmp_path / "d.png")


@pytest.mark.parametrize("options", [{}, {"planarconfig": "separate"}])
def test_turned_colors_and_pixel_sizes(tmp_path, options):
    pixels = np.moveaxis(RGB, -1, 0) if options else RGB
    write_turned_tiff(
        tmp_path / "a.tif",
        pixels,
        5,
        photometric="rgb",
        resolution=(10000, 20000),
        resolutionunit="CENTIMETER",
        **options,
    )
    # 10000 pixels per cm in stored columns: 1 um, which become rows
    assert read_header(tmp_path / "a.tif") == Header(1, 53, 37, 3, "uint8", (None, 1.0, 0.5))
    assert_same(colors_of(tmp_path / "a.tif"), RGB.transpose(1, 0, 2))
    assert_same(planes_of(tmp_path / "a.tif", "red")[0], RGB[..., 0].T)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (GREY, 255 - GREY),
        (DEEP, 65535 - DEEP),
        (MASK, 1 - MASK.astype(np.uint8)),
    ],
)
def test_where_0_is_white(tmp_path, pixels, expected):
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    assert_same(planes_of(tmp_path / "a.tif"), expected[None])
    # the values of labels are numbers, not brightness: tifffile writes boolean masks like this
    with open_stack(tmp_path / "a.tif", as_stored=True) as stack:
        np.testing.assert_array_equal(stack.rows(0, 0, 37), pixels)


def test_4_bits_where_0_is_white(tmp_path):
    path = tmp_path / "a.tif"
    packed = np.array([[0x0F, 0x3C]], np.uint8)
    tifffile.imwrite(path, packed, photometric="miniswhite", metadata=None)
    data = bytearray(path.read_bytes())
    # a line of 2 bytes becomes one of 4 pixels of 4 bits (TIFF 6.0, tags 256 and 258)
    with tifffile.TiffFile(path) as file:
        tags = {tag.code: tag.valueoffset for tag in file.pages[0].tags}
    struct.pack_into("<H", data, tags[256], 4)
    struct.pack_into("<H", data, tags[258], 4)
    path.write_bytes(data)
    with open_stack(path) as stack:
        assert_same(stack.rows(0, 0, 1), np.array([[15, 0, 12, 3]], np.uint8))


@pytest.mark.parametrize(
    ("photometric", "pixels"),
    [
        ("ycbcr", RGB),
        ("cielab", RGB),
        ("icclab", RGB),
        ("separated", np.dstack([RGB, GREY])),
        ("cfa", GREY),
        ("miniswhite", FLOAT),
        ("miniswhite", STACK.astype(np.int16)[0]),
    ],
)
def test_pixels_of_other_kinds_are_refused(tmp_path, photometric, pixels):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, photometric="rgb" if pixels.ndim == 3 else "minisblack")
    with tifffile.TiffFile(path, mode="r+") as file:
        tag = file.pages[0].tags[262]
        tag.overwrite(tifffile.PHOTOMETRIC[photometric.upper()].value)
    with pytest.raises(ValueError, match="a.tif has .*: save it "):
        read_header(path)


def test_frames_of_an_animated_png_are_planes(tmp_path):
    frames = [Image.fromarray(plane) for plane in STACK]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    assert read_header(tmp_path / "a.png") == Header(4, 37, 53, 1, "uint8")
    assert_same(planes_of(tmp_path / "a.png"), STACK)
    frames[0].save(tmp_path / "b.png", save_all=True, append_images=frames[1:], default_image=True)
    with pytest.raises(ValueError, match="b.png is an animated PNG of an odd kind: save it as"):
        read_header(tmp_path / "b.png")


def test_further_pictures_of_a_jpeg_are_named(tmp_path):
    smooth = [Image.fromarray(cv2.GaussianBlur(plane, (0, 0), 5)) for plane in STACK[:2]]
    smooth[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=smooth[1:], quality=100)
    header = read_header(tmp_path / "a.jpg")
    assert header.planes == 1
    assert header.left_out == "of the 2 pictures in it, only the first is read"
    np.testing.assert_allclose(planes_of(tmp_path / "a.jpg")[0], smooth[0], atol=4)


def test_wrong_checksums_of_png_are_refused(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    make_deep(tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        data = (tmp_path / name).read_bytes()
        # of the pixels: the last four bytes before IEND and its length
        at = data.index(b"IEND") - 8
        (tmp_path / name).write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(ValueError, match=f"{name} cannot be read: the checksum of its IDAT"):
            planes_of(tmp_path / name)


@pytest.mark.parametrize("ending", ["png", "bmp", "tif"])
def test_one_bit_becomes_0_and_1(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    Image.fromarray(MASK).save(path)
    assert read_header(path) == Header(1, 37, 53, 1, "uint8")
    assert_same(planes_of(path), MASK[None].astype(np.uint8))


def test_alpha_is_dropped(tmp_path):
    rgba = np.dstack([RGB, GREY])
    Image.fromarray(rgba).save(tmp_path / "rgba.png")
    Image.fromarray(rgba).save(tmp_path / "rgba.tif")
    Image.fromarray(rgba[..., [0, 3]], "LA").save(tmp_path / "la.png")
    for name in ("rgba.png", "rgba.tif"):
        assert read_header(tmp_path / name).channels == 3
        assert_same(colors_of(tmp_path / name), RGB)
    assert read_header(tmp_path / "la.png").channels == 1
    assert_same(planes_of(tmp_path / "la.png"), RGB[None, ..., 0])


def test_16_bit_png(tmp_path):
    Image.fromarray(DEEP).save(tmp_path / "grey.png")
    assert read_header(tmp_path / "grey.png") == Header(1, 37, 53, 1, "uint16")
    assert_same(planes_of(tmp_path / "grey.png"), DEEP[None])
    write_png(tmp_path / "rgb.png", DEEP_RGB, 16, 2)
    write_png(tmp_path / "rgba.png", np.dstack([DEEP_RGB, DEEP]), 16, 6)
    for name in ("rgb.png", "rgba.png"):
        assert read_header(tmp_path / name) == Header(1, 37, 53, 3, "uint16")
        assert_same(colors_of(tmp_path / name), DEEP_RGB)
        np.testing.assert_allclose(planes_of(tmp_path / name)[0], rec601(DEEP_RGB), atol=2)
    write_png(tmp_path / "la.png", DEEP_RGB[..., :2], 16, 4)
    assert read_header(tmp_path / "la.png") == Header(1, 37, 53, 1, "uint16")
    assert_same(planes_of(tmp_path / "la.png"), DEEP_RGB[None, ..., 0])


def test_palette_png(tmp_path):
    colors = bytes([10, 20, 30, 40, 50, 60])
    greys = bytes([7, 7, 7, 200, 200, 200])
    write_png(tmp_path / "color.png", MASK.astype(np.uint8), 8, 3, colors)
    write_png(tmp_path / "grey.png", MASK.astype(np.uint8), 8, 3, greys)
    assert read_header(tmp_path / "color.png") == Header(1, 37, 53, 3, "uint8")
    assert read_header(tmp_path / "grey.png") == Header(1, 37, 53, 1, "uint8")
    assert_same(planes_of(tmp_path / "color.png", "red"), np.where(MASK, 40, 10)[None].astype("u1"))
    assert_same(planes_of(tmp_path / "grey.png"), np.where(MASK, 200, 7)[None].astype("u1"))


def test_palette_with_transparency_gives_no_warning(tmp_path):
    image = Image.fromarray(MASK.astype(np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.save(tmp_path / "a.png", transparency=bytes([0, 128]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(planes_of(tmp_path / "a.png", 2), np.where(MASK, 60, 30)[None].astype("u1"))


def test_palette_bmp(tmp_path):
    image = Image.fromarray(MASK.astype(np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.save(tmp_path / "color.bmp")
    image.putpalette([7, 7, 7, 200, 200, 200])
    image.save(tmp_path / "grey.bmp")
    assert read_header(tmp_path / "color.bmp") == Header(1, 37, 53, 3, "uint8")
    assert read_header(tmp_path / "grey.bmp") == Header(1, 37, 53, 1, "uint8")
    expected = np.where(MASK[..., None], [40, 50, 60], [10, 20, 30]).astype(np.uint8)
    assert_same(colors_of(tmp_path / "color.bmp"), expected)
    assert_same(planes_of(tmp_path / "grey.bmp"), np.where(MASK, 200, 7)[None].astype("u1"))


def test_palette_gif(tmp_path):
    image = Image.fromarray(MASK.astype(np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.save(tmp_path / "a.gif")
    assert read_header(tmp_path / "a.gif") == Header(1, 37, 53, 3, "uint8")
    expected = np.where(MASK[..., None], [40, 50, 60], [10, 20, 30]).astype(np.uint8)
    assert_same(colors_of(tmp_path / "a.gif"), expected)


def test_frames_of_a_gif_are_planes(tmp_path):
    frames = [Image.fromarray(plane) for plane in STACK]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_header(tmp_path / "a.gif") == Header(4, 37, 53, 1, "uint8")
    assert_same(planes_of(tmp_path / "a.gif"), STACK)
    with open_stack(tmp_path / "a.gif") as stack:
        assert_same(stack.rows(2, 5, 6), STACK[2, 5:6])
        assert_same(stack.rows(1, 5, 6), STACK[1, 5:6])


def test_gif_whose_frames_have_palettes_of_their_own(tmp_path):
    color = Image.fromarray(MASK.astype(np.uint8), "P")
    color.putpalette([10, 20, 30, 40, 50, 60])
    color.save(tmp_path / "a.gif", save_all=True, append_images=[Image.fromarray(GREY)])
    assert read_header(tmp_path / "a.gif") == Header(2, 37, 53, 3, "uint8")
    expected = np.where(MASK[..., None], [40, 50, 60], [10, 20, 30]).astype(np.uint8)
    assert_same(colors_of(tmp_path / "a.gif"), expected)
    assert_same(colors_of(tmp_path / "a.gif", 1), np.dstack([GREY] * 3))
    # here, Pillow would give the indices of the second frame as grey levels
    Image.fromarray(GREY).save(tmp_path / "b.gif", save_all=True, append_images=[color])
    with pytest.raises(ValueError, match=r"b.gif has grey frames .* save it as TIFF"):
        read_header(tmp_path / "b.gif")


def test_grey_gif_with_palettes_that_are_no_ramp(tmp_path):
    frames = [Image.fromarray(MASK.astype(np.uint8), "P") for _ in range(2)]
    frames[0].putpalette([7, 7, 7, 200, 200, 200])
    frames[1].putpalette([90, 90, 90, 30, 30, 30])
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_header(tmp_path / "a.gif") == Header(2, 37, 53, 1, "uint8")
    expected = np.stack([np.where(MASK, 200, 7), np.where(MASK, 30, 90)]).astype(np.uint8)
    assert_same(planes_of(tmp_path / "a.gif"), expected)
    frames[1].putpalette([10, 20, 30, 40, 50, 60])
    frames[0].save(tmp_path / "b.gif", save_all=True, append_images=frames[1:])
    assert read_header(tmp_path / "b.gif") == Header(2, 37, 53, 3, "uint8")


@pytest.mark.parametrize("pixels", [RGB, np.dstack([RGB, GREY]), np.dstack([GREY] * 3)])
def test_webp(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "a.webp", lossless=True, exact=True)
    assert read_header(tmp_path / "a.webp") == Header(1, 37, 53, 3, "uint8")
    assert_same(colors_of(tmp_path / "a.webp"), pixels[..., :3])
    assert_same(planes_of(tmp_path / "a.webp", "green"), pixels[None, ..., 1])


def test_frames_of_a_webp_are_planes(tmp_path):
    frames = [Image.fromarray(np.dstack([plane, GREY, plane])) for plane in STACK]
    options = {"lossless": True, "save_all": True, "append_images": frames[1:]}
    frames[0].save(tmp_path / "a.webp", **options)
    assert read_header(tmp_path / "a.webp") == Header(4, 37, 53, 3, "uint8")
    assert_same(planes_of(tmp_path / "a.webp", "red"), STACK)
    with open_stack(tmp_path / "a.webp") as stack:
        assert_same(stack.color_rows(2, 5, 6)[0], STACK[2, 5:6])
        assert_same(stack.color_rows(1, 5, 6)[0], STACK[1, 5:6])


@pytest.mark.parametrize("comment", [b"", b"# by hand\n# 7 7 7\n"])
@pytest.mark.parametrize(
    ("start", "body", "expected"),
    [
        (b"P2", b"255\n0 9 255\n1 2 3\n", [[0, 9, 255], [1, 2, 3]]),
        (b"P5", b"255\n\0\x09\xff\1\2\3", [[0, 9, 255], [1, 2, 3]]),
        (b"P3", b"255\n" + b"5 6 7 " * 3 + b"8 9 10 " * 3, [[[5, 6, 7]] * 3, [[8, 9, 10]] * 3]),
        (b"P6", b"255\n" + b"\5\6\7" * 3 + b"\x08\x09\n" * 3, [[[5, 6, 7]] * 3, [[8, 9, 10]] * 3]),
        # in PBM, 1 is black
        (b"P1", b"1 0 0\n0 0 1\n", [[0, 1, 1], [1, 1, 0]]),
        (b"P4", b"\x80\x20", [[0, 1, 1], [1, 1, 0]]),
    ],
)
def test_pnm(tmp_path, start, comment, body, expected):
    (tmp_path / "a").write_bytes(start + b"\n" + comment + b"3 2\n" + body)
    expected = np.array(expected, np.uint8)
    channels = 1 if expected.ndim == 2 else 3
    assert read_header(tmp_path / "a") == Header(1, 2, 3, channels, "uint8")
    with open_stack(tmp_path / "a", 0) as stack:
        assert_same(stack.rows(0, 0, 2), expected if channels == 1 else expected[..., 0])
    if channels == 3:
        assert_same(colors_of(tmp_path / "a"), expected)


@pytest.mark.parametrize(
    "start",
    [
        # Pillow would change these pixels
        b"P2 2 1 15 0 9",
        b"P5 2 1 65535 \0\1\0\2",
        b"P6 1 1 256 ABCDEF",
        # a comment without end, which is not to be searched for long
        b"P2 " + b"# " * 500,
    ],
    ids=["maximum 15", "maximum 65535", "maximum 256", "comment"],
)
def test_pnm_that_is_refused(tmp_path, start):
    (tmp_path / "a.pgm").write_bytes(start)
    with pytest.raises(
        ValueError, match=r"a.pgm cannot be read: .* no PNM file of 8 bits; replace"
    ):
        read_header(tmp_path / "a.pgm")


def test_truncated_webp_and_pnm_are_named(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.webp", lossless=True)
    Image.fromarray(RGB).save(tmp_path / "a.ppm")
    for name in ("a.webp", "a.ppm"):
        data = (tmp_path / name).read_bytes()
        for part in (0.001, 0.02, 0.3, 0.6, 0.9):
            (tmp_path / "cut").write_bytes(data[: int(len(data) * part)])
            with pytest.raises(ValueError, match=r"cut cannot be read: .*; replace it"):
                planes_of(tmp_path / "cut")


# TIFF


def test_plain_tiff_is_mapped(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK, photometric="minisblack")
    with open_stack(tmp_path / "a.tif") as stack:
        assert stack.header == Header(4, 37, 53, 1, "uint8")
        rows = stack.rows(3, 5, 9)
        assert np.shares_memory(rows, stack.rows(3, 0, 37))
        assert not rows.flags.owndata
        assert not rows.flags.writeable
    assert_same(rows, STACK[3, 5:9])


@pytest.mark.parametrize(
    "options",
    [
        {"metadata": None},
        {"metadata": None, "rowsperstrip": 5},
        {"bigtiff": True},
        {"byteorder": ">"},
        {"tile": (16, 16)},
        {"tile": (16, 16), "compression": "zlib", "predictor": True},
        {"compression": "lzw", "rowsperstrip": 5},
        {"ome": True, "metadata": {"axes": "ZYX"}},
        {"ome": True, "compression": "zlib", "metadata": {"axes": "TYX"}},
        {"imagej": True, "metadata": {"axes": "ZYX"}},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_tiff_stacks(tmp_path, options, dtype):
    pixels = (STACK * 0.5).astype(np.float32) if dtype == "float32" else STACK.astype(dtype)
    pixels = pixels * 200 if dtype == "uint16" else pixels
    options = {"photometric": "minisblack"} | options
    tifffile.imwrite(tmp_path / "a.tif", pixels, **options)
    assert read_header(tmp_path / "a.tif") == Header(4, 37, 53, 1, dtype)
    assert_same(planes_of(tmp_path / "a.tif"), pixels)


def test_pages_that_are_not_contiguous(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif", byteorder=">") as file:
        for plane in STACK:
            file.write(plane.astype(np.uint16), metadata=None, contiguous=False)
    assert read_header(tmp_path / "a.tif") == Header(4, 37, 53, 1, "uint16")
    assert_same(planes_of(tmp_path / "a.tif"), STACK.astype(np.uint16))


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_rows_are_native_and_aligned(tmp_path, byteorder):
    """Writers may leave pixels at odd places in the file; OpenCV does not take them there."""
    tifffile.imwrite(tmp_path / "a.tif", DEEP, metadata=None, byteorder=byteorder)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        tag = file.pages[0].tags["StripOffsets"]
        form, place, offset = f"{byteorder}{tag.dtype.name[0]}", tag.valueoffset, tag.value[0]
    form = {"S": "H", "L": "I"}[form[1]]
    data += b"\0" * (1 - len(data) % 2) + data[offset : offset + DEEP.nbytes]
    struct.pack_into(byteorder + form, data, place, len(data) - DEEP.nbytes)
    (tmp_path / "a.tif").write_bytes(data)
    with open_stack(tmp_path / "a.tif") as stack:
        rows = stack.rows(0, 1, 9)
    assert rows.flags.aligned
    assert rows.dtype.isnative
    assert_same(rows, DEEP[1:9])


def test_single_plane_of_one_row_and_one_column(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY[:1])
    tifffile.imwrite(tmp_path / "b.tif", GREY[:, :1])
    assert read_header(tmp_path / "a.tif") == Header(1, 1, 53, 1, "uint8")
    assert read_header(tmp_path / "b.tif") == Header(1, 37, 1, 1, "uint8")


def test_int16_tiff(tmp_path):
    pixels = DEEP_RGB.astype(np.int32) - 2**15
    tifffile.imwrite(tmp_path / "a.tif", pixels.astype(np.int16), photometric="rgb")
    assert read_header(tmp_path / "a.tif") == Header(1, 37, 53, 3, "int16")
    assert_same(planes_of(tmp_path / "a.tif", "blue"), pixels[None, ..., 2].astype(np.int16))
    np.testing.assert_allclose(planes_of(tmp_path / "a.tif")[0], rec601(pixels), atol=0.6)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"byteorder": ">"}], ids=str)
@pytest.mark.parametrize("planar", [False, True])
def test_rgb_tiff(tmp_path, options, planar):
    pixels = DEEP_RGB.transpose(2, 0, 1) if planar else DEEP_RGB
    config = "separate" if planar else "contig"
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, photometric="rgb", planarconfig=config, **options)
    assert read_header(path) == Header(1, 37, 53, 3, "uint16")
    assert_same(colors_of(path), DEEP_RGB)
    assert_same(planes_of(path, "red"), DEEP_RGB[None, ..., 0])
    np.testing.assert_allclose(planes_of(path)[0], rec601(DEEP_RGB), atol=2)


def test_luma_of_float(tmp_path):
    pixels = DEEP_RGB.astype(np.float32) / 2**16
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    luma = planes_of(tmp_path / "a.tif")
    assert luma.dtype == np.float32
    np.testing.assert_allclose(luma[0], rec601(pixels), atol=1e-6)


def test_luma_of_single_colors(tmp_path):
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with open_stack(tmp_path / "a.png") as stack:
        # 76.245, 149.685, 29.07 and 255, rounded
        assert stack.rows(0, 0, 1).tolist() == [[76, 150, 29, 255]]


@pytest.mark.parametrize(
    ("kind", "axes"),
    [("imagej", "ZCYX"), ("imagej", "TZCYX"), ("ome", "TCZYX"), ("ome", "CZYX"), ("ome", "ZCYX")],
)
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_channels_as_pages(tmp_path, kind, axes, compression):
    sizes = {"T": 2, "Z": 3, "C": 4, "Y": 17, "X": 19}
    shape = tuple(sizes[axis] for axis in axes)
    pixels = RNG.integers(0, 2**16, shape, np.uint16)
    options = {kind: True, "compression": compression, "metadata": {"axes": axes}}
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, photometric="minisblack", **options)
    planes = int(np.prod(shape[:-2])) // 4
    assert read_header(path) == Header(planes, 17, 19, 4, "uint16")
    expected = np.moveaxis(pixels, axes.index("C"), 0)[2].reshape(planes, 17, 19)
    assert_same(planes_of(path, 2), expected)
    with pytest.raises(ValueError, match=r"4 channels: set `channel` to the number of one, 0 to 3"):
        open_stack(path)


def test_names_of_channels_in_ome_tiff(tmp_path):
    pixels, names = np.zeros((3, 2, 17, 19), np.uint8), ["DAPI", "Alexa 488/FITC"]
    metadata = {"axes": "ZCYX", "Channel": {"Name": names}}
    tifffile.imwrite(tmp_path / "a.tif", pixels, ome=True, metadata=metadata)
    header = read_header(tmp_path / "a.tif")
    assert header.channel_names == tuple(names)
    assert [channel_number(header, one) for one in ("Alexa 488/FITC", 0)] == [1, 0]
    tifffile.imwrite(tmp_path / "b.tif", pixels, ome=True, metadata={"axes": "ZCYX"})
    assert read_header(tmp_path / "b.tif").channel_names in ((), ("", ""))
    twice = metadata | {"Channel": {"Name": ["DAPI", "DAPI"]}}
    tifffile.imwrite(tmp_path / "c.tif", pixels, ome=True, metadata=twice)
    with pytest.raises(ValueError, match=r"several of the image's channels are called DAPI"):
        channel_number(read_header(tmp_path / "c.tif"), "DAPI")


def test_wavelengths_are_names():
    header = Header(1, 17, 19, 3, "uint8", channel_names=("405", "488", "1"))
    found = [channel_number(header, one) for one in (488, "488", 1, "1", "405")]
    assert found == [1, 1, 1, 2, 0]


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        (4, r"channel 4 does not exist: the image has 4, from 0 on, called DAPI, Cy3$"),
        ("cy3", r"channel cy3 does not exist: the image has 4"),
        ("2", r"channel 2 does not exist"),
    ],
)
def test_channels_that_an_image_has_not(channel, message):
    header = Header(1, 17, 19, 4, "uint8", channel_names=("DAPI", "", "Cy3", ""))
    with pytest.raises(ValueError, match=message):
        channel_number(header, channel)


def test_names_of_channels_in_a_message():
    # on one line, whatever they are
    names = ("a/b\nc", "x" * 300, "\x1b[2J", *map(str, range(100, 200)))
    header = Header(1, 17, 19, len(names), "uint8", channel_names=names)
    shown = ["a/b?c", "x" * 40 + "...", "?[2J", *map(str, range(100, 117)), "..."]
    with pytest.raises(ValueError, match=r"from 0 on, called") as error:
        channel_number(header, "none")
    assert str(error.value).endswith(f"called {', '.join(shown)}")


def test_three_channels_as_pages_are_colors(tmp_path):
    pixels = np.moveaxis(DEEP_RGB, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", pixels, ome=True, metadata={"axes": "CYX"})
    assert read_header(tmp_path / "a.tif") == Header(1, 37, 53, 3, "uint16")
    assert_same(colors_of(tmp_path / "a.tif"), DEEP_RGB)


def test_hyperspectral_samples(tmp_path):
    pixels = RNG.integers(0, 256, (37, 53, 6), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", planarconfig="contig")
    assert read_header(tmp_path / "a.tif") == Header(1, 37, 53, 6, "uint8")
    assert_same(planes_of(tmp_path / "a.tif", 5), pixels[None, ..., 5])


def test_palette_tiff(tmp_path):
    palette = np.zeros((3, 256), np.uint16)
    palette[:, :2] = [[10 << 8, 40 << 8], [20 << 8, 50 << 8], [30 << 8, 60 << 8]]
    index = MASK.astype(np.uint8)
    tifffile.imwrite(tmp_path / "color.tif", index, photometric="palette", colormap=palette)
    expected = np.where(MASK[..., None], [40, 50, 60], [10, 20, 30]).astype(np.uint8)
    assert read_header(tmp_path / "color.tif") == Header(1, 37, 53, 3, "uint8")
    assert_same(colors_of(tmp_path / "color.tif"), expected)
    assert_same(planes_of(tmp_path / "color.tif", "green"), expected[None, ..., 1])
    palette[:] = palette[0]
    tifffile.imwrite(tmp_path / "grey.tif", index, photometric="palette", colormap=palette)
    assert read_header(tmp_path / "grey.tif") == Header(1, 37, 53, 1, "uint8")
    assert_same(planes_of(tmp_path / "grey.tif"), expected[None, ..., 0])


def test_file_of_an_ome_set_holds_its_own_pages(tmp_path):
    """The OME metadata of each of two files list the planes of both."""
    names = ["a_0.ome.tif", "a_1.ome.tif"]
    parts = "".join(
        f'<TiffData FirstZ="{z}" IFD="0" PlaneCount="1">'
        f'<UUID FileName="{name}">urn:uuid:0000000{z}-0000-0000-0000-000000000000</UUID></TiffData>'
        for z, name in enumerate(names)
    )
    for z, name in enumerate(names):
        description = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="urn:uuid:0000000{z}-0000-0000-0000-000000000000"><Image ID="Image:0">'
            '<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" SizeX="53" SizeY="37" '
            'SizeC="1" SizeZ="2" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
            f"{parts}</Pixels></Image></OME>"
        )
        tifffile.imwrite(tmp_path / name, STACK[z], description=description, metadata=None)
    with tifffile.TiffFile(tmp_path / names[0]) as file:
        assert file.series[0].shape == (2, 37, 53)
    assert read_header(tmp_path / names[1]) == Header(1, 37, 53, 1, "uint8")
    assert_same(planes_of([tmp_path / name for name in names]), STACK[:2])


def test_missing_planes_of_ome_tiff(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK, ome=True, metadata={"axes": "ZYX"})
    data = (tmp_path / "a.tif").read_bytes()
    assert data.count(b'SizeZ="4"') == data.count(b'PlaneCount="4"') == 1
    (tmp_path / "a.tif").write_bytes(data.replace(b'PlaneCount="4"', b'PlaneCount="3"'))
    with pytest.raises(ValueError, match=r"a.tif cannot be read: .* not have all the planes"):
        read_header(tmp_path / "a.tif")


def test_pages_of_different_sizes_are_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(GREY, metadata=None)
        file.write(GREY[:20], metadata=None)
    with pytest.raises(ValueError, match=r"a.tif has pages of different kinds"):
        read_header(tmp_path / "a.tif")


def test_reduced_pages_are_left_out(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(GREY, metadata=None)
        file.write(GREY[:20], metadata=None, subfiletype=1)
    assert read_header(tmp_path / "a.tif") == Header(1, 37, 53, 1, "uint8")


@pytest.mark.parametrize(
    ("dtype", "remedy"),
    [("float64", "float32"), ("float16", "float32"), ("int32", "uint16"), ("uint32", "uint16")],
)
def test_other_dtypes_are_refused(tmp_path, dtype, remedy):
    tifffile.imwrite(tmp_path / "a.tif", GREY.astype(dtype))
    with pytest.raises(ValueError, match=rf"a.tif has pixels of {dtype}.* convert .*{remedy}"):
        read_header(tmp_path / "a.tif")


# OME-Zarr


def write_ome_zarr(path, pixels, axes, version, **options):
    kinds = {"t": "time", "c": "channel"}
    multiscales = [
        {
            "axes": [{"name": axis, "type": kinds.get(axis, "space")} for axis in axes],
            "datasets": [{"path": "0"}],
        }
    ]
    if version == "0.4":
        group = zarr.open_group(path, mode="w", zarr_format=2)
        group.attrs["multiscales"] = multiscales
    else:
        group = zarr.open_group(path, mode="w", zarr_format=3)
        group.attrs["ome"] = {"version": version, "multiscales": multiscales}
    array = group.create_array("0", shape=pixels.shape, dtype=pixels.dtype, **options)
    array[...] = pixels


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("axes", ["zyx", "tczyx", "czyx", "yx", "zyxc", "zcyx"])
def test_ome_zarr(tmp_path, version, axes):
    sizes = {"t": 1, "c": 2, "z": 5, "y": 17, "x": 19}
    shape = tuple(sizes[axis] for axis in axes)
    pixels = RNG.integers(0, 2**16, shape, np.uint16)
    path = tmp_path / "a.zarr"
    chunks = tuple({"z": 2, "y": 8, "x": 8}.get(axis, 1) for axis in axes)
    write_ome_zarr(path, pixels, axes, version, chunks=chunks)
    channels, planes = (2 if "c" in axes else 1), (5 if "z" in axes else 1)
    assert read_header(path) == Header(planes, 17, 19, channels, "uint16")
    expected = np.moveaxis(pixels, axes.index("c"), 0)[-1] if "c" in axes else pixels
    expected = expected.reshape(planes, 17, 19)
    assert_same(planes_of(path, channels - 1), expected)


@pytest.mark.parametrize("slab", [2**29, 1])
def test_ome_zarr_is_read_by_chunks(tmp_path, monkeypatch, slab):
    monkeypatch.setattr(omezarr, "SLAB_BYTES", slab)
    write_ome_zarr(tmp_path / "a", STACK, "zyx", "0.5", chunks=(2, 8, 16), shards=(4, 16, 16))
    assert_same(planes_of(tmp_path / "a"), STACK)
    with open_stack(tmp_path / "a") as stack:
        assert_same(stack.rows(3, 30, 37), STACK[3, 30:37])
        assert_same(stack.rows(0, 8, 16), STACK[0, 8:16])


def test_no_plane_of_ome_zarr_is_decoded_twice(tmp_path, monkeypatch):
    write_ome_zarr(tmp_path / "a", STACK, "zyx", "0.5", chunks=(3, 8, 16))
    reads = []
    read = zarr.Array.__getitem__
    monkeypatch.setattr(
        zarr.Array, "__getitem__", lambda array, at: reads.append(at) or read(array, at)
    )
    planes_of(tmp_path / "a")
    assert [(at[0].start, at[0].stop) for at in reads] == [(0, 3), (3, 4)]


def test_color_and_boolean_ome_zarr(tmp_path):
    write_ome_zarr(tmp_path / "rgb", np.moveaxis(RGB, -1, 0), "cyx", "0.4", chunks=(1, 20, 20))
    assert read_header(tmp_path / "rgb") == Header(1, 37, 53, 3, "uint8")
    assert_same(colors_of(tmp_path / "rgb"), RGB)
    np.testing.assert_allclose(planes_of(tmp_path / "rgb")[0], rec601(RGB), atol=0.51)
    for version in ("0.4", "0.5"):
        write_ome_zarr(tmp_path / "mask", MASK, "yx", version, chunks=(20, 20))
        assert read_header(tmp_path / "mask") == Header(1, 37, 53, 1, "uint8")
        assert_same(planes_of(tmp_path / "mask"), MASK[None].astype(np.uint8))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize(
    ("omero", "names"),
    [
        ({"channels": [{"label": "DAPI"}, {"color": "ff0000"}]}, ("DAPI", "")),
        ({"channels": [{"label": "DAPI"}]}, ()),
        ({"channels": [{"label": 1}, "b"]}, ("", "")),
        ({"channels": 3}, ()),
        ("none", ()),
        (None, ()),
    ],
)
def test_names_of_channels_in_ome_zarr(tmp_path, version, omero, names):
    pixels = np.zeros((2, 17, 19), np.uint8)
    write_ome_zarr(tmp_path / "a", pixels, "cyx", version, chunks=(1, 8, 8))
    group = zarr.open_group(tmp_path / "a", mode="r+")
    if version == "0.4":
        group.attrs["omero"] = omero
    else:
        group.attrs["ome"] = {**group.attrs["ome"], "omero": omero}
    assert read_header(tmp_path / "a").channel_names == names


def test_big_endian_ome_zarr(tmp_path):
    write_ome_zarr(tmp_path / "a", DEEP.astype(">u2"), "yx", "0.4", chunks=(20, 20))
    assert json.loads((tmp_path / "a/0/.zarray").read_text())["dtype"] == ">u2"
    assert read_header(tmp_path / "a") == Header(1, 37, 53, 1, "uint16")
    assert_same(planes_of(tmp_path / "a"), DEEP[None])


def test_ome_zarr_that_is_refused(tmp_path):
    write_ome_zarr(tmp_path / "times", STACK, "tyx", "0.4", chunks=(1, 37, 53))
    with pytest.raises(ValueError, match=r"times has 4 points in time: save one"):
        read_header(tmp_path / "times")
    write_ome_zarr(tmp_path / "long", STACK.astype(np.int64), "zyx", "0.5", chunks=(1, 37, 53))
    with pytest.raises(ValueError, match=r"long has pixels of int64"):
        read_header(tmp_path / "long")
    write_ome_zarr(tmp_path / "axes", STACK, "ayx", "0.5", chunks=(1, 37, 53))
    with pytest.raises(ValueError, match=r"axes has axes ayx"):
        read_header(tmp_path / "axes")
    zarr.open_group(tmp_path / "group", mode="w")
    (tmp_path / "folder").mkdir()
    for name in ("group", "folder"):
        with pytest.raises(ValueError, match=rf"{name} is a folder, but no OME-Zarr image"):
            read_header(tmp_path / name)
    (tmp_path / "long/0/zarr.json").unlink()
    with pytest.raises(ValueError, match=r"long cannot be read: its array .* is missing"):
        read_header(tmp_path / "long")


# what is read, and by which library


def test_headers_are_read_without_pixels(tmp_path, monkeypatch):
    palette = Image.fromarray(MASK.astype(np.uint8), "P")
    palette.putpalette([10, 20, 30, 40, 50, 60])
    frames = {"save_all": True, "append_images": [Image.fromarray(RGB[::-1])]}
    for name, image, options in (
        ("a.png", palette, {}),
        ("b.png", Image.fromarray(RGB), {}),
        ("a.bmp", palette, {}),
        ("a.jpg", Image.fromarray(RGB), {}),
        ("a.gif", palette, frames),
        ("a.webp", Image.fromarray(RGB), frames),
        ("a.ppm", Image.fromarray(RGB), {}),
    ):
        image.save(tmp_path / name, **options)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("pixels are decoded"))
    for path in sorted(tmp_path.iterdir()):
        planes = 2 if path.suffix in (".gif", ".webp") else 1
        assert read_header(path) == Header(planes, 37, 53, 3, "uint8")
    with pytest.raises(pytest.fail.Exception), open_stack(tmp_path / "a.png") as stack:
        stack.rows(0, 0, 1)


def test_libraries_are_imported_where_they_are_used(tmp_path):
    write_png(tmp_path / "a.png", RGB, 8, 2)
    Image.fromarray(RGB).save(tmp_path / "a.webp")
    tifffile.imwrite(tmp_path / "a.tif", GREY)
    write_ome_zarr(tmp_path / "a.zarr", GREY, "yx", "0.5", chunks=(20, 20))
    code = (
        "import sys; from tilewise.read.files import read_header; read_header(sys.argv[1]);"
        "print(*sorted({'PIL', 'imageio', 'tifffile', 'zarr'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for name, libraries in (
        ("a.png", ["PIL"]),
        ("a.webp", ["PIL", "imageio"]),
        ("a.tif", ["tifffile"]),
        ("a.zarr", []),
    ):
        command = [sys.executable, "-c", code, tmp_path / name]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert run.stdout.split() == libraries


# damaged files


def make_deep(path):
    write_png(path, DEEP_RGB, 16, 2)


def make_tiff(**options):
    return lambda path: tifffile.imwrite(path, STACK, photometric="minisblack", **options)


def make_single_page(path):
    """ImageJ writes stacks of more than 4 GB so: one page is followed by the pixels of all."""
    tifffile.imwrite(path, STACK, imagej=True, metadata={"axes": "ZYX"}, byteorder="<")
    data = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", data, 4)
    (tags,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * tags, 0)
    path.write_bytes(data)


def test_planes_that_follow_a_single_page(tmp_path):
    make_single_page(tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert len(file.pages) == 1
    assert_same(planes_of(tmp_path / "a.tif"), STACK)
    tifffile.imwrite(tmp_path / "b.tif", STACK, photometric="minisblack", truncate=True)
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        assert len(file.pages) == 1
    assert_same(planes_of(tmp_path / "b.tif"), STACK)


def make_jpeg(path):
    Image.fromarray(GREY).save(path, quality=100)


def make_gif(path):
    frames = [Image.fromarray(plane) for plane in STACK]
    frames[0].save(path, save_all=True, append_images=frames[1:])


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9])
@pytest.mark.parametrize(
    "make",
    [
        lambda path: Image.fromarray(GREY).save(path),
        lambda path: Image.fromarray(RGB).save(path, "BMP"),
        make_deep,
        make_jpeg,
        make_gif,
        make_tiff(),
        make_tiff(compression="zlib"),
        make_tiff(tile=(16, 16)),
        make_tiff(bigtiff=True, metadata=None),
        make_tiff(imagej=True, metadata={"axes": "ZYX"}),
        make_tiff(ome=True, metadata={"axes": "ZYX"}),
        make_single_page,
        make_tiff(truncate=True),
        lambda path: Image.fromarray(GREY).save(path, "TIFF"),
    ],
    ids=[
        "png",
        "bmp",
        "deep png",
        "jpeg",
        "gif",
        "tiff",
        "zlib tiff",
        "tiled tiff",
        "bigtiff",
        "imagej tiff",
        "ome tiff",
        "single-page imagej tiff",
        "single-page tiff",
        "pillow tiff",
    ],
)
def test_truncated_files_are_named(tmp_path, make, part):
    path = tmp_path / ("whole.jpg" if make is make_jpeg else "whole.png")
    if make is make_gif:
        path = tmp_path / "whole.gif"
    make(path)
    whole = planes_of(path)
    assert whole.shape[1:] == (37, 53)
    data = path.read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(ValueError, match=r"cut cannot be read: .*; replace it"):
        planes_of(cut)


def test_truncated_gif_is_found_by_its_header(tmp_path):
    """Pillow takes a file that ends within the description of a frame for one of fewer frames."""
    make_gif(tmp_path / "a.gif")
    data = (tmp_path / "a.gif").read_bytes()
    last = data.rindex(b",\0\0\0\0" + struct.pack("<HH", 53, 37))
    for size in range(last + 1, len(data) - 1):
        (tmp_path / "cut.gif").write_bytes(data[:size])
        with pytest.raises(ValueError, match=r"cut.gif cannot be read: .* truncated; replace it"):
            read_header(tmp_path / "cut.gif")


@pytest.mark.parametrize(
    "options", [{}, {"tile": (16, 16)}, {"rowsperstrip": 5, "compression": "zlib"}], ids=str
)
def test_truncated_tiff_is_found_by_its_header(tmp_path, options):
    tifffile.imwrite(tmp_path / "a.tif", GREY, metadata=None, **options)
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[:-100])
    with pytest.raises(ValueError, match=r"a.tif cannot be read: .* truncated; replace it"):
        read_header(tmp_path / "a.tif")


def test_deep_png_without_its_end(tmp_path):
    make_deep(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:-12])
    with pytest.raises(ValueError, match=r"a.png cannot be read: .* truncated; replace it"):
        planes_of(tmp_path / "a.png")


def test_damaged_png_is_named(tmp_path):
    for name, make in [
        ("a", lambda path: Image.fromarray(GREY).save(path, "PNG")),
        ("b", make_deep),
    ]:
        make(tmp_path / name)
        data = bytearray((tmp_path / name).read_bytes())
        data[len(data) // 2] ^= 255
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=rf"{name} cannot be read: .*; replace it"):
            planes_of(tmp_path / name)


def test_other_files_are_named(tmp_path):
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.png").touch()
    with pytest.raises(
        ValueError, match=r"text.png cannot be read: it is no PNG.*; replace it, or save it as TIFF"
    ):
        read_header(tmp_path / "text.png")
    with pytest.raises(ValueError, match=r"empty.png cannot be read: .* empty; replace it"):
        read_header(tmp_path / "empty.png")
    with pytest.raises(ValueError, match=r"absent.png does not exist"):
        read_header(tmp_path / "absent.png")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_float_that_is_not_finite(tmp_path, bad):
    pixels = np.stack([FLOAT, FLOAT])
    pixels[1, 20, 3] = bad
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    with open_stack(tmp_path / "a.tif") as stack:
        assert_same(stack.rows(0, 0, 37), FLOAT)
        assert_same(stack.rows(1, 0, 20), FLOAT[:20])
        with pytest.raises(ValueError, match=r"a.tif: plane 1 has NaN .* replace them"):
            stack.rows(1, 16, 37)


# stacks


def test_stack_of_files(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK[:2])
    Image.fromarray(STACK[2]).save(tmp_path / "b.png")
    tifffile.imwrite(tmp_path / "c.tif", STACK[3], compression="zlib")
    paths = [tmp_path / name for name in ("a.tif", "b.png", "c.tif")]
    with open_stack(paths) as stack:
        assert stack.header == Header(4, 37, 53, 1, "uint8")
        assert_same(stack.rows(3, 1, 4), STACK[3, 1:4])
        assert_same(stack.rows(1, 1, 4), STACK[1, 1:4])
        with pytest.raises(IndexError):
            stack.rows(4, 0, 1)
        with pytest.raises(IndexError):
            stack.rows(0, 30, 38)
    assert_same(planes_of(paths), STACK)


def test_files_of_a_stack_must_agree(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    Image.fromarray(GREY[:30]).save(tmp_path / "small.png")
    Image.fromarray(DEEP).save(tmp_path / "deep.png")
    with pytest.raises(ValueError, match=r"small.png is 30 x 53 px, .*a.png 37 x 53"):
        open_stack([tmp_path / "a.png", tmp_path / "small.png"])
    with pytest.raises(ValueError, match=r"deep.png has 1 channels of uint16, .*a.png 1 of uint8"):
        open_stack([tmp_path / "a.png", tmp_path / "deep.png"])
    with pytest.raises(ValueError, match="at least one file"):
        open_stack([])


def test_channels_that_do_not_exist(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    assert_same(planes_of(tmp_path / "a.png", "blue"), GREY[None])
    with pytest.raises(ValueError, match=r"channel 1 does not exist"):
        open_stack(tmp_path / "a.png", 1)
    with pytest.raises(ValueError, match=r"channel 'pink' is none of luma, red"):
        open_stack(tmp_path / "a.png", "pink")
    with pytest.raises(ValueError, match=r"not RGB"), open_stack(tmp_path / "a.png") as stack:
        stack.color_rows(0, 0, 1)


def test_planes_in_order_are_decoded_once(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", STACK, photometric="minisblack", compression="zlib")
    pages = []
    decode = tifffile.TiffPage.asarray
    monkeypatch.setattr(
        tifffile.TiffPage,
        "asarray",
        lambda page, **options: pages.append(page.index) or decode(page, **options),
    )
    monkeypatch.setattr(
        tifffile.TiffFrame,
        "asarray",
        lambda page, **options: pages.append(page.index) or decode(page, **options),
    )
    assert_same(planes_of(tmp_path / "a.tif"), STACK)
    assert pages == [0, 1, 2, 3]


def test_no_more_than_one_plane_is_kept(tmp_path):
    options = {"photometric": "minisblack", "compression": "zlib"}
    tifffile.imwrite(tmp_path / "a.tif", STACK, **options)
    with open_stack(tmp_path / "a.tif") as stack:
        for z in (0, 1, 2):
            stack.rows(z, 0, 1)
        assert list(stack._reader._pages) == [2]


def test_pictures_are_decoded_once(tmp_path, monkeypatch):
    make_deep(tmp_path / "a.png")
    calls = []
    decode = cv2.imdecode
    monkeypatch.setattr(cv2, "imdecode", lambda *given: calls.append(1) or decode(*given))
    planes_of(tmp_path / "a.png", "red")
    assert len(calls) == 1


def test_check(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY)
    rows, columns = GREY.shape
    with open_stack(tmp_path / "a.tif") as stack:
        stack.check(rows, columns, "uint8")
        for wrong in ((rows + 1, columns, "uint8"), (rows, columns, "uint16")):
            with pytest.raises(ValueError, match=r"a.tif is .* correct `shape` and `dtype`"):
                stack.check(*wrong)
