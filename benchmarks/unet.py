"""Held-out F1 and speed of the U-Net on the published tile, by quadrants. It needs PyTorch.

    TILEWISE_KESM=FOLDER PYTHONPATH=scripts python benchmarks/unet.py [--seeds 1] [--steps 800] ...

Each quadrant is segmented by a model that was trained on pixels at least 16 px away from it. A part
of these chose the bound and when to stop. F1 is of all held-out pixels together, beside that of a
pixel classifier with the settings by default. Times and speed are CPU seconds of one core.
"""

import argparse
import os
import time
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import torch

from tilewise.labels import NOT_ANNOTATED
from tilewise.learn import features, network, training, unet, unet_training, windows
from tilewise.score.patches import patches

MARGIN = 16
MERIT = training.merit_of("f1")
TREES = {"trees": 100, "depth": 4, "rate": 0.2, "keep": None}
PIXELS = 100_000
"""Of each class, that trees are trained on."""


def network_of(settings):
    """What trains a U-Net."""

    def fit(image, truth, seed):
        known = windows.Plane(image, truth, np.full_like(truth, NOT_ANNOTATED))
        own = network.Settings(**settings, seed=seed)
        parts = [[windows.split(known, MARGIN, i, own.networks)] for i in range(own.networks)]
        return unet.Model.of(unet_training.train(parts, own, "uint8", MERIT))

    return fit


def classifier(image, truth, seed):
    """What trains a pixel classifier."""
    random, names = np.random.default_rng(seed), features.feature_names()
    kinds = [np.flatnonzero(truth == kind) for kind in (0, 1)]
    drawn = [random.choice(own, min(PIXELS, own.size), replace=False) for own in kinds]
    part = np.full(truth.shape, training.NOWHERE)
    for number, own in enumerate(patches(truth.shape, MARGIN, 4)):
        part[own] = number % training.INNER
    pixels = np.concatenate(drawn)
    scale = features.scale_of("uint8", 0, 255)
    values = features.compute(image, names, scale).reshape(len(names), -1)[:, pixels]
    known = training.Pixels(
        values,
        truth.ravel()[pixels],
        np.repeat(
            [own.size / some.size for own, some in zip(kinds, drawn, strict=True)],
            [some.size for some in drawn],
        ),
        part.ravel()[pixels],
        [(0, 255)],
    )
    return training.fit(known, names, "uint8", MERIT, TREES | {"seed": seed}).model


def measure(name, fit, image, truth, seed):
    """Train and segment, quadrant by quadrant."""
    height, width = (size // 2 for size in truth.shape)
    mask = np.zeros_like(truth)
    trained = applied = 0.0
    for y in (0, height):
        for x in (0, width):
            known = truth.copy()
            around = np.s_[
                max(y - MARGIN, 0) : y + height + MARGIN, max(x - MARGIN, 0) : x + width + MARGIN
            ]
            known[around] = NOT_ANNOTATED
            start = time.process_time()
            model = fit(image, known, seed)
            middle = time.process_time()
            whole = model.mask(image, (0, 0), (0, truth.shape[0], 0, truth.shape[1]))
            applied += time.process_time() - middle
            trained += middle - start
            inside = np.s_[y : y + height, x : x + width]
            mask[inside] = whole[inside]
    f1 = 2 * np.sum(mask & truth) / (mask.sum() + truth.sum())
    speed = 4 * truth.size / applied / 1e6
    print(f"| {name} | {seed} | {f1:.4f} | {trained / 4:.0f} | {speed:.2g} |", flush=True)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", choices=("network", "classifier"))
    for field in fields(network.Settings):
        if field.name != "seed":
            parser.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    given = vars(parser.parse_args())
    seeds, only = given.pop("seeds"), given.pop("only")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    folder = Path(os.environ["TILEWISE_KESM"])
    image, truth = (
        cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE)
        for name in ("grayscale.png", "groundtruth.png")
    )
    truth = (truth > 0).astype(np.uint8)
    print(
        "| model | seed | held-out F1 | s of training | Mpx/s |\n"
        "| --- | ---: | ---: | ---: | ---: |"
    )
    for seed in range(seeds):
        if only != "network":
            measure("pixel classifier", classifier, image, truth, seed)
        if only != "classifier":
            measure("U-Net", network_of(given), image, truth, seed)


if __name__ == "__main__":
    main()
