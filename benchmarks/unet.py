"""Held-out F1 and speed of the U-Net on the published tile, by quadrants. It needs PyTorch.

    TILEWISE_KESM=FOLDER PYTHONPATH=scripts python benchmarks/unet.py [--seeds 0 1] [--steps 500]

Each quadrant is segmented by a model that was trained on pixels at least 16 px away from it. A part
of these chose the bound and when to stop. F1 is of all held-out pixels together, beside that of a
pixel classifier with the settings by default. Times and speed are CPU seconds of one core.

`--counts` writes what is right and wrong in each of 16 squares, for `learned.py --compare`.
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
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
NAMES = CLASSIFIER, NETWORK = "pixel classifier", "U-Net"
QUADRANTS = [(row, column) for row in (0, 1) for column in (0, 1)]
SQUARES = 4
"""Rows and columns of squares that are counted one by one."""


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


def trainer(name, settings):
    """What trains a model by its name."""
    return network_of(settings) if name == NETWORK else classifier


def published():
    """Image and truth of the tile."""
    folder = Path(os.environ["TILEWISE_KESM"])
    image, truth = (
        cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE)
        for name in ("grayscale.png", "groundtruth.png")
    )
    return image, (truth > 0).astype(np.uint8)


def held_out(name, settings, seed, row, column):
    """The mask of a quadrant, and CPU seconds of training and of segmenting the whole tile."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    image, truth = published()
    height, width = (size // 2 for size in truth.shape)
    y, x = row * height, column * width
    known = truth.copy()
    around = np.s_[
        max(y - MARGIN, 0) : y + height + MARGIN, max(x - MARGIN, 0) : x + width + MARGIN
    ]
    known[around] = NOT_ANNOTATED
    start = time.process_time()
    model = trainer(name, settings)(image, known, seed)
    middle = time.process_time()
    whole = model.mask(image, (0, 0), (0, truth.shape[0], 0, truth.shape[1]))
    end = time.process_time()
    return whole[y : y + height, x : x + width], middle - start, end - middle


def measure(run, name, settings, seed):
    """Train and segment all quadrants; right and wrong pixels as lines of a table."""
    _, truth = published()
    # quadrants from the first to the last row, each from left to right
    parts = list(run(held_out, *zip(*((name, settings, seed, *q) for q in QUADRANTS), strict=True)))
    masks = [mask for mask, _, _ in parts]
    mask = np.block([masks[:2], masks[2:]])
    trained, applied = (sum(part[i] for part in parts) for i in (1, 2))
    f1 = 2 * np.sum(mask & truth) / (mask.sum() + truth.sum())
    speed = len(parts) * truth.size / applied / 1e6
    print(f"| {name} | {seed} | {f1:.4f} | {trained / len(parts):.0f} | {speed:.2g} |", flush=True)
    rows = []
    for number, own in enumerate(patches(truth.shape, 0, SQUARES)):
        found, right = mask[own] > 0, truth[own] > 0
        counts = (found & right).sum(), (found & ~right).sum(), (~found & right).sum()
        rows.append("\t".join(map(str, (name, seed, number, *counts))))
    return rows


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--workers", type=int, default=2, help="quadrants at a time")
    parser.add_argument("--only", choices=NAMES)
    parser.add_argument("--counts", type=Path, help="table of models, seed, square, tp, fp, fn")
    for field in fields(network.Settings):
        if field.name != "seed":
            parser.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    given = vars(parser.parse_args())
    seeds, only, counts, workers = (
        given.pop(name) for name in ("seeds", "only", "counts", "workers")
    )
    print(
        "| model | seed | held-out F1 | s of training | Mpx/s |\n"
        "| --- | ---: | ---: | ---: | ---: |"
    )
    table = []
    with ProcessPoolExecutor(workers) as pool:
        for seed in seeds:
            for name in [only] if only else NAMES:
                table += measure(pool.map, name, given, seed)
                if counts:
                    counts.write_text("\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
