import itertools
import warnings
from fractions import Fraction

import numpy as np
import pytest
from skimage import filters

from tilewise.plan import methods
from tilewise.segment import global_thresholds, histograms, local_thresholds, masks

DTYPES = ("uint8", "uint16", "int16", "float32")
LIMITS = {"uint8": (0, 255), "uint16": (0, 65535), "int16": (-32768, 32767)}
SCALES = {"uint8": (1, 0), "uint16": (30, 0), "int16": (30, -4000), "float32": (0.01, 0)}
METHODS = ("otsu", "li", "yen", "isodata", "triangle", "minimum", "mean")


def vessels(random, shape):
    y, x = np.indices(shape)
    return random.normal(60, 12, shape) + 90 * ((x // 9 + y // 11) % 4 == 0)


def noise(random, shape):
    return random.uniform(0, 255, shape)


def tail(random, shape):
    return 255 - random.exponential(20, shape)


def gap(random, shape):
    return np.where(random.random(shape) < 0.3, 180, 50) + random.normal(0, 5, shape)


def few_levels(random, shape):
    return random.choice(random.integers(0, 256, 7), shape)


def clipped(random, shape):
    return random.normal(20, 25, shape).clip(0)


KINDS = (vessels, noise, tail, gap, few_levels, clipped)


def make_plane(kind, dtype="uint8", shape=(64, 80), seed=0):
    values = kind(np.random.default_rng(seed), shape)
    scale, offset = SCALES[dtype]
    if dtype == "float32":
        return (values * scale).astype(dtype)
    return np.clip(np.rint(values * scale + offset), *LIMITS[dtype]).astype(dtype)


def expected_threshold(method, plane):
    """By scikit-image; None where it finds none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return getattr(filters, f"threshold_{method}")(plane.copy())
        except RuntimeError:
            return None


def found_threshold(method, counts, centers):
    try:
        return global_thresholds.GLOBAL[method](counts, centers)
    except global_thresholds.NoThreshold:
        return None


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_histogram_of_integers_has_a_bin_per_value(dtype):
    lowest, highest = LIMITS[dtype]
    plane = np.array([[lowest, 7, 7], [highest, 0, 7]], dtype)
    counts, centers = histograms.histogram(plane)
    assert counts.dtype == np.int64
    assert centers.tolist() == list(range(lowest, highest + 1))
    values, expected = np.unique(plane, return_counts=True)
    assert centers[counts > 0].tolist() == values.tolist()
    assert counts[counts > 0].tolist() == expected.tolist()


def test_histogram_of_floats_is_numpys():
    plane = make_plane(vessels, "float32")
    counts, centers = histograms.histogram(plane)
    expected, edges = np.histogram(plane, 256)
    np.testing.assert_array_equal(counts, expected)
    np.testing.assert_allclose(centers, (edges[1:] + edges[:-1]) / 2, rtol=1e-6)
    counts, centers = histograms.histogram(plane, bins=10, low=0, high=1)
    assert counts.tolist() == np.histogram(plane, 10, (0, 1))[0].tolist()
    np.testing.assert_allclose(centers, np.arange(10) / 10 + 0.05, rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_histograms_of_parts_add_up(dtype):
    plane = make_plane(vessels, dtype)
    bounds = {"low": plane.min(), "high": plane.max()} if dtype == "float32" else {}
    whole, centers = histograms.histogram(plane, **bounds)
    parts = [histograms.histogram(part, **bounds) for part in (plane[:, :30], plane[:, 30:])]
    np.testing.assert_array_equal(parts[0][0] + parts[1][0], whole)
    np.testing.assert_array_equal(parts[0][1], centers)


def test_histogram_counts_beyond_single_precision():
    counts, _ = histograms.histogram(np.full((4097, 4099), 7, np.uint8))
    assert counts[7] == 4097 * 4099
    assert counts.sum() == 4097 * 4099


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_global_method_is_exactly_scikit_image_on_8_bits(method, kind):
    for seed in range(4):
        plane = make_plane(kind, seed=seed)
        found = found_threshold(method, *histograms.histogram(plane))
        assert found == expected_threshold(method, plane)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["uint16", "int16"])
@pytest.mark.parametrize("method", ["otsu", "li", "yen", "isodata", "triangle", "mean"])
def test_global_method_is_exactly_scikit_image_on_16_bits(method, dtype, kind):
    plane = make_plane(kind, dtype)
    found = found_threshold(method, *histograms.histogram(plane))
    assert found == expected_threshold(method, plane)


def test_minimum_is_exactly_scikit_image_on_16_bits():
    plane = make_plane(gap, "uint16") // 20
    found = found_threshold("minimum", *histograms.histogram(plane))
    assert found is not None
    assert found == expected_threshold("minimum", plane)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["otsu", "yen", "isodata", "triangle", "minimum"])
def test_global_method_is_exactly_scikit_image_on_floats(method, kind):
    plane = make_plane(kind, "float32")
    found = found_threshold(method, *histograms.histogram(plane))
    assert found == expected_threshold(method, plane)


@pytest.mark.parametrize(("method", "bins"), [("mean", 0.5), ("li", 2)])
def test_global_method_is_near_scikit_image_on_floats(method, bins):
    plane = make_plane(vessels, "float32")
    counts, centers = histograms.histogram(plane)
    found = global_thresholds.GLOBAL[method](counts, centers)
    assert abs(found - expected_threshold(method, plane)) < bins * (centers[1] - centers[0])


@pytest.mark.parametrize("kind", [vessels, gap])
@pytest.mark.parametrize("method", [*METHODS, "multiotsu"])
def test_counts_of_a_terapixel_do_not_overflow(method, kind):
    counts, centers = histograms.histogram(make_plane(kind, shape=(320, 320), seed=2))
    expected = global_thresholds.GLOBAL[method](counts, centers)
    assert global_thresholds.GLOBAL[method](counts * 10**7, centers) == pytest.approx(
        expected, rel=1e-12
    )


def test_few_pixels_beside_a_terapixel_count():
    pixels = [10**12, *(1 + i * 7919 % 1999 for i in range(255))]
    counts, centers = np.array(pixels), np.arange(256)
    total, total_sum = sum(pixels), sum(i * number for i, number in enumerate(pixels))
    variances, middles = [], []
    for i in range(255):
        inside = sum(pixels[: i + 1])
        inside_sum = sum(j * number for j, number in enumerate(pixels[: i + 1]))
        outside, outside_sum = total - inside, total_sum - inside_sum
        difference = Fraction(inside_sum, inside) - Fraction(outside_sum, outside)
        variances.append(inside * outside * difference**2)
        middles.append((Fraction(inside_sum, inside) + Fraction(outside_sum, outside)) / 2)
    assert global_thresholds.otsu(counts, centers) == variances.index(max(variances))
    expected = next(i for i, middle in enumerate(middles) if 0 <= middle - i < 1)
    assert global_thresholds.isodata(counts, centers) == expected


def test_peak_whose_square_is_beyond_64_bits():
    counts = np.array([3_100_000_000, 10, 5, 0, 1])
    # from the end of the tail: distances in proportion to peak * i - width * count
    assert global_thresholds.triangle(counts, np.arange(5)) == 1


def test_close_calls_end_as_in_scikit_image():
    counts = np.array([7, 17, 9, 23, 23, 9, 17, 7])
    plane = np.repeat(np.arange(8, dtype=np.uint8), counts)[np.newaxis]
    assert global_thresholds.yen(counts, np.arange(8)) == filters.threshold_yen(plane)


def test_sums_of_a_terapixel_of_16_bits_are_exact():
    counts, centers = histograms.histogram(np.array([[0, 65535]], np.uint16))
    assert global_thresholds.mean(counts * 5 * 10**11, centers) == 32767.5
    assert global_thresholds.otsu(counts * 5 * 10**11, centers) == 0


def classes_of(levels, found):
    return np.searchsorted(found, levels).tolist()


@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_multiotsu_is_scikit_image(kind, classes):
    for seed in range(3):
        plane = make_plane(kind, seed=seed)
        found = global_thresholds.multiotsu(*histograms.histogram(plane), classes=classes)
        expected = filters.threshold_multiotsu(plane, classes)
        # between two grey levels without pixels in between, thresholds are equal but for rounding
        levels = np.unique(plane)
        assert classes_of(levels, found) == classes_of(levels, expected)
        if kind in (vessels, noise, clipped):
            assert found == tuple(expected)


def test_multiotsu_of_five_classes_is_scikit_image():
    plane = make_plane(vessels) // 4
    found = global_thresholds.multiotsu(*histograms.histogram(plane), classes=5)
    assert found == tuple(filters.threshold_multiotsu(plane, 5))


@pytest.mark.parametrize("classes", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_multiotsu_is_the_best_of_all_divisions(dtype, classes):
    random = np.random.default_rng(classes)
    scale, offset = SCALES[dtype]
    for _ in range(4):
        bins = np.sort(random.choice(np.arange(0, 250, 17), 11, replace=False))
        levels = bins * scale + offset
        # of a single pixel, since scikit-image counts the lowest level one bin above
        counts = np.append(1, random.integers(50, 500, 10))

        def variance(start, stop, levels=levels, counts=counts):
            average = np.average(levels[start:stop], weights=counts[start:stop])
            return np.sum(counts[start:stop] * (levels[start:stop] - average) ** 2)

        def within(cuts, variance=variance):
            return sum(itertools.starmap(variance, itertools.pairwise((0, *cuts, 11))))

        best = min(itertools.combinations(range(1, 11), classes - 1), key=within)
        all_counts = np.zeros(256, np.int64)
        all_counts[bins] = counts
        centers = np.arange(256) * scale + offset
        found = global_thresholds.multiotsu(all_counts, centers, classes=classes)
        assert found == tuple(levels[np.array(best) - 1])


def test_multiotsu_of_all_16_bit_levels():
    counts, centers = np.ones(65536, np.int64), np.arange(65536)
    # equal parts; which of a few thresholds next to each other is best is a matter of one pixel
    assert global_thresholds.multiotsu(counts, centers, 4) == pytest.approx(
        (16384, 32768, 49152), abs=2
    )


def test_multiotsu_of_as_many_levels_as_classes():
    plane = np.array([[3, 9, 200, 200]], np.uint8)
    counts, centers = histograms.histogram(plane)
    assert global_thresholds.multiotsu(counts, centers, 3, foreground=[1]) == (3, 9)
    with pytest.raises(global_thresholds.NoThreshold, match="3 grey levels do not make 4 classes"):
        global_thresholds.multiotsu(counts, centers, 4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_constant_pixels_have_no_threshold(method, dtype):
    counts, centers = histograms.histogram(np.full((4, 5), 7, dtype))
    with pytest.raises(global_thresholds.NoThreshold, match="constant"):
        global_thresholds.GLOBAL[method](counts, centers)


def test_no_pixels_have_no_threshold():
    with pytest.raises(global_thresholds.NoThreshold, match="no pixels"):
        global_thresholds.otsu(np.zeros(256, np.int64), np.arange(256))


def test_minimum_needs_two_maxima():
    counts = np.array([1, 5, 9, 5, 1])
    with pytest.raises(global_thresholds.NoThreshold, match="single maximum"):
        global_thresholds.minimum(counts, np.arange(5))


def test_manual_is_what_was_given():
    assert global_thresholds.manual(np.array([4, 0]), np.arange(2), value=79) == 79


def test_separability_by_hand():
    counts, centers = np.array([1, 0, 2, 1]), np.array([0, 1, 2, 4])
    # mean 2, total 8; above 0: one pixel of mean 0, three of mean 8 / 3: 4 + 3 * (2 / 3) ** 2
    assert histograms.separability(counts, centers, 0) == pytest.approx((4 + 4 / 3) / 8)
    assert histograms.separability(counts, centers, 1.5) == pytest.approx((4 + 4 / 3) / 8)
    assert histograms.separability(counts * 10**12, centers, 0) == pytest.approx((4 + 4 / 3) / 8)


@pytest.mark.parametrize("threshold", [-1, 4, 300])
def test_separability_of_an_empty_class_is_zero(threshold):
    counts, centers = np.array([1, 0, 2, 1]), np.array([0, 1, 2, 4])
    assert histograms.separability(counts, centers, threshold) == 0


def test_separability_of_two_grey_levels_is_one():
    counts, centers = histograms.histogram(np.array([[3, 3, 250]], np.uint8))
    assert histograms.separability(counts, centers, 3) == pytest.approx(1)


LOCAL_SETTINGS = [
    ("adaptive", {"size": 3}),
    ("adaptive", {"size": 21, "offset": 2.5}),
    ("adaptive", {"size": 21, "offset": -3, "weights": "mean"}),
    ("sauvola", {}),
    ("sauvola", {"size": 5, "k": 0.4, "r": 50}),
    ("niblack", {}),
    ("niblack", {"size": 31, "k": -0.1}),
]


def expected_surface(name, plane, size=15, k=0.2, r=None, offset=0, weights="gaussian"):
    if name == "adaptive":
        return filters.threshold_local(plane, size, weights, offset)
    if name == "sauvola":
        return filters.threshold_sauvola(plane, size, k, r)
    return filters.threshold_niblack(plane, size, k)


@pytest.mark.parametrize("shape", [(70, 90), (3, 2), (1, 40), (40, 1), (1, 1)])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "settings"), LOCAL_SETTINGS)
def test_local_method_is_scikit_image(name, settings, dtype, shape):
    plane = make_plane(vessels, dtype, shape)
    found = local_thresholds.LOCAL[name].surface(plane, **settings)
    # scikit-image computes floats in single precision, the root of whose error is in the deviation
    expected = expected_surface(name, plane, **settings).astype(float)
    tolerance = 1e-3 if dtype == "float32" else 1e-6
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    clear = np.abs(plane - expected) > tolerance
    np.testing.assert_array_equal((plane > found)[clear], (plane > expected)[clear])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "settings"), LOCAL_SETTINGS)
def test_local_method_on_a_region_with_its_reach(name, settings, dtype, monkeypatch):
    plane = make_plane(vessels, dtype, (90, 130))
    reach = local_thresholds.LOCAL[name].reach(**settings)
    whole = local_thresholds.LOCAL[name].surface(plane, **settings)
    monkeypatch.setattr(local_thresholds, "STRIP_COLUMNS", 16)
    for rows, columns in [((0, 7), (40, 47)), ((50, 57), (0, 9)), ((45, 46), (100, 130))]:
        top, left = max(rows[0] - reach, 0), max(columns[0] - reach, 0)
        outer = plane[top : rows[1] + reach, left : columns[1] + reach]
        part = local_thresholds.LOCAL[name].surface(outer, **settings)
        np.testing.assert_array_equal(
            part[rows[0] - top : rows[1] - top, columns[0] - left : columns[1] - left],
            whole[slice(*rows), slice(*columns)],
        )


@pytest.mark.parametrize("value", [0, 7, 200])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("adaptive", {"size": 15}),
        ("adaptive", {"size": 51}),
        ("adaptive", {"size": 15, "weights": "mean"}),
        ("niblack", {"size": 15}),
    ],
)
def test_nothing_in_a_constant_plane_is_above_a_local_threshold(name, settings, dtype, value):
    plane = np.full((40, 50), value * 0.1 if dtype == "float32" else value, dtype)
    assert not (plane > local_thresholds.LOCAL[name].surface(plane, **settings)).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_hysteresis_is_scikit_image(kind, dtype):
    plane = make_plane(kind, dtype)
    low, high = np.percentile(plane, (55, 90))
    found = masks.hysteresis(plane, low, high)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, filters.apply_hysteresis_threshold(plane, low, high))


def test_hysteresis_by_hand():
    plane = np.array([[2, 2, 0, 0], [0, 0, 2, 3], [2, 0, 0, 0]], np.uint8)
    assert masks.hysteresis(plane, 1, 2).tolist() == [[0] * 4, [0, 0, 1, 1], [0] * 4]
    assert not masks.hysteresis(plane, 1, 3).any()
    with pytest.raises(ValueError, match="low is 2, high is 1"):
        masks.hysteresis(plane, 2, 1)


def test_connected_masks_that_are_not_nested_are_those_of_scikit_image():
    plane = make_plane(noise)
    found = masks.connected((plane > 150).view(np.uint8), (plane > 100).view(np.uint8))
    np.testing.assert_array_equal(found, filters.apply_hysteresis_threshold(plane, 150, 100))


@pytest.mark.parametrize("dtype", DTYPES)
def test_class_is_the_number_of_thresholds_below(dtype):
    plane = np.array([[0, 9, 10, 11], [20, 21, 29, 255]], dtype)
    for classes, expected in [
        ([0], [[1, 1, 1, 0], [0, 0, 0, 0]]),
        ([1], [[0, 0, 0, 1], [1, 0, 0, 0]]),
        ([2], [[0, 0, 0, 0], [0, 1, 1, 1]]),
        ([0, 2], [[1, 1, 1, 0], [0, 1, 1, 1]]),
    ]:
        mask = masks.class_mask(plane, (10.0, 20.5), classes)
        assert mask.dtype == np.uint8
        assert mask.tolist() == expected


def test_class_mask_of_negative_numbers():
    plane = np.array([[-32768, -5, -4, 0, 32767]], np.int16)
    assert masks.class_mask(plane, (-5.0, 100.0), [1]).tolist() == [[0, 0, 1, 1, 0]]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("otsu", ("otsu", {})),
        ({"manual": 79}, ("manual", {"value": 79})),
        ({"multiotsu": 4}, ("multiotsu", {"classes": 4, "foreground": None})),
        ({"niblack": 51}, ("niblack", {"size": 51, "k": 0.2})),
        ({"hysteresis": {"low": "li", "high": 9}}, ("hysteresis", {"low": "li", "high": 9})),
    ],
)
def test_parse(step, expected):
    assert methods.parse_threshold(step) == expected


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("otsu", {}),
        ("manual", {"value": 7.5}),
        ("multiotsu", {"classes": 4, "foreground": [1, 2]}),
        ("multiotsu", {"foreground": 0}),
        ("adaptive", {"size": 51, "offset": -25, "weights": "mean"}),
        ("sauvola", {"r": 30}),
        ("niblack", {}),
        ("hysteresis", {"low": 3, "high": 3}),
        ("hysteresis", {"low": "triangle", "high": "otsu"}),
        ("hysteresis", {"low": "triangle", "high": 200}),
    ],
)
def test_settings_that_are_right(name, settings):
    methods.check_threshold(name, settings)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("otsuu", {}, "otsuu does not exist; did you mean otsu.*niblack, hysteresis"),
        ("otsu", {"nbins": 9}, "no setting nbins"),
        ("manual", {}, "manual needs a value for value"),
        ("manual", {"value": "high"}, "value is 'high': give a number"),
        ("manual", {"value": float("nan")}, "value is nan"),
        ("multiotsu", {"classes": 1}, "classes is 1"),
        ("multiotsu", {"foreground": 3}, r"foreground is 3.* to 2 \(brightest\)"),
        ("multiotsu", {"classes": 4, "foreground": [1, -1]}, "foreground"),
        ("multiotsu", {"foreground": []}, "foreground"),
        ("adaptive", {}, "adaptive needs a value for size"),
        ("adaptive", {"size": 50}, "size is 50: give an odd"),
        ("adaptive", {"size": 1}, "size is 1"),
        ("adaptive", {"size": 5, "weights": "median"}, "choose gaussian or mean"),
        ("adaptive", {"size": 5, "offset": None}, "offset is None"),
        ("sauvola", {"size": 2.5}, "size is 2.5"),
        ("sauvola", {"r": 0}, "r is 0"),
        ("niblack", {"k": True}, "k is True"),
        ("niblack", {"r": 1}, "no setting r"),
        ("hysteresis", {"low": 3}, "hysteresis needs a value for high"),
        ("hysteresis", {"low": 4, "high": 3}, "low is 4, high is 3"),
        ("hysteresis", {"low": "manual", "high": 3}, "low is 'manual'"),
        ("hysteresis", {"low": "otsu", "high": "sauvola"}, "high is 'sauvola'"),
        ("hysteresis", {"low": [1], "high": 3}, r"low is \[1\]"),
    ],
)
def test_settings_that_are_wrong(name, settings, message):
    with pytest.raises(ValueError, match=message):
        methods.check_threshold(name, settings)
