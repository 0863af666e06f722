"""How far scores are off, by how the annotated tiles were picked: bias, and cover of intervals.

The process that is simulated is written here, and knows nothing of the pipeline. A study has
samples of tiles. Each tile has a difficulty, by which a method misses vessels and finds what is
none, and a look, which tells of the difficulty but with an error. Tiles are picked

- as the hardest: those that look so, without pi;
- at random: each alike often, with or without pi;
- by looks: the harder a tile looks, the more often it is drawn, with that pi, or without;
- in strata: a tenth, a fifth, three tenths and two fifths of them from the quarters by looks, each
  with the pi of its quarter.

What the pipeline makes of their counts is compared with the score of all tiles of all samples that
there could be.

    PYTHONPATH=scripts python benchmarks/sampling.py
"""

import argparse
import math
from dataclasses import dataclass

import numpy as np

from tilewise import frames
from tilewise.decide import evidence
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.evidence import Evidence
from tilewise.decide.folds import Folds
from tilewise.decide.places import Place
from tilewise.decide.resampling import bootstrap_weights, estimate
from tilewise.decide.sampling import Sampling
from tilewise.decide.uncertainty import Uncertainty
from tilewise.score import score_table

PIXELS = 10_000
RESAMPLES = 500
METRIC = "f1"
SETTINGS = {
    **{"unit": "auto", "plane_gap": 10, "tile_gap": 0, "cell": 3, "min_units": 5, "folds": 10},
}


@dataclass(frozen=True)
class Design:
    """A study: how many samples there are, how many tiles each has, and how many are annotated.

    The units of several samples are samples, those of one are tiles.
    """

    samples: int
    tiles: tuple[int, int]
    """The least and the most of a sample."""
    annotated: int
    """In each sample."""

    def __str__(self):
        least, most = self.tiles
        if self.samples == 1:
            return f"{self.annotated} of {least} tiles"
        return f"{self.annotated} of {least} to {most} tiles of {self.samples} samples"


DESIGNS = (Design(1, (600, 600), 20), Design(1, (600, 600), 60), Design(12, (60, 240), 8))
PICKS = (
    *("hardest", "random", "random, with pi", "by looks, without pi", "by looks, with pi"),
    "in strata, with pi",
)


def sample_of(number, random):
    """Counts of the tiles of a sample, (tiles, 4) of tp, fp, fn and tn, and how hard they look."""
    own = random.normal(0, 0.3)
    difficulty = own + random.normal(0, 1, number)
    # a correlation of about 0.5 within a sample
    looks = difficulty + random.normal(0, 1.7, number)
    prevalence = np.clip(random.gamma(4, 0.03, number), 0.005, 0.5)
    missed = 1 / (1 + np.exp(1.6 - 0.6 * difficulty))
    found_wrongly = 0.03 / (1 + np.exp(0.5 - 0.8 * difficulty))
    positive = random.binomial(PIXELS, prevalence)
    fn = random.binomial(positive, missed)
    fp = random.binomial(PIXELS - positive, found_wrongly)
    return np.stack([positive - fn, fp, fn, PIXELS - positive - fp], axis=1), looks


def f1_of(counts):
    """F1 of (..., 4) counts."""
    tp, fp, fn, _ = np.moveaxis(counts, -1, 0)
    return 2 * tp / (2 * tp + fp + fn)


def truth_of(design, average, random, samples=4000):
    """The score of all tiles of all samples that there could be."""
    if design.samples == 1:
        raise ValueError("of one sample, the score is that of its own tiles")
    pooled = []
    for _ in range(samples):
        counts, _ = sample_of(random.integers(design.tiles[0], design.tiles[1] + 1), random)
        pooled.append(counts.sum(axis=0))
    every = np.array(pooled)
    return float(f1_of(every.sum(axis=0)) if average == "micro" else f1_of(every).mean())


def picked(pick, looks, number, random):
    """The tiles of a sample that are annotated, and the pi of each, or None."""
    if pick == "hardest":
        return np.argsort(-looks)[:number], None
    if pick.startswith("random"):
        tiles = random.choice(len(looks), number, replace=False)
        return tiles, np.full(number, number / len(looks)) if "with" in pick else None
    if pick.startswith("in strata"):
        quarters = np.array_split(np.argsort(looks), 4)
        numbers = np.diff(np.rint(number * np.array([0, 0.1, 0.3, 0.6, 1])).astype(int))
        drawn = [random.choice(q, n, replace=False) for q, n in zip(quarters, numbers, strict=True)]
        pi = [np.full(n, n / len(q)) for q, n in zip(quarters, numbers, strict=True)]
        return np.concatenate(drawn), np.concatenate(pi)
    # the hardest eight times as often as the easiest
    size = 1 + 7 * np.argsort(np.argsort(looks)) / (len(looks) - 1)
    pi = number * size / size.sum()
    order = random.permutation(len(looks))
    # systematic, in a random order: the number is fixed, and pi is exact (Madow 1949)
    ends = np.cumsum(pi[order])
    places = np.searchsorted(ends, random.uniform() + np.arange(number))
    tiles = order[np.minimum(places, len(looks) - 1)]
    return tiles, None if "without" in pick else pi[tiles]


def evidence_of(design, pick, samples, random):
    """What the pipeline makes of a study: counts of units, and their columns."""
    rows, places, settings = [], {}, {}
    for number, (counts, looks) in enumerate(samples):
        name, side = f"s{number:02}", math.ceil(math.sqrt(len(looks)))
        tiles, pi = picked(pick, looks, design.annotated, random)
        known = []
        for i, tile in enumerate(tiles.tolist()):
            row, column = divmod(tile, side)
            place = Place(name, 0, row, column)
            places[place] = row, column
            known.append([0, row, column, "estimate", None if pi is None else float(pi[i])])
            fields = zip(("tp", "fp", "fn", "tn"), map(str, counts[tile]), strict=True)
            rows.append(
                {**{key: str(value) for key, value in place._asdict().items()}, **dict(fields)}
            )
        settings[name] = {"purpose": "estimate", "pi": None, "tiles": known}
        settings[name] |= {"planes": 1, "tiles_of_plane": len(looks)}
    groups = {name: name for name in settings}
    drawn = Sampling.of(places, settings), settings
    by = SETTINGS | {"unit": "tile" if design.samples == 1 else "sample"}
    folds = Folds.of(list(places), groups, by, places, drawn)
    columns = CountColumns((), folds.is_weighted)
    table = frames.of_rows(rows, list(rows[0]), score_table.kinds(()))
    return evidence.fixed(table, folds, columns), columns


def interval_of(known: Evidence, columns, average, seed):
    """The score, and its interval of 95 %."""
    metric = columns.metric(METRIC)
    weights = bootstrap_weights(len(known.counts), RESAMPLES, seed)
    value = estimate(known.counts[None], metric, average)[0]
    return value, Uncertainty([known], metric, average, weights).interval(0)


def simulate(design, pick, average, studies, seed=0):
    """Bias of the score, and the share of intervals that cover the truth."""
    random = np.random.default_rng([seed, design.annotated, PICKS.index(pick)])
    truth = None if design.samples == 1 else truth_of(design, average, np.random.default_rng(1))
    errors, covered = [], 0
    for study in range(studies):
        numbers = random.integers(design.tiles[0], design.tiles[1] + 1, design.samples)
        samples = [sample_of(number, random) for number in numbers]
        if design.samples == 1:
            ((every, _),) = samples
            mean = f1_of(every).mean() if average == "macro" else f1_of(every.sum(axis=0))
        else:
            mean = truth
        known, columns = evidence_of(design, pick, samples, random)
        value, (low, high) = interval_of(known, columns, average, study)
        errors.append(value - mean)
        covered += low <= mean <= high
    return float(np.mean(errors)), covered / studies


def main():
    """Print the table of docs/validation.md."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--studies", type=int, default=400)
    studies = parser.parse_args().studies
    print("| annotated | picked | bias, pooled | covered | bias, mean | covered |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for design in DESIGNS:
        for pick in PICKS:
            cells = []
            for average in ("micro", "macro"):
                bias, covered = simulate(design, pick, average, studies)
                cells += [f"{bias:+.3f}", f"{100 * covered:.0f} %"]
            print(f"| {design} | {pick} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
