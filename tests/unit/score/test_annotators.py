from itertools import product
from math import nan

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score

from tilewise.score import annotators, consensus, votes

TRUTHS = [
    np.array([[0, 1, 255], [1, 0, 255]], np.uint8),
    np.array([[0, 1, 1], [0, 255, 255]], np.uint8),
    np.array([[1, 1, 0], [255, 255, 255]], np.uint8),
]
PATTERNS = [[9, 13, 5], [19, 24, 26]]


def random_truths(number, missing, size=900, seed=0, quality=0.85):
    """Pixels of a reference that each annotator repeats more or less well, (K, 1, size)."""
    generator = np.random.default_rng(seed)
    reference = generator.random(size) < 0.3
    truths = reference ^ (generator.random((number, size)) > quality)
    truths = truths.astype(np.uint8)
    truths[generator.random((number, size)) < missing] = 255
    return truths[:, np.newaxis]


def counts_of(truths):
    return votes.count_patterns(votes.patterns(truths), len(truths))


def counts_of_votes(pixels):
    """Of rows with the votes of one pixel each."""
    return counts_of(np.array(pixels, np.uint8).T[:, np.newaxis])


def test_patterns_by_hand():
    patterns = votes.patterns(TRUTHS)
    assert patterns.dtype == np.uint16
    assert patterns.tolist() == PATTERNS
    assert votes.patterns(np.stack(TRUTHS)).tolist() == PATTERNS
    counts = votes.count_patterns(patterns, 3)
    assert counts.dtype == np.int64
    assert counts.size == 27
    assert np.flatnonzero(counts).tolist() == [5, 9, 13, 19, 24, 26]
    assert counts.sum() == 6


@pytest.mark.parametrize("number", [2, 5, 6, 8])
def test_patterns_are_numbers_in_base_3(number):
    truths = random_truths(number, missing=0.3)
    digits = np.where(truths == 255, 2, truths)[:, 0]
    expected = [int("".join(map(str, pixel[::-1])), 3) for pixel in digits.T.tolist()]
    patterns = votes.patterns(truths)
    assert patterns[0].tolist() == expected
    counts = votes.count_patterns(patterns, number)
    assert counts.tolist() == [expected.count(pattern) for pattern in range(3**number)]


def test_a_truth_may_be_part_of_an_array():
    whole = np.zeros((4, 6, 3), np.uint8)
    whole[:, :, 0], whole[::2, :, 1] = 1, 255
    patterns = votes.patterns([whole[::2, 1:4, 0], whole[::2, 1:4, 1]])
    assert patterns.tolist() == [[7, 7, 7], [7, 7, 7]]


@pytest.mark.parametrize(
    ("truths", "message"),
    [
        (TRUTHS[:1], "1 truths: give those of 2 to 8"),
        (TRUTHS * 4, "12 truths"),
        ([TRUTHS[0], TRUTHS[1][:1]], "truth 1 is .*, the first .*: they must be equal"),
        ([TRUTHS[0], TRUTHS[1].astype(int)], "int64 of 2 dimensions"),
        ([TRUTHS[0][0], TRUTHS[1][0]], "uint8 of 1 dimensions"),
        ([TRUTHS[0] * 2, TRUTHS[1], TRUTHS[1]], "other than 0, 1 and 255"),
        ([TRUTHS[1], TRUTHS[1], np.full((2, 3), 254, np.uint8)], "other than 0, 1 and 255"),
    ],
)
def test_truths_that_are_refused(truths, message):
    with pytest.raises(ValueError, match=message):
        votes.patterns(truths)


def test_patterns_of_more_annotators_are_refused():
    patterns = votes.patterns(TRUTHS)
    with pytest.raises(ValueError, match="more than 2 annotators"):
        votes.count_patterns(patterns, 2)


def test_blocks_add_up():
    truths = random_truths(4, missing=0.2).reshape(4, 30, 30)
    blocks = [truths[:, :11], truths[:, 11:, :17], truths[:, 11:, 17:]]
    assert sum(map(counts_of, blocks)).tolist() == counts_of(truths).tolist()


def test_votes_by_hand():
    # fmt: off
    assert votes.votes(2).tolist() == [
        [0, 0], [1, 0], [-1, 0], [0, 1], [1, 1], [-1, 1], [0, -1], [1, -1], [-1, -1],
    ]
    # fmt: on
    assert votes.votes(2).dtype == np.int8


@pytest.mark.parametrize("number", [2, 8])
def test_votes_undo_patterns(number):
    truths = random_truths(number, missing=0.3)
    said = votes.votes(number)[votes.patterns(truths)[0]]
    assert said.T.astype(np.uint8).tolist() == truths[:, 0].tolist()


@pytest.mark.parametrize("number", [0, 9])
def test_number_of_annotators(number):
    with pytest.raises(ValueError, match="give 1 to 8"):
        votes.votes(number)
    with pytest.raises(ValueError, match="give 1 to 8"):
        votes.count_patterns(np.zeros((2, 2), np.uint16), number)


def test_counts_of_other_annotators_are_refused():
    with pytest.raises(ValueError, match="2 annotators have 9 patterns"):
        annotators.fleiss_kappa(np.zeros(27, np.int64), 2)


def test_pairwise_by_hand():
    pixels = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15 + [(255, 1), (1, 255)]
    assert annotators.pairwise(counts_of_votes(pixels), 2) == [
        {
            "first": 0,
            "second": 1,
            "pixels": 50,
            "both": 20,
            "first_only": 5,
            "second_only": 10,
            "neither": 15,
            "dice": 40 / 55,
            # observed 35 / 50; by chance 25 / 50 * 30 / 50 + 25 / 50 * 20 / 50
            "cohen_kappa": pytest.approx((0.7 - 0.5) / (1 - 0.5), rel=1e-15),
        }
    ]


def test_pairwise_agrees_with_scikit_learn():
    truths = random_truths(4, missing=0.2)
    pairs = annotators.pairwise(counts_of(truths), 4)
    assert [(pair["first"], pair["second"]) for pair in pairs] == [
        (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3),
    ]  # fmt: skip
    for pair in pairs:
        first, second = truths[pair["first"], 0], truths[pair["second"], 0]
        known = (first != 255) & (second != 255)
        first, second = first[known], second[known]
        assert pair["pixels"] == known.sum()
        table = confusion_matrix(first, second).tolist()
        assert table == [
            [pair["neither"], pair["second_only"]],
            [pair["first_only"], pair["both"]],
        ]
        assert pair["dice"] == pytest.approx(f1_score(first, second), rel=1e-12)
        assert pair["cohen_kappa"] == pytest.approx(cohen_kappa_score(first, second), rel=1e-12)


@pytest.mark.parametrize(
    ("pixels", "dice", "kappa"),
    [
        ([(0, 0)] * 3, 1, 1),
        ([(1, 1)] * 3, 1, 1),
        ([(0, 1)] * 3, 0, 0),
        ([(0, 1), (1, 0)], 0, -1),
        ([(0, 0), (0, 1)], 0, 0),
        ([(0, 255), (255, 1)], None, None),
    ],
)
def test_degenerate_pairs(pixels, dice, kappa):
    counts = counts_of_votes(pixels)
    (pair,) = annotators.pairwise(counts, 2)
    assert (pair["dice"], pair["cohen_kappa"]) == (dice, kappa)


def test_fleiss_kappa_by_hand():
    pixels = [(1, 1, 1), (0, 0, 0), (1, 1, 0), (0, 0, 1), (1, 255, 0)]
    # agreement 1, 1, 1 / 3 and 1 / 3, so 2 / 3; by chance 1 / 2
    assert annotators.fleiss_kappa(counts_of_votes(pixels), 3) == pytest.approx(1 / 3, rel=1e-15)


def fleiss_by_pixel(truths):
    """Equations 1 to 7 of Fleiss (1971)."""
    rated = np.array([pixel for pixel in truths[:, 0].T if 255 not in pixel])
    raters = rated.shape[1]
    n_ij = np.stack([(rated == category).sum(axis=1) for category in (0, 1)], axis=1)
    p_j = n_ij.sum(axis=0) / n_ij.sum()
    p_i = ((n_ij**2).sum(axis=1) - raters) / (raters * (raters - 1))
    by_chance = (p_j**2).sum()
    return (p_i.mean() - by_chance) / (1 - by_chance)


@pytest.mark.parametrize("number", [2, 3, 6, 8])
def test_fleiss_kappa_pixel_by_pixel(number):
    truths = random_truths(number, missing=0.05, quality=0.7)
    found = annotators.fleiss_kappa(counts_of(truths), number)
    assert 0.05 < found < 0.5
    assert found == pytest.approx(fleiss_by_pixel(truths), rel=1e-12)


@pytest.mark.parametrize(
    ("pixels", "kappa"),
    [
        ([(0, 0, 0)] * 2, 1),
        ([(1, 1, 1)] * 2, 1),
        # agreement 1 / 3 in each pixel; by chance 1 / 9 + 4 / 9
        ([(1, 0, 0), (0, 1, 0)], (1 / 3 - 5 / 9) / (4 / 9)),
        ([(1, 255, 1), (0, 0, 255)], None),
        ([(255, 255, 255)], None),
    ],
)
def test_degenerate_fleiss_kappa(pixels, kappa):
    found = annotators.fleiss_kappa(counts_of_votes(pixels), 3)
    assert found == (kappa if kappa is None else pytest.approx(kappa, rel=1e-15))


def test_one_annotator_has_nobody_to_agree_with():
    assert annotators.fleiss_kappa(np.array([5, 3, 1]), 1) is None
    assert annotators.pairwise(np.array([5, 3, 1]), 1) == []


def test_agreement_does_not_overflow_at_a_petapixel():
    counts = counts_of(random_truths(3, missing=0.1))
    huge = counts * 10**12
    assert annotators.fleiss_kappa(huge, 3) == pytest.approx(
        annotators.fleiss_kappa(counts, 3), rel=1e-15
    )
    for large, small in zip(
        annotators.pairwise(huge, 3), annotators.pairwise(counts, 3), strict=True
    ):
        assert large["cohen_kappa"] == pytest.approx(small["cohen_kappa"], rel=1e-15)
        assert large["dice"] == small["dice"]


@pytest.mark.parametrize(
    ("tie", "tied"), [("background", 0), ("foreground", 1), ("not_annotated", 255)]
)
def test_majority_by_hand(tie, tied):
    table = consensus.majority(3, tie)
    assert table.dtype == np.uint8
    truth = votes.apply(table, votes.patterns(TRUTHS))
    assert truth.dtype == np.uint8
    assert truth.tolist() == [[0, 1, tied], [tied, 0, 255]]


def test_majority_of_four_needs_three():
    # fmt: off
    pixels = [(1, 1, 0, 0), (1, 1, 1, 0), (1, 1, 0, 255), (1, 0, 255, 255), (0, 0, 0, 1)]
    # fmt: on
    truths = np.array(pixels, np.uint8).T[:, np.newaxis]
    table = consensus.majority(4)
    assert votes.apply(table, votes.patterns(truths)).tolist() == [[0, 1, 1, 0, 0]]


def test_majority_of_one_is_what_they_say():
    assert consensus.majority(1).tolist() == [0, 1, 255]


def test_unknown_rules_are_refused():
    with pytest.raises(ValueError, match="background, foreground, not_annotated"):
        consensus.majority(3, "random")
    with pytest.raises(ValueError, match="majority, staple"):
        annotators.scores_against_others(np.zeros(9, np.int64), 2, how="mean")
    with pytest.raises(ValueError, match="others are none"):
        annotators.scores_against_others(np.zeros(3, np.int64), 1)


def test_apply_refuses_patterns_of_more_annotators():
    with pytest.raises(IndexError):
        votes.apply(consensus.majority(2), votes.patterns(TRUTHS))


def staple_by_pixel(truths, prior, iterations):
    """The E and M step of Warfield, Zou and Wells (2004), in loops over pixels and annotators."""
    number, _, size = truths.shape
    p, q = [0.99999] * number, [0.99999] * number
    weights = [0.0] * size

    def expect():
        for i in range(size):
            inside, outside = prior, 1 - prior
            for j in range(number):
                vote = truths[j, 0, i]
                if vote == 1:
                    inside, outside = inside * p[j], outside * (1 - q[j])
                elif vote == 0:
                    inside, outside = inside * (1 - p[j]), outside * q[j]
            weights[i] = inside / (inside + outside)

    for _ in range(iterations):
        expect()
        for j in range(number):
            seen = [i for i in range(size) if truths[j, 0, i] != 255]
            hits = sum(weights[i] for i in seen if truths[j, 0, i] == 1)
            rejections = sum(1 - weights[i] for i in seen if truths[j, 0, i] == 0)
            p[j] = hits / sum(weights[i] for i in seen)
            q[j] = rejections / sum(1 - weights[i] for i in seen)
    expect()
    return p, q, weights


@pytest.mark.parametrize(
    ("number", "missing", "prior", "iterations"),
    [(2, 0, None, 6), (3, 0, 0.2, 25), (3, 0.3, None, 25), (5, 0.2, None, 12), (8, 0.1, 0.4, 8)],
)
def test_staple_pixel_by_pixel(number, missing, prior, iterations):
    truths = random_truths(number, missing, size=400, seed=number)
    known = truths[truths != 255]
    expected_prior = known.mean() if prior is None else prior
    p, q, weights = staple_by_pixel(truths, expected_prior, iterations)
    found = consensus.staple(counts_of(truths), number, prior, iterations, tolerance=0)
    assert found.iterations == iterations
    assert found.prior == pytest.approx(expected_prior, rel=1e-15)
    assert found.sensitivity == pytest.approx(p, rel=1e-10)
    assert found.specificity == pytest.approx(q, rel=1e-10)
    seen = (truths[:, 0] != 255).any(axis=0)
    probability = found.probability[votes.patterns(truths)[0]]
    assert probability[seen] == pytest.approx(np.array(weights)[seen], rel=1e-9)
    assert np.isnan(probability[~seen]).all()


def expected_counts(prior, sensitivity, specificity, pixels):
    """Of annotators that err independently and annotate all: the model of STAPLE itself."""
    counts = np.zeros(3 ** len(sensitivity))
    for said in product((0, 1), repeat=len(sensitivity)):
        inside, outside = prior, 1 - prior
        for vote, p, q in zip(said, sensitivity, specificity, strict=True):
            inside *= p if vote else 1 - p
            outside *= 1 - q if vote else q
        counts[sum(vote * 3**k for k, vote in enumerate(said))] = (inside + outside) * pixels
    return counts.round().astype(np.int64)


@pytest.mark.parametrize(
    ("sensitivity", "specificity"),
    [
        ((0.9, 0.8, 0.7), (0.95, 0.99, 0.9)),
        ((0.95, 0.6, 0.85, 0.7, 0.9), (0.99, 0.9, 0.8, 0.97, 0.95)),
    ],
)
def test_staple_finds_what_the_counts_were_made_from(sensitivity, specificity):
    counts = expected_counts(0.2, sensitivity, specificity, 10**12)
    found = consensus.staple(counts, len(sensitivity), 0.2, tolerance=1e-12)
    assert found.iterations < 1000
    assert found.sensitivity == pytest.approx(sensitivity, abs=1e-8)
    assert found.specificity == pytest.approx(specificity, abs=1e-8)


def test_staple_finds_annotators_of_known_quality_in_a_simulation():
    sensitivity, specificity = (0.95, 0.7, 0.85, 0.8), (0.99, 0.97, 0.9, 0.95)
    generator = np.random.default_rng(1)
    reference = generator.random(40_000) < 0.25
    chance = np.where(reference, np.c_[[*sensitivity]], 1 - np.c_[[*specificity]])
    truths = (generator.random(chance.shape) < chance).astype(np.uint8)
    truths[generator.random(truths.shape) < 0.2] = 255
    truths = truths[:, np.newaxis]
    counts = counts_of(truths)
    found = consensus.staple(counts, 4, prior=0.25)
    # some 8000 pixels of foreground and 24000 of background each: 3 standard errors and more
    assert found.sensitivity == pytest.approx(sensitivity, abs=0.03)
    assert found.specificity == pytest.approx(specificity, abs=0.015)
    table = consensus.staple_table(found)
    agreed = votes.apply(table, votes.patterns(truths))[0]
    voted = votes.apply(consensus.majority(4), votes.patterns(truths))[0]
    assert (agreed != reference).sum() < (voted != reference).sum()


def test_staple_is_the_same_whatever_the_order_of_annotators():
    truths = random_truths(4, missing=0.2)
    order = [2, 0, 3, 1]
    found = consensus.staple(counts_of(truths), 4)
    permuted = consensus.staple(counts_of(truths[order]), 4)
    assert permuted.sensitivity == pytest.approx(found.sensitivity[order], rel=1e-9)
    assert permuted.specificity == pytest.approx(found.specificity[order], rel=1e-9)


def test_staple_ends_at_the_tolerance_or_at_the_limit():
    counts = counts_of(random_truths(4, missing=0.2))
    loose, strict = (consensus.staple(counts, 4, tolerance=t) for t in (1e-3, 1e-9))
    assert 1 < loose.iterations < strict.iterations < 1000
    assert consensus.staple(counts, 4, iterations=2).iterations == 2
    unchanged = consensus.staple(counts, 4, iterations=0)
    assert unchanged.sensitivity.tolist() == unchanged.specificity.tolist() == [0.99999] * 4


def test_staple_table_by_hand():
    said = consensus.Staple(
        *(np.full(1, 0.9),) * 2, probability=np.array([0.5, 0.7, nan]), prior=0.5, iterations=1
    )
    assert consensus.staple_table(said).tolist() == [0, 1, 255]
    assert consensus.staple_table(said, threshold=0.7).tolist() == [0, 0, 255]
    assert consensus.staple_table(said, threshold=0.4).tolist() == [1, 1, 255]


def test_staple_of_one_annotator_is_what_they_say():
    found = consensus.staple(np.array([50, 30, 7]), 1)
    assert found.prior == 30 / 80
    assert consensus.staple_table(found).tolist() == [0, 1, 255]


@pytest.mark.parametrize(("vote", "prior"), [(0, None), (1, None), (0, 0.0), (1, 1.0)])
def test_staple_of_annotators_that_say_one_thing(vote, prior):
    found = consensus.staple(counts_of_votes([(vote, vote, 255)] * 4 + [(255,) * 3]), 3, prior)
    assert found.prior == vote
    right, empty = found.specificity, found.sensitivity
    if vote:
        right, empty = empty, right
    np.testing.assert_array_equal(right, [1, 1, nan])
    np.testing.assert_array_equal(empty, [nan] * 3)
    np.testing.assert_array_equal(found.probability, [vote] * 26 + [nan])


def test_staple_leaves_out_who_annotated_nothing():
    truths = random_truths(3, missing=0.1)
    expected = consensus.staple(counts_of(truths), 3)
    with_idle = np.concatenate([truths, np.full_like(truths[:1], 255)])
    found = consensus.staple(counts_of(with_idle), 4)
    np.testing.assert_allclose(found.sensitivity, [*expected.sensitivity, nan], rtol=1e-12)
    np.testing.assert_allclose(found.specificity, [*expected.specificity, nan], rtol=1e-12)
    # the patterns in which he says nothing come last
    np.testing.assert_allclose(found.probability[54:], expected.probability, rtol=1e-12)
    assert np.isfinite(found.probability[:80]).all()


def test_staple_of_one_who_marks_foreground_alone():
    truths = random_truths(3, missing=0.1, size=400)
    truths[0][truths[0] == 0] = 255
    prior = truths[truths != 255].mean()
    p, q, _ = staple_by_pixel(truths, prior, 12)
    found = consensus.staple(counts_of(truths), 3, iterations=12, tolerance=0)
    assert found.sensitivity == pytest.approx(p, rel=1e-10)
    assert found.specificity == pytest.approx(q, rel=1e-10)


def test_staple_without_a_vote():
    for prior in (None, 0.5):
        found = consensus.staple(counts_of_votes([(255, 255)] * 4), 2, prior)
        assert np.isnan([*found.sensitivity, *found.specificity, *found.probability]).all()
        assert np.isnan(found.prior)
        assert found.iterations == 0
        assert consensus.staple_table(found).tolist() == [255] * 9


def test_staple_of_annotators_that_always_agree():
    """Everything is certain, so each of the other patterns is excluded by one of them."""
    found = consensus.staple(counts_of_votes([(0, 0, 0)] * 6 + [(1, 1, 1)] * 2), 3)
    assert found.sensitivity.tolist() == found.specificity.tolist() == [1, 1, 1]
    assert found.probability[[0, 13]].tolist() == [0, 1]
    # (1, 0, 0), (0, 1, 1)
    assert found.probability[[1, 12]].tolist() == [0.25, 0.25]


@pytest.mark.parametrize("prior", [-0.1, 1.5, nan])
def test_prior_is_a_fraction(prior):
    with pytest.raises(ValueError, match="give a fraction"):
        consensus.staple(np.ones(9, np.int64), 2, prior)


def test_scores_against_by_hand():
    counts = counts_of(TRUTHS)
    # consensus 0 1 1 / 1 0 255
    table = consensus.majority(3, "foreground")
    assert annotators.scores_against(counts, 3, table) == [
        {"tp": 2, "fp": 0, "fn": 0, "tn": 2},
        {"tp": 2, "fp": 0, "fn": 1, "tn": 1},
        {"tp": 1, "fp": 1, "fn": 1, "tn": 0},
    ]
    # consensus 0 1 255 / 255 0 255
    table = consensus.majority(3, "not_annotated")
    assert annotators.scores_against(counts, 3, table) == [
        {"tp": 1, "fp": 0, "fn": 0, "tn": 2},
        {"tp": 1, "fp": 0, "fn": 0, "tn": 1},
        {"tp": 1, "fp": 1, "fn": 0, "tn": 0},
    ]


def test_scores_against_others_by_hand():
    # the consensus of the others, where ? is a tie:
    # of the first ? 1 ? / 0 255 255, of the second ? 1 0 / 1 0 255, of the third 0 1 1 / ? 0 255
    assert annotators.scores_against_others(counts_of(TRUTHS), 3, tie="not_annotated") == [
        {"tp": 1, "fp": 1, "fn": 0, "tn": 0},
        {"tp": 1, "fp": 1, "fn": 1, "tn": 0},
        {"tp": 1, "fp": 1, "fn": 1, "tn": 0},
    ]
    assert annotators.scores_against_others(counts_of(TRUTHS), 3) == [
        {"tp": 1, "fp": 1, "fn": 0, "tn": 1},
        {"tp": 1, "fp": 1, "fn": 1, "tn": 1},
        {"tp": 1, "fp": 1, "fn": 1, "tn": 0},
    ]


@pytest.mark.parametrize("how", ["majority", "staple"])
def test_scores_of_two_annotators_mirror_each_other(how):
    pixels = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15 + [(255, 1), (1, 255)]
    assert annotators.scores_against_others(counts_of_votes(pixels), 2, how) == [
        {"tp": 20, "fp": 5, "fn": 10, "tn": 15},
        {"tp": 20, "fp": 10, "fn": 5, "tn": 15},
    ]


def majority_by_pixel(truths):
    known = (truths != 255).sum(axis=0)
    ones = (truths == 1).sum(axis=0)
    return np.where(known == 0, 255, 2 * ones > known)


def staple_by_pixel_until_it_ends(truths):
    prior = truths[truths != 255].mean()
    weights = np.array(staple_by_pixel(truths, prior, 60)[2])
    consensus = (weights > 0.5).astype(int)
    consensus[(truths[:, 0] == 255).all(axis=0)] = 255
    return consensus[np.newaxis]


@pytest.mark.parametrize(
    ("how", "consensus_of"),
    [("majority", majority_by_pixel), ("staple", staple_by_pixel_until_it_ends)],
)
def test_scores_against_others_pixel_by_pixel(how, consensus_of):
    truths = random_truths(4, missing=0.3, size=300)
    scores = annotators.scores_against_others(counts_of(truths), 4, how)
    for k, found in enumerate(scores):
        consensus = consensus_of(np.delete(truths, k, axis=0))
        known = (truths[k] != 255) & (consensus != 255)
        (tn, fp), (fn, tp) = confusion_matrix(consensus[known], truths[k][known])
        assert found == {"tp": tp, "fp": fp, "fn": fn, "tn": tn}
