from itertools import product

import numpy as np
import pytest

from tilewise.learn import trees


def make_pixels(pixels=60, features=3, seed=0):
    """Codes of features, a truth that depends on two of them, and weights."""
    random = np.random.default_rng(seed)
    codes = random.integers(0, 256, (features, pixels)).astype(np.uint8)
    noise = random.normal(size=pixels)
    truth = (codes[0].astype(int) + codes[1] // 2 + 30 * noise > 190).astype(np.uint8)
    return codes, truth, random.uniform(0.5, 3, pixels)


def brute_force(codes, truth, weights, number, depth, rate, penalty):
    """Questions and leaves of boosted oblivious trees, pixel by pixel."""
    pixels = len(truth)
    weights = weights * pixels / sum(weights)
    prior = sum(w for w, t in zip(weights, truth, strict=True) if t) / sum(weights)
    odds = [np.log(prior / (1 - prior))] * pixels
    grown = []
    for _ in range(number):
        chance = [1 / (1 + np.exp(-value)) for value in odds]
        g = [w * (t - p) for w, t, p in zip(weights, truth, chance, strict=True)]
        h = [w * p * (1 - p) for w, p in zip(weights, chance, strict=True)]
        leaf, questions = [0] * pixels, []

        def values(leaves, g=g, h=h):
            sums = {}
            for own, slope, curve in zip(leaves, g, h, strict=True):
                total, bend = sums.get(own, (0, 0))
                sums[own] = total + slope, bend + curve
            return sums

        for level in range(depth):
            best = None
            for feature, cut in product(range(len(codes)), range(255)):
                asked = [
                    own + (1 << level) * int(code > cut)
                    for own, code in zip(leaf, codes[feature], strict=True)
                ]
                gain = sum(s * s / (b + penalty) for s, b in values(asked).values())
                if best is None or gain > best[0] + 1e-9:
                    best = gain, (feature, cut), asked
            questions.append(best[1])
            leaf = best[2]
        leaves = {k: rate * s / (b + penalty) for k, (s, b) in values(leaf).items()}
        odds = [value + leaves[own] for value, own in zip(odds, leaf, strict=True)]
        grown.append((questions, leaves))
    return grown


def test_draws_are_of_their_share_and_repeat():
    codes, truth, weights = make_pixels(400, 20)
    settings = {"trees": 30, "depth": 2}
    known = trees.train(codes, truth, weights, **settings, shares=(0.5, 0.25), seed=1)
    again = trees.train(codes, truth, weights, **settings, shares=(0.5, 0.25), seed=1)
    other = trees.train(codes, truth, weights, **settings, shares=(0.5, 0.25), seed=2)
    np.testing.assert_array_equal(known.features, again.features)
    np.testing.assert_array_equal(known.leaves, again.leaves)
    assert (known.features != other.features).any()
    # where a single one of 20 is drawn, all are asked alike: 400 draws, binomial
    single = trees.train(codes, truth, weights, trees=200, depth=2, shares=(1.0, 0.05))
    times = np.bincount(single.features.ravel(), minlength=20)
    assert abs(times - 20).max() < 5 * np.sqrt(20)


def test_all_pixels_weigh_in_leaves_whichever_chose_the_questions():
    # one feature of two codes: whatever is drawn, the question is the same
    codes = np.array([[3] * 60 + [9] * 40], np.uint8)
    truth = np.array([0] * 50 + [1] * 10 + [1] * 30 + [0] * 10)
    every = trees.train(codes, truth, trees=1, depth=1)
    some = trees.train(codes, truth, trees=1, depth=1, shares=(0.3, 1.0), seed=5)
    np.testing.assert_array_equal(some.leaves, every.leaves)
    assert some.unit == every.unit


def naive_score(planes, model):
    """Every tree at every pixel."""
    total = np.zeros(planes.shape[1:], int)
    for place in np.ndindex(total.shape):
        for features, codes, leaves in zip(model.features, model.codes, model.leaves, strict=True):
            bits = [planes[f][place] > c for f, c in zip(features, codes, strict=True)]
            total[place] += leaves[sum(1 << k for k, bit in enumerate(bits) if bit)]
    return total


@pytest.mark.parametrize(("depth", "seed"), [(1, 0), (2, 1), (3, 2)])
def test_trees_are_those_of_brute_force(depth, seed):
    codes, truth, weights = make_pixels(seed=seed)
    settings = {"depth": depth, "rate": 0.4, "penalty": 0.7}
    model = trees.train(codes, truth, weights, trees=3, **settings)
    grown = brute_force(codes, truth, weights, 3, *settings.values())
    for tree, (questions, leaves) in enumerate(grown):
        found = zip(model.features[tree].tolist(), model.codes[tree].tolist(), strict=True)
        assert list(found) == questions
        values = [leaves.get(k, 0) for k in range(2**depth)]
        np.testing.assert_allclose(model.leaves[tree] * model.unit, values, atol=model.unit)


@pytest.mark.parametrize(("depth", "number"), [(1, 9), (2, 5), (3, 5), (4, 5), (5, 2), (8, 1)])
def test_scores_are_those_of_naive_evaluation(depth, number):
    codes, truth, weights = make_pixels(300)
    model = trees.train(codes, truth, weights, trees=number, depth=depth)
    planes = np.random.default_rng(1).integers(0, 256, (3, 7, 37)).astype(np.uint8)
    np.testing.assert_array_equal(trees.score(planes, model), naive_score(planes, model))


def test_no_sum_of_leaves_overflows():
    codes = np.repeat(np.array([[0, 255]], np.uint8), 50, axis=1)
    model = trees.train(codes, codes[0] > 0, trees=200, rate=1, penalty=1e-6)
    found = trees.score(np.array([[[0, 255]]], np.uint8), model)
    np.testing.assert_array_equal(found, naive_score(np.array([[[0, 255]]], np.uint8), model))
    assert found[0, 0] < 0 < found[0, 1]


def test_a_weight_is_as_good_as_a_repetition():
    codes, truth, _ = make_pixels(80)
    twice = np.random.default_rng(3).integers(1, 4, truth.size)
    weighted = trees.train(codes, truth, twice, trees=1, penalty=1e-9)
    repeated = trees.train(
        np.repeat(codes, twice, axis=1), np.repeat(truth, twice), trees=1, penalty=1e-9
    )
    np.testing.assert_array_equal(weighted.features, repeated.features)
    np.testing.assert_array_equal(weighted.codes, repeated.codes)
    assert weighted.bias == pytest.approx(repeated.bias)


def test_training_is_deterministic():
    one, other = (trees.train(*make_pixels(500), trees=10) for _ in range(2))
    for name in ("features", "codes", "leaves"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_importance_is_of_features_that_are_asked_for():
    codes, truth, weights = make_pixels(300)
    codes[2] = 7
    found = trees.importance(trees.train(codes, truth, weights, trees=5, depth=2), 3)
    assert found[0] > found[1] > found[2] == 0


@pytest.mark.parametrize("truth", [np.zeros(5), np.ones(5), np.zeros(0)])
def test_one_class_is_refused(truth):
    with pytest.raises(ValueError, match="one class"):
        trees.train(np.zeros((2, truth.size), np.uint8), truth)


@pytest.mark.parametrize("depth", [0, 9])
def test_depths_out_of_range_are_refused(depth):
    with pytest.raises(ValueError, match="depth"):
        trees.train(*make_pixels(), depth=depth)
