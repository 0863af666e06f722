"""Compare what a weak sample's doubtful tiles may get, on phantoms of nuclei of many kinds.

    PYTHONPATH=scripts python benchmarks/guard.py

Number and contrast of nuclei, light, noise and dirt vary, and the side of tiles. Prints the mean F1
over phantoms for each kind of noise, with and without dirt, and how often a rule is worse by more
than 0.1 than the better of the two simplest: each tile its own threshold, or doubtful ones none.
"""

from itertools import product
from statistics import median

import cv2
import numpy as np
from kinds import SIDE, discs, falling_light

from tilewise.segment.global_thresholds import otsu
from tilewise.segment.guard import Limits, least_difference
from tilewise.segment.histograms import histogram
from tilewise.segment.thresholds import otsu_split

RULES = ("own", "empty", "sample between", "any clear tile", "the default")
NOISES = {
    "normal": lambda random, shape: random.normal(0, 1, shape),
    "rayleigh": lambda random, shape: random.rayleigh(1, shape),
    "gamma": lambda random, shape: random.gamma(2, 1, shape),
    "exponential": lambda random, shape: random.exponential(1, shape),
}
DEVIATION = 8
LIMITS = Limits(5, 0)


def phantom(seed, noise, dirt, number, contrast, fall):
    """Image and truth: discs under light that falls to a corner; dirt is one very bright disc."""
    random = np.random.default_rng(seed)
    truth = discs(random, number)
    values = NOISES[noise](random, truth.shape)
    image = (70 + contrast * DEVIATION * truth) * falling_light(fall)
    image += DEVIATION * (values - values.mean()) / values.std()
    if dirt:
        image += 130 * cv2.circle(np.zeros_like(truth), (200, 200), 14, 1, -1)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), truth.astype(bool)


def f1(mask, truth):
    return 2 * (mask & truth).sum() / max(mask.sum() + truth.sum(), 1)


def scores(image, truth, side):
    """F1 by each of the rules."""
    places = [
        np.s_[y : y + side, x : x + side]
        for y in range(0, SIDE, side)
        for x in range(0, SIDE, side)
    ]
    splits = [otsu_split(*histogram(image[place])) for place in places]
    is_clear = [split.contrast("bright") >= LIMITS.contrast for split in splits]
    counts = histogram(image)
    bound = otsu(*counts)

    def masked(kept):
        mask = np.zeros(image.shape, bool)
        for place, keep in zip(places, kept, strict=True):
            if keep:
                mask[place] = image[place] > otsu(*histogram(image[place]))
        return f1(mask, truth)

    own, empty = masked([True] * len(places)), masked(is_clear)
    if otsu_split(*counts).contrast("bright") >= LIMITS.contrast:
        mask = np.zeros(image.shape, bool)
        for place, clear in zip(places, is_clear, strict=True):
            threshold = otsu(*histogram(image[place])) if clear else bound
            mask[place] = image[place] > threshold
        return [own, empty, *[f1(mask, truth)] * 3]
    doubtful = [split for split, clear in zip(splits, is_clear, strict=True) if not clear]
    between = sum(split.dark_mean < bound < split.bright_mean for split in doubtful)
    keeps_all = 2 * between > len(doubtful) or len(doubtful) == len(splits)
    clear = [split.difference for split, clear in zip(splits, is_clear, strict=True) if clear]
    leasts = median(clear) / 2 if clear else 0, least_difference(splits, LIMITS, "bright")
    compared = [
        masked(
            [
                clear or split.difference >= least
                for split, clear in zip(splits, is_clear, strict=True)
            ]
        )
        for least in leasts
    ]
    return [own, empty, own if keeps_all else empty, *compared]


def main():
    print("| noise |", *(f"{rule} |" for rule in RULES))
    print("| --- |", *("---: |" for _ in RULES))
    everything = []
    for noise, dirt in product(NOISES, (False, True)):
        cases = product(range(2), (5, 30, 140, 300), (3.5, 5, 6, 7, 10), (0, 0.3, 0.6), (128, 64))
        rows = []
        for seed, number, contrast, fall, side in cases:
            rows.append(scores(*phantom(seed, noise, dirt, number, contrast, fall), side))
        everything += rows
        cells = (f"{value:.2f} |" for value in np.mean(rows, axis=0))
        print(f"| {noise}{', dirt' if dirt else ''} |", *cells, flush=True)
    table = np.array(everything)
    best = table[:, :2].max(axis=1)
    shares = (f"{share:.0%} |" for share in (table < best[:, None] - 0.1).mean(axis=0))
    print("| worse than the better of the first two |", *shares)


if __name__ == "__main__":
    main()
