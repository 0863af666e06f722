"""Small images of the kinds that config/examples has a configuration for, with their truths."""

import cv2
import kinds
import numpy as np
from skimage.color import hed2rgb

from tilewise.demo.phantom import render

SIDE = 160


def vessels(seed):
    """Dark lines on a bright ground, of the demo."""
    image, truth = render((1, 512, 512), seed, 0, SIDE, 2 * SIDE, SIDE, 2 * SIDE)
    return image, truth


def corner_of(kind):
    """The upper left corner of a phantom of benchmarks/kinds.py."""

    def make(seed):
        return tuple(plane[:SIDE, :SIDE].copy() for plane in kind(seed))

    return make


def retina(seed):
    """A round field in colour on black, with dark vessels from one place, best seen in green."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    truth = np.zeros((SIDE, SIDE), np.uint8)
    for angle in np.linspace(0, 2 * np.pi, 7)[:-1] + random.uniform(0, 1):
        steps = angle + np.cumsum(random.normal(0, 0.12, 40))
        path = np.stack([np.cos(steps), np.sin(steps)], axis=-1).cumsum(axis=0) * 3
        points = np.rint(path + (SIDE / 3, SIDE / 2)).astype(np.int32)
        cv2.polylines(truth, [points], False, 1, int(random.integers(2, 5)))
    field = np.hypot(x, y) < SIDE / 2 - 4
    light = (1 - 0.3 * np.hypot(x, y) / (SIDE / 2))[..., None] * (200, 110, 50)
    light = light - cv2.GaussianBlur(truth * 1.0, (0, 0), 1)[..., None] * (15, 40, 8)
    noisy = (light + random.normal(0, 4, light.shape)) * field[..., None]
    # what is outside is black, and what is inside is not
    image = np.clip(np.rint(noisy), field[..., None] * 1, 255)
    return image.astype(np.uint8), truth * field


def section(seed):
    """Nuclei in haematoxylin on a ground of uneven eosin, by the law of Beer and Lambert."""
    random = np.random.default_rng(seed)
    truth = np.zeros((SIDE, SIDE), np.uint8)
    for place in random.integers(0, SIDE, (22, 2)).tolist():
        cv2.ellipse(truth, place, (8, 6), int(random.integers(180)), 0, 360, 1, -1)
    eosin = cv2.GaussianBlur(random.normal(0, 1, (SIDE, SIDE)), (0, 0), 12)
    stains = np.zeros((SIDE, SIDE, 3))
    stains[..., 0] = 0.02 + 0.12 * cv2.GaussianBlur(truth * 1.0, (0, 0), 0.8)
    stains[..., 1] = 0.06 + 0.03 * eosin / eosin.std()
    image = 255 * hed2rgb(stains.clip(0)) + random.normal(0, 4, stains.shape)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), truth


KINDS = {
    "vessels": vessels,
    "gels": corner_of(kinds.gels),
    "membranes": corner_of(kinds.membranes),
    "retinas": retina,
    "sections": section,
    "stars": corner_of(kinds.stars),
    "quick": corner_of(kinds.nuclei),
}
"""What makes an image and its truth from a seed, by the name of the example."""
