import numpy as np
import pytest

from tilewise.view.contrast import window


def shown(values, dtype, **settings):
    """Black and white, and what people choose between."""
    found = window(np.asarray(values, dtype), **settings)
    return (found["start"], found["end"]), (found["min"], found["max"])


def test_a_thousandth_is_darker_and_a_thousandth_brighter():
    # of 0 to 9999 the lowest 10 are cut off: the 10th is 9; of the highest, the 9990th is 9989
    assert shown(np.arange(10000), "uint16") == ((9, 9989), (0, 9999))
    # 8 bits: 20 pixels of each of 250 values; 5 of 5000 are less than the first value has
    assert shown(np.repeat(np.arange(3, 253), 20), "uint8") == ((3, 252), (0, 255))


def test_twelve_bits_in_sixteen():
    values = np.repeat(np.arange(100, 4096), 10)
    # 39.96 of 39960 pixels: the 40th is of the fourth value
    assert shown(values, "uint16") == ((103, 4092), (100, 4095))
    assert shown(values.astype(int) - 2000, "int16") == ((-1897, 2092), (-1900, 2095))


def test_rare_pixels_far_from_others_are_what_is_shown():
    sky = np.repeat(np.arange(90, 110), 5000)
    # 0.05 % of 100050 pixels: the brightest 0.01 % are 10, and the 11th of them has 3000 + 39
    stars = np.arange(3000, 3050)
    assert shown([*sky, *stars], "uint16") == ((90, 3039), (90, 3049))
    # as dark as they were bright: the 11th has -3000 + 10
    assert shown([*sky, *(-stars + 50)], "int16") == ((-2989, 109), (-2999, 109))
    # as far as three times what the others are apart, they are a tail
    assert shown([*sky, *[109 + 3 * 19] * 50], "uint16")[0] == (90, 109)
    assert shown([*sky, *[109 + 3 * 19 + 1] * 50], "uint16")[0] == (90, 167)
    # a hot pixel is not shown
    assert shown([*sky, 60000], "uint16") == ((90, 109), (90, 60000))


def test_what_is_sparse_on_nothing_is_shown():
    assert shown([*[0] * 100000, 7, 200], "uint8") == ((0, 200), (0, 255))
    assert shown([*[5] * 100000, 7], "float32") == ((5, 7), (5, 7))


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        ("uint8", [7] * 9, (0, 255)),
        ("uint16", [7] * 9, (0, 65535)),
        ("int16", [7] * 9, (-32768, 32767)),
        ("uint16", [], (0, 65535)),
        ("float32", [0.5] * 9, (0.5, 1.5)),
        ("float32", [-40] * 9, (-40, 0)),
        ("float32", [2.0**60], (2.0**60, 2.0**61)),
        ("float32", [np.nan, np.inf], (0, 1)),
    ],
)
def test_constant_images(dtype, values, expected):
    assert shown(values, dtype) == (expected, expected)


def test_what_is_no_number_does_not_count():
    values = [np.nan, *range(5000), np.inf, -np.inf, *[np.nan] * 5000]
    # the 5th and the 4995th of 5000
    assert shown(values, "float32") == ((4, 4994), (0, 4999))


def test_the_region_of_interest_alone_counts():
    values = np.array([0] * 50 + [100, 150, 200], np.uint16)
    inside = np.arange(53) >= 50
    assert shown(values, "uint16", inside=inside) == ((100, 200), (100, 200))
    assert shown(values, "uint16", inside=inside & False) == ((0, 200), (0, 200))
