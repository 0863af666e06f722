"""Votes of several annotators: the pattern that those for a pixel make.

Only the pattern of a pixel's votes matters: with K annotators it is a number of K digits in base
3, where digit k, which counts 3 ** k, is 0 if annotator k says background, 1 for foreground and 2
where the annotator left the pixel out. Counts of pixels per pattern add up over blocks, and
agreement and consensus follow from their sum as exactly as from the pixels.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.labels import MOST_ANNOTATORS, NOT_ANNOTATED
from tilewise.value_counts import count_values

Counts = NDArray[np.int64]
"""Pixels per pattern of votes, (3 ** K,)."""
_INVALID = np.iinfo(np.uint16).max


def patterns(truths: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint16]:
    """The pattern of votes for each pixel, 0 to 3 ** K - 1.

    `truths` are those of K annotators, 2 to 8: 0 background, 1 foreground, 255 not annotated.

    Raises
    ------
    ValueError
        Too few or too many truths, truths of different sizes, another type or other values.
    """
    if not 2 <= len(truths) <= MOST_ANNOTATORS:
        raise ValueError(f"{len(truths)} truths: give those of 2 to {MOST_ANNOTATORS} annotators")
    _check_truths(truths)
    numbers = np.asarray(cv2.LUT(truths[0], _digits(0)), np.uint16)
    weighted = np.empty_like(numbers)
    for k, truth in enumerate(truths[1:], 1):
        # saturates, so that what is invalid stays it
        cv2.add(numbers, cv2.LUT(truth, _digits(k), dst=weighted), dst=numbers)
    if numbers.max(initial=0) == _INVALID:
        raise ValueError("a truth has values other than 0, 1 and 255: convert it first")
    return numbers


def count_patterns(patterns: NDArray[np.uint16], annotators: int) -> Counts:
    """Pixels of each pattern, (3 ** K,), of the function `patterns`; those of blocks add up."""
    counts = count_values(patterns, 3 ** _checked(annotators))
    if counts.sum() != patterns.size:
        raise ValueError(f"there are patterns of more than {annotators} annotators")
    return counts


def votes(annotators: int) -> NDArray[np.int8]:
    """What each of K annotators, 1 to 8, says in each pattern, (3 ** K, K).

    0 background, 1 foreground, -1 not annotated.
    """
    weights = 3 ** np.arange(_checked(annotators))
    digits = np.arange(3**annotators)[:, np.newaxis] // weights % 3
    return np.where(digits == 2, -1, digits).astype(np.int8)


def apply(table: NDArray[np.uint8], patterns: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """A consensus as an image: 0 background, 1 foreground, 255 not annotated.

    `table`, (3 ** K,), is as from `consensus.majority` or `consensus.staple_table`; `patterns` as
    from the function `patterns`, of the same annotators.
    """
    return table.take(patterns)


def _check_truths(truths):
    for number, truth in enumerate(truths):
        if truth.dtype != np.uint8 or truth.ndim != 2:
            raise ValueError(
                f"truth {number} is {truth.dtype} of {truth.ndim} dimensions: give uint8 of 2"
            )
        if truth.shape != truths[0].shape:
            raise ValueError(
                f"truth {number} is {truth.shape}, the first {truths[0].shape}: they must be equal"
            )


def _digits(annotator):
    """What a value of an annotator's truth adds to the pattern's number."""
    values = np.full(256, _INVALID, np.uint16)
    values[[0, 1, NOT_ANNOTATED]] = np.arange(3) * 3**annotator
    return values


def _checked(annotators):
    if not 1 <= annotators <= MOST_ANNOTATORS:
        raise ValueError(f"there are {annotators} annotators: give 1 to {MOST_ANNOTATORS}")
    return annotators


def checked_counts(counts: Counts, annotators: int) -> Counts:
    """Counts as an array, one for each pattern of so many annotators."""
    counts = np.asarray(counts)
    if counts.shape != (3 ** _checked(annotators),):
        raise ValueError(
            f"counts are {counts.shape}: {annotators} annotators have {3**annotators} patterns"
        )
    return counts
