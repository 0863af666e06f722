"""Truth and regions of interest, brought into the grid."""

import numpy as np
import pytest
import tifffile
import zarr

from tilewise.read import annotation
from tilewise.read.annotation import Piece, PieceReader, PixelReader, TruthReader
from tilewise.store.grid import Region


def read(folder, plane, reader=TruthReader, **settings):
    """What a reader makes of a file that covers all of a plane."""
    plane = np.atleast_2d(plane)
    tifffile.imwrite(folder / "truth.tif", plane, photometric="minisblack")
    piece = Piece(str(folder / "truth.tif"), 0, 0, 0, 0, *plane.shape)
    with reader([piece], **settings) as opened:
        pixels = opened.read(piece.region)
    assert pixels.dtype == np.uint8
    return pixels.tolist()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 255], [0, 1]),
        ([0, 1], [0, 1]),
        ([0, 0], [0, 0]),
        ([255, 255], [1, 1]),
        ([1, 1], [1, 1]),
    ],
)
def test_usual_truth(tmp_path, values, expected, dtype):
    assert read(tmp_path, np.array(values, dtype)) == [expected]


def test_truth_of_one_bit(tmp_path):
    assert read(tmp_path, np.array([False, True])) == [[0, 1]]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(
    ("values", "foreground", "expected"),
    [
        ([3, 7, 3], 7.0, [0, 1, 0]),
        ([3, 7, 3], 3, [1, 0, 1]),
        ([3], 9, [0]),
        ([0, 255], 0, [1, 0]),
    ],
)
def test_truth_with_foreground(tmp_path, values, foreground, expected, dtype):
    assert read(tmp_path, np.array(values, dtype), foreground=foreground) == [expected]


@pytest.mark.parametrize(
    ("values", "foreground", "message"),
    [
        ([3, 7], None, r"truth.tif: .*values 3, 7, not .*`truth_foreground`"),
        ([7, 7], None, r"values 7, not .*`truth_foreground`"),
        ([1, 255], None, r"values 1, 255, not .*`truth_foreground`"),
        ([3, 7], 5, r"values 3, 7, `truth_foreground` is 5"),
        ([0, 1, 255], None, r"3 values \(0, 1, 255\).*`truth_foreground`"),
        ([0, 1, 2, 3, 4, 5, 6], 255, r"7 values \(0, 1, 2, 3, 4, \.\.\.\).*`truth_foreground`"),
        ([0, 1, 2], None, r"3 values .*label image.*`truth_foreground: labels`; else .*no JPEG"),
    ],
)
def test_truth_that_is_refused(tmp_path, values, foreground, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, np.array(values, np.uint8), foreground=foreground)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "uint32", "int64", "float32"])
def test_label_images(tmp_path, dtype):
    """All objects are foreground, whatever their numbers; also one alone, and none."""
    for values, expected in (([0, 3, 1, 0, 2], [0, 1, 1, 0, 1]), ([0, 7], [0, 1]), ([0], [0])):
        assert read(tmp_path, np.array(values, dtype), foreground="labels") == [expected]


@pytest.mark.parametrize(("value", "dtype"), [(0.5, "float32"), (-1, "int16")])
def test_label_images_that_are_refused(tmp_path, value, dtype):
    with pytest.raises(ValueError, match=rf"truth.tif: .*value {value:g}, .*whole numbers from 0"):
        read(tmp_path, np.array([0, 3, value], dtype), foreground="labels")


def test_values_decide_together(tmp_path, monkeypatch):
    """A strip that holds 0 and 1 only is not enough: the truth's foreground is further down."""
    monkeypatch.setattr(annotation, "BAND_ROWS", 1)
    assert read(tmp_path, np.array([[0], [0], [255]], np.uint8)) == [[0], [0], [1]]
    with pytest.raises(ValueError, match="3 values"):
        read(tmp_path, np.array([[0], [1], [255]], np.uint8))


def test_refused_every_time(tmp_path):
    tifffile.imwrite(tmp_path / "truth.tif", np.array([[3, 7]], np.uint8))
    piece = Piece(str(tmp_path / "truth.tif"), 0, 0, 0, 0, 1, 2)
    with TruthReader([piece]) as truth:
        for _ in range(2):
            with pytest.raises(ValueError, match="truth_foreground"):
                truth.read(piece.region)


@pytest.mark.parametrize("shape", [(1, 2), (2, 1)])
def test_a_file_that_is_smaller_than_it_was(tmp_path, shape):
    """As where it is replaced after the workflow was planned; the rest of it is not read."""
    tifffile.imwrite(tmp_path / "truth.tif", np.ones(shape, np.uint8))
    piece = Piece(str(tmp_path / "truth.tif"), 0, 0, 0, 0, 2, 2)
    with (
        TruthReader([piece]) as truth,
        pytest.raises(ValueError, match=r"truth\.tif has 1 planes of . x . px, and is smaller"),
    ):
        truth.read(Region(0, 1, 0, 1, 0, 1))


def test_roi(tmp_path):
    assert read(tmp_path, np.array([0, 1, 255], np.uint8), PieceReader) == [[0, 1, 1]]


def test_pieces_that_cover_a_part(tmp_path):
    pieces = []
    for z, y, x in ((0, 1, 1), (1, 0, 3)):
        path = tmp_path / f"{z}.tif"
        tifffile.imwrite(path, np.array([[0, 255], [255, 0]], np.uint8))
        pieces.append(Piece(str(path), 0, z, y, x, 2, 2))
    with TruthReader(pieces) as truth:
        first, second, third = (truth.read(Region(z, z + 1, 0, 3, 0, 4)) for z in range(3))
        # columns and rows within a piece
        part = truth.read(Region(0, 1, 2, 3, 2, 3))
    assert first.tolist() == [[255, 255, 255, 255], [255, 0, 1, 255], [255, 1, 0, 255]]
    assert second.tolist() == [[255, 255, 255, 0], [255, 255, 255, 1], [255, 255, 255, 255]]
    assert (third == 255).all()
    assert part.tolist() == [[0]]


MASKS = {
    "bool": [False, True],
    "uint8": [0, 255],
    "int16": [-7, 3],
    "uint32": [0, 70000],
    "int64": [0, 2**40],
    "float16": [0.25, 0.5],
    "float64": [0.0, 0.125],
}
"""Values that float32 has, too."""


def read_masks(path, shape=(1, 2), channel=None):
    with PixelReader([Piece(str(path), 0, 0, 0, 0, *shape)], channel) as opened:
        pixels = opened.read(Region(0, 1, 0, shape[0], 0, shape[1]))
    assert pixels.dtype == np.float32
    return pixels


@pytest.mark.parametrize("dtype", MASKS)
def test_masks_of_any_numbers_keep_their_values(tmp_path, dtype):
    plane = np.array([MASKS[dtype]], dtype)
    tifffile.imwrite(tmp_path / "masks.tif", plane, photometric="minisblack")
    assert read_masks(tmp_path / "masks.tif").tolist() == [list(map(float, MASKS[dtype]))]


def test_labels_stay_above_0_however_large(tmp_path):
    labels = np.array([[1, 2**24 + 1, 2**63]], np.uint64)
    tifffile.imwrite(tmp_path / "masks.tif", labels, photometric="minisblack")
    assert (read_masks(tmp_path / "masks.tif", (1, 3)) > 0).all()


def test_one_of_several_channels_counts(tmp_path):
    maps = np.array([[[0.25, 0.5]], [[0.75, 0.5]]], np.float32)
    tifffile.imwrite(
        tmp_path / "maps.tif", maps, photometric="minisblack", metadata={"axes": "CYX"}
    )
    assert read_masks(tmp_path / "maps.tif", channel=1).tolist() == [[0.75, 0.5]]


def test_labels_of_an_ome_zarr(tmp_path):
    group = zarr.open_group(tmp_path / "image.zarr/labels/cells", mode="w", zarr_format=3)
    axes = [{"name": axis, "type": "space"} for axis in "yx"]
    multiscales = [{"axes": axes, "datasets": [{"path": "0"}]}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": multiscales}
    group.create_array("0", shape=(1, 2), dtype="uint32")[...] = [[0, 70000]]
    assert read_masks(tmp_path / "image.zarr/labels/cells").tolist() == [[0.0, 70000.0]]
