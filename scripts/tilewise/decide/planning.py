"""How many units would be needed, before they are annotated."""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tilewise.decide.resampling import Floats

POWER = 0.8
LEAST_UNITS, MOST_UNITS = 3, 10_000


def units_to_tell_apart(
    difference: float, error: float, units: int, alpha: float = 0.05, power: float = POWER
) -> float:
    """How many units like these tell two methods apart, if they differ by so much.

    Parameters
    ----------
    difference, error : float
        Of two methods' scores, with its standard error, of so many `units`.
    alpha, power : float
        Of a one-sided test.

    Returns
    -------
    float
        The least n, from `LEAST_UNITS` on, for which the difference is no less than the sum of
        Student's quantiles of 1 - alpha and of `power`, with n - 1 degrees of freedom, times
        error sqrt(units / n). inf where that is more than `MOST_UNITS`, or nothing differs.
    """
    if not (math.isfinite(difference) and math.isfinite(error)) or difference <= 0:
        return math.inf
    enough = np.flatnonzero(_quantiles(alpha, power) * error * math.sqrt(units) <= difference)
    return float(enough[0] + LEAST_UNITS) if enough.size else math.inf


@cache
def _quantiles(alpha: float, power: float) -> Floats:
    """Student's quantiles of 1 - alpha and of the power, added, over the root of n units."""
    from scipy.special import stdtrit

    n = np.arange(LEAST_UNITS, MOST_UNITS + 1)
    quantiles: Floats = (stdtrit(n - 1, 1 - alpha) + stdtrit(n - 1, power)) / np.sqrt(n)
    return quantiles


def rank_frequencies(resampled: Floats) -> Floats:
    """How often each method has each rank in the resamples, (methods, methods) of 0 to 1.

    `resampled` are the estimates, (resamples, methods), the higher the better; undefined ones come
    last, ties in the order of the methods.
    """
    values = np.where(np.isfinite(resampled), resampled, -np.inf)
    order = np.argsort(-values, axis=1, kind="stable")
    ranks: NDArray[np.int64] = np.argsort(order, axis=1, kind="stable")
    methods = ranks.shape[1]
    shares: Floats = np.stack([(ranks == rank).mean(axis=0) for rank in range(methods)], axis=1)
    return shares


def kendall_tau(first: Sequence[float], second: Sequence[float]) -> float | None:
    """How alike two orders are, from -1 to 1, by `scipy.stats.kendalltau`; None where undefined.

    References
    ----------
    Kendall, Biometrika 33(3), 239-251 (1945), tau-b, for ties.
    """
    from scipy import stats

    tau = float(stats.kendalltau(first, second).statistic)
    return tau if math.isfinite(tau) else None
