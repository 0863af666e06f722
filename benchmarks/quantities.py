"""How often intervals of the corrected fraction hold the true one, and how wide they are.

    PYTHONPATH=scripts python benchmarks/quantities.py

Volumes are drawn here, by nothing of the pipeline: the share of foreground of each tile, which is
alike within a plane, and a mask that misses some of it and adds more. Tiles are annotated at
random, or with a chance in proportion to the area of their mask. Beside the corrected fraction are
the mean of the annotated truths alone, and the mask alone.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
from scipy.special import expit

from tilewise.decide.drawn_tiles import Sample, Tile
from tilewise.decide.places import Place
from tilewise.decide.quantities import Settings, quantities

RUNS = 400
TILES_OF_PLANE = 10
SPREADS = {"even": (0.4, 0.3), "patchy": (0.8, 0.6)}
"""Standard deviations of a plane's and a tile's share of foreground, on a scale of logits."""
BIAS = 0.17, 0.39
SETTINGS = Settings("unknown", confidence=0.95, min_units=5, resamples=1000, seed=0)


def volume(random, tiles, spreads):
    """Areas of tiles, their truths and their masks, in pixels; the last of a plane is small."""
    planes = tiles // TILES_OF_PLANE
    of_plane, of_tile = spreads
    logits = np.repeat(random.normal(-2.5, of_plane, planes), TILES_OF_PLANE)
    areas = np.tile([512.0 * 512] * (TILES_OF_PLANE - 1) + [512.0 * 160], planes)
    truths = areas * expit(logits + random.normal(0, of_tile, tiles))
    found = random.beta(18, 2, tiles) * truths
    added = truths * random.gamma(4, 0.05, tiles) + areas * random.gamma(1, 0.005, tiles)
    # masks of a volume are biased as much as they are said to be
    wanted = random.uniform(*BIAS) * truths.sum() + (truths - found).sum()
    return areas, truths, np.minimum(found + added * wanted / added.sum(), areas)


def annotate(random, masks, number, is_even):
    """Numbers of the annotated tiles, and their chances; without replacement."""
    sizes = np.ones(len(masks)) if is_even else masks + 0.2 * masks.mean()
    chances = np.minimum(number * sizes / sizes.sum(), 1)
    for _ in range(50):
        chances = np.minimum(chances * number / chances.sum(), 1)
    order = random.permutation(len(masks))
    bounds = np.cumsum(chances[order])
    picks = random.uniform(0, 1) + np.arange(number)
    taken = order[np.minimum(np.searchsorted(bounds, picks), len(masks) - 1)]
    return taken, chances[taken]


def sample_of(areas, truths, masks, taken, chances):
    """What the pipeline knows of a volume."""
    annotated = tuple(
        Tile(
            Place("volume", int(i) // TILES_OF_PLANE, 0, int(i) % TILES_OF_PLANE),
            *(float(kind[i]) for kind in (areas, truths, masks)),
            is_whole=True,
            is_held_out=True,
            pi=float(pi),
        )
        for i, pi in zip(taken, chances, strict=True)
    )
    planes = Counter(np.repeat(np.arange(len(areas) // TILES_OF_PLANE), TILES_OF_PLANE).tolist())
    sample = Sample("volume", area=areas.sum(), mask=masks.sum(), tiles_of_planes=planes)
    return replace(sample, annotated=annotated)


def study(number, tiles, spread, is_even, runs=RUNS):
    """Coverage and half-width, corrected and of truths alone; and the bias of each mask."""
    covered, widths, biases = [], [], []
    for run in range(runs):
        random = np.random.default_rng([number, tiles, len(spread), is_even, run])
        areas, truths, masks = volume(random, tiles, SPREADS[spread])
        drawn = annotate(random, masks, number, is_even)
        true = truths.sum() / areas.sum()
        settings, found = replace(SETTINGS, seed=run), []
        # without masks, what is left is the mean of the truths
        for own in (masks, np.zeros(tiles)):
            (row, *_), _ = quantities([sample_of(areas, truths, own, *drawn)], "m", settings)
            found.append((row["low"], row["high"]))
        covered.append([low <= true <= high for low, high in found])
        widths.append([(high - low) / 2 / true for low, high in found])
        biases.append(masks.sum() / truths.sum() - 1)
    return np.mean(covered, axis=0), np.median(widths, axis=0), np.quantile(biases, (0.05, 0.95))


def main():
    print(
        "| annotated | of tiles | foreground | drawn | holds the true fraction | half-width |",
        end="",
    )
    print(" truths alone: holds | half-width | bias of the mask |")
    print("| ---: | ---: | --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for number, tiles in ((8, 200), (12, 200), (30, 200), (30, 60)):
        for spread in SPREADS:
            for is_even, title in ((True, "at random"), (False, "by mask")):
                covered, widths, bias = study(number, tiles, spread, is_even)
                print(f"| {number} | {tiles} | {spread} | {title} |", end="")
                for share, width in zip(covered, widths, strict=True):
                    print(f" {share:.1%} | {width:.1%} |", end="")
                print(f" {bias[0]:.0%} to {bias[1]:.0%} |", flush=True)


if __name__ == "__main__":
    main()
