"""Held-out scores and speed of pixel classifiers on the published tile, in one run.

    export TILEWISE_KESM=FOLDER PYTHONPATH=scripts OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
    python benchmarks/learned.py [--seeds 0 1 2] [--only TEXT ...] [--counts FILE]
    python benchmarks/learned.py --image membranes --squares 2
    python benchmarks/learned.py --speed
    python benchmarks/learned.py --compare FILE ...

The tile, or a phantom of `kinds.py` of its size, is cut into 16 squares, or with `--squares 2` into
quadrants, for a quarter of the time. Each is segmented by a model that was trained on pixels at
least 16 px away from it: all foreground, and as many of the background as `--background`, weighted
so that they count as all. The probability above which a pixel is foreground is that of highest F1
on a third of the training squares, by a model of the others: nothing is chosen on held-out pixels.
F1 is of all held-out pixels together. Speed is by processor time, features included: as codes for
the own trees, as floats for scikit-learn's. It is measured in turns, so that other work on the
machine slows all of them alike; `--speed` measures nothing else, on trees of the whole image.

`--counts` writes what is right and wrong in each square. `--compare` reads such tables of one or
several runs, and gives F1 less that of the first trees in them, on the same squares and seeds: of
all seeds together, with the lowest and the highest of a seed, and a standard error by the jackknife
over squares.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import cv2
import kinds
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from tilewise.learn import features, training, trees

SIDE, MARGIN = 512, 16
EIGHT = (0.7, 1, 1.6, 2.5, 4, 6.4, 10, 16)
"""Scales that lie nearer to each other than those by default."""
NAMES = features.feature_names(sorted({*EIGHT, *features.SIGMAS}))
SCALE = features.scale_of("uint8", 0, 255)
TURNS = 15
"""Of the measurement of speed."""


def own(number, rate=0.2, chosen=None, sigmas=features.SIGMAS):
    """The trees of `learn.trees`, on so many features, as `learn.training` grows them."""
    known = [NAMES.index(name) for name in features.feature_names(sigmas)]

    def fit(values, truth, weights, seed):
        pixels = training.Pixels(values[known], truth, weights, np.zeros(truth.size, int), (0, 255))
        settings = {"trees": number, "depth": 4, "rate": rate, "keep": chosen, "seed": seed}
        keep, edges, grown = training.Trainer(pixels, settings).grow(np.ones(truth.size, bool))
        return [NAMES[known[i]] for i in keep], edges, grown

    def predict(model, image):
        names, edges, grown = model
        codes = features.compute_codes(image, names, SCALE, edges)
        return trees.score(codes, grown) * grown.unit + grown.bias

    return fit, predict


def scikit(number, leaves):
    """scikit-learn's trees on features of eight scales."""
    names = features.feature_names(EIGHT)
    known = [NAMES.index(name) for name in names]

    def fit(values, truth, weights, seed):
        model = HistGradientBoostingClassifier(
            max_iter=number, max_leaf_nodes=leaves, early_stopping=False, random_state=seed
        )
        return model.fit(values[known].T, truth, weights)

    def predict(model, image):
        values = features.compute(image, names, SCALE)
        pixels = np.ascontiguousarray(values.reshape(len(names), -1).T)
        return model.decision_function(pixels).reshape(image.shape)

    return fit, predict


KINDS = {
    "own, 100 trees, 8 scales": own(100, sigmas=EIGHT),
    "own, 100 trees (default)": own(100),
    "own, 200 trees": own(200),
    "own, 50 trees": own(50, 0.3),
    "own, 100 trees, 10 features": own(100, chosen=10),
    "own, 100 trees, 8 scales, 10 features": own(100, chosen=10, sigmas=EIGHT),
    "scikit-learn, 200 trees of 31 leaves": scikit(200, 31),
    "scikit-learn, 50 trees of 15 leaves": scikit(50, 15),
}


def near(squares, along, margin):
    """Pixels that are in some of the squares, `along` a side, or within a margin of them."""
    found, side = np.zeros((SIDE, SIDE), bool), SIDE // along
    for square in squares:
        y, x = (side * part for part in divmod(square, along))
        rows = slice(max(y - margin, 0), y + side + margin)
        found[rows, max(x - margin, 0) : x + side + margin] = True
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


def pictured(kind):
    """Image and truth of the published tile, or of a phantom."""
    if kind != "kesm":
        return kinds.KINDS[kind][0]()
    folder = Path(os.environ["TILEWISE_KESM"])
    image, truth = (
        cv2.imread(str(folder / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        for name in ("grayscale", "groundtruth")
    )
    return image, (truth > 0).astype(np.uint8)


def segmented(kind, image, truth, values, seed, given):
    """The held-out mask, the last model, and what is right and wrong in each square."""
    fit, predict = KINDS[kind]
    mask, counts = np.zeros(image.shape, bool), []
    for square in range(given.squares**2):
        random = np.random.default_rng([seed, square])
        is_training = ~near([square], given.squares, MARGIN)
        others = [one for one in range(given.squares**2) if one != square]
        inner = random.choice(others, len(others) // 3, replace=False)

        def model_of(is_own, random=random):
            pixels, weights = drawn(truth, is_own, given.background, random)
            return fit(values[:, pixels], truth.ravel()[pixels], weights, seed)

        model = model_of(is_training & ~near(inner, given.squares, MARGIN))
        tried = is_training & near(inner, given.squares, 0)
        bound = best_bound(predict(model, image)[tried], truth[tried])
        model = model_of(is_training)
        held_out = near([square], given.squares, 0)
        mask[held_out] = predict(model, image)[held_out] >= bound
        own, right = mask[held_out], truth[held_out] > 0
        counts.append(((own & right).sum(), (own & ~right).sum(), (~own & right).sum()))
    return mask, model, counts


def speeds(models, image):
    """Millions of pixels per second of processor time, by the name of the trees."""
    seconds = {name: [] for name in models}
    for _ in range(TURNS):
        for name, model in models.items():
            start = time.process_time()
            KINDS[name][1](model, image)
            seconds[name].append(time.process_time() - start)
    return {name: image.size / 1e6 / np.median(own) for name, own in seconds.items()}


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--image", choices=["kesm", *kinds.KINDS], default="kesm")
    parser.add_argument("--squares", type=int, choices=[2, 4], default=4, help="along a side")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--background", type=int, default=100_000)
    parser.add_argument("--only", nargs="+", default=[""], help="trees whose name has such a text")
    parser.add_argument("--speed", action="store_true", help="no scores")
    parser.add_argument("--counts", type=Path, help="table of trees, seed, square, tp, fp, fn")
    parser.add_argument("--compare", type=Path, nargs="+", help="such tables, to be compared")
    given = parser.parse_args()
    if given.compare:
        compare(given.compare)
        return
    cv2.setNumThreads(1)
    image, truth = pictured(given.image)
    values = features.compute(image, NAMES, SCALE).reshape(len(NAMES), -1)
    table, scores, models = [], {}, {}
    names = [name for name in KINDS if any(text in name for text in given.only)]
    if given.speed:
        everywhere = np.ones(image.shape, bool)
        pixels, weights = drawn(truth, everywhere, given.background, np.random.default_rng(0))
        training_of = values[:, pixels], truth.ravel()[pixels], weights, 0
        models = {name: KINDS[name][0](*training_of) for name in names}
    for name in [] if given.speed else names:
        for seed in given.seeds:
            mask, models[name], counts = segmented(name, image, truth, values, seed, given)
            for square, own in enumerate(counts):
                table.append("\t".join(map(str, (name, seed, square, *own))))
            right = np.count_nonzero(mask & (truth > 0))
            f1_score = 2 * right / (np.count_nonzero(mask) + np.count_nonzero(truth))
            scores.setdefault(name, []).append(f1_score)
            print(f"{name}, seed {seed}: {f1_score:.4f}", file=sys.stderr, flush=True)
            if given.counts:
                given.counts.write_text("\n".join(table) + "\n", encoding="utf-8")
    print("| trees | held-out F1, by seed | mean | Mpx/s |\n| --- | --- | ---: | ---: |")
    for name, speed in speeds(models, image).items():
        own = scores.get(name, [])
        text = ", ".join(f"{score:.4f}" for score in own)
        mean = f"{np.mean(own):.4f}" if own else ""
        print(f"| {name} | {text} | {mean} | {speed:.2g} |")


if __name__ == "__main__":
    main()
