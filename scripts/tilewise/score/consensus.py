"""One truth from the votes of several annotators: by majority, or by STAPLE."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tilewise.labels import NOT_ANNOTATED
from tilewise.score.votes import Counts, checked_counts, votes

TIES = {"background": 0, "foreground": 1, "not_annotated": NOT_ANNOTATED}
"""What a majority of neither side can count as."""
CONSENSUS = ("majority", "staple")
INITIAL_RATE = 0.99999
"""Sensitivity and specificity that STAPLE starts from: annotators that are hardly ever wrong."""


@dataclass(frozen=True)
class Staple:
    """Estimates of STAPLE for K annotators.

    Attributes
    ----------
    sensitivity, specificity : (K,) float64 ndarray
        Of each annotator, 0 to 1. The sensitivity is nan where none of the annotated pixels can be
        foreground, the specificity where none can be background: also if nothing is annotated.
    probability : (3 ** K,) float64 ndarray
        That a pixel of this pattern is foreground; nan for the pattern without a vote.
    prior : float
        Foreground's fraction, before the votes for a pixel are known; nan if there is no vote.
    iterations : int
        That were made: as many as were allowed, if the estimates still changed.
    """

    sensitivity: NDArray[np.float64]
    specificity: NDArray[np.float64]
    probability: NDArray[np.float64]
    prior: float
    iterations: int


def majority(annotators: int, tie: str = "background") -> NDArray[np.uint8]:
    """What more than half of those say who annotated a pixel, for each pattern of votes.

    0 background, 1 foreground, 255 not annotated: by anybody, or by `tie`, of `TIES`, which is what
    a pixel is where as many say foreground as say background.
    """
    if tie not in TIES:
        raise ValueError(f"tie is {tie!r}: give one of {', '.join(TIES)}")
    said = votes(annotators)
    foreground, background = (said == 1).sum(axis=1), (said == 0).sum(axis=1)
    table = np.where(foreground > background, 1, 0).astype(np.uint8)
    table[foreground == background] = TIES[tie]
    table[foreground + background == 0] = NOT_ANNOTATED
    return table


def staple(
    counts: Counts,
    annotators: int,
    prior: float | None = None,
    iterations: int = 1000,
    tolerance: float = 1e-9,
) -> Staple:
    """Consensus and quality of annotators, each estimated from the other, by binary STAPLE.

    Expectation maximization over the patterns, weighted with their pixels, which is the same as
    over the pixels. An annotator does not count where nothing is annotated. Without a vote, every
    estimate is nan and no iteration is made.

    Parameters
    ----------
    counts : (3 ** K,) int ndarray
        Pixels of each pattern of K annotators, 1 to 8.
    prior : float, optional
        Fraction of pixels that are foreground, 0 to 1; that of all votes by default.
    iterations : int
        At most.
    tolerance : float
        Ends once no sensitivity or specificity changes by more.

    Notes
    -----
    Estimates start from `INITIAL_RATE`. An estimate of no weight, 0/0, stays there meanwhile. A
    pattern that the estimates exclude, which then does not occur, has the prior's probability. Two
    annotators do not determine their four qualities: how STAPLE decides where they differ follows
    from prior and start.

    References
    ----------
    Warfield, Zou and Wells, IEEE Transactions on Medical Imaging 23:903 (2004).
    """
    if prior is not None and not 0 <= prior <= 1:
        raise ValueError(f"the prior is {prior}: give a fraction, 0 to 1")
    said = votes(annotators)
    counts = checked_counts(counts, annotators)
    annotated = (said >= 0).any(axis=1)
    ones, zeros = (int((counts[:, np.newaxis] * (said == vote)).sum()) for vote in (1, 0))
    if ones + zeros == 0:
        unknown = np.full(annotators, np.nan)
        return Staple(unknown, unknown.copy(), np.full(said.shape[0], np.nan), np.nan, 0)
    prior = ones / (ones + zeros) if prior is None else float(prior)
    occurs = counts > 0
    rates, defined, made = _maximize(said[occurs], counts[occurs], prior, iterations, tolerance)
    probability = _posterior(said, prior, *rates)
    probability[~annotated] = np.nan
    sensitivity, specificity = np.where(defined, rates, np.nan)
    return Staple(sensitivity, specificity, probability, prior, made)


def staple_table(staple: Staple, threshold: float = 0.5) -> NDArray[np.uint8]:
    """The consensus of STAPLE: foreground where its probability is above the threshold.

    For each pattern: 0 background, 1 foreground, 255 not annotated by anybody.
    """
    table = (staple.probability > threshold).astype(np.uint8)
    table[np.isnan(staple.probability)] = NOT_ANNOTATED
    return table


def _maximize(said, counts, prior, iterations, tolerance):
    """Sensitivities and specificities, (2, K) float64; where they are defined; iterations made."""
    foreground, background = (said == 1).astype(float), (said == 0).astype(float)
    rates = np.full((2, said.shape[1]), INITIAL_RATE)
    defined = np.array([foreground.any(axis=0) | background.any(axis=0)] * 2)
    made, change = 0, np.inf
    while made < iterations and change > tolerance:
        probability = _posterior(said, prior, *rates)
        inside = (counts * probability)[:, np.newaxis]
        outside = (counts * (1 - probability))[:, np.newaxis]
        # not a matrix product: its order of summation depends on the number of threads
        right = np.stack([(inside * foreground).sum(axis=0), (outside * background).sum(axis=0)])
        wrong = np.stack([(inside * background).sum(axis=0), (outside * foreground).sum(axis=0)])
        # at most 1 also after rounding, as the weight of all pixels might not be
        weight = right + wrong
        defined, last = weight > 0, rates
        rates = np.divide(right, weight, out=rates.copy(), where=defined)
        made, change = made + 1, np.abs(rates - last).max()
    return rates, defined, made


def _posterior(said, prior, sensitivity, specificity):
    """Probability of foreground given the votes, (patterns,) float64."""
    foreground, background = said == 1, said == 0
    inside = prior * _likelihood(foreground, background, sensitivity)
    outside = (1 - prior) * _likelihood(background, foreground, specificity)
    total = inside + outside
    return np.divide(inside, total, out=np.full(total.shape, prior), where=total > 0)


def _likelihood(right, wrong, rate):
    return np.where(right, rate, np.where(wrong, 1 - rate, 1)).prod(axis=1)
