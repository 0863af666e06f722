"""Held-out scores and speed of pixel classifiers on the published tile, in one run.

    export TILEWISE_KESM=FOLDER PYTHONPATH=scripts OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
    python benchmarks/learned.py [--seeds 1] [--only TEXT] [--counts FILE]
    python benchmarks/learned.py --compare FILE ...

The tile is cut into 16 squares. Each is segmented by a model that was trained on pixels at least
16 px away from it: all foreground, and as many of the background as `--background`, weighted so
that they count as all. The probability above which a pixel is foreground is that of highest F1 on a
third of the training squares, by a model of the others: nothing is chosen on held-out pixels. F1 is
of all held-out pixels together. Speed is by processor time, features included: as codes for the own
trees, as floats for scikit-learn's.

`--counts` writes what is right and wrong in each square. `--compare` reads such tables of one or
several runs, and gives F1 less that of the first trees in them, on the same squares and seeds: of
all seeds together, with the lowest and the highest of a seed, and a standard error by the jackknife
over squares.
"""

import argparse
import os
import time
from pathlib import Path

import cv2
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from tilewise.learn import features, training, trees

SIDE, MARGIN, SQUARES = 128, 16, 4
NAMES = features.feature_names()
SCALE = features.scale_of("uint8", 0, 255)


def own(number, rate, chosen=None):
    """The trees of `learn.trees`, on so many features, as `learn.training` grows them."""

    def fit(values, truth, weights, seed):
        pixels = training.Pixels(values, truth, weights, np.zeros(truth.size, int), (0, 255))
        settings = {"trees": number, "depth": 4, "rate": rate, "keep": chosen, "seed": seed}
        return training.Trainer(pixels, settings).grow(np.ones(truth.size, bool))

    def predict(model, image):
        keep, edges, known = model
        names = [NAMES[i] for i in keep]
        codes = features.compute_codes(image, names, SCALE, edges)
        return trees.score(codes, known) * known.unit + known.bias

    return fit, predict


def scikit(number, leaves):
    """scikit-learn's trees on all features."""

    def fit(values, truth, weights, seed):
        model = HistGradientBoostingClassifier(
            max_iter=number, max_leaf_nodes=leaves, early_stopping=False, random_state=seed
        )
        return model.fit(values.T, truth, weights)

    def predict(model, image):
        values = features.compute(image, NAMES, SCALE)
        pixels = np.ascontiguousarray(values.reshape(len(NAMES), -1).T)
        return model.decision_function(pixels).reshape(image.shape)

    return fit, predict


KINDS = {
    "scikit-learn, 200 trees of 31 leaves": scikit(200, 31),
    "scikit-learn, 50 trees of 15 leaves": scikit(50, 15),
    "own, 100 trees of depth 4 (default)": own(100, 0.2),
    "own, 50 trees of depth 4": own(50, 0.3),
    "own, 100 trees, 10 features": own(100, 0.2, 10),
    "own, 50 trees, 10 features": own(50, 0.3, 10),
}


def near(squares, shape, margin):
    """Pixels that are in some squares, or within a margin of them."""
    found = np.zeros(shape, bool)
    for square in squares:
        y, x = (SIDE * part for part in divmod(square, SQUARES))
        rows = slice(max(y - margin, 0), y + SIDE + margin)
        found[rows, max(x - margin, 0) : x + SIDE + margin] = True
    return found


def drawn(truth, is_training, background, random):
    """Training pixels by their place, with weights."""
    positive, negative = (np.flatnonzero(is_training & (truth == kind)) for kind in (1, 0))
    some = random.choice(negative, min(background, negative.size), replace=False)
    weights = np.r_[np.ones(positive.size), np.full(some.size, negative.size / some.size)]
    return np.r_[positive, some], weights


def best_bound(odds, truth):
    """The log-odds above which F1 is highest."""
    order = np.argsort(-odds)
    right = np.cumsum(truth[order])
    scores = 2 * right / (np.arange(1, right.size + 1) + truth.sum())
    return odds[order][np.argmax(scores)]


def f1(counts):
    """Of (..., squares, 3) pixels that are true positive, false positive and false negative."""
    true, false, missed = counts.sum(axis=-2).T
    return (2 * true / (2 * true + false + missed)).T


def compare(paths):
    """Print differences of F1 to that of the first trees."""
    tables = {}
    for line in (line for path in paths for line in path.read_text(encoding="utf-8").splitlines()):
        name, seed, square, *counts = line.split("\t")
        tables.setdefault(name, {})[int(seed), int(square)] = list(map(int, counts))
    first, *others = tables
    print(f"| F1 less that of {first} | of all | lowest, highest of a seed | standard error |")
    print("| --- | ---: | ---: | ---: |")
    for name in others:
        known = sorted(tables[first].keys() & tables[name].keys())
        seeds = len({seed for seed, _ in known})
        pair = [
            np.array([tables[one][key] for key in known], float).reshape(seeds, -1, 3)
            for one in (name, first)
        ]
        each = f1(pair[0]) - f1(pair[1])
        pooled = [one.sum(axis=0) for one in pair]
        squares = np.arange(len(pooled[0]))
        without = [f1(pooled[0][squares != i]) - f1(pooled[1][squares != i]) for i in squares]
        error = np.sqrt((len(squares) - 1) * np.var(without))
        whole = f1(pooled[0]) - f1(pooled[1])
        print(f"| {name} | {whole:+.4f} | {each.min():+.4f}, {each.max():+.4f} | {error:.4f} |")


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--background", type=int, default=100_000)
    parser.add_argument("--only", default="", help="trees whose name has this text")
    parser.add_argument("--counts", type=Path, help="table of trees, seed, square, tp, fp, fn")
    parser.add_argument("--compare", type=Path, nargs="+", help="such tables, to be compared")
    given = parser.parse_args()
    if given.compare:
        compare(given.compare)
        return
    cv2.setNumThreads(1)
    folder = Path(os.environ["TILEWISE_KESM"])
    image = cv2.imread(str(folder / "grayscale.png"), cv2.IMREAD_UNCHANGED)
    truth = (cv2.imread(str(folder / "groundtruth.png"), cv2.IMREAD_UNCHANGED) > 0).astype(np.uint8)
    values = features.compute(image, NAMES, SCALE).reshape(len(NAMES), -1)
    table = []
    print("| trees | held-out F1, by seed | Mpx/s |\n| --- | --- | ---: |")
    for name, (fit, predict) in KINDS.items():
        if given.only not in name:
            continue
        scores, seconds = [], []
        for seed in range(given.seeds):
            mask = np.zeros(image.shape, bool)
            for square in range(SQUARES**2):
                random = np.random.default_rng([seed, square])
                is_training = ~near([square], image.shape, MARGIN)
                others = [one for one in range(SQUARES**2) if one != square]
                inner = random.choice(others, len(others) // 3, replace=False)

                def model_of(is_own, random=random, seed=seed, fit=fit):
                    pixels, weights = drawn(truth, is_own, given.background, random)
                    return fit(values[:, pixels], truth.ravel()[pixels], weights, seed)

                model = model_of(is_training & ~near(inner, image.shape, MARGIN))
                tried = is_training & near(inner, image.shape, 0)
                bound = best_bound(predict(model, image)[tried], truth[tried])
                model = model_of(is_training)
                start = time.process_time()
                odds = predict(model, image)
                seconds.append(time.process_time() - start)
                held_out = near([square], image.shape, 0)
                mask[held_out] = odds[held_out] >= bound
                own, right = mask[held_out], truth[held_out] > 0
                counts = (own & right).sum(), (own & ~right).sum(), (~own & right).sum()
                table.append("\t".join(map(str, (name, seed, square, *counts))))
            right = np.count_nonzero(mask & (truth > 0))
            scores.append(2 * right / (np.count_nonzero(mask) + np.count_nonzero(truth)))
        text = ", ".join(f"{score:.4f}" for score in scores)
        speed = image.size / 1e6 / np.median(seconds)
        print(f"| {name} | {text} | {speed:.2g} |", flush=True)
        if given.counts:
            given.counts.write_text("\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
