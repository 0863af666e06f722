"""Pictures of tiles: their pixels come back, and labels without loss."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tilewise.labels import NOT_ANNOTATED
from tilewise.view import tile_packs


def pixels_of(data):
    """What Pillow reads of base64."""
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))))


def test_codes_by_hand():
    mask = np.array([[0, 1, 0, 1], [0, 1, 0, 1]], np.uint8)
    truth = np.array([[0, 0, 1, 1], [NOT_ANNOTATED, NOT_ANNOTATED, 1, 1]], np.uint8)
    inside = np.array([[True] * 4, [True, True, False, False]])
    expected = [[0, 1, 2, 3], [4, 5, 6, 7]]
    np.testing.assert_array_equal(tile_packs.label_codes(mask, truth, inside), expected)
    np.testing.assert_array_equal(tile_packs.label_codes(mask), [[4, 5, 4, 5]] * 2)


def test_disagreement_is_where_not_all_are_equal():
    masks = [np.array([own], np.uint8) for own in ([0, 1, 1, 0], [0, 1, 0, 0], [0, 1, 1, 1])]
    assert tile_packs.disagreement(masks) == 0.5
    assert tile_packs.disagreement(masks[:1]) is None


@pytest.mark.parametrize("shape", [(48, 80), (512, 512), (1, 300)])
def test_labels_come_back(shape):
    codes = np.random.default_rng(0).integers(0, 8, shape).astype(np.uint8)
    picture = tile_packs.labels(codes)
    assert picture["type"] == "image/png"
    np.testing.assert_array_equal(pixels_of(picture["data"]), codes)


def test_small_labels_are_pixels_of_the_large_ones():
    """Blocks of 8 x 8 pixels of one code stay as a pixel each."""
    small = np.random.default_rng(0).integers(0, 8, (64, 48)).astype(np.uint8)
    found = pixels_of(tile_packs.small_codes(np.kron(small, np.ones((8, 8), np.uint8))))
    np.testing.assert_array_equal(found[..., 0], small)


def test_pictures_are_reduced_by_one_factor():
    rows, columns = np.mgrid[:2048, :1024]
    picture = (rows // 8 % 256).astype(np.uint8)
    found = tile_packs.image(picture)
    assert (found["height"], found["width"]) == (1024, 512)
    labels = tile_packs.labels((columns % 2).astype(np.uint8))
    assert pixels_of(labels["data"]).shape == (1024, 512)


def test_images_look_alike_and_colours_keep_their_order():
    ramp = np.tile(np.arange(0, 256, 2, dtype=np.uint8), (128, 1))
    found = pixels_of(tile_packs.image(ramp)["data"])[..., 0].astype(int)
    assert np.abs(found - ramp).mean() < 3
    color = np.zeros((32, 32, 3), np.uint8)
    color[..., 0] = 200
    red, green, blue = pixels_of(tile_packs.thumbnail(color))[16, 16].astype(int)
    assert red > 150 > 60 > max(green, blue)


def test_a_small_picture_is_not_enlarged():
    assert pixels_of(tile_packs.thumbnail(np.zeros((5, 9), np.uint8))).shape[:2] == (5, 9)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_histograms_count_all_pixels(dtype):
    values = np.random.default_rng(0).integers(0, 250, 1000).astype(dtype)
    found = tile_packs.histogram(values)
    first, step = found["edges"]
    edges = first + step * np.arange(len(found["counts"]) + 1)
    expected, _ = np.histogram(values, edges)
    assert found["counts"] == expected.tolist()
    assert sum(found["counts"]) == 1000
    assert len(found["counts"]) <= 256


def test_histograms_of_next_to_nothing():
    assert tile_packs.histogram(np.full(7, 3.0)) == {"edges": [2.5, 1], "counts": [7]}
    assert tile_packs.histogram(np.array([], np.uint16))["counts"] == [0]
    assert tile_packs.histogram(np.array([], np.uint8))["counts"] == [0]
    assert sum(tile_packs.histogram(np.array([np.nan, 1, 2, np.inf]))["counts"]) == 2


@pytest.mark.parametrize("name", ["</script><script>alert(1)</script>", '", "x', "a, b);"])
def test_a_script_hands_over_its_pack(name):
    text = tile_packs.as_json({"sample": name})
    script = tile_packs.as_script(3, text)
    assert script == f"tilewise_pack(3, {text});\n"
    assert tile_packs.from_script(script) == text
    assert "<" not in script
    assert script.isascii()
