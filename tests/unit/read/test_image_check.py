import numpy as np
import pytest

from tilewise.read.image_check import ImageCheck, copies, doubts_of
from tilewise.store.grid import Region

RNG = np.random.default_rng(1)


def check(image, rows=7, columns=None, sample="a"):
    """The row of an image that is looked at in pieces, as text."""
    height, width = image.shape
    columns = columns or width
    seen = ImageCheck(height, width)
    for y in range(0, height, rows):
        for x in range(0, width, columns):
            y1, x1 = min(y + rows, height), min(x + columns, width)
            seen.add(Region(0, 1, y, y1, x, x1), image[y:y1, x:x1])
    return {name: str(value) for name, value in seen.row(sample).items()}


def codes(*rows, **options):
    return [doubt.code for doubt in doubts_of(rows, **options)]


def round_field(dtype=np.uint8, side=40):
    y, x = np.mgrid[:side, :side] - side / 2 + 0.5
    image = RNG.integers(20, 200, (side, side)).astype(dtype)
    image[y**2 + x**2 > (side / 2) ** 2] = 0
    return image


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_usual_images_leave_no_doubt(dtype):
    assert codes(check(RNG.normal(100, 20, (30, 33)).astype(dtype))) == []


@pytest.mark.parametrize("values", [(0, 255), (0, 1), (-2.5, 3)])
def test_masks_as_images(values):
    image = np.where(RNG.random((30, 33)) < 0.3, *values).astype(np.float32)
    (doubt,) = doubts_of([check(image)])
    assert (doubt.code, doubt.sample) == ("image_of_two_values", "a")
    low, high = sorted(map(float, values))
    assert f"only the values {low} and {high}" in doubt.message
    image[17, 4] = 0.5
    assert codes(check(image)) == []


def test_two_values_in_all_blocks_of_a_sample():
    low, high = np.zeros((9, 9), np.uint8), np.full((9, 9), 7, np.uint8)
    assert codes(check(low), check(high)) == ["image_of_two_values"]
    assert codes(check(low), check(low)) == ["constant_image"]
    # constant blocks of three values are an odd image, but no mask
    assert codes(check(low), check(high), check(high + 1)) != ["image_of_two_values"]


@pytest.mark.parametrize(("rows", "columns"), [(40, 40), (7, 40), (1, 40), (16, 16)])
def test_frames_around_round_fields(rows, columns):
    image = round_field()
    border = np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])
    row = check(image, rows, columns)
    assert int(row["border"]) == border.size
    assert codes(row) == ["frame"]
    assert codes(row, has_roi=["a"]) == []
    if columns == 40 and rows == 40:
        assert int(row["border_constant"]) == np.count_nonzero(border == 0)
        assert int(row["constant"]) == np.count_nonzero(image == 0)


def test_dark_backgrounds_are_no_frames():
    stars = np.where(RNG.random((40, 40)) < 0.05, 200, 0).astype(np.uint8)
    stars[3, 3] = 100
    assert codes(check(stars)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_tiny_images(shape):
    row = check(np.arange(np.prod(shape), dtype=np.uint8).reshape(shape))
    assert int(row["border"]) == np.prod(shape)


def test_copies_of_an_image_that_are_not_of_one_group():
    read = {"a.png": (1, 90, 7), "b.png": (1, 90, 8), "copy.png": (1, 90, 7)}

    def doubted(*traced):
        return [doubt.message for doubt in copies(traced, read)]

    first, other, copy = (("A", "a.png"), ("B", "b.png"), ("C", "copy.png"))
    (message,) = doubted((*first, ""), (*other, ""), (*copy, ""))
    assert message.startswith("samples A and C have the same image under two names (a.png and copy")
    assert len(doubted((*first, "g"), (*copy, "h"))) == 1
    # of one group they are not independent anyway; one file of two samples is another matter
    assert doubted((*first, "g"), (*copy, "g")) == []
    assert doubted((*first, ""), ("C", "a.png", "")) == []
    assert doubted((*first, ""), ("C", "never read.png", "")) == []
    assert doubted(("C", "never read.png", ""), ("D", "nor this.png", "")) == []
