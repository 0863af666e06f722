"""Speed of filters against noise and blur and for ridges, beside scikit-image's, in one run.

    PYTHONPATH=scripts python benchmarks/filters.py [--side 1024] [--repeats 3]

Each filter and its counterpart take turns on one 8-bit plane, on one core; the median counts.
scikit-image gets floats, as it would make them itself. Prints a table.
"""

import argparse
import time

import cv2
import numpy as np
from kinds import nuclei
from skimage.filters import difference_of_gaussians, frangi, sato, unsharp_mask
from skimage.restoration import denoise_bilateral, denoise_nl_means, richardson_lucy

from tilewise.segment.filters import apply_chain

WEIGHTS = np.exp(-0.5 * np.arange(-6, 7) ** 2 / 1.5**2)
PSF = np.outer(WEIGHTS, WEIGHTS) / WEIGHTS.sum() ** 2
SIGMAS = [1, 2, 3]
PAIRS = (
    ({"bilateral": {"size": 7, "levels": 20}}, lambda plane: denoise_bilateral(plane, 7, 20, 1.75)),
    (
        {"nlm": {"noise": 8.0}},
        lambda plane: denoise_nl_means(plane, 5, 6, h=6.4, sigma=8, preserve_range=True),
    ),
    ({"unsharp": 2}, lambda plane: unsharp_mask(plane, 2, preserve_range=True)),
    ({"deconvolve": 1.5}, lambda plane: richardson_lucy(plane, PSF, 10, clip=False)),
    ({"dog": 2}, lambda plane: difference_of_gaussians(plane, 2, 3.2, mode="reflect")),
    (
        {"ridge": {"sigmas": SIGMAS, "measure": "sato"}},
        lambda plane: sato(plane, SIGMAS, black_ridges=False),
    ),
    (
        {"ridge": {"sigmas": SIGMAS, "measure": "frangi", "gamma": 15}},
        lambda plane: frangi(plane, SIGMAS, black_ridges=False, gamma=15),
    ),
    ("matched", None),
)


def seconds(function, plane):
    """Of one call."""
    start = time.perf_counter()
    function(plane)
    return time.perf_counter() - start


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    image, _ = nuclei()
    plane = np.tile(image, (-(-given.side // 512),) * 2)[: given.side, : given.side]
    floats = plane.astype(float)
    print("| filter | Mpx/s | scikit-image, Mpx/s | ratio |\n| --- | ---: | ---: | ---: |")
    for step, other in PAIRS:
        own, theirs = [], []
        for _ in range(given.repeats):
            own.append(seconds(lambda pixels, step=step: apply_chain(pixels, [step]), plane))
            if other:
                theirs.append(seconds(other, floats))
        speed = plane.size / 1e6 / np.median(own)
        name = str(step).replace("'", "")
        if not other:
            print(f"| `{name}` | {speed:.2g} | | |")
            continue
        known = plane.size / 1e6 / np.median(theirs)
        print(f"| `{name}` | {speed:.2g} | {known:.2g} | {speed / known:.2g} |", flush=True)


if __name__ == "__main__":
    main()
