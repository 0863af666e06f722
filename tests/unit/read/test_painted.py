"""Masks that people have painted in, saved as painting programs save them."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from tilewise.read import annotation, painted
from tilewise.read.annotation import Piece, TruthReader
from tilewise.read.painted import Start, labels_of, parse_start, pixel_checksum
from tilewise.store.grid import Region

FRAME = 128
MASK = np.array(
    [
        [FRAME, FRAME, FRAME, FRAME],
        [FRAME, 0, 255, FRAME],
        [FRAME, 255, 128, FRAME],
        [FRAME, 0, 0, FRAME],
    ],
    np.uint8,
)
LABELS = [[0, 1], [1, 255], [0, 0]]
"""What the window of the mask means: its rows 1 to 3 and columns 1 and 2."""


def piece_of(path, start=None):
    return Piece(str(path), 0, 0, 10, 20, 3, 2, 1, 1, True, start)


def read(path, start=None, foreground=None):
    with TruthReader([piece_of(path, start)], foreground) as truth:
        pixels = truth.read(Region(0, 1, 10, 13, 20, 22))
    return pixels.tolist(), [piece.path for piece in truth.unpainted]


def with_palette(image):
    """With colours of its own, in another order than that of the grey levels."""
    indices = Image.fromarray(np.select([image == 0, image == 255], [2, 0], 1).astype(np.uint8))
    indices.putpalette([255, 255, 255, 128, 128, 128, 0, 0, 0])
    return indices


def with_alpha(image, mode):
    grey = Image.fromarray(image).convert(mode)
    grey.putalpha(255)
    return grey


SAVED = {
    "GIMP, grey": lambda path: Image.fromarray(MASK).save(path, compression="tiff_lzw"),
    "GIMP, transparency": lambda path: with_alpha(MASK, "L").save(path),
    "GIMP, RGB": lambda path: Image.fromarray(MASK).convert("RGB").save(path),
    "GIMP, RGBA": lambda path: with_alpha(MASK, "RGB").save(path),
    "GIMP, indexed": lambda path: with_palette(MASK).save(path),
    "PNG, grey": lambda path: Image.fromarray(MASK).save(path, format="PNG"),
    "PNG, indexed": lambda path: with_palette(MASK).save(path, format="PNG"),
    "PNG, RGBA": lambda path: with_alpha(MASK, "RGB").save(path, format="PNG"),
    "Fiji": lambda path: tifffile.imwrite(path, MASK, imagej=True),
    "Fiji, 16 bits": lambda path: tifffile.imwrite(path, MASK.astype(np.uint16), imagej=True),
    "napari": lambda path: tifffile.imwrite(path, MASK.astype(np.uint32), compression="zlib"),
    "napari, first label": lambda path: tifffile.imwrite(
        path, np.where(MASK == 255, 1, MASK).astype(np.int64)
    ),
    "OpenCV": lambda path: path.write_bytes(cv2.imencode(".tif", MASK)[1].tobytes()),
}


@pytest.mark.parametrize("program", SAVED)
def test_a_mask_means_the_same_in_whatever_way_it_is_saved(tmp_path, program):
    SAVED[program](tmp_path / "mask.tif")
    # a value that other truth of the sample has says nothing of it
    assert read(tmp_path / "mask.tif", foreground=7) == (LABELS, [])


@pytest.mark.parametrize("program", SAVED)
def test_a_starting_point_that_was_saved_again_is_no_truth(tmp_path, program):
    SAVED[program](tmp_path / "mask.tif")
    start = pixel_checksum(np.array(LABELS, np.uint8))
    labels, unpainted = read(tmp_path / "mask.tif", start)
    assert labels == [[255, 255]] * 3
    assert unpainted == [str(tmp_path / "mask.tif")]


def test_one_pixel_makes_it_truth_and_the_frame_does_not(tmp_path):
    start, path = pixel_checksum(np.array(LABELS, np.uint8)), tmp_path / "mask.tif"
    mask = MASK.copy()
    mask[0] = 255
    mask[1:, 3] = [17, 90, 0]
    tifffile.imwrite(path, mask)
    assert read(path, start) == ([[255, 255]] * 3, [str(path)])
    mask[3, 2] = 255
    tifffile.imwrite(path, mask)
    assert read(path, start) == ([[0, 1], [1, 255], [0, 1]], [])


def test_checksums_are_of_the_whole_window(tmp_path, monkeypatch):
    monkeypatch.setattr(annotation, "BAND_ROWS", 2)
    tifffile.imwrite(tmp_path / "mask.tif", MASK)
    piece = piece_of(tmp_path / "mask.tif", pixel_checksum(np.array(LABELS, np.uint8)))
    with TruthReader([piece]) as truth:
        # a block that holds a part of it
        assert truth.read(Region(0, 1, 12, 20, 0, 21)).tolist() == [[255] * 21] * 8
    assert truth.unpainted == {piece}


def test_soft_edges_are_refused_with_what_to_do(tmp_path):
    mask = MASK.copy()
    mask[1, 1:3] = 37, 200
    tifffile.imwrite(tmp_path / "mask.tif", mask)
    with pytest.raises(ValueError, match=r"mask\.tif: .* this one has 37, 200: paint with a hard"):
        read(tmp_path / "mask.tif")


def test_a_tile_of_one_value_is_clear(tmp_path):
    for value, label in ((0, 0), (255, 1), (1, 1), (128, 255)):
        tifffile.imwrite(tmp_path / "mask.tif", np.full_like(MASK, value))
        assert read(tmp_path / "mask.tif")[0] == [[label] * 2] * 3


def test_starting_points_are_written_as_text():
    start = Start(0x0000ABCD, 0x12345678)
    assert str(start) == "0000abcd-12345678"
    assert parse_start(str(start)) == start
    for text in ("abcd-12345678", "0000abcd", "0000ABCD-12345678", "0000abcd-12345678-"):
        with pytest.raises(ValueError, match="no checksum of a starting point"):
            parse_start(text)


def test_checksums_are_crc_32c():
    # the check value of the standard (RFC 3720, B.4, and every catalogue): of the digits 1 to 9
    digits = np.frombuffer(b"123456789", np.uint8).reshape(3, 3)
    assert pixel_checksum(digits) == 0xE3069283
    assert labels_of(np.array([[0.0, 255.0, 128.0, 1.0]])).tolist() == [[0, 1, 255, 1]]


def test_doubts_are_one_per_sample():
    pairs = [("a", "x.tif"), ("a", "x.tif"), ("b", "z.tif"), ("a", "y.tif")]
    doubts = list(painted.doubts_of(pairs))
    assert [doubt.sample for doubt in doubts] == ["a", "b"]
    assert "x.tif" in doubts[0].message
    assert doubts[0].message.endswith("(and so of 1 more)")
    assert "accepted" in doubts[1].remedy
