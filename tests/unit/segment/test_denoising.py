"""Filters against noise, beside scikit-image and plain loops."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from skimage.restoration import denoise_bilateral, denoise_nl_means, denoise_wavelet

from tilewise.segment import denoising
from tilewise.segment.filters import apply_chain


@pytest.fixture(scope="module")
def step():
    """An edge of 60 grey levels in noise of 6."""
    clean = np.where(np.arange(70) < 35, 80.0, 140.0) * np.ones((60, 1))
    return clean, clean + np.random.default_rng(2).normal(0, 6, clean.shape)


def test_bilateral_by_loops():
    plane = np.random.default_rng(1).integers(0, 200, (6, 8)).astype(np.uint8)
    padded = np.pad(plane.astype(float), 2, mode="symmetric")
    expected = np.empty(plane.shape)
    for y, x in np.ndindex(plane.shape):
        pixels = weights = 0.0
        for v in range(-2, 3):
            for u in range(-2, 3):
                other = padded[y + v + 2, x + u + 2]
                weight = math.exp(-((other - plane[y, x]) ** 2) / (2 * 40**2))
                weight *= math.exp(-(v * v + u * u) / (2 * 1.25**2))
                pixels, weights = pixels + weight * other, weights + weight
        expected[y, x] = pixels / weights
    found = apply_chain(plane, [{"bilateral": {"size": 5, "levels": 40}}])
    np.testing.assert_array_equal(found, np.rint(expected))


def test_bilateral_is_that_of_scikit_image_where_distance_does_not_matter(step):
    _, noisy = step
    # whose weights of distance are misplaced; its weights of grey level come from 10,000 bins
    expected = denoise_bilateral(noisy, 7, sigma_color=20, sigma_spatial=1e6, mode="symmetric")
    settings = {"size": 7, "levels": 20, "sigma": 1e6}
    found = apply_chain(noisy.astype(np.float32), [{"bilateral": settings}])
    np.testing.assert_allclose(found, expected, atol=0.02)


@pytest.mark.parametrize("scale", [1, 100])
def test_nlm_is_that_of_scikit_image(step, scale):
    _, noisy = step
    plane = np.rint(noisy * scale).astype(np.uint16)
    # which goes on beyond the border in another way
    around = np.pad(plane.astype(float), 20, mode="symmetric")
    settings = {"h": 0.8 * 6 * scale, "sigma": 6 * scale, "preserve_range": True}
    expected = denoise_nl_means(around, 5, 6, **settings)[20:-20, 20:-20]
    found = apply_chain(plane, [{"nlm": {"noise": 6 * scale}}])
    assert np.abs(found - expected).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("scale", [1, 100])
@pytest.mark.parametrize(("rule", "method"), [("bayes", "BayesShrink"), ("visu", "VisuShrink")])
@pytest.mark.parametrize(("shape", "levels"), [("db1", 4), ("sym4", 2)])
def test_wavelet_is_that_of_scikit_image(step, scale, rule, method, shape, levels):
    _, noisy = step
    plane = np.rint(noisy * scale).astype(np.uint16)
    expected = denoise_wavelet(
        plane.astype(float), 6 * scale, shape, wavelet_levels=levels, method=method
    )
    settings = {"shape": shape, "noise": 6 * scale, "rule": rule, "levels": levels}
    found = apply_chain(plane, [{"wavelet": settings}])
    assert np.abs(found - expected).max() <= 0.5 + 1e-6
    assert np.abs(found - plane.astype(float)).max() > 3 * scale


def test_a_plane_that_is_too_small_for_a_wavelet_has_fewer_levels():
    """Eight weights of `sym4`: one level takes 14 pixels, two take 28."""
    plane = np.random.default_rng(7).integers(0, 255, (20, 40)).astype(np.uint8)
    expected = denoise_wavelet(plane.astype(float), 20.0, "sym4", wavelet_levels=1)
    found = apply_chain(plane, [{"wavelet": {"noise": 20}}])
    assert np.abs(found - expected).max() <= 0.5 + 1e-6
    np.testing.assert_array_equal(apply_chain(plane[:13], [{"wavelet": {"noise": 20}}]), plane[:13])


@pytest.mark.parametrize("filter", [{"bilateral": {"size": 7, "levels": 25}}, "nlm", "wavelet"])
def test_noise_goes_and_the_edge_stays(step, filter):
    clean, noisy = step
    found = apply_chain(np.rint(noisy).astype(np.uint8), [filter])
    assert np.abs(found - clean).mean() < 0.5 * np.abs(noisy - clean).mean()
    assert found[:, 36].mean() - found[:, 33].mean() > 50


@pytest.mark.parametrize("noise", [2, 9])
def test_noise_is_estimated(noise):
    y, x = np.mgrid[:200, :200]
    plane = 50 + 0.4 * x + 0.1 * y + np.random.default_rng(4).normal(0, noise, x.shape)
    assert denoising.noise_of(plane) == pytest.approx(noise, rel=0.02)
    assert denoising.noise_of(plane[:2]) == 0


@pytest.mark.parametrize("outside", [0, 30])
def test_noise_is_that_of_the_region_of_interest(outside):
    """Before it is filtered, a plane is even outside; whatever is there does not count."""
    y, x = np.mgrid[:200, :200]
    inside = np.hypot(x - 100, y - 100) < 70
    random = np.random.default_rng(5)
    spread = np.where(inside, 6, outside)
    plane = np.rint(100 + random.normal(0, 1, x.shape) * spread).clip(0, 255).astype(np.uint8)
    assert denoising.noise_of(plane, inside) == pytest.approx(6, rel=0.03)
    assert denoising.noise_of(plane) != pytest.approx(6, rel=0.3)
    for filter in ("nlm", "wavelet"):
        alone = apply_chain(plane, [{filter: {"noise": denoising.noise_of(plane, inside)}}])
        np.testing.assert_array_equal(apply_chain(plane, [filter], inside), alone)


def test_nothing_inside_that_tells_the_noise():
    plane = np.random.default_rng(6).integers(0, 255, (9, 9)).astype(np.uint8)
    inside = np.zeros(plane.shape, bool)
    inside[2:4] = True
    assert denoising.noise_of(plane, inside) == 0
    for filter in ("nlm", "wavelet"):
        np.testing.assert_array_equal(apply_chain(plane, [filter], inside), plane)


def test_the_time_of_bilateral_goes_by_the_area_of_its_window():
    assert denoising.bilateral_seconds(5, levels=1) == pytest.approx(0.03 * 25)


def test_the_time_of_nlm_goes_by_the_places_that_are_compared():
    # 3 x 3 and 5 x 5
    assert denoising.nlm_seconds(1, strength=1) == pytest.approx(0.02 * 9)
    assert denoising.nlm_seconds(2, strength=1) == pytest.approx(0.02 * 25)


def test_libraries_are_imported_where_they_are_used():
    code = (
        "import sys, numpy as np; from tilewise.segment.filters import apply_chain, check_chain;"
        "chain = [sys.argv[1]]; check_chain(chain, 'uint8');"
        "apply_chain(np.arange(900, dtype='uint16').reshape(30, 30) ** 2, chain);"
        "print(*sorted({'pywt', 'skimage.restoration'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for filter, libraries in (
        ("unsharp", ""),
        ("nlm", "skimage.restoration"),
        ("wavelet", "pywt skimage.restoration"),
    ):
        command = [sys.executable, "-c", code, filter]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert run.stdout.strip() == libraries
