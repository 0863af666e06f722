"""Images and truths for the tests."""

import numpy as np
from PIL import Image


def blobs(planes=2, rows=128, columns=192, seed=0):
    """Bright discs on a dark, noisy ground, and where they are.

    Returns
    -------
    image, truth : (planes, rows, columns) uint8 ndarray
    """
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    truth = np.zeros((planes, rows, columns), np.uint8)
    for plane in truth:
        # one disc in each square of 64 pixels
        for corner_y in range(0, rows, 64):
            for corner_x in range(0, columns, 64):
                cy, cx = random.uniform(20, 44, 2)
                radius = random.uniform(5, 12)
                plane |= (y - corner_y - cy) ** 2 + (x - corner_x - cx) ** 2 < radius**2
    level = np.where(truth, 170, 70) + random.normal(0, 8, truth.shape)
    return np.clip(level, 0, 255).astype(np.uint8), truth


def write_planes(folder, planes, name="plane_{}.png", first=1):
    """One PNG per plane, numbered without leading zeros."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, plane in enumerate(planes, first):
        Image.fromarray(plane).save(folder / name.format(number))


def configure_discs(project):
    """A project of one image of discs, in PNG files."""
    image, truth = blobs(planes=1)
    write_planes(project.folder, image, "image.png")
    write_planes(project.folder, truth, "truth.png")
    return project.configure([{"sample": "discs", "image": "image.png", "truth": "truth.png"}])


def write_samples(project, names):
    """Samples of one plane, each brighter than the one before, and one without truth."""
    images, truths, rows = {}, {}, []
    for number, name in enumerate(names):
        image, truth = blobs(planes=1, rows=64, columns=128, seed=number)
        noise = np.random.default_rng(number).normal(6 * number, 20, image[0].shape)
        images[name] = np.clip(image[0] + noise, 0, 255).astype(np.uint8)
        truths[name] = truth[0]
        write_planes(project.folder, images[name][None], f"{name}.png")
        write_planes(project.folder, truth * 255, f"{name}_truth.png")
        rows.append({"sample": name, "image": f"{name}.png", "truth": f"{name}_truth.png"})
    image, _ = blobs(planes=2, rows=64, columns=128, seed=99)
    write_planes(project.folder / "volume", image)
    rows.append({"sample": "volume", "image": "volume/*.png"})
    images["volume"] = image
    return images, truths, rows


def colored_blobs(planes=1, rows=64, columns=128, seed=0):
    """Discs as those of `blobs`, which differ from the ground in hue alone.

    Both have a luma (Rec. 601) of 124 with the same noise. The hue of discs lies around 355
    degrees, on both sides of 0; that of the ground around 194.

    Returns
    -------
    image : (planes, rows, columns, 3) uint8 ndarray
    truth : (planes, rows, columns) uint8 ndarray
    """
    _, truth = blobs(planes, rows, columns, seed)
    random = np.random.default_rng(seed)
    colors = np.where(truth[..., None], (200, 90, 100), (80, 140, 158))
    light = random.normal(0, 12, (*truth.shape, 1)) + random.normal(0, 3, colors.shape)
    return np.clip(np.rint(colors + light), 0, 255).astype(np.uint8), truth
