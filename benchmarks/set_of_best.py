"""How often the set of the best errs, and what it tells apart, beside Holm's test of all pairs.

    PYTHONPATH=scripts python benchmarks/set_of_best.py

Counts of units are drawn here, by nothing of the pipeline: pixels of each unit, its share of
foreground, and how much of it each method misses and adds, on a scale of logits. Methods are
equally good, or all but one are worse by the same. Pooled MCC.
"""

from itertools import product

import numpy as np
from scipy.special import expit

from tilewise.decide.count_columns import CountColumns
from tilewise.decide.significance import holm, pairwise, set_of_best

RUNS = 100
MCC = CountColumns(()).merit("mcc")
UNEVEN = {"even": 0.0, "uneven": 1.0}
"""Standard deviation of the logarithm of a unit's pixels."""


def draw(random, methods, units, uneven, worse):
    """Counts, (methods, units, 4): TP, FP, FN, TN; all but the first method are worse."""
    pixels = 10**5 * np.exp(random.normal(0, uneven, units))
    share = expit(random.normal(-2, 0.5, units))
    missed = 1.5 - random.normal(0, 0.5, units) + random.normal(0, 0.35, (methods, units))
    added = 4 - random.normal(0, 0.5, units) + random.normal(0, 0.35, (methods, units))
    missed[1:] -= worse
    tp = pixels * share * expit(missed)
    tn = pixels * (1 - share) * expit(added)
    fn, fp = pixels * share - tp, pixels * (1 - share) - tn
    return np.rint(np.stack([tp, fp, fn, tn], axis=-1))


def study(methods, units, uneven, worse):
    """Shares: the first is dropped; any is dropped; others are dropped, by the set and by Holm."""
    random = np.random.default_rng([methods, units, int(10 * uneven), int(100 * worse)])
    first, some, others, by_holm = [], [], [], []
    for run in range(RUNS):
        counts = draw(random, methods, units, uneven, worse)
        dropped = set_of_best(counts, MCC, "micro", run) <= 0.05
        first.append(dropped[0])
        some.append(dropped.any())
        others.append(dropped[1:].mean())
        pairs = pairwise(counts, MCC, "micro", "sign_flip", run, range(methods))
        adjusted = dict(zip(pairs, holm(list(pairs.values())), strict=True))
        best = int(np.argmax(MCC(counts.sum(axis=1))))
        others_of = (i for i in range(1, methods) if i != best)
        by_holm.append(
            np.mean([adjusted[min(i, best), max(i, best)] < 0.05 for i in others_of] or [0])
        )
    return [np.mean(values) for values in (first, some, others, by_holm)]


def main():
    print("| units | methods | units are | a given best dropped | some of equals dropped |", end="")
    print(" truly worse dropped | the same by Holm |")
    print("| ---: | ---: | --- | ---: | ---: | ---: | ---: |")
    for units, methods, (title, uneven) in product((5, 8, 12, 30), (2, 6), UNEVEN.items()):
        first, some, _, _ = study(methods, units, uneven, 0)
        _, _, others, by_holm = study(methods, units, uneven, 0.5)
        shares = (f"{share:.1%} |" for share in (first, some, others, by_holm))
        print(f"| {units} | {methods} | {title} |", *shares, flush=True)


if __name__ == "__main__":
    main()
