"""How often the set of the best errs, what it tells apart, and what intervals cover.

    PYTHONPATH=scripts python benchmarks/set_of_best.py [--runs 200] [--only fixed,tuned,selected]

Counts of units are drawn here, by nothing of the pipeline: pixels of each unit, its share of
foreground, and how much of it each method misses and adds, on a scale of logits. Pooled MCC.

`fixed` are methods without parameters, equally good, or all but one worse by the same. `tuned` are
methods that choose from sets of parameters that are equally good, beside each other and beside a
fixed method that is as good. `selected` is the score of selecting one of many methods, and that
of the selected method.
"""

import argparse
from itertools import pairwise, product

import numpy as np
from scipy.special import expit

from tilewise.decide.choice import cross_validate
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import Splits, assign_folds, nested_selection
from tilewise.decide.evidence import Evidence, Rules
from tilewise.decide.resampling import bootstrap_weights
from tilewise.decide.significance import holm, set_of_best
from tilewise.decide.uncertainty import Uncertainty

MCC = CountColumns(()).merit("mcc")
UNEVEN = {"even": 0.0, "uneven": 1.0}
"""Standard deviation of the logarithm of a unit's pixels."""
RESAMPLES = 1000


class Units:
    """Units of which methods are drawn."""

    def __init__(self, random, number, uneven):
        self.random, self.number = random, number
        self.pixels = 10**5 * np.exp(random.normal(0, uneven, number))
        self.share = expit(random.normal(-2, 0.5, number))
        self.missed, self.added = random.normal(0, 0.5, (2, number))

    def draw(self, effects):
        """Counts, (methods, units, 4): TP, FP, FN, TN; the lower the effect, the more is missed."""
        shape = len(effects), self.number
        missed = 1.5 - self.missed + self.random.normal(0, 0.35, shape) + effects[:, None]
        added = 4 - self.added + self.random.normal(0, 0.35, shape)
        tp = self.pixels * self.share * expit(missed)
        tn = self.pixels * (1 - self.share) * expit(added)
        fn, fp = self.pixels * self.share - tp, self.pixels * (1 - self.share) - tn
        return np.rint(np.stack([tp, fp, fn, tn], axis=-1))


def folds(units):
    return Splits.of(assign_folds([f"{unit:03}" for unit in range(units)], 10))


def fixed(random, methods, units, uneven, worse, runs):
    """Shares: the first is dropped; any is dropped; others are dropped, by the set and by Holm; and
    how often the interval of a difference covers it.
    """
    effects = np.full(methods, -float(worse))
    effects[0] = 0
    many = Units(np.random.default_rng(1), 20_000, uneven)
    truth = MCC(many.draw(effects).sum(axis=1))
    found = []
    for run in range(runs):
        counts = Units(random, units, uneven).draw(effects)
        known = [Evidence("fixed", own) for own in counts]
        dropped = set_of_best(known, MCC, "micro", run) <= 0.05
        sure = Uncertainty(known, MCC, "micro", bootstrap_weights(units, RESAMPLES, run))
        best = int(np.argmax(MCC(counts.sum(axis=1))))
        pairs = [(i, k) for i in range(methods) for k in range(i)]
        adjusted = dict(zip(pairs, holm([sure.p(*pair) for pair in pairs]), strict=True))
        by_holm = [
            adjusted[max(i, best), min(i, best)] < 0.05 for i in range(1, methods) if i != best
        ]
        low, high = sure.interval(0, 1)
        covers = low <= truth[0] - truth[1] <= high
        found.append((dropped[0], dropped.any(), dropped[1:].mean(), np.mean(by_holm or 0), covers))
    return np.mean(found, axis=0)


def covered_by_evenness(units, runs):
    """Whether intervals of the difference of two methods cover it, by how even units are.

    That is how many units of one size would weigh as much, over the number of units.
    """
    random, effects = np.random.default_rng([units, runs]), np.array([0, -0.5])
    uneven = UNEVEN["uneven"]
    many = Units(np.random.default_rng(1), 20_000, uneven)
    truth = MCC(many.draw(effects).sum(axis=1))
    shares, covers = [], []
    for run in range(runs):
        counts = Units(random, units, uneven).draw(effects)
        pixels = counts[0].sum(axis=-1)
        shares.append(pixels.sum() ** 2 / (pixels**2).sum() / units)
        known = [Evidence("fixed", own) for own in counts]
        sure = Uncertainty(known, MCC, "micro", bootstrap_weights(units, RESAMPLES, run))
        low, high = sure.interval(0, 1)
        covers.append(low <= truth[0] - truth[1] <= high)
    of_study = np.array(shares)
    for low, high in pairwise((0, 0.35, 0.5, 0.65, 1)):
        is_here = (of_study > low) & (of_study <= high)
        if is_here.any():
            yield low, high, np.array(covers)[is_here]


def tuned(random, variants, units, uneven, runs):
    """Shares: a tuned method beside another; beside a fixed one; a fixed one beside it; a tuned one
    beside one with three times as many sets; and how often the interval of the second pair covers.
    """
    splits, effects, found = folds(units), np.zeros(variants), []
    for run in range(runs):
        drawn = Units(random, units, uneven)

        def chosen(number, drawn=drawn):
            tables = drawn.draw(np.zeros(number))
            counts = nested_selection(tables, splits, MCC, "micro").held_out
            return Evidence("held out", counts, tables=tables)

        own, other, wide = (chosen(number) for number in (variants, variants, 3 * variants))
        alone = Evidence("fixed", drawn.draw(effects[:1])[0])
        pairs = (own, other), (own, alone), (alone, own), (own, wide)
        dropped = [set_of_best(pair, MCC, "micro", run, splits=splits)[0] <= 0.05 for pair in pairs]
        weights = bootstrap_weights(units, RESAMPLES, run)
        low, high = Uncertainty((own, alone), MCC, "micro", weights, splits).interval(0, 1)
        found.append((*dropped, low <= 0 <= high))
    return np.mean(found, axis=0)


def selected(random, methods, units, uneven, runs):
    """Of the score of selecting a method, and of the score of the selected one: how much too high
    it is, and how often its interval covers what the selected methods achieve on new units.
    """
    rules = Rules("mcc", "micro", 0.01, 0.95, 5, RESAMPLES, 0, "bootstrap_t", 10, "sample", units)
    splits, effects = folds(units), np.zeros(methods)
    many = Units(np.random.default_rng(1), 20_000, uneven)
    truth = float(MCC(many.draw(effects[:1]).sum(axis=1))[0])
    found = []
    for run in range(runs):
        counts = Units(random, units, uneven).draw(effects)
        known = {str(i): Evidence("fixed", own) for i, own in enumerate(counts)}
        held_out, _ = cross_validate(known, splits, MCC, rules)
        weights = bootstrap_weights(units, RESAMPLES, run)
        scores = (
            Evidence("held out", held_out),
            max(known.values(), key=lambda one: MCC(one.counts.sum(axis=0))),
        )
        row = []
        for one in scores:
            low, high = Uncertainty([one], MCC, "micro", weights, splits).interval(0)
            row += [MCC(one.counts.sum(axis=0)) - truth, low <= truth <= high]
        found.append(row)
    return np.mean(found, axis=0)


def table(head, cases, study, runs, as_share):
    """A row per case, printed as it comes."""
    print(f"| {' | '.join(head)} |\n|{' ---: |' * len(head)}", flush=True)
    for *sizes, (title, uneven) in cases:
        random = np.random.default_rng([*sizes, int(10 * uneven)])
        values = study(random, *sizes, uneven, runs)
        texts = (
            f"{v:.1%}" if share else f"{v:+.3f}" for v, share in zip(values, as_share, strict=True)
        )
        print(
            f"| {' | '.join(map(str, sizes[::-1]))} | {title} | {' | '.join(texts)} |", flush=True
        )
    print()


def equal_and_worse(random, methods, units, uneven, runs):
    first, some, *_ = fixed(random, methods, units, uneven, 0, runs)
    _, _, others, by_holm, covers = fixed(random, methods, units, uneven, 0.5, runs)
    return first, some, others, by_holm, covers


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--only", default="fixed,tuned,selected,sizes")
    arguments = parser.parse_args()
    units, runs, only = (5, 8, 12, 30), arguments.runs, arguments.only.split(",")
    if "fixed" in only:
        head = ("units", "methods", "units are", "a given best dropped", "some of equals dropped")
        head += ("truly worse dropped", "the same by Holm", "difference covered")
        cases = ((m, n, u) for n, m, u in product(units, (2, 6, 12), UNEVEN.items()))
        table(head, cases, equal_and_worse, runs, [True] * 5)
    if "tuned" in only:
        head = ("units", "sets", "units are", "tuned beside tuned", "tuned beside fixed")
        head += ("fixed beside tuned", "beside three times the sets", "difference covered")
        cases = ((v, n, u) for n, v, u in product(units[1:], (3, 10, 20), UNEVEN.items()))
        table(head, cases, tuned, runs, [True] * 5)
    if "selected" in only:
        head = ("units", "methods", "units are", "selection too high", "covered")
        head += ("selected too high", "covered")
        cases = ((m, n, u) for n, m, u in product(units, (2, 12), UNEVEN.items()))
        table(head, cases, selected, runs, [False, True, False, True])
    if "sizes" in only:
        print("| units | as many even ones, share | studies | difference covered |")
        print("| ---: | ---: | ---: | ---: |")
        for number in units[1:]:
            for low, high, covered in covered_by_evenness(number, 5 * runs):
                share = f"{low} to {high}"
                print(f"| {number} | {share} | {len(covered)} | {np.mean(covered):.1%} |")


if __name__ == "__main__":
    main()
