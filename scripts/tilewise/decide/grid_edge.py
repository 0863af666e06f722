"""Chosen values at the end of a grid, where the score still rises."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tilewise.decide.resampling import Floats
from tilewise.doubts import Doubt
from tilewise.score.formulas import label_of


def rising_edges(
    grid: Mapping[str, Sequence[Any]], merits: Floats, chosen: int
) -> list[tuple[str, Any, str]]:
    """Numbers at an end of their grid that are chosen because the score rises towards it.

    Parameters
    ----------
    grid : dict of str to list
        Values of each parameter; sets of parameters are in the order of their product.
    merits : (sets,) ndarray
        The higher the better.
    chosen : int
        The set that is chosen.

    Returns
    -------
    list of (str, number, {"smaller", "larger"})
        The parameter, its chosen value, and the direction in which the score rises: from the next
        value of the grid to the chosen one, all other parameters as chosen.
    """
    shape = tuple(map(len, grid.values()))
    scores, place = merits.reshape(shape), tuple(map(int, np.unravel_index(chosen, shape)))
    edges = []
    for axis, (key, values) in enumerate(grid.items()):
        if len(values) < 2 or not all(_is_number(value) for value in values):
            continue
        order = np.argsort(np.array(values, float), kind="stable").tolist()
        own = order.index(place[axis])
        line = np.moveaxis(scores, axis, 0)[(order, *np.delete(place, axis))]
        for end, neighbour, direction in ((0, 1, "smaller"), (len(order) - 1, -2, "larger")):
            if own == end and line[own] > line[neighbour]:
                edges.append((key, values[place[axis]], direction))
    return edges


def edge_doubts(
    method: str, grid: Mapping[str, Sequence[Any]], merits: Floats, chosen: int, metric: str
) -> list[Doubt]:
    """A doubt for each of the `rising_edges`."""
    ends = {"smaller": "smallest", "larger": "largest"}
    return [
        Doubt(
            "grid_edge",
            f"the {ends[direction]} value of {key} that {method} tries, {value}, is the best, and "
            f"its {label_of(metric)} still rises there",
            f"add {direction} values to `methods.{method}.grid.{key}` in the configuration",
            method=method,
        )
        for key, value, direction in rising_edges(grid, merits, chosen)
    ]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
