import numpy as np
import pytest
from PIL import Image

from tilewise.view.png import write_png

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (37, 53), np.uint8)
RGB = RNG.integers(0, 256, (37, 53, 3), np.uint8)
DEEP = RNG.integers(0, 2**16, (37, 53), np.uint16)


@pytest.mark.parametrize("pixels", [GREY, RGB, RGB[:, ::-1, ::-1]])
def test_write_png(tmp_path, pixels):
    write_png(tmp_path / "a.png", pixels)
    write_png(tmp_path / "b.png", pixels)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), pixels)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("pixels", [DEEP, RGB[..., :2], GREY[:0]])
def test_write_png_refuses(tmp_path, pixels):
    with pytest.raises(ValueError, match=r"a.png: pixels are .*: give uint8"):
        write_png(tmp_path / "a.png", pixels)
    with pytest.raises(OSError, match="absent"):
        write_png(tmp_path / "absent" / "a.png", GREY)
