import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage.feature import hessian_matrix_eigvals, structure_tensor_eigenvalues

from tilewise.learn import features

FINE = (0.7, 1, 1.6, 2.5)
ALL = features.feature_names((*FINE, 4, 6.4, 10, 16), features.KINDS)
SCALES = {
    "uint8": features.scale_of("uint8", 0, 255),
    "uint16": features.scale_of("uint16", 100, 4000),
    "int16": features.scale_of("int16", -900, 1500),
    "float32": features.scale_of("float32", -0.5, 2.25),
}
RANGES = {"uint8": (0, 255), "uint16": (100, 4000), "int16": (-900, 1500), "float32": (-0.5, 2.25)}


def make_plane(shape, dtype="uint8", seed=0):
    """Blobs and noise that take the whole range."""
    random = np.random.default_rng(seed)
    blobs = ndimage.gaussian_filter(random.normal(size=shape), 3, mode="wrap")
    values = blobs / (np.abs(blobs).max() or 1) + 0.1 * random.normal(size=shape)
    low, high = RANGES[dtype]
    values = low + (high - low) * np.clip(values / 2 + 0.5, 0, 1)
    return values.astype(dtype) if dtype == "float32" else np.rint(values).astype(dtype)


def derivative(plane, axes):
    """By differences of the neighbours; SciPy in double precision."""
    if len(set(axes)) == 2:
        return derivative(derivative(plane, axes[:1]), axes[1:])
    weights = [0.5, 0, -0.5] if len(axes) == 1 else [1, -2, 1]
    return ndimage.convolve1d(plane, weights, axis=axes[0], mode="reflect")


def expected(plane, kind, sigma):
    """Features by SciPy and scikit-image, largest eigenvalues first."""
    plane = plane.astype(np.float64)
    smooth = ndimage.gaussian_filter(plane, sigma, mode="reflect")
    if kind == "gaussian":
        return [smooth]
    if kind == "difference":
        return [smooth - ndimage.gaussian_filter(plane, features.WIDER * sigma, mode="reflect")]
    if kind == "gradient":
        return [np.hypot(derivative(smooth, [0]), derivative(smooth, [1]))]
    if kind == "hessian":
        return hessian_matrix_eigvals([derivative(smooth, a) for a in ([0, 0], [0, 1], [1, 1])])
    dy, dx = derivative(plane, [0]), derivative(plane, [1])
    tensor = [
        ndimage.gaussian_filter(p, sigma, mode="reflect") for p in (dy * dy, dy * dx, dx * dx)
    ]
    return np.sqrt(np.maximum(structure_tensor_eigenvalues(tensor), 0))


@pytest.mark.parametrize("dtype", RANGES)
@pytest.mark.parametrize("sigma", FINE)
@pytest.mark.parametrize("kind", ["gaussian", "gradient", "hessian", "structure", "difference"])
def test_features_are_those_of_scipy_and_skimage(kind, sigma, dtype):
    plane = make_plane((61, 47), dtype)
    names = [f"{kind}_{sigma:g}"]
    if kind in ("hessian", "structure"):
        names = [f"{kind}_{which}_{sigma:g}" for which in ("largest", "smallest")]
    found = features.compute(plane, names, SCALES[dtype])
    # smoothing is rounded to a step: a Hessian's eigenvalue is off by a few
    step = 1 / SCALES[dtype].factor
    for own, reference in zip(found, expected(plane, kind, sigma), strict=True):
        np.testing.assert_allclose(own, reference, rtol=1e-4, atol=6 * step)


@pytest.mark.parametrize("dtype", RANGES)
def test_intensity_is_the_plane(dtype):
    plane = make_plane((9, 12), dtype)
    found = features.compute(plane, ["intensity"], SCALES[dtype])[0]
    np.testing.assert_allclose(found, plane, rtol=0, atol=0.51 / SCALES[dtype].factor)


@pytest.mark.parametrize("sigma", [4, 6.4, 10, 16])
@pytest.mark.parametrize("kind", ["gaussian", "gradient", "hessian"])
def test_large_scales_are_near_those_at_full_resolution(kind, sigma):
    plane = make_plane((160, 176))
    names = [f"{kind}_{sigma:g}"]
    if kind == "hessian":
        names = [f"hessian_{which}_{sigma:g}" for which in ("largest", "smallest")]
    found = features.compute(plane, names, SCALES["uint8"])
    for own, reference in zip(found, expected(plane, kind, sigma), strict=True):
        # differences of cells, and planes between them, are somewhat flatter
        assert np.corrcoef(own.ravel(), reference.ravel())[0, 1] > 0.98
        assert 0.8 < np.polyfit(reference.ravel(), own.ravel(), 1)[0] < 1.01


@pytest.mark.parametrize("dtype", RANGES)
@pytest.mark.parametrize("shape", [(301, 263), (40, 517)])
def test_codes_do_not_depend_on_where_planes_are_cut(dtype, shape):
    plane = make_plane(shape, dtype)
    edges = features.edges_of(features.compute(plane, ALL, SCALES[dtype]).reshape(len(ALL), -1))
    whole = features.compute_codes(plane, ALL, SCALES[dtype], edges)
    reach, random = features.reach(ALL), np.random.default_rng(1)
    for _ in range(6):
        (y0, y1), (x0, x1) = (np.sort(random.choice(size + 1, 2, False)).tolist() for size in shape)
        top, left = max(y0 - reach, 0), max(x0 - reach, 0)
        part = np.ascontiguousarray(plane[top : y1 + reach, left : x1 + reach])
        window = y0 - top, y1 - top, x0 - left, x1 - left
        found = features.compute_codes(part, ALL, SCALES[dtype], edges, (top, left), window)
        np.testing.assert_array_equal(found, whole[:, y0:y1, x0:x1])


@pytest.mark.parametrize("name", ["intensity", "gradient_0.7", "hessian_largest_4", "gaussian_16"])
def test_a_pixel_beyond_the_reach_changes_nothing(name):
    size = 2 * features.reach([name]) + 3
    middle = size // 2
    plane = np.full((size, size), 100, np.uint8)
    before = features.compute(plane, [name], SCALES["uint8"])[0, middle, middle]
    plane[0], plane[-1], plane[:, 0], plane[:, -1] = 255, 255, 255, 255
    assert features.compute(plane, [name], SCALES["uint8"])[0, middle, middle] == before


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (4, 1), (3, 2)])
def test_tiny_constant_planes_have_no_slopes(shape):
    found = features.compute(np.full(shape, 77, np.uint8), ALL, SCALES["uint8"])
    for name, own in zip(ALL, found, strict=True):
        flat = name.startswith(("intensity", "gaussian"))
        np.testing.assert_array_equal(own, np.full(shape, 77 if flat else 0))


def test_order_of_names_is_free():
    plane = make_plane((30, 40))
    names = ["gradient_4", "intensity", "gaussian_1"]
    found = features.compute(plane, names, SCALES["uint8"])
    turned = features.compute(plane, names[::-1], SCALES["uint8"])
    np.testing.assert_array_equal(found, turned[::-1])


def test_quantising_by_hand():
    # 51 grey levels per unit: 0 -> 0, 1 -> 51, 5 -> 255, and beyond the nearest
    values = np.array([[-3, 0, 1, 5, 9], [7, 7, 7, 7, 7]], np.float32)
    codes = features.quantise(values, np.array([[0, 5], [7, 7]], float))
    np.testing.assert_array_equal(codes, [[0, 0, 51, 255, 255], [0, 0, 0, 0, 0]])


@pytest.mark.parametrize(
    "name", ["gradient", "sobel_2", "gradient_x", "gaussian_0.1", "gaussian_nan"]
)
def test_unknown_features_are_refused(name):
    with pytest.raises(ValueError, match=name):
        features.reach([name])


def test_a_scale_holds_its_range_at_a_power_of_two():
    # 3900 levels fit 16 times into 65535, and 32 times they do not
    assert SCALES["uint16"].factor == 16
    steps = SCALES["uint16"].steps(np.array([[100, 101, 4000]], np.uint16))[0].tolist()
    assert steps[1] - steps[0] == 16
    assert steps[0] + steps[2] == pytest.approx(65535, abs=1)


def test_no_thread_is_needed_for_equal_results():
    plane = make_plane((200, 210))
    edges = features.edges_of(features.compute(plane, ALL, SCALES["uint8"]).reshape(len(ALL), -1))
    threads, found = cv2.getNumThreads(), []
    for number in (1, 2):
        cv2.setNumThreads(number)
        found.append(features.compute_codes(plane, ALL, SCALES["uint8"], edges))
    cv2.setNumThreads(threads)
    np.testing.assert_array_equal(*found)
