"""Held-out F1 and speed of the U-Net on the published tile, by quadrants. It needs PyTorch.

    TILEWISE_KESM=FOLDER PYTHONPATH=scripts python benchmarks/unet.py [--seeds 1] [--steps 800] ...

Each quadrant is segmented by a model that was trained on pixels at least 16 px away from it, of
which a part chose the bound and when to stop. F1 is of all held-out pixels together. Times and
speed are of one core.
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
from tilewise.learn import network, training, unet, windows

MARGIN = 16


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=1)
    for field in fields(network.Settings):
        if field.name != "seed":
            parser.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    given = vars(parser.parse_args())
    torch.set_num_threads(1)
    folder = Path(os.environ["TILEWISE_KESM"])
    image, truth = (
        cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE)
        for name in ("grayscale.png", "groundtruth.png")
    )
    truth = (truth > 0).astype(np.uint8)
    height, width = (size // 2 for size in truth.shape)
    merit = training.merit_of("f1")
    for seed in range(given.pop("seeds")):
        settings = network.Settings(**given, seed=seed)
        mask = np.zeros_like(truth)
        trained = applied = 0.0
        for y in (0, height):
            for x in (0, width):
                known = truth.copy()
                rows, columns = (
                    slice(max(at - MARGIN, 0), at + size + MARGIN)
                    for at, size in ((y, height), (x, width))
                )
                known[rows, columns] = NOT_ANNOTATED
                none = np.full_like(known, NOT_ANNOTATED)
                plane = windows.split(windows.Plane(image, known, none), MARGIN)
                start = time.process_time()
                model = unet.Model.of(unet.train([plane], settings, "uint8", merit))
                middle = time.process_time()
                own = model.mask(image, (0, 0), (0, *truth.shape[:1], 0, truth.shape[1]))
                applied += time.process_time() - middle
                trained += middle - start
                inside = np.s_[y : y + height, x : x + width]
                mask[inside] = own[inside]
        both = np.sum(mask & truth)
        print(
            f"seed {seed}: F1 {2 * both / (mask.sum() + truth.sum()):.4f}, {trained / 4:.0f} s of "
            f"training per quadrant, {4 * truth.size / applied / 1e6:.2f} Mpx/s",
            flush=True,
        )


if __name__ == "__main__":
    main()
