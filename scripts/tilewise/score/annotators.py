"""How far several annotators agree with each other, and with their consensus."""

import math
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.score.consensus import CONSENSUS, Staple, majority, staple, staple_table
from tilewise.score.formulas import COUNTS, PIXEL_METRICS, evaluate, set_metrics
from tilewise.score.votes import Counts, checked_counts, votes


def pairwise(counts: Counts, annotators: int) -> list[dict[str, Any]]:
    """Agreement of each two annotators, on the pixels that both annotated.

    Parameters
    ----------
    counts : (3 ** K,) int ndarray
        Pixels of each pattern of K annotators.

    Returns
    -------
    list of dict
        For each pair: `first` and `second`, their numbers from 0; `pixels` that both annotated, and
        of these the ones that are foreground to `both`, to `first_only`, to `second_only` or to
        `neither`; `dice` and `cohen_kappa`. Without a pixel, the last two are None. If neither has
        foreground, dice is 1, as `formulas.f1`. Agreement by chance is certain, and kappa 0/0, only
        if both say the same of every pixel. They then agree fully and kappa is 1: like the dice of
        two empty truths, and unlike scikit-learn, which gives nan.

    References
    ----------
    Cohen, Educational and Psychological Measurement 20:37 (1960).
    """
    said = votes(annotators)
    counts = checked_counts(counts, annotators)
    pairs = []
    for first, second in combinations(range(annotators), 2):
        matrix = _confusion(counts, said[:, first], said[:, second])
        kinds = ("both", "first_only", "second_only", "neither")
        pairs.append(
            {
                **{"first": first, "second": second, "pixels": sum(matrix.values())},
                **dict(zip(kinds, matrix.values(), strict=True)),
                **{"dice": _dice(matrix), "cohen_kappa": _cohen_kappa(**matrix)},
            }
        )
    return pairs


def fleiss_kappa(counts: Counts, annotators: int) -> float | None:
    """Agreement of all annotators beyond chance, on the pixels that all annotated.

    At most 1; about 0 if they agree as by chance. None if no pixel was annotated by all, or there
    is one annotator only. If every vote is the same, it is 1, as in `pairwise`.

    References
    ----------
    Fleiss, Psychological Bulletin 76:378 (1971).
    """
    said = votes(annotators)
    counts = checked_counts(counts, annotators)
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


def scores_against(
    counts: Counts, annotators: int, table: NDArray[np.uint8]
) -> list[dict[str, int]]:
    """Each annotator's confusion matrix, with a consensus as the truth.

    `table`, (3 ** K,), is the consensus, as from `majority` or `staple_table`. Pixels count that
    the annotator annotated and that have a consensus; all counts are 0 if there is none. A false
    positive is foreground to the annotator, and background to the consensus.
    """
    counts = checked_counts(counts, annotators)
    return [_confusion(counts, said, table) for said in votes(annotators).T]


def scores_against_others(
    counts: Counts, annotators: int, how: str = "majority", tie: str = "background"
) -> list[dict[str, int]]:
    """Each annotator's confusion matrix, with the consensus of the others as the truth.

    A method has no vote in the consensus that it is scored against. So these scores, and not those
    of `scores_against`, can be compared with a method's. Pixels count that also one of the others
    annotated.

    Parameters
    ----------
    counts : (3 ** K,) int ndarray
        Pixels of each pattern of K annotators, 2 to 8.
    how : {"majority", "staple"}
        STAPLE is estimated on all pixels of the others, also where this annotator has none.
    tie : {"background", "foreground", "not_annotated"}
        As for `majority`; STAPLE has no use for it. Of two others, each difference is a tie.
    """
    if how not in CONSENSUS:
        raise ValueError(f"the consensus is {how!r}: give one of {', '.join(CONSENSUS)}")
    if annotators < 2:
        raise ValueError("there is one annotator: the others are none")
    counts = checked_counts(counts, annotators)
    others = annotators - 1
    scores = []
    for k, said in enumerate(votes(annotators).T):
        by_vote = counts.reshape(3 ** (others - k), 3, 3**k)
        if how == "majority":
            table = majority(others, tie)
        else:
            table = staple_table(staple(by_vote.sum(axis=1).ravel(), others))
        # the consensus is the same whatever this annotator says
        table = np.repeat(table.reshape(-1, 1, 3**k), 3, axis=1).ravel()
        scores.append(_confusion(counts, said, table))
    return scores


def agreement_rows(
    sample: str, counts: Counts, number: int, estimates: Staple
) -> list[dict[str, Any]]:
    """Agreement of the annotators with each other, with the fields of `score_table.AGREEMENT`.

    Dice coefficient and Cohen's kappa of each pair, Fleiss' kappa of all, and each annotator's
    sensitivity and specificity by STAPLE.
    """
    rows = [
        {
            **{"sample": sample, "measure": measure, "value": pair[measure]},
            "annotators": f"{pair['first'] + 1},{pair['second'] + 1}",
            "pixels": pair["pixels"],
        }
        for measure in ("dice", "cohen_kappa")
        for pair in pairwise(counts, number)
    ]
    kappa = fleiss_kappa(counts, number)
    rows.append({"sample": sample, "measure": "fleiss_kappa", "annotators": "all", "value": kappa})
    return rows + [
        {"sample": sample, "measure": f"staple_{measure}", "annotators": annotator, "value": value}
        for measure in ("sensitivity", "specificity")
        for annotator, value in enumerate(getattr(estimates, measure).tolist(), 1)
    ]


def score_rows(
    sample: str, counts: Counts, number: int, table: NDArray[np.uint8], consensus: str
) -> list[dict[str, Any]]:
    """Scores of each annotator, with the fields of `score_table.ANNOTATORS`.

    `table` is the consensus of all, by pattern of votes; `consensus` says how the others come to
    theirs, "majority" or "staple".
    """
    estimates = {
        "against the consensus of all annotators": scores_against(counts, number, table),
        "against the consensus of the others": scores_against_others(counts, number, consensus),
    }
    rows = [
        {"sample": sample, "annotator": annotator, "estimate": estimate, **matrix}
        for estimate, matrices in estimates.items()
        for annotator, matrix in enumerate(matrices, 1)
    ]
    set_metrics(rows, PIXEL_METRICS)
    return rows


def _kappa(observed, expected, total):
    """Agreement beyond chance, of integers in the same unit; 1 if chance leaves nothing."""
    return (observed - expected) / (total - expected) if total != expected else 1.0


def _dice(matrix):
    value = float(evaluate("f1", matrix))
    return None if math.isnan(value) else value


def _cohen_kappa(tp, fp, fn, tn):
    pixels = tp + fp + fn + tn
    if pixels == 0:
        return None
    expected = (tp + fp) * (tp + fn) + (tn + fp) * (tn + fn)
    return _kappa((tp + tn) * pixels, expected, pixels**2)


def _confusion(counts, said, table):
    """Pixels by what somebody says of each pattern, with a table of patterns as the truth."""
    kinds = ((1, 1), (1, 0), (0, 1), (0, 0))
    return {
        name: int(counts[(said == vote) & (table == truth)].sum())
        for name, (vote, truth) in zip(COUNTS, kinds, strict=True)
    }
