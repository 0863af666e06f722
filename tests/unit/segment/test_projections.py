from types import SimpleNamespace

import numpy as np
import pytest
from skimage import color

from tilewise.segment import filters
from tilewise.segment.filtered import Filtered
from tilewise.segment.projections import PROJECTIONS, STAINS
from tilewise.segment.roi import fill_outside
from tilewise.store.grid import Grid, Region

DTYPES = ("uint8", "uint16", "float32")
TOPS = {"uint8": 255, "uint16": 65535, "float32": 1}
STEP = {"uint8": 0.51, "uint16": 0.51, "float32": 2e-6}
"""Of rounding."""
LAB_STEP = {"uint8": 0.51, "uint16": 0.51, "float32": 1e-4}


def make_colors(dtype, shape=(40, 50)):
    """Red, green and blue at random, with greys, black and white among them."""
    colors = np.random.default_rng(3).random((3, *shape))
    colors[:, 0] = colors[0, 0]
    colors[:, 1, :20] = 0
    colors[:, 1, 20:] = 1
    top = TOPS[dtype]
    return colors.astype(dtype) if top == 1 else np.rint(colors * top).astype(dtype)


def light(pixels):
    return np.moveaxis(pixels / float(TOPS[pixels.dtype.name]), 0, -1)


def project(pixels, step):
    return filters.apply_chain(pixels, [step])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("step", [name for name in PROJECTIONS if name != "channels"])
def test_projection_is_a_plane_of_its_dtype_and_changes_nothing(step, dtype):
    pixels = make_colors(dtype)
    step = {"stain": {"stain": {"matrix": STAINS}}, "channel": {"channel": 2}}.get(step, step)
    before = pixels.copy()
    plane = project(pixels, step)
    assert (plane.shape, plane.dtype) == ((40, 50), filters.chain_dtype([step], dtype))
    assert plane.dtype == ("int16" if step == "hue" else dtype)
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("dtype", DTYPES)
def test_several_channels_are_filtered_alike(dtype):
    pixels, stain = make_colors(dtype), {"stain": {"matrix": STAINS, "index": 2}}
    chain = [{"channels": ["green", "a", stain]}, {"median": 3}]
    filters.check_chain(chain, dtype)
    assert filters.chain_dtype(chain, dtype) == dtype
    assert filters.chain_reach(chain, dtype) == 1
    assert filters.channels_of(chain)[:2] == ["green", "a"]
    assert filters.channels_of(["green", {"median": 3}]) == []
    expected = [filters.apply_chain(pixels, [step, chain[1]]) for step in ("green", "a", "dab")]
    np.testing.assert_array_equal(filters.apply_chain(pixels, chain), np.stack(expected))


@pytest.mark.parametrize("dtype", [*DTYPES, "int16"])
def test_channels_are_planes(dtype):
    pixels = np.arange(36).reshape(3, 3, 4).astype(dtype)
    for number, name in enumerate(("red", "green", "blue")):
        np.testing.assert_array_equal(project(pixels, name), pixels[number])
    np.testing.assert_array_equal(project(pixels, "value"), pixels[2])
    expected = np.einsum("c,cyx->yx", [0.299, 0.587, 0.114], pixels.astype(float))
    np.testing.assert_allclose(project(pixels, "luma"), expected, atol=0.51)


@pytest.mark.parametrize("dtype", DTYPES)
def test_hsv_is_that_of_scikit_image(dtype):
    pixels, top = make_colors(dtype), TOPS[dtype]
    hsv = color.rgb2hsv(light(pixels).astype(np.float64))
    for name, index in (("saturation", 1), ("value", 2)):
        np.testing.assert_allclose(project(pixels, name), hsv[..., index] * top, atol=STEP[dtype])
    hue = project(pixels, {"hue": {"min_saturation": 0, "min_value": 0}}).astype(int)
    is_grey = hsv[..., 1] == 0
    assert is_grey.any()
    assert (hue[is_grey] == -1).all()
    apart = (hue - hsv[..., 0] * 360 + 180)[~is_grey] % 360 - 180
    assert np.abs(apart).max() <= 0.5 + 1e-4
    assert (hue[~is_grey] >= 0).all()
    assert hue.max() <= 359


def test_pixels_of_low_saturation_or_value_have_no_hue():
    # saturation 51 / 255 = 0.2, 10 / 100 = 0.1 and 25 / 50 = 0.5; value 1, 0.39 and 0.196
    pixels = np.array([[255, 100, 50], [204, 90, 25], [204, 90, 25]], np.uint8)[:, None]
    assert project(pixels, "hue").tolist() == [[0, 0, 0]]
    assert project(pixels, {"hue": 0.15}).tolist() == [[0, -1, 0]]
    assert project(pixels, {"hue": {"min_value": 0.2}}).tolist() == [[0, 0, -1]]
    # 51 is 0.2 of 255, and 0 and 1 are shares
    red = np.array([[51, 50], [10, 10], [10, 10]], np.uint8)[:, None]
    assert project(red, {"hue": {"min_value": 0.2}}).tolist() == [[0, -1]]
    for share in (0, 1):
        filters.check_chain([{"hue": {"min_saturation": share, "min_value": share}}], np.uint8)


@pytest.mark.parametrize("dtype", DTYPES)
def test_lab_is_that_of_scikit_image(dtype):
    pixels = make_colors(dtype)
    lab = color.rgb2lab(light(pixels).astype(np.float64))
    expected = {"lightness": lab[..., 0], "a": lab[..., 1], "b": lab[..., 2]}
    if dtype != "float32":
        top = TOPS[dtype]
        expected["lightness"] = expected["lightness"] / 100 * top
        expected |= {name: (expected[name] + 128) / 255 * top for name in "ab"}
    for name, values in expected.items():
        np.testing.assert_allclose(project(pixels, name), values, atol=LAB_STEP[dtype])


def stain_levels(amounts, dtype):
    """Amounts of scikit-image, in units of 6 decades, as grey levels."""
    density = amounts * 6
    return density if dtype == "float32" else np.minimum(density / 2.55, 1) * TOPS[dtype]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("index", range(3))
def test_stains_are_those_of_scikit_image(index, dtype):
    pixels = make_colors(dtype)
    amounts = color.separate_stains(light(pixels).astype(np.float64), color.hed_from_rgb)
    expected = stain_levels(amounts[..., index], dtype)
    name = ("hematoxylin", "eosin", "dab")[index]
    np.testing.assert_allclose(project(pixels, name), expected, atol=STEP[dtype] * 3)
    given = {"stain": {"matrix": color.rgb_from_hed.tolist(), "index": index}}
    np.testing.assert_array_equal(project(pixels, given), project(pixels, name))


def test_matrix_of_ones_own_gives_what_was_mixed():
    matrix = [[0.8, 0.5, 0.1], [0.1, 0.9, 0.4], [0.3, 0.1, 0.9]]
    amounts = np.random.default_rng(0).uniform(0, 0.4, (3, 8, 9))
    pixels = 10 ** -np.einsum("syx,sc->cyx", amounts, matrix)
    for index, expected in enumerate(amounts):
        found = project(pixels.astype(np.float32), {"stain": {"matrix": matrix, "index": index}})
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        (["invert", "red"], "red takes colours: let it be the first step"),
        ([{"hue": 2}], "min_saturation is 2: give a number from 0 to 1"),
        (["hue", {"median": 3}], "hue: it is a circle, and median may not follow it"),
        ([{"stain": {"matrix": [[1, 0, 0]]}}], "give three rows of three numbers"),
        ([{"stain": {"matrix": [[1, 0, 0]] * 3}}], "two of its stains absorb the same colours"),
        ([{"stain": {"matrix": STAINS, "index": 3}}], "index is 3: give 0, 1 or 2"),
        ([{"channels": []}], r"of is \[\]: give a list"),
        ([{"channel": -1}], "which is -1: give a number from 0, or a name"),
        ([{"channel": ""}], "which is ''"),
        ([{"channel": 1.5}], r"which is 1\.5"),
        ([{"channels": [{"channel": 1}, {"channel": 1}]}], "is given twice"),
        ([{"channels": ["red", "grene"]}], "channel grene does not exist; did you mean green"),
        ([{"channels": ["red", "hue"]}], "hue is no plane of grey levels: leave it out"),
        ([{"channels": ["red", "a", "red"]}], "red is given twice"),
        ([{"channels": ["red"]}, "green"], "green takes colours: let it be the first step"),
    ],
)
def test_chain_that_makes_no_sense_is_refused(chain, words):
    with pytest.raises(ValueError, match=words):
        filters.check_chain(chain, "uint8")


def test_colours_of_int16_are_refused_where_their_range_matters():
    filters.check_chain(["luma", {"median": 3}], "int16")
    with pytest.raises(ValueError, match="saturation: int16 colours have no known range"):
        filters.check_chain(["saturation"], "int16")


@pytest.mark.parametrize("first", ["hematoxylin", {"channels": ["hematoxylin", "green"]}])
def test_region_of_interest_is_filled_in_after_the_projection(first):
    pixels = make_colors("uint8", (24, 24))
    inside = np.zeros((24, 24), np.uint8)
    inside[4:20, 6:18] = 1
    grid = Grid((1, 24, 24), 8, (1, 24, 24))

    def reader(array):
        def read(region):
            return array[..., region.y0 : region.y1, region.x0 : region.x1]

        return SimpleNamespace(read=read)

    steps = [first, {"median": 3}]
    filtered = Filtered(reader(pixels), steps, grid, "uint8", reader(inside))
    region = Region(0, 1, 8, 16, 0, 16)
    own = inside[8:16, :16] != 0
    found = filtered.read(region).reshape(-1, 8, 16)
    for plane, name in zip(found, ("hematoxylin", "green"), strict=False):
        filled = fill_outside(project(pixels, name), inside != 0, 1)
        expected = filters.apply_chain(filled, steps[1:])
        np.testing.assert_array_equal(plane[own], expected[8:16, :16][own])
    # what a histogram counts
    assert filtered.values(region).size == len(found) * own.sum()
