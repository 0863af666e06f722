import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage import exposure

from tilewise.segment import dtypes, filters
from tilewise.segment.steps import WHOLE_PLANE

DTYPES = ("uint8", "uint16", "int16", "float32")
SHAPES = ((70, 90), (3, 2), (1, 40), (40, 1), (1, 4), (4, 1), (1, 1))
LIMITS = {"uint8": (0, 255), "uint16": (0, 65535), "int16": (-32768, 32767)}


def as_dtype(values, dtype):
    """Rounded and saturated, the plain way."""
    if dtype == "float32":
        return np.asarray(values, "float32")
    return np.clip(np.rint(np.asarray(values, float)), *LIMITS[dtype]).astype(dtype)


def make_plane(kind, dtype, shape=(70, 90)):
    """Random over the range of the dtype, structured with a narrow range of values, or constant."""
    random = np.random.default_rng(1)
    lowest, highest = LIMITS.get(dtype, (-50.0, 1000.0))
    if kind == "random":
        if dtype == "float32":
            return random.uniform(lowest, highest, shape).astype(dtype)
        return random.integers(lowest, highest, shape, dtype, endpoint=True)
    if kind == "constant":
        return np.full(shape, 7, dtype)
    y, x = np.indices(shape)
    steps = 40 + 30 * ((x // 9 + y // 7) % 3) + 5 * (x > 2 * y) + random.normal(0, 3, shape)
    if dtype.endswith("16"):
        steps = steps * 21 - 700 * (dtype == "int16")
    return as_dtype(steps, dtype)


KINDS = ("random", "structured", "constant")

# Every filter with a finite reach, with all of its ways of computing.
LOCAL_CHAINS = [
    ["invert"],
    [{"median": 1}],
    [{"median": 3}],
    [{"median": 5}],
    [{"median": 9}],
    [{"median": 21}],
    [{"gaussian": 0.1}],
    [{"gaussian": 0.7}],
    [{"gaussian": 2}],
    [{"gaussian": {"sigma": 5.5}}],
    [{"tophat": 7}],
    [{"tophat": {"size": 5, "dark": True}}],
    [{"background": {"method": "median", "size": 15}}],
    [{"background": {"method": "opening", "size": 9, "mode": "divide"}}],
    [{"background": {"method": "gaussian", "size": 11}}],
    [{"background": {"method": "gaussian", "size": 11, "mode": "divide"}}],
    [{"bilateral": {"size": 5, "levels": 30}}],
    [{"bilateral": {"size": 3, "levels": 4, "sigma": 0.7}}],
    ["unsharp"],
    [{"unsharp": {"sigma": 2, "amount": 0.7}}],
    [{"deconvolve": {"sigma": 0.8, "iterations": 3}}],
    [{"deconvolve": {"sigma": 1.5, "iterations": 1, "offset": 20}}],
    [{"ridge": 1.5}],
    [{"ridge": {"sigmas": [1, 2], "measure": "sato", "dark": True}}],
    [{"ridge": {"sigmas": [1, 1.5], "measure": "frangi", "gamma": 9}}],
    [{"dog": 1}],
    [{"dog": {"sigma": 1, "high": 3, "gain": 4, "offset": 10}}],
    ["matched"],
    [{"matched": {"sigma": 0.8, "length": 3, "orientations": 5, "dark": True}}],
    ["invert", {"median": 3}, {"gaussian": 1.3}, {"tophat": 5}],
]
PLANE_CHAINS = [
    ["equalize"],
    [{"clahe": {"tiles": 3}}],
    [{"rescale": {"low": 5, "high": 90}}],
    [{"destripe": {"axis": "rows", "size": 9}}],
    [{"destripe": {"axis": "columns", "size": 9}}],
    [{"ridge": {"sigmas": 1.5, "measure": "frangi"}}],
    [{"nlm": {"patch": 3, "distance": 2}}],
    ["wavelet"],
    [{"wavelet": {"shape": "db1", "rule": "visu", "levels": 5}}],
]


def applicable(chain, dtype):
    return dtype != "float32" or "clahe" not in str(chain)


EVERY_CASE = [
    (chain, dtype)
    for chain in LOCAL_CHAINS + PLANE_CHAINS
    for dtype in DTYPES
    if applicable(chain, dtype)
]


def apply(plane, step):
    return filters.apply_chain(plane, [step])


@pytest.mark.parametrize(
    ("dtype", "values", "inverted"),
    [
        ("uint8", [0, 1, 255], [255, 254, 0]),
        ("uint16", [0, 1, 65535], [65535, 65534, 0]),
        ("int16", [-32768, 0, 32767], [32767, -1, -32768]),
        ("float32", [-1.5, 0, 2], [1.5, 0, -2]),
    ],
)
def test_invert_by_hand(dtype, values, inverted):
    result = apply(np.array([values], dtype), "invert")
    assert result.dtype == dtype
    assert result.tolist() == [inverted]
    assert not np.signbit(result[result == 0]).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 3, 5, 7, 11, 25])
def test_median_is_that_of_scipy(kind, dtype, size):
    plane = make_plane(kind, dtype, (50, 60))
    expected = ndimage.median_filter(plane, size, mode="reflect")
    np.testing.assert_array_equal(apply(plane, {"median": size}), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES[1:])
@pytest.mark.parametrize("size", [3, 5, 9])
def test_median_of_planes_smaller_than_the_window(shape, dtype, size):
    plane = make_plane("random", dtype, shape)
    expected = ndimage.median_filter(plane, size, mode="reflect")
    np.testing.assert_array_equal(apply(plane, {"median": size}), expected)


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_median_of_windows_too_large_for_opencv(dtype):
    for kind in KINDS:
        plane = make_plane(kind, dtype, (9, 12))
        mirrored = np.pad(plane, 200, mode="symmetric")
        expected = [
            [np.median(mirrored[y + 11 : y + 390, x + 11 : x + 390]) for x in range(12)]
            for y in range(9)
        ]
        np.testing.assert_array_equal(apply(plane, {"median": 379}), expected)


def test_median_of_levels_that_only_their_low_byte_tells_apart():
    plane = np.array([[255, 256, 257, 511, 512, 513, 767]], np.uint16)
    mirrored = np.pad(plane[0], 3, mode="symmetric")
    expected = [np.median(mirrored[x : x + 7]) for x in range(7)]
    assert apply(plane, {"median": 7}).tolist() == [expected]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sigma", [0.1, 0.5, 1, 2.3, 9])
def test_gaussian_is_that_of_scipy(dtype, sigma):
    for kind in KINDS:
        for shape in SHAPES:
            plane = make_plane(kind, dtype, shape)
            exact = ndimage.gaussian_filter(
                plane.astype(np.float64), sigma, mode="reflect", truncate=4
            )
            result = apply(plane, {"gaussian": sigma})
            assert result.dtype == dtype
            if dtype == "float32":
                np.testing.assert_allclose(result, exact, rtol=1e-6, atol=1e-4)
            else:
                assert np.abs(result - exact).max() <= 0.5 + 1e-6


def test_gaussian_in_several_bands_has_no_seams(monkeypatch):
    plane = make_plane("random", "float32")
    whole = apply(plane, {"gaussian": 1.5})
    monkeypatch.setattr(dtypes, "BAND_PIXELS", 90 * 11)
    np.testing.assert_array_equal(apply(plane, {"gaussian": 1.5}), whole)


@pytest.mark.parametrize("chain", LOCAL_CHAINS, ids=str)
def test_filters_in_several_bands_have_no_seams(monkeypatch, chain):
    plane = make_plane("structured", "uint8", (211, 40))
    whole = filters.apply_chain(plane, chain)
    monkeypatch.setattr(dtypes, "BAND_PIXELS", 1)
    np.testing.assert_array_equal(filters.apply_chain(plane, chain), whole)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 3, 9, 31])
def test_tophat_is_that_of_scipy(dtype, size):
    for kind in ("structured", "constant"):
        for shape in SHAPES:
            plane = make_plane(kind, dtype, shape)
            bright = ndimage.white_tophat(plane, (size, size), mode="reflect")
            dark = ndimage.black_tophat(plane, (size, size), mode="reflect")
            np.testing.assert_array_equal(apply(plane, {"tophat": size}), bright)
            np.testing.assert_array_equal(
                apply(plane, {"tophat": {"size": size, "dark": True}}), dark
            )


def test_tophat_saturates():
    plane = np.full((5, 5), -32768, np.int16)
    plane[2, 2] = 32767
    result = apply(plane, {"tophat": 3})
    assert result[2, 2] == 32767
    assert np.count_nonzero(result) == 1


def background_by_scipy(plane, method, size):
    if method == "median":
        return ndimage.median_filter(plane, size, mode="reflect")
    if method == "opening":
        return ndimage.grey_opening(plane, (size, size), mode="reflect")
    exact = ndimage.gaussian_filter(plane.astype(float), size / np.sqrt(12), mode="reflect")
    return as_dtype(exact, plane.dtype.name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", ["median", "opening", "gaussian"])
@pytest.mark.parametrize("kind", ["random", "structured"])
def test_background_removes_what_scipy_estimates(kind, method, dtype):
    plane = make_plane(kind, dtype, (40, 50))
    if dtype == "float32":
        plane = np.abs(plane) + 1
    estimate = background_by_scipy(plane, method, 9).astype(float)
    offset, factor = {
        "uint8": (128, 128),
        "uint16": (32768, 32768),
        "int16": (0, 16384),
        "float32": (0, 1),
    }[dtype]
    result = apply(plane, {"background": {"method": method, "size": 9}})
    expected = as_dtype(plane - estimate + offset, dtype)
    np.testing.assert_allclose(result, expected, atol=1e-3 if dtype == "float32" else 0)
    result = apply(plane, {"background": {"method": method, "size": 9, "mode": "divide"}})
    divisor = estimate if dtype == "float32" else np.maximum(estimate, 1)
    expected = as_dtype(plane * float(factor) / divisor, dtype)
    np.testing.assert_allclose(result, expected, rtol=1e-5 if dtype == "float32" else 0)


def test_background_offset_and_saturation_by_hand():
    plane = np.zeros((9, 9), np.uint8)
    plane[4, 4] = 250
    settings = {"method": "median", "size": 3, "offset": 10}
    result = apply(plane, {"background": settings})
    assert result[4, 4] == 255
    assert result[0, 0] == 10
    dark = apply(255 - plane, {"background": settings})
    assert dark[4, 4] == 0


@pytest.mark.parametrize(
    ("dtype", "expected"), [("uint8", (0, 255)), ("int16", (0, 32767)), ("float32", (1, 1))]
)
def test_background_divided_by_zero(dtype, expected):
    plane = np.zeros((9, 9), dtype)
    plane[4, 4] = 5
    result = apply(plane, {"background": {"size": 3, "mode": "divide"}})
    assert (result[0, 0], result[4, 4]) == expected


def test_background_divided_by_almost_zero_stays_finite():
    plane = np.full((9, 9), np.finfo(np.float32).tiny, np.float32)
    plane[4, 4] = 1e30
    result = apply(plane, {"background": {"size": 3, "mode": "divide"}})
    assert result[4, 4] == np.finfo(np.float32).max


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_clahe_of_one_tile_without_limit_is_the_cumulative_histogram(dtype):
    plane = make_plane("structured", dtype)
    lowest, highest = LIMITS[dtype]
    not_above = np.searchsorted(np.sort(plane, axis=None), plane, side="right")
    expected = as_dtype(not_above * ((highest - lowest) / plane.size) + lowest, dtype)
    result = apply(plane, {"clahe": {"clip_limit": 1e6, "tiles": 1}})
    assert result.dtype == dtype
    assert np.abs(result.astype(int) - expected).max() <= 1


def test_clahe_raises_local_contrast_within_its_limit():
    faint = np.tile(np.where(np.arange(64) % 8 < 4, 100, 104).astype(np.uint8), (64, 1))
    limited, more = (apply(faint, {"clahe": {"clip_limit": c, "tiles": 2}}) for c in (2, 40))
    assert 4 < np.ptp(limited) < np.ptp(more)


@pytest.mark.parametrize("kind", ["random", "structured"])
def test_equalize_8_bit_is_the_published_formula(kind):
    plane = make_plane(kind, "uint8")
    count = np.bincount(plane.ravel(), minlength=256).cumsum()
    smallest = count[plane.min()]
    expected = np.rint((count[plane] - smallest) / (plane.size - smallest) * 255)
    assert np.abs(apply(plane, "equalize") - expected).max() <= 1
    assert np.corrcoef(apply(plane, "equalize").flat, exposure.equalize_hist(plane).flat)[
        0, 1
    ] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("uint8", [0, 0, 85, 255, 255]),
        ("uint16", [0, 0, 21845, 65535, 65535]),
        ("int16", [-32768, -32768, -10923, 32767, 32767]),
        ("float32", [0, 0, 1 / 3, 1, 1]),
    ],
)
def test_equalize_by_hand(dtype, expected):
    # Of the three pixels above the smallest value, one is up to 9 and three are up to 50.
    plane = np.array([[4, 4, 9, 50, 50]], dtype)
    np.testing.assert_allclose(apply(plane, "equalize"), [expected], rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["random", "structured"])
def test_rescale_is_numpys_percentiles(kind, dtype):
    plane = make_plane(kind, dtype)
    low, high = np.percentile(plane.astype(float), (2.5, 96))
    least, greatest = LIMITS.get(dtype, (0, 1))
    fraction = np.clip((plane.astype(float) - low) / (high - low), 0, 1)
    expected = fraction * (greatest - least) + least
    result = apply(plane, {"rescale": {"low": 2.5, "high": 96}})
    assert result.dtype == dtype
    tolerance = 1e-5 if dtype == "float32" else 0.5 + 1e-6
    assert np.abs(result - expected).max() <= tolerance
    assert (result.min(), result.max()) == (least, greatest)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", ["rows", "columns"])
def test_destripe_by_scipy(dtype, axis):
    plane = make_plane("structured", dtype)
    striped = plane if axis == "rows" else plane.T
    profile = np.median(striped.astype(float), axis=1)
    error = profile - ndimage.gaussian_filter1d(profile, 9 / np.sqrt(12), mode="reflect")
    if dtype != "float32":
        error = np.rint(error)
    expected = as_dtype(striped - error[:, None], dtype)
    result = apply(plane, {"destripe": {"axis": axis, "size": 9}})
    result = result if axis == "rows" else result.T
    np.testing.assert_allclose(result, expected, rtol=1e-5 if dtype == "float32" else 0)


def test_destripe_removes_knife_chatter_and_keeps_the_rest():
    clean = np.tile(np.linspace(60, 120, 90), (70, 1))
    chatter = np.where(np.arange(70) % 5 == 0, 20, 0)[:, None]
    result = apply(as_dtype(clean + chatter, "uint8"), {"destripe": "rows"})
    inside = slice(10, -10)
    assert np.std(result.mean(axis=1)[inside]) < 1
    assert np.ptp(result.mean(axis=0)) == pytest.approx(60, abs=1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("chain", LOCAL_CHAINS, ids=str)
def test_a_region_with_its_reach_has_the_values_of_the_plane(chain, dtype):
    reach = filters.chain_reach(chain, dtype)
    for kind in ("random", "structured"):
        plane = make_plane(kind, dtype)
        whole = filters.apply_chain(plane, chain)
        for top, bottom, left, right in (
            (0, 1, 0, 1),
            (0, 20, 30, 47),
            (33, 34, 0, 90),
            (20, 51, 41, 42),
            (8, 61, 13, 90),
            (57, 70, 77, 90),
        ):
            y, x = max(top - reach, 0), max(left - reach, 0)
            region = plane[y : bottom + reach, x : right + reach]
            cropped = filters.apply_chain(region, chain)[top - y : bottom - y, left - x : right - x]
            np.testing.assert_array_equal(cropped, whole[top:bottom, left:right])


@pytest.mark.parametrize(
    ("chain", "reach"),
    [
        ([], 0),
        (["invert"], 0),
        ([{"median": 5}], 2),
        ([{"gaussian": 1.5}], 6),
        ([{"tophat": 7}], 6),
        ([{"background": {"method": "median", "size": 101}}], 50),
        ([{"background": {"method": "opening", "size": 101}}], 100),
        (["invert", {"median": 3}, {"gaussian": 1}], 5),
        ([{"median": 3}, "equalize"], WHOLE_PLANE),
        ([{"unsharp": 2}], 8),
        # a gaussian of 4 pixels, once in the first iteration and twice in the two others
        ([{"deconvolve": {"sigma": 1, "iterations": 3}}], 20),
        ([{"dog": {"sigma": 1, "high": 2}}], 8),
        # half the length is 4, three sigma 3: the corner is 5 away
        ([{"matched": {"sigma": 1, "length": 8}}], 5),
        ([{"ridge": {"sigmas": 2, "measure": "frangi"}}], WHOLE_PLANE),
        (["destripe"], WHOLE_PLANE),
    ],
)
def test_reach_by_hand(chain, reach):
    assert filters.chain_reach(chain, "uint8") == reach


@pytest.mark.parametrize(("chain", "dtype"), EVERY_CASE, ids=str)
def test_read_only_views_are_filtered_and_kept(chain, dtype):
    plane = make_plane("structured", dtype)
    view = plane[::-2, 1::3]
    view.flags.writeable = False
    before = view.copy()
    result = filters.apply_chain(view, chain)
    np.testing.assert_array_equal(view, before)
    np.testing.assert_array_equal(result, filters.apply_chain(before, chain))


@pytest.mark.parametrize(("chain", "dtype"), EVERY_CASE, ids=str)
def test_any_shape_keeps_shape_and_dtype(chain, dtype):
    for shape in SHAPES:
        result = filters.apply_chain(make_plane("random", dtype, shape), chain)
        assert result.shape == shape
        assert result.dtype == dtype
        assert np.isfinite(result).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("chain", PLANE_CHAINS + LOCAL_CHAINS, ids=str)
def test_a_constant_plane_stays_constant(chain, dtype):
    if applicable(chain, dtype):
        plane = make_plane("constant", dtype, (20, 30))
        result = filters.apply_chain(plane, chain)
        assert np.ptp(result) == 0
        if "equalize" in chain or chain[0] in PLANE_CHAINS[2] + PLANE_CHAINS[3]:
            np.testing.assert_array_equal(result, plane)


def test_steps_are_parsed_with_their_defaults():
    steps = ["invert", {"median": 3}, {"gaussian": {"sigma": 2}}, {"clahe": None}]
    parsed = [
        ("invert", {}),
        ("median", {"size": 3}),
        ("gaussian", {"sigma": 2}),
        ("clahe", {"clip_limit": 2.0, "tiles": 8}),
    ]
    assert filters.parse_chain(steps) == parsed
    assert filters.parse_chain(parsed) == parsed


def test_steps_are_applied_in_order():
    plane = np.array([[0, 0, 0, 9, 0, 0]], np.uint8)
    chain = [{"tophat": 3}, "invert"]
    assert filters.apply_chain(plane, chain).tolist() == [[255, 255, 255, 246, 255, 255]]
    assert filters.apply_chain(plane, chain[::-1]).tolist() == [[0] * 6]
    assert filters.apply_chain(plane, []) is plane


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([3], "is no filter"),
        ([{"median": 3, "gaussian": 2}], "is no filter"),
        (["zoom"], r"filter zoom does not exist \(known: invert, median"),
        ([{"median": {"width": 3}}], r"filter median has no setting width \(known: size\)"),
        (["median"], "filter median needs a value for size"),
    ],
)
def test_steps_that_cannot_be_parsed(steps, message):
    with pytest.raises(ValueError, match=message):
        filters.parse_chain(steps)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"median": 4}, "median: size is 4: give an odd"),
        ({"median": 0}, "size is 0"),
        ({"median": -3}, "size is -3"),
        ({"median": 3.0}, "size is 3.0"),
        ({"median": True}, "size is True"),
        ({"median": "3"}, "size is '3'"),
        ({"gaussian": 0}, "sigma is 0"),
        ({"gaussian": float("inf")}, "sigma is inf"),
        ({"gaussian": float("nan")}, "sigma is nan"),
        ({"clahe": 0}, "clip_limit is 0"),
        ({"clahe": {"tiles": 0}}, "tiles is 0"),
        ({"rescale": {"low": 50, "high": 50}}, "low is 50, high 50"),
        ({"rescale": {"high": 101}}, "high 101"),
        ({"background": "mean"}, "method is 'mean': choose one of median, opening, gaussian"),
        ({"background": {"mode": "add"}}, "mode is 'add': choose one of subtract, divide"),
        ({"background": {"size": 100}}, "size is 100"),
        ({"background": {"offset": 256}}, "offset is 256: give a number from 0 to 255"),
        ({"background": {"method": ["median"]}}, "choose one of"),
        ({"tophat": 2}, "size is 2"),
        ({"tophat": {"size": 3, "dark": 1}}, "dark is 1: give true or false"),
        ({"destripe": "x"}, "axis is 'x': choose one of rows, columns"),
        ({"destripe": {"size": 8}}, "size is 8"),
        ({"bilateral": {"size": 4, "levels": 9}}, "size is 4"),
        ({"bilateral": {"size": 5, "levels": 0}}, "levels is 0"),
        ({"nlm": {"noise": 0}}, "noise is 0"),
        ({"nlm": {"patch": 4}}, "patch is 4"),
        ({"nlm": {"distance": 0}}, "distance is 0"),
        ({"wavelet": "bior2.2"}, "shape is 'bior2.2': give an orthogonal wavelet"),
        ({"wavelet": "round"}, "shape is 'round'"),
        ({"wavelet": {"shape": 4}}, "shape is 4"),
        ({"wavelet": {"noise": 0}}, "noise is 0"),
        ({"wavelet": {"rule": "sure"}}, "rule is 'sure': choose one of bayes, visu"),
        ({"wavelet": {"levels": 0}}, "levels is 0"),
        ({"unsharp": 0}, "sigma is 0"),
        ({"unsharp": {"amount": "much"}}, "amount is 'much'"),
        ({"deconvolve": {"sigma": 1, "iterations": 0}}, "iterations is 0"),
        ({"ridge": []}, r"sigmas is \[\]"),
        ({"ridge": [2, 0.1]}, "at least 0.5"),
        (
            {"ridge": {"sigmas": 2, "measure": "meijering"}},
            "choose one of eigenvalue, sato, frangi",
        ),
        ({"ridge": {"sigmas": 2, "gamma": 0}}, "gamma is 0"),
        ({"dog": {"sigma": 2, "high": 1}}, "high is 1: give a number of pixels above sigma, 2"),
        ({"dog": {"sigma": 2, "offset": 300}}, "offset is 300: give a number from 0 to 255"),
        ({"matched": {"orientations": 0}}, "orientations is 0"),
        ({"matched": {"dark": 1}}, "dark is 1"),
    ],
)
def test_settings_that_cannot_be_applied(step, message):
    with pytest.raises(ValueError, match=message):
        filters.check_chain([step], "uint8")


def test_clahe_of_float_is_refused_with_a_remedy():
    with pytest.raises(ValueError, match="clahe: float32 .* use equalize or rescale"):
        filters.check_chain(["clahe"], "float32")


def test_a_dtype_that_is_not_filtered_is_refused():
    with pytest.raises(ValueError, match="int32 images cannot be filtered: convert"):
        filters.check_chain(["invert"], "int32")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"external": {"column": "a/b"}}, "column is 'a/b': give the name of a column"),
        ({"command": {"run": ["own"], "version": "1"}}, "run does not name {input}"),
    ],
)
def test_sources_are_checked(step, message):
    with pytest.raises(ValueError, match=message):
        filters.check_chain([step, "invert"], "uint8")


@pytest.mark.parametrize(("chain", "dtype"), EVERY_CASE, ids=str)
def test_chains_that_can_be_applied_are_accepted(chain, dtype):
    filters.check_chain(chain, dtype)


def test_a_new_filter_is_one_function_and_one_line(monkeypatch):
    def halve(plane, times=1):
        return plane >> times

    monkeypatch.setitem(filters.FILTERS, "halve", filters.Filter(halve))
    assert apply(np.array([[8]], np.uint8), {"halve": 2}).tolist() == [[2]]
    assert filters.chain_reach(["halve"], "uint8") == WHOLE_PLANE
    with pytest.raises(ValueError, match="halve"):
        filters.check_chain(["halve"], "float32")


@pytest.mark.parametrize("broken", [lambda plane: plane[1:], lambda plane: plane.astype(float)])
def test_a_filter_that_changes_shape_or_dtype_is_refused(monkeypatch, broken):
    monkeypatch.setitem(filters.FILTERS, "broken", filters.Filter(broken))
    with pytest.raises(ValueError, match="broken: its function makes .* it must keep both"):
        filters.check_chain(["broken"], "uint8")


def test_settings_are_left_as_they_were_given():
    steps = [{"background": {"method": "gaussian"}}]
    filters.parse_chain(steps)
    assert steps == [{"background": {"method": "gaussian"}}]


def test_results_do_not_depend_on_the_threads_of_opencv():
    plane, threads = make_plane("random", "float32", (300, 400)), cv2.getNumThreads()
    try:
        results = []
        for count in (1, 2):
            cv2.setNumThreads(count)
            results.append(filters.apply_chain(plane, [{"median": 3}, {"gaussian": 3}]))
    finally:
        cv2.setNumThreads(threads)
    np.testing.assert_array_equal(*results)
