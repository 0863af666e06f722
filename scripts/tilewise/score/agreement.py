"""How far masks agree with each other, whether there is truth or not."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tilewise.score import formulas


def mean_dice(masks: Sequence[NDArray[np.uint8]]) -> float | None:
    """Mean Dice coefficient, 0 to 1, of all pairs of masks of 0 and 1.

    None of fewer than two masks; two empty masks have 1.
    """
    if len(masks) < 2:
        return None
    sizes = [int(np.count_nonzero(mask)) for mask in masks]
    pairs = list(combinations(range(len(masks)), 2))
    common = np.array([np.count_nonzero(masks[a] & masks[b]) for a, b in pairs], float)
    totals = np.array([sizes[a] + sizes[b] for a, b in pairs], float)
    counts = {"tp": common, "fp": totals - 2 * common, "fn": np.zeros_like(common)}
    counts["tn"] = float(masks[0].size) - (totals - common)
    return float(formulas.evaluate("f1", counts).mean())
