"""The rule by which one of several methods is applied."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tilewise.decide.cross_validation import best_of
from tilewise.decide.evidence import Evidence
from tilewise.decide.resampling import Floats

TIE = 1e-9
"""Scores that differ by no more share a rank."""


def simplicity(method: Evidence) -> tuple[bool, int]:
    """The smaller, the simpler: fixed before tuned, then by the number of chosen parameters."""
    return method.estimate != "fixed", method.parameters


def choose(
    methods: Sequence[Evidence],
    values: Floats,
    is_in_set: NDArray[np.bool_] | None,
    margin: float,
) -> int:
    """The method to apply.

    Parameters
    ----------
    methods : sequence of Evidence
        In the order of the configuration.
    values : (methods,) ndarray
        Their scores, the higher the better.
    is_in_set : (methods,) bool ndarray or None
        Whether each is in the set of the best; None where there are too few units to know.
    margin : float
        Scores that differ by no more are as good.

    Returns
    -------
    int
        The simplest method in the set whose score is within the margin of the highest one; without
        a set, the one with the highest score. Of several, the first.
    """
    if is_in_set is None or not np.isfinite(values).any():
        return best_of(values)
    highest = np.nanmax(values)
    close = np.flatnonzero(is_in_set & (values >= highest - margin - TIE)).tolist()
    return int(min(close, key=lambda i: (simplicity(methods[i]), i)))
