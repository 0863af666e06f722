import numpy as np
import pytest
import tifffile
from PIL import Image

from tilewise.read.program_masks import read_mask


def test_labels_keep_their_values(tmp_path):
    labels = np.array([[0, 70000, 3]], np.uint32)
    tifffile.imwrite(tmp_path / "a.b_z0.tif", labels, photometric="minisblack")
    (tmp_path / "a.b_z0_log.txt").write_text("done")
    mask = read_mask(tmp_path, "a.b_z0", (1, 3))
    assert (mask.dtype, mask.tolist()) == (np.float32, [[0, 70000, 3]])


def test_another_format(tmp_path):
    Image.fromarray(np.array([[0, 255]], np.uint8)).save(tmp_path / "a.png")
    assert read_mask(tmp_path, "a", (1, 2)).tolist() == [[0, 255]]


def refused(folder, words, name="a"):
    with pytest.raises(ValueError, match=words):
        read_mask(folder, name, (4, 5))


def test_a_missing_file(tmp_path):
    (tmp_path / "ab.tif").write_text("")
    refused(tmp_path, r"it wrote no a.tif to `\{output\}`, and 1 other files")


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((5, 4), "a.tif has 1 planes and 1 channels of 5 x 4 px: it must have one of 4 x 5"),
        ((2, 4, 5), "a.tif has 2 planes and 1 channels of 4 x 5"),
        ((4, 5, 3), "a.tif has 1 planes and 3 channels of 4 x 5"),
    ],
)
def test_another_size(tmp_path, shape, words):
    kind = "rgb" if shape[-1] == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", np.zeros(shape, np.uint8), photometric=kind)
    refused(tmp_path, words)


def test_what_cannot_be_read(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0")
    refused(tmp_path, "a.tif cannot be read")


def test_no_numbers(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.full((4, 5), np.nan, np.float32))
    refused(tmp_path, "a.tif: plane 0 has NaN")
