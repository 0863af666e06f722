"""Paired tests of whether two methods differ, over independent units."""

import math
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from tilewise.decide.resampling import CHUNK_SIZE, Floats, MetricOfCounts, mean_of

TESTS = ("sign_flip", "wilcoxon")
MOST_FLIPS = 2**13
"""Of the signs of units: all of them for up to 13 units."""
RELATIVE_TIE, ABSOLUTE_TIE = 1e-9, 1e-15
"""Differences of two statistics that count as none: sums depend on their order."""


def sign_flip(
    a: Floats, b: Floats, metric: MetricOfCounts, average: str, seed: int, most: int = 10_000
) -> float:
    """Whether two methods differ: paired permutation test, two-sided.

    Within every unit, the counts of the two methods are swapped or not; where the methods are
    equal, no difference is more likely than its opposite.

    Parameters
    ----------
    a, b : (units, fields) ndarray
    seed : int
        Of the random swaps.
    most : int
        All 2 ** units swaps are tried if they are not more, else so many random ones.

    Returns
    -------
    float
        p, 0 to 1; exact, or (k + 1) / (n + 1) of n random swaps. 1 where the metric is undefined.

    References
    ----------
    Fisher (1935), The Design of Experiments; Phipson and Smyth, Statistical Applications in
    Genetics and Molecular Biology 9(1):39 (2010), for the random swaps.
    """
    units = len(a)
    is_exact = units < 63 and 2**units <= most
    number = 2**units if is_exact else most
    difference = _swapped(a, b, metric, average)
    observed = float(difference(np.zeros((1, units)))[0])
    if not math.isfinite(observed):
        return 1.0
    random = np.random.default_rng(seed)
    step = max(CHUNK_SIZE // max(units, 1), 1)
    least = abs(observed) * (1 - RELATIVE_TIE) - ABSOLUTE_TIE
    as_great = 0
    for start in range(0, number, step):
        stop = min(start + step, number)
        if is_exact:
            swaps = np.arange(start, stop)[:, None] >> np.arange(units) & 1
        else:
            swaps = random.integers(0, 2, (stop - start, units))
        permuted = np.abs(difference(swaps.astype(np.float64)))
        permuted[~np.isfinite(permuted)] = np.inf
        as_great += int(np.count_nonzero(permuted >= least))
    return as_great / number if is_exact else (as_great + 1) / (number + 1)


def _swapped(
    a: Floats, b: Floats, metric: MetricOfCounts, average: str
) -> Callable[[Floats], Floats]:
    """The difference of two methods' estimates as a function of swaps, (permutations, units)."""
    pair = np.stack([a, b])
    if average == "macro":
        values = metric(pair)
        is_defined = np.isfinite(values)
        # each method's mean is over the units where it is defined, as in `estimate`
        pair = np.stack([np.where(is_defined, values, 0), is_defined], axis=-1)

        def metric(sums: Floats) -> Floats:
            return mean_of(sums[..., 0], sums[..., 1])

    unswapped, both = pair[0].sum(axis=0), pair.sum(axis=(0, 1))

    def difference(swaps: Floats) -> Floats:
        first = unswapped + swaps @ (pair[1] - pair[0])
        return metric(first) - metric(both - first)

    return difference


def set_of_best(
    counts: Floats, metric: MetricOfCounts, average: str, seed: int, most: int = MOST_FLIPS
) -> Floats:
    """How well each method agrees with being the best: p values of a set of the best, one-sided.

    A method leaves the 95 % set of the best where p is at most 0.05. Its error is the chance that a
    given best method leaves it; that some of several methods that are equally good leaves it is
    more frequent.

    Parameters
    ----------
    counts : (methods, units, fields) ndarray
        Of methods whose metric is defined; the higher the better.
    seed : int
        Of random flips.
    most : int
        All 2 ** units flips are tried if they are not more, else so many random ones.

    Returns
    -------
    (methods,) float64 ndarray
        0 to 1.

    Notes
    -----
    D_ij(s) is the difference of the metric between i and j with their counts swapped in the units
    that a flip s names, the same s for all pairs. t_i(s) is the greatest, over all j, of D_ji(s)
    over its root mean square over s, and p_i the share of flips with t_i(s) >= t_i of no flip.
    """
    methods, units, _ = counts.shape
    is_exact = units < 63 and 2**units <= most
    number = 2**units if is_exact else most + 1
    if is_exact:
        swapped = np.arange(number)[:, None] >> np.arange(units) & 1
    else:
        swapped = np.random.default_rng(seed).integers(0, 2, (number, units))
        swapped[0] = 0
    flips = swapped.astype(np.float64)
    greatest = np.zeros((methods, number))
    for i, k in combinations(range(methods), 2):
        difference = _swapped(counts[i], counts[k], metric, average)(flips)
        is_known = np.isfinite(difference)
        scale = math.sqrt(np.mean(difference[is_known] ** 2))
        if scale > ABSOLUTE_TIE:
            # as in `sign_flip`, what is undefined under a flip counts as great
            for method, sign in ((i, -1), (k, 1)):
                own = np.where(is_known, sign * difference / scale, np.inf)
                np.maximum(greatest[method], own, out=greatest[method])
    least = greatest[:, :1] * (1 - RELATIVE_TIE)
    p: Floats = np.mean(greatest >= least, axis=1)
    return p


def wilcoxon(differences: ArrayLike) -> float:
    """The p value, 0 to 1, of Wilcoxon's signed-rank test, two-sided, by `scipy.stats.wilcoxon`.

    Differences that are nan are left out; 1 if no difference is left that is not 0.

    References
    ----------
    Wilcoxon, Biometrics Bulletin 1(6), 80-83 (1945).
    """
    known = np.asarray(differences, np.float64)
    known = known[np.isfinite(known)]
    if not known.any():
        return 1.0
    from scipy import stats

    return float(stats.wilcoxon(known).pvalue)


def holm(p: ArrayLike) -> Floats:
    """Adjust p values for their number; in the given order, at most 1.

    nan is passed through and does not count.

    References
    ----------
    Holm, Scandinavian Journal of Statistics 6(2), 65-70 (1979).
    """
    values = np.asarray(p, np.float64)
    adjusted = np.full(values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    if order.size:
        adjusted[order] = np.minimum(np.maximum.accumulate(factors * values[order]), 1)
    return adjusted


def pairwise(
    counts: Floats,
    metric: MetricOfCounts,
    average: str,
    test: str,
    seed: int,
    methods: Sequence[int],
) -> dict[tuple[int, int], float]:
    """The p value of every pair of some methods, by their indices, the lower first.

    Counts are (methods, units, fields).

    Raises
    ------
    ValueError
        If there is no such test.
    """
    if test not in TESTS:
        raise ValueError(f"test is {test!r}: choose one of {', '.join(TESTS)}")
    pairs = list(combinations(methods, 2))
    if test == "wilcoxon":
        values = metric(counts)
        return {(i, k): wilcoxon(values[i] - values[k]) for i, k in pairs}
    return {(i, k): sign_flip(counts[i], counts[k], metric, average, seed) for i, k in pairs}
