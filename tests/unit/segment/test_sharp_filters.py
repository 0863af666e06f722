"""Sharpening, ridges and blobs, beside scikit-image, SciPy and plain loops."""

import math
import os

import imageio.v3 as imageio
import numpy as np
import pytest
from scipy import ndimage
from skimage.feature import hessian_matrix, hessian_matrix_eigvals
from skimage.filters import difference_of_gaussians, frangi, unsharp_mask
from skimage.restoration import richardson_lucy

from tilewise.segment import point_spread, sharpening
from tilewise.segment.filters import apply_chain, chain_reach, check_chain

SIZE = 90
MARGIN = 30
"""Beyond it, how a border is mirrored does not matter."""
INNER = np.s_[MARGIN:-MARGIN, MARGIN:-MARGIN]


@pytest.fixture(scope="module")
def plane():
    """Bright lines and spots of several widths on a slope, in noise."""
    random = np.random.default_rng(3)
    y, x = np.mgrid[:SIZE, :SIZE]
    light = 40 + 0.3 * x + random.normal(0, 2, (SIZE, SIZE))
    for angle, place, width in ((0.3, 40, 2), (1.2, 55, 3), (2.2, 10, 1.5)):
        across = x * math.cos(angle) + y * math.sin(angle) - place
        light += 60 * np.exp(-0.5 * (across / width) ** 2)
    return (light + 90 * np.exp(-((x - 50) ** 2 + (y - 40) ** 2) / 18)).astype(np.float32)


def apply(plane, step):
    return apply_chain(plane, [step])


def eigenvalues(plane, sigma):
    """Of the Hessian by gaussian derivatives, times sigma squared: the greater, the lesser."""
    matrix = hessian_matrix(
        plane.astype(float), sigma, mode="reflect", use_gaussian_derivatives=True
    )
    return hessian_matrix_eigvals(matrix) * sigma**2


@pytest.mark.parametrize("sigma", [0.7, 1, 3])
@pytest.mark.parametrize("amount", [0.5, 2])
def test_unsharp_is_that_of_scikit_image(plane, sigma, amount):
    expected = unsharp_mask(plane.astype(float), sigma, amount, preserve_range=True)
    found = apply(plane, {"unsharp": {"sigma": sigma, "amount": amount}})
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    integers = plane.astype(np.uint8)
    expected = unsharp_mask(integers.astype(float), sigma, amount, preserve_range=True)
    found = apply(integers, {"unsharp": {"sigma": sigma, "amount": amount}})
    np.testing.assert_array_equal(found, np.clip(np.rint(expected), 0, 255))


@pytest.mark.parametrize("iterations", [1, 2, 5])
def test_deconvolution_is_that_of_scikit_image(plane, iterations):
    radius = 4
    weights = np.exp(-0.5 * np.arange(-radius, radius + 1) ** 2)
    psf = np.outer(weights, weights) / weights.sum() ** 2
    # mirrored so far that its black border does not matter
    far = radius * 2 * iterations
    mirrored = np.pad(plane.astype(float), far, mode="symmetric")
    expected = richardson_lucy(mirrored, psf, iterations, clip=False)[far:-far, far:-far]
    found = apply(plane, {"deconvolve": {"sigma": 1, "iterations": iterations}})
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def write_psf(folder, pixels, name="psf.npy"):
    path = str(folder / name)
    if name.endswith(".npy"):
        np.save(path, pixels)
    else:
        imageio.imwrite(path, pixels)
    return path


def comet(rows=7, columns=5):
    """The image of a point, brighter on one side: turned by half a turn it is another."""
    random = np.random.default_rng(8)
    light = random.integers(0, 200, (rows, columns)).astype(np.uint16)
    light[:2] *= 20
    return light


@pytest.mark.parametrize("iterations", [1, 4])
@pytest.mark.parametrize("shape", [(7, 5), (1, 9), (3, 53)])
def test_deconvolution_of_a_measured_point_is_that_of_scikit_image(
    plane, iterations, shape, tmp_path
):
    psf = comet(*shape)
    far = max(shape) * iterations
    mirrored = np.pad(plane.astype(float), far, mode="symmetric")
    expected = richardson_lucy(mirrored, psf / psf.sum(), iterations, clip=False)
    path = write_psf(tmp_path, psf)
    found = apply(plane, {"deconvolve": {"psf": path, "iterations": iterations}})
    np.testing.assert_allclose(found, expected[far:-far, far:-far], rtol=1e-5)
    reach = chain_reach([{"deconvolve": {"psf": path, "iterations": iterations}}], "uint8")
    # the first iteration takes half a side, each other twice as much
    assert reach == max(shape) // 2 * (2 * iterations - 1)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_a_region_with_the_reach_of_a_measured_point(plane, dtype, tmp_path):
    """Also of a point of more than 50 pixels, which OpenCV would take by Fourier transforms."""
    chain = [{"deconvolve": {"psf": write_psf(tmp_path, comet(9, 7)), "iterations": 3}}]
    plane = plane.astype(dtype)
    whole, reach = apply_chain(plane, chain), chain_reach(chain, dtype)
    for top, left in ((0, 0), (30, 41), (71, 3)):
        y, x = max(top - reach, 0), max(left - reach, 0)
        region = plane[y : top + 9 + reach, x : left + 7 + reach]
        found = apply_chain(region, chain)[top - y : top - y + 9, left - x : left - x + 7]
        np.testing.assert_array_equal(found, whole[top : top + 9, left : left + 7])


def test_a_measured_gaussian_is_as_one_by_its_sigma(plane, tmp_path):
    weights = np.exp(-0.5 * np.arange(-4, 5) ** 2)
    path = write_psf(tmp_path, 1e300 * np.outer(weights, weights))
    found = apply(plane, {"deconvolve": {"psf": path, "iterations": 4}})
    expected = apply(plane, {"deconvolve": {"sigma": 1, "iterations": 4}})
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["psf.tif", "psf.TIFF", "psf.png"])
def test_files_of_a_point_have_the_pixels_that_imageio_wrote(tmp_path, name):
    psf = comet()
    path = write_psf(tmp_path, psf, name)
    np.testing.assert_allclose(point_spread.read(path), psf / psf.sum(), rtol=1e-12)
    # the file is read again after an edit
    psf[0, 0] += 5000
    write_psf(tmp_path, psf, name)
    os.utime(path, (1, 1))
    np.testing.assert_allclose(point_spread.read(path), psf / psf.sum(), rtol=1e-12)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.ones((3, 3, 3)), r"float64 of shape \(3, 3, 3\): give one grey plane"),
        (np.ones((3, 3), complex), "complex128"),
        (np.ones((3, 3), bool), "bool of shape"),
        (np.ones((4, 3)), "4 x 3 px: give odd numbers"),
        (np.ones((0, 3)), "0 x 3 px"),
        (np.full((3, 3), np.nan), "give light of at least 0"),
        (np.diag([1.0, np.inf, 1]), "give light of at least 0"),
        (np.diag([1.0, -1e-9, 1]), "cut off what is below 0"),
        (np.zeros((3, 3)), "above 0 in some"),
        (np.array([[{}]]), "cannot be read: .*allow_pickle"),
    ],
)
def test_what_is_no_image_of_a_point(tmp_path, pixels, message):
    path = write_psf(tmp_path, pixels)
    with pytest.raises(ValueError, match=f"deconvolve: psf is .*psf.npy.*{message}"):
        check_chain([{"deconvolve": {"psf": path}}], "uint8")


@pytest.mark.parametrize("name", ["psf.tif", "psf.png", "psf.npy", "psf.txt", "none.png"])
def test_files_that_cannot_be_read(tmp_path, name):
    if name != "none.png":
        (tmp_path / name).write_text("no pixels")
    message = {"psf.txt": "give a file of .tif", "none.png": "No such file"}
    expected = message.get(name, "cannot be read")
    with pytest.raises(ValueError, match=f"psf is '.*{name}': .*{expected}"):
        check_chain([{"deconvolve": {"psf": str(tmp_path / name)}}], "uint8")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "either sigma"),
        ({"sigma": 1, "psf": "a.png"}, "either sigma"),
        ({"psf": 3}, "psf is 3"),
    ],
)
def test_the_image_of_a_point_is_given_once(given, message):
    with pytest.raises(ValueError, match=f"deconvolve: .*{message}"):
        check_chain([{"deconvolve": given}], "uint8")


def test_the_time_of_a_deconvolution_goes_by_the_size_of_a_point(tmp_path):
    # a gaussian of 2 px ends 8 px from its centre, and takes 17 px of rows and columns each
    by_sigma = sharpening.deconvolve_seconds(sigma=2, iterations=10, psf=None, offset=0)
    assert by_sigma == pytest.approx(0.0024 * 10 * 17)
    file = write_psf(tmp_path, comet(7, 5))
    by_file = sharpening.deconvolve_seconds(sigma=None, iterations=10, psf=file, offset=0)
    assert by_file == pytest.approx(0.0014 * 10 * 7 * 5)


def test_deconvolution_undoes_a_blur(plane):
    blurred = ndimage.gaussian_filter(plane, 1.5)
    found = apply(blurred, {"deconvolve": {"sigma": 1.5, "iterations": 20}})
    assert np.abs(found - plane)[INNER].mean() < 0.6 * np.abs(blurred - plane)[INNER].mean()


def test_deconvolution_without_light_stays_dark():
    dark = np.full((20, 20), 7, np.uint8)
    assert (apply(dark, {"deconvolve": {"sigma": 1, "offset": 10}}) == 10).all()


@pytest.mark.parametrize("high", [None, 3.5])
def test_differences_of_gaussians_are_scikit_image_s(plane, high):
    sigma = 1.3
    wide = 1.6 * sigma if high is None else high
    expected = difference_of_gaussians(plane.astype(float), sigma, wide, mode="reflect")
    found = apply(plane, {"dog": {"sigma": sigma, "high": high}})
    np.testing.assert_allclose(found, expected, atol=1e-4)
    integers = plane.astype(np.uint16)
    expected = difference_of_gaussians(integers.astype(float), sigma, wide, mode="reflect")
    found = apply(integers, {"dog": {"sigma": sigma, "high": high, "gain": 10}})
    assert np.abs(found - (32768 + 10 * expected)).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("sigmas", [2, [1, 2, 3]])
def test_ridges_are_eigenvalues_of_gaussian_derivatives(plane, sigmas, dark):
    sign = 1 if dark else -1
    # of a bright line, the lesser eigenvalue is the curvature across it
    each = [
        (sign * eigenvalues(plane, sigma)[0 if dark else 1])[INNER]
        for sigma in np.atleast_1d(sigmas)
    ]
    expected = np.max(each, axis=0)
    found = apply(plane, {"ridge": {"sigmas": sigmas, "dark": dark}})[INNER]
    # gaussians end at 5 standard deviations here
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    step = {"ridge": {"sigmas": sigmas, "dark": dark, "measure": "sato"}}
    np.testing.assert_array_equal(apply(plane, step)[INNER], np.maximum(found, 0))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("gamma", [4.0, None])
def test_frangi_is_that_of_scikit_image(plane, dark, gamma):
    sigma = 2
    if gamma is None:
        # at the border, where second derivatives may be the greatest, planes go on differently
        expected = frangi(plane.astype(float), [sigma], black_ridges=dark, mode="reflect")
        found = apply(plane, {"ridge": {"sigmas": sigma, "measure": "frangi", "dark": dark}})
        assert expected[INNER].max() > 0.3
        np.testing.assert_allclose(found[INNER], expected[INNER], atol=0.01)
        return
    expected = frangi(
        np.pad(plane.astype(float), 40, mode="symmetric"),
        [sigma],
        black_ridges=dark,
        gamma=gamma / sigma**2,
    )[40:-40, 40:-40]
    step = {"sigmas": sigma, "measure": "frangi", "dark": dark, "gamma": gamma}
    found = apply(plane, {"ridge": step})
    assert expected.max() > 0.3
    np.testing.assert_allclose(found[INNER], expected[INNER], atol=1e-3)


def test_frangi_goes_by_the_lines_of_the_region_of_interest(plane):
    inside = np.ones(plane.shape, bool)
    inside[:, 60:] = False
    # a line of ten times the height, whose curvature counts only if its pixels do
    high = plane.copy()
    high[:, 75:78] += 600
    step = {"ridge": {"sigmas": 2, "measure": "frangi"}}
    near = np.s_[:, :50]
    found = apply_chain(high, [step], inside)[near]
    np.testing.assert_allclose(found, apply_chain(plane, [step], inside)[near], atol=1e-6)
    assert found.max() > 5 * apply_chain(high, [step])[near].max()


def test_a_line_as_wide_as_the_scale_keeps_its_height():
    y, x = np.mgrid[:61, :61]
    line = (20 + 80 * np.exp(-0.5 * ((x - 30) / 2) ** 2)).round().astype(np.uint8)
    # sigma^2 w h / (w^2 + s^2)^1.5 with w = s = 2: 80 / 2^1.5, times 3
    expected = 3 * 80 / 2**1.5
    assert abs(int(apply(line, {"ridge": 2})[30, 30]) - expected) <= 1
    assert apply(255 - line, {"ridge": 2})[30, 30] == 0
    assert abs(int(apply(255 - line, {"ridge": {"sigmas": 2, "dark": True}})[30, 30]) - 85) <= 1
    # a long line of the profile keeps its height by matched kernels
    assert abs(int(apply(line, {"matched": {"sigma": 2}})[30, 30]) - 80) <= 1


def test_matched_by_loops():
    sigma, length, orientations = 1, 5, 3
    small = np.random.default_rng(5).uniform(0, 100, (12, 9)).astype(np.float32)
    radius = 3
    offsets = range(-radius, radius + 1)
    expected = np.full(small.shape, -np.inf)
    padded = np.pad(small.astype(float), radius, mode="symmetric")
    for number in range(orientations):
        angle = math.pi * number / orientations
        weights = {}
        for v in offsets:
            for u in offsets:
                across = u * math.cos(angle) + v * math.sin(angle)
                along = v * math.cos(angle) - u * math.sin(angle)
                if abs(across) <= 3 * sigma + 1e-9 and abs(along) <= length / 2 + 1e-9:
                    weights[v, u] = math.exp(-(across**2) / (2 * sigma**2))
        mean = sum(weights.values()) / len(weights)
        height = sum((weight - mean) * weight for weight in weights.values())
        for y in range(small.shape[0]):
            for x in range(small.shape[1]):
                total = sum(
                    (weight - mean) * padded[y + v + radius, x + u + radius]
                    for (v, u), weight in weights.items()
                )
                expected[y, x] = max(expected[y, x], total / height)
    step = {"sigma": sigma, "length": length, "orientations": orientations}
    np.testing.assert_allclose(apply(small, {"matched": step}), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"ridge": {"sigmas": [2], "measure": "frangi", "beta": 0}}, "beta is 0"),
        ({"matched": {"sigma": 0.3, "length": 9}}, r"sigma is 0\.3: give a number of pixels"),
        ({"matched": {"sigma": "a", "length": 9}}, "sigma is 'a'"),
        ({"nlm": {"distance": 0}}, "distance is 0"),
    ],
)
def test_settings_of_lines_that_cannot_be_are_refused(step, message):
    with pytest.raises(ValueError, match=message):
        check_chain([step], "uint8")


def test_settings_at_their_limits_are_not_refused():
    check_chain([{"matched": {"sigma": 0.5, "length": 9}}], "uint8")
    check_chain([{"nlm": {"distance": 1}}], "uint8")
