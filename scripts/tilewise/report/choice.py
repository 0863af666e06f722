"""Which tiles are shown in full, and in which order."""

import random
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

WORST, DIFFERENT, FOLLOWING, BEST = 0.4, 0.2, 0.15, 0.1
"""Shares of the tiles that are shown for each reason; the others are drawn at random."""
RANDOM, NEXT = "random", "annotate next"


def choose(
    merits: Mapping[str, Values],
    disagreement: Values,
    following: Sequence[int],
    others: Sequence[int],
    number: int,
    seed: int = 0,
) -> dict[int, list[str]]:
    """Tiles to show, and for which reasons each.

    The worst of each method come first, then the largest disagreements, tiles to annotate next, the
    best of each method, and tiles at random until there are enough. Of equal tiles the first comes
    first.

    Parameters
    ----------
    merits
        By method: how good its mask of each tile is, the higher the better; nan where that is not
        known, or does not count.
    disagreement
        Share of each tile's pixels on which methods differ, 0 to 1; nan where it is not known.
    following
        Tiles to annotate next, the most worth first.
    others
        Tiles that those at random are drawn from.
    number
        Of tiles to show, at the most.
    seed
        Of those at random.

    Returns
    -------
    dict of int to list of str
        By number of the tile, in the order in which they are shown.
    """
    each = {method: _ascending(own) for method, own in merits.items()}
    most = [tile for tile in _ascending(-disagreement) if disagreement[tile] > 0]
    few, fewer = (_part(number, own, len(each)) for own in (WORST, BEST))
    lists = [
        *((f"worst of {method}", own[:few]) for method, own in each.items()),
        ("largest disagreement", most[: _part(number, DIFFERENT)]),
        (NEXT, following[: _part(number, FOLLOWING)]),
        *((f"best of {method}", own[::-1][:fewer]) for method, own in each.items()),
    ]
    reasons: dict[int, list[str]] = {}
    for reason, tiles in lists:
        for tile in tiles:
            reasons.setdefault(tile, []).append(reason)
    left = [tile for tile in others if tile not in reasons]
    random.Random(seed).shuffle(left)
    reasons |= {tile: [RANDOM] for tile in left}
    # where there is still space
    reasons |= {tile: [NEXT] for tile in following if tile not in reasons}
    return dict(list(reasons.items())[:number])


def _part(number, share, lists=1):
    return max(int(number * share) // max(lists, 1), 1)


def _ascending(values):
    """Numbers of the values that are known, the least first."""
    order = np.argsort(values, kind="stable")
    return [int(i) for i in order if not np.isnan(values[i])]
