"""Phantoms of several kinds of images, 8 bit, each with its exact truth; always the same."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

SIDE = 512
Phantom = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def membranes(seed: int = 1) -> Phantom:
    """Dark borders between cells, on a fifth of the picture; three and a half times the noise."""
    random = np.random.default_rng(seed)
    distances, _ = cKDTree(random.uniform(0, SIDE, (160, 2))).query(_places(), 2)
    truth = (distances[:, 1] - distances[:, 0] < 3).reshape(SIDE, SIDE)
    return _image(170 - 56.0 * truth, 16, random), truth.astype(np.uint8)


def stars(seed: int = 2) -> Phantom:
    """Few small spots of many magnitudes, in half of the picture alone; bright."""
    random = np.random.default_rng(seed)
    light = np.zeros((SIDE, SIDE))
    rows, columns = random.integers(8, SIDE - 8, 60), random.integers(8, SIDE // 2, 60)
    light[rows, columns] = random.pareto(1.2, 60).clip(0.3, 8) * 2500
    light = cv2.GaussianBlur(light, (0, 0), 2)
    return _image(40 + light, 6, random), (light > 15).astype(np.uint8)


def gels(seed: int = 3) -> Phantom:
    """Bright bands in lanes, over a background that rises from left to right."""
    random = np.random.default_rng(seed)
    truth = np.zeros((SIDE, SIDE), np.uint8)
    for left in range(24, SIDE - 40, 64):
        for top in random.integers(16, SIDE - 24, 4):
            truth[top : top + 8, left : left + 40] = 1
    light = cv2.GaussianBlur(truth * 90.0, (0, 0), 1.5)
    return _image(50 + light + np.linspace(0, 40, SIDE), 5, random), truth


def nuclei(seed: int = 4, number: int = 140, contrast: float = 10, noise: float = 8) -> Phantom:
    """Bright discs under light that falls to two fifths at a corner.

    The contrast is in standard deviations of the noise, under full light.
    """
    random = np.random.default_rng(seed)
    truth = discs(random, number)
    return _image((70 + contrast * noise * truth) * falling_light(0.6), noise, random), truth


def discs(random: np.random.Generator, number: int) -> NDArray[np.uint8]:
    """A truth of so many discs, which may overlap: 0 and 1."""
    truth = np.zeros((SIDE, SIDE), np.uint8)
    places, radii = random.integers(0, SIDE, (number, 2)), random.integers(8, 14, number)
    for place, radius in zip(places.tolist(), radii.tolist(), strict=True):
        cv2.circle(truth, place, radius, 1, -1)
    return truth


def falling_light(fall: float) -> NDArray[np.float64]:
    """Light of 1 in one corner, and less by `fall` in the opposite one."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    light: NDArray[np.float64] = 1 - fall * np.hypot(x, y) / np.sqrt(2)
    return light


def weak_nuclei(seed: int = 5) -> Phantom:
    """Many, of three and a half times the noise."""
    return nuclei(seed, 300, 3.5, 12)


def rare_nuclei(seed: int = 6) -> Phantom:
    """Few: most tiles have none."""
    return nuclei(seed, 5)


KINDS = {
    "membranes": (membranes, "dark"),
    "weak, uneven": (weak_nuclei, "bright"),
    "rare, uneven": (rare_nuclei, "bright"),
    "nuclei, uneven": (nuclei, "bright"),
    "gel bands": (gels, "bright"),
    "stars": (stars, "bright"),
}
"""What makes each kind, and whether its foreground is bright or dark."""


def _places() -> NDArray[np.float64]:
    return np.stack(np.mgrid[:SIDE, :SIDE], axis=-1).reshape(-1, 2).astype(np.float64)


def _image(light: NDArray, noise: float, random: np.random.Generator) -> NDArray[np.uint8]:
    noisy = light + random.normal(0, noise, light.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
