"""Held-out F1 and speed of the U-Net on the published tile, by quadrants. It needs PyTorch.

    TILEWISE_KESM=FOLDER PYTHONPATH=scripts python benchmarks/unet.py [--steps 800] [--width 12]

Each quadrant is segmented by a model that was trained on pixels at least 16 px away from it, of
which a part chose the bound and when to stop. F1 is of all held-out pixels together. Speed is of
the threads that PyTorch uses: set OMP_NUM_THREADS=1 for that of one core.
"""

import argparse
import logging
import os
import time
from pathlib import Path

import cv2
import numpy as np

from tilewise.learn import unet

MARGIN = 16


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=unet.Settings.steps)
    parser.add_argument("--width", type=int, default=unet.Settings.width)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    folder = Path(os.environ["TILEWISE_KESM"])
    image, truth = (
        cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE)
        for name in ("grayscale.png", "groundtruth.png")
    )
    truth = (truth > 0).astype(np.uint8)
    settings = unet.Settings(width=arguments.width, steps=arguments.steps)
    height, width = (size // 2 for size in truth.shape)
    mask = np.zeros_like(truth)
    trained = applied = 0.0
    for y in (0, height):
        for x in (0, width):
            around = np.s_[
                max(y - MARGIN, 0) : y + height + MARGIN, max(x - MARGIN, 0) : x + width + MARGIN
            ]
            known = truth.copy()
            known[around] = unet.UNKNOWN
            start = time.perf_counter()
            model = unet.train([(image, known)], settings, arguments.seed)
            middle = time.perf_counter()
            window = (y, y + height, x, x + width)
            mask[y : y + height, x : x + width] = model.mask(image, (0, 0), window)
            trained += middle - start
            applied += time.perf_counter() - middle
    both = np.sum(mask & truth)
    print(
        f"F1 {2 * both / (mask.sum() + truth.sum()):.4f}, {trained / 4:.0f} s of training per "
        f"quadrant, {truth.size / applied / 1e6:.2f} Mpx/s"
    )


if __name__ == "__main__":
    main()
