"""Agreement between several annotators, and their consensus.

Only the pattern of a pixel's votes matters: with K annotators it is a number of K digits in base 3,
where digit k, which counts 3 ** k, is 0 if annotator k says background, 1 if he says foreground and
2 if he did not annotate the pixel. A block is its counts of pixels per pattern. Counts of blocks
add up, and everything here follows from their sum as exactly as from the pixels.
"""

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np

from tilewise.labels import NOT_ANNOTATED
from tilewise.score.pixel_metrics import COUNTS, metrics
from tilewise.value_counts import count_values

MOST = 8
"""Annotators."""
TIES = {"background": 0, "foreground": 1, "not_annotated": NOT_ANNOTATED}
"""What a majority of neither side can count as."""
CONSENSUS = ("majority", "staple")
INITIAL = 0.99999
"""Sensitivity and specificity that STAPLE starts from: annotators that are hardly ever wrong."""
_INVALID = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class Staple:
    """Estimates of STAPLE for K annotators.

    Attributes
    ----------
    sensitivity, specificity : (K,) float64 ndarray
        Of each annotator, 0 to 1. The sensitivity is nan where no pixel that he annotated can be
        foreground, the specificity where none can be background: also if he annotated none.
    probability : (3 ** K,) float64 ndarray
        That a pixel of this pattern is foreground; nan for the pattern without a vote.
    prior : float
        Foreground's fraction, before the votes for a pixel are known; nan if there is no vote.
    iterations : int
        That were made: as many as were allowed, if the estimates still changed.
    """

    sensitivity: np.ndarray
    specificity: np.ndarray
    probability: np.ndarray
    prior: float
    iterations: int


def patterns(truths):
    """The pattern of votes for each pixel.

    Parameters
    ----------
    truths : (K, rows, columns) uint8 ndarray or sequence of K (rows, columns) uint8 ndarray
        A truth per annotator, 2 to 8 of them: 0 background, 1 foreground, 255 not annotated.

    Returns
    -------
    (rows, columns) uint16 ndarray
        0 to 3 ** K - 1.

    Raises
    ------
    ValueError
        Too few or too many truths, truths of different sizes, another type or other values.
    """
    if not 2 <= len(truths) <= MOST:
        raise ValueError(f"{len(truths)} truths: give those of 2 to {MOST} annotators")
    _check_truths(truths)
    numbers = cv2.LUT(truths[0], _digits(0))
    weighted = np.empty_like(numbers)
    for k, truth in enumerate(truths[1:], 1):
        # saturates, so that what is invalid stays it
        cv2.add(numbers, cv2.LUT(truth, _digits(k), dst=weighted), dst=numbers)
    if numbers.max(initial=0) == _INVALID:
        raise ValueError("a truth has values other than 0, 1 and 255: convert it first")
    return numbers


def count_patterns(patterns, annotators):
    """Pixels of each pattern; those of blocks add up.

    Parameters
    ----------
    patterns : (rows, columns) uint16 ndarray
        As from the function `patterns`.
    annotators : int
        K.

    Returns
    -------
    (3 ** K,) int64 ndarray
    """
    counts = count_values(patterns, 3 ** _checked(annotators))
    if counts.sum() != patterns.size:
        raise ValueError(f"there are patterns of more than {annotators} annotators")
    return counts


def votes(annotators):
    """What each annotator says in each pattern.

    Parameters
    ----------
    annotators : int
        K, 1 to 8.

    Returns
    -------
    (3 ** K, K) int8 ndarray
        0 background, 1 foreground, -1 not annotated.
    """
    weights = 3 ** np.arange(_checked(annotators))
    digits = np.arange(3**annotators)[:, np.newaxis] // weights % 3
    return np.where(digits == 2, -1, digits).astype(np.int8)


def apply(table, patterns):
    """A consensus as an image.

    Parameters
    ----------
    table : (3 ** K,) uint8 ndarray
        As from `majority` or `staple_table`.
    patterns : (rows, columns) uint16 ndarray
        As from the function `patterns`, of the same annotators.

    Returns
    -------
    (rows, columns) uint8 ndarray
        0 background, 1 foreground, 255 not annotated.
    """
    return table.take(patterns)


def pairwise(counts, annotators):
    """Agreement of each two annotators, on the pixels that both annotated.

    Parameters
    ----------
    counts : (3 ** K,) int ndarray
        Pixels of each pattern.
    annotators : int
        K.

    Returns
    -------
    list of dict
        For each pair: `first` and `second`, their numbers from 0; `pixels` that both annotated, and
        of these the ones that are foreground to `both`, to `first_only`, to `second_only` or to
        `neither`; `dice` and `cohen_kappa`. Without a pixel, the last two are None.
        If neither has foreground, dice is 1, as in `pixel_metrics.metrics`. Agreement by chance is
        certain, and kappa 0/0, only if both say the same of every pixel. They then agree fully and
        kappa is 1: like the dice of two empty truths, and unlike scikit-learn, which gives nan.

    References
    ----------
    Cohen, Educational and Psychological Measurement 20:37 (1960).
    """
    said = votes(annotators)
    counts = _checked_counts(counts, annotators)
    pairs = []
    for first, second in combinations(range(annotators), 2):
        both, first_only, second_only, neither = (
            _sum(counts, (said[:, first] == a) & (said[:, second] == b))
            for a, b in ((1, 1), (1, 0), (0, 1), (0, 0))
        )
        pairs.append(
            {
                "first": first,
                "second": second,
                "pixels": both + first_only + second_only + neither,
                "both": both,
                "first_only": first_only,
                "second_only": second_only,
                "neither": neither,
                "dice": metrics(tp=both, fp=second_only, fn=first_only, tn=neither)["f1"],
                "cohen_kappa": _cohen_kappa(both, first_only, second_only, neither),
            }
        )
    return pairs


def fleiss_kappa(counts, annotators):
    """Agreement of all annotators beyond chance, on the pixels that all annotated.

    Parameters
    ----------
    counts : (3 ** K,) int ndarray
        Pixels of each pattern.
    annotators : int
        K.

    Returns
    -------
    float or None
        At most 1; about 0 if they agree as by chance. None if no pixel was annotated by all, or
        there is one annotator only. If every vote is the same, it is 1, as in `pairwise`.

    References
    ----------
    Fleiss, Psychological Bulletin 76:378 (1971).
    """
    said = votes(annotators)
    counts = _checked_counts(counts, annotators)
    by_all = (said >= 0).all(axis=1)
    foreground = (said[by_all] == 1).sum(axis=1)
    # Python's integers: squares of counts do not fit in 64 bits
    pixels = [int(counts[by_all][foreground == n].sum()) for n in range(annotators + 1)]
    ones = sum(n * number for n, number in enumerate(pixels))
    total = annotators * sum(pixels)
    if total == 0 or annotators == 1:
        return None
    squares = ones**2 + (total - ones) ** 2
    agreeing = sum(
        (n * (n - 1) + (annotators - n) * (annotators - n - 1)) * number
        for n, number in enumerate(pixels)
    )
    return _kappa(agreeing * total, (annotators - 1) * squares, (annotators - 1) * total**2)


def majority(annotators, tie="background"):
    """What more than half of those say who annotated a pixel.

    Parameters
    ----------
    annotators : int
        K, 1 to 8.
    tie : {"background", "foreground", "not_annotated"}
        What a pixel is where as many say foreground as say background.

    Returns
    -------
    (3 ** K,) uint8 ndarray
        For each pattern: 0 background, 1 foreground, 255 not annotated: by anybody, or by `tie`.
    """
    if tie not in TIES:
        raise ValueError(f"tie is {tie!r}: give one of {', '.join(TIES)}")
    said = votes(annotators)
    foreground, background = (said == 1).sum(axis=1), (said == 0).sum(axis=1)
    table = np.where(foreground > background, 1, 0).astype(np.uint8)
    table[foreground == background] = TIES[tie]
    table[foreground + background == 0] = NOT_ANNOTATED
    return table


def staple(counts, annotators, prior=None, iterations=1000, tolerance=1e-9):
    """Consensus and quality of annotators, each estimated from the other, by binary STAPLE.

    Expectation maximization over the patterns, weighted with their pixels, which is the same as
    over the pixels. An annotator does not count where he did not annotate.

    Parameters
    ----------
    counts : (3 ** K,) int ndarray
        Pixels of each pattern.
    annotators : int
        K, 1 to 8.
    prior : float, optional
        Fraction of pixels that are foreground, 0 to 1; that of all votes by default.
    iterations : int
        At most.
    tolerance : float
        Ends once no sensitivity or specificity changes by more.

    Returns
    -------
    Staple
        Without a vote, every estimate is nan and no iteration is made.

    Notes
    -----
    Estimates start from `INITIAL`. An estimate of no weight, 0/0, stays there meanwhile.
    A pattern that the estimates exclude, which then does not occur, has the prior's probability.
    Two annotators do not determine their four qualities: how STAPLE decides where they differ
    follows from prior and start.

    References
    ----------
    Warfield, Zou and Wells, IEEE Transactions on Medical Imaging 23:903 (2004).
    """
    if prior is not None and not 0 <= prior <= 1:
        raise ValueError(f"the prior is {prior}: give a fraction, 0 to 1")
    said = votes(annotators)
    counts = _checked_counts(counts, annotators)
    annotated = (said >= 0).any(axis=1)
    ones, zeros = (_sum(counts[:, np.newaxis] * (said == vote)) for vote in (1, 0))
    if ones + zeros == 0:
        unknown = np.full(annotators, np.nan)
        return Staple(unknown, unknown.copy(), np.full(said.shape[0], np.nan), np.nan, 0)
    prior = ones / (ones + zeros) if prior is None else float(prior)
    occurs = counts > 0
    rates, defined, made = _maximize(said[occurs], counts[occurs], prior, iterations, tolerance)
    probability = _posterior(said, prior, *rates)
    probability[~annotated] = np.nan
    return Staple(*np.where(defined, rates, np.nan), probability, prior, made)


def staple_table(staple, threshold=0.5):
    """The consensus of STAPLE.

    Parameters
    ----------
    staple : Staple
    threshold : float
        Probability above which a pixel is foreground.

    Returns
    -------
    (3 ** K,) uint8 ndarray
        For each pattern: 0 background, 1 foreground, 255 not annotated by anybody.
    """
    table = (staple.probability > threshold).astype(np.uint8)
    table[np.isnan(staple.probability)] = NOT_ANNOTATED
    return table


def scores_against(counts, annotators, table):
    """Each annotator's counts of a confusion matrix, with a consensus as the truth.

    Parameters
    ----------
    counts : (3 ** K,) int ndarray
        Pixels of each pattern.
    annotators : int
        K.
    table : (3 ** K,) uint8 ndarray
        The consensus, as from `majority` or `staple_table`.

    Returns
    -------
    list of dict of str to int
        `tp`, `fp`, `fn`, `tn` of each annotator, on pixels that he annotated and that have a
        consensus; all 0 if there is none. A false positive is foreground to him alone.
    """
    counts = _checked_counts(counts, annotators)
    return [_confusion(counts, said, table) for said in votes(annotators).T]


def scores_against_others(counts, annotators, how="majority", tie="background"):
    """Each annotator's counts of a confusion matrix, with the consensus of the others as the truth.

    His own vote does not speak for him, as a method has none either: so these scores, and not those
    of `scores_against`, are what a method's can be compared with.

    Parameters
    ----------
    counts : (3 ** K,) int ndarray
        Pixels of each pattern.
    annotators : int
        K, 2 to 8.
    how : {"majority", "staple"}
        STAPLE is estimated on all pixels of the others, whether he annotated them or not.
    tie : {"background", "foreground", "not_annotated"}
        As for `majority`; STAPLE has no use for it. Of two others, each difference is a tie.

    Returns
    -------
    list of dict of str to int
        `tp`, `fp`, `fn`, `tn` of each annotator, on pixels that he and one of the others annotated.
    """
    if how not in CONSENSUS:
        raise ValueError(f"the consensus is {how!r}: give one of {', '.join(CONSENSUS)}")
    if annotators < 2:
        raise ValueError("there is one annotator: the others are none")
    counts = _checked_counts(counts, annotators)
    others = annotators - 1
    scores = []
    for k, said in enumerate(votes(annotators).T):
        by_vote = counts.reshape(3 ** (others - k), 3, 3**k)
        if how == "majority":
            table = majority(others, tie)
        else:
            table = staple_table(staple(by_vote.sum(axis=1).ravel(), others))
        # the consensus is the same whatever he says
        table = np.repeat(table.reshape(-1, 1, 3**k), 3, axis=1).ravel()
        scores.append(_confusion(counts, said, table))
    return scores


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
    """What a value of his truth adds to the pattern's number."""
    values = np.full(256, _INVALID, np.uint16)
    values[[0, 1, NOT_ANNOTATED]] = np.arange(3) * 3**annotator
    return values


def _checked(annotators):
    if not 1 <= annotators <= MOST:
        raise ValueError(f"there are {annotators} annotators: give 1 to {MOST}")
    return annotators


def _checked_counts(counts, annotators):
    counts = np.asarray(counts)
    if counts.shape != (3 ** _checked(annotators),):
        raise ValueError(
            f"counts are {counts.shape}: {annotators} annotators have {3**annotators} patterns"
        )
    return counts


def _sum(counts, where=True):
    return int(counts.sum(where=where))


def _kappa(observed, expected, total):
    """Agreement beyond chance, of integers in the same unit; 1 if chance leaves nothing."""
    return (observed - expected) / (total - expected) if total != expected else 1.0


def _cohen_kappa(both, first_only, second_only, neither):
    pixels = both + first_only + second_only + neither
    if pixels == 0:
        return None
    expected = (both + first_only) * (both + second_only)
    expected += (neither + first_only) * (neither + second_only)
    return _kappa((both + neither) * pixels, expected, pixels**2)


def _confusion(counts, said, table):
    kinds = ((1, 1), (1, 0), (0, 1), (0, 0))
    return {
        name: _sum(counts, (said == vote) & (table == truth))
        for name, (vote, truth) in zip(COUNTS, kinds, strict=True)
    }


def _maximize(said, counts, prior, iterations, tolerance):
    """Sensitivities and specificities, (2, K) float64; where they are defined; iterations made."""
    foreground, background = (said == 1).astype(float), (said == 0).astype(float)
    rates = np.full((2, said.shape[1]), INITIAL)
    defined = np.array([foreground.any(axis=0) | background.any(axis=0)] * 2)
    made, change = 0, np.inf
    while made < iterations and change > tolerance:
        probability = _posterior(said, prior, *rates)
        inside = (counts * probability)[:, np.newaxis]
        outside = (counts * (1 - probability))[:, np.newaxis]
        # not a matrix product: its order of summation depends on the number of threads
        right = np.stack([(inside * foreground).sum(axis=0), (outside * background).sum(axis=0)])
        wrong = np.stack([(inside * background).sum(axis=0), (outside * foreground).sum(axis=0)])
        # at most 1 also after rounding, as the weight of all his pixels might not be
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
