"""Masks by a majority of other methods."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.steps import is_whole

NAME = "vote"
"""What the configuration calls it."""


def vote(masks: NDArray, methods: list[str], least: int | None = None) -> NDArray[np.uint8]:
    """Foreground is what at least some of several methods call foreground.

    Methods have their own filter and clean-up. None may have parameters or a threshold that
    annotated tiles chose, since these tiles would then score the vote too high. One that learns
    may be counted: on an annotated tile, the model counts that was trained without it.

    Parameters
    ----------
    methods : list of str
        Names of two or more methods, of the same samples.
    least : int, optional
        How many of them make foreground; by default more than half.
    """
    votes = np.count_nonzero(masks, axis=0)
    return (votes >= least_of(methods, least)).view(np.uint8)


def least_of(methods: Sequence[str], least: int | None) -> int:
    """How many methods make foreground."""
    return len(methods) // 2 + 1 if least is None else least


def check(methods: Any, least: Any) -> None:
    """Check the settings; ValueError says what to change."""
    is_list = isinstance(methods, list | tuple) and all(isinstance(one, str) for one in methods)
    if not is_list or len(set(methods)) != len(methods) or len(methods) < 2:
        raise ValueError(f"methods is {methods!r}: give a list of two or more different methods")
    if least is not None and (not is_whole(least) or not 1 <= least <= len(methods)):
        raise ValueError(f"least is {least!r}: give a number from 1 to {len(methods)}")
