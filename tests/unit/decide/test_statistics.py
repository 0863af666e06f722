"""Statistics by hand, against SciPy and brute force, and by simulation."""

import itertools

import numpy as np
import pytest
from scipy import stats

from tilewise.decide import cross_validation, ranking, resampling, significance
from tilewise.decide.evidence import Evidence, Rules
from tilewise.demo.phantom import render
from tilewise.score import formulas
from tilewise.score.formulas import COUNTS

AVERAGES = ("micro", "macro")


def mcc(counts):
    return formulas.evaluate("mcc", {name: counts[..., i] for i, name in enumerate(COUNTS)})


def share(counts):
    """The first of two counts over both: a metric whose values are worked out easily."""
    total = counts.sum(axis=-1)
    return np.where(total > 0, counts[..., 0] / np.where(total > 0, total, 1), np.nan)


def test_estimates_by_hand():
    counts = np.array([[[1, 1], [6, 2], [0, 0]]], float)
    assert resampling.estimate(counts, share, "micro").tolist() == [0.7]
    # the third unit is undefined
    assert resampling.estimate(counts, share, "macro").tolist() == [0.625]
    weights = np.array([[2, 1, 0], [0, 0, 3]], float)
    micro = resampling.estimate(counts, share, "micro", weights)
    assert micro[0] == pytest.approx(8 / 12)
    assert np.isnan(micro[1])
    macro = resampling.estimate(counts, share, "macro", weights)
    assert macro[0] == pytest.approx((2 * 0.5 + 0.75) / 3)
    assert np.isnan(macro[1])


def test_weights_draw_every_unit_alike():
    drawn = resampling.bootstrap_weights(7, 4000, seed=3)
    assert (drawn.sum(axis=1) == 7).all()
    # each is 1 in the mean, with the standard error of a binomial of 7 draws
    np.testing.assert_allclose(drawn.mean(axis=0), 1, atol=4 * np.sqrt(6 / 7 / 4000))
    assert (drawn == resampling.bootstrap_weights(7, 4000, seed=3)).all()
    assert (drawn != resampling.bootstrap_weights(7, 4000, seed=4)).any()


@pytest.mark.parametrize("average", AVERAGES)
def test_interval_by_brute_force(average):
    """The wider of bootstrap-t and Student's, with every resample written out unit by unit."""
    random = np.random.default_rng(4)
    counts = random.integers(5, 60, (2, 7, 4)).astype(float)

    def difference(units):
        if average == "micro":
            return mcc(counts[0, units].sum(axis=0)) - mcc(counts[1, units].sum(axis=0))
        return np.mean(mcc(counts[0, units])) - np.mean(mcc(counts[1, units]))

    def error(units):
        without = np.array([difference(np.delete(units, i)) for i in range(len(units))])
        return np.sqrt((len(units) - 1) / len(units) * np.sum((without - without.mean()) ** 2))

    every = np.arange(7)
    weights = resampling.bootstrap_weights(7, 300, seed=5)
    studentized = []
    for row in weights.astype(int):
        units = np.repeat(every, row)
        if np.unique(units).size > 1:
            studentized.append((difference(units) - difference(every)) / error(units))
    low, high = np.quantile(studentized, (0.05, 0.95))
    low, high = min(low, stats.t.ppf(0.05, 6)), max(high, stats.t.ppf(0.95, 6))
    expected = difference(every) - np.array([high, low]) * error(every)
    drawn = resampling.Resampled(counts, mcc, average, weights)
    np.testing.assert_allclose(drawn.interval(0, 1, confidence=0.9), expected, rtol=1e-9)


def test_interval_of_a_mean_of_many_units_is_student_s():
    random = np.random.default_rng(0)
    values = random.uniform(0.2, 0.9, 60)
    counts = units_of([values])
    drawn = resampling.Resampled(
        counts, share, "macro", resampling.bootstrap_weights(60, 20_000, 0)
    )
    expected = stats.t.interval(0.95, 59, values.mean(), stats.sem(values))
    np.testing.assert_allclose(drawn.interval(0), expected, atol=0.03 * np.ptp(expected))


@pytest.mark.parametrize("differing", [1, 2])
def test_interval_where_few_units_differ_is_at_least_student_s(differing):
    """Most resamples without those units have no spread; they must not end the interval."""
    base = np.linspace(0.6, 0.8, 8)
    lost = np.repeat([0, 0.1], [8 - differing, differing])
    counts = units_of([base, base - lost])
    drawn = resampling.Resampled(counts, share, "macro", resampling.bootstrap_weights(8, 4000, 0))
    low, high = drawn.interval(0, 1)
    least, most = stats.t.interval(0.95, 7, lost.mean(), stats.sem(lost))
    assert low <= least + 1e-12
    assert high >= most - 1e-12


def test_intervals_of_equal_units_and_of_undefined_values():
    counts = units_of([[0.7] * 6, [np.nan] * 6])
    drawn = resampling.Resampled(
        np.nan_to_num(counts), share, "micro", resampling.bootstrap_weights(6, 200, 0)
    )
    assert drawn.interval(0) == pytest.approx((0.7, 0.7))
    assert drawn.interval(1) == (None, None)
    assert drawn.interval(0, 1) == (None, None)


@pytest.mark.parametrize("units", [6, 30])
@pytest.mark.parametrize("average", AVERAGES)
def test_p_is_the_level_at_which_the_interval_touches_nothing(average, units):
    counts = np.random.default_rng(units).integers(5, 60, (2, units, 4)).astype(float)
    # not so different that no resample reaches the other side
    counts[1, :, 0] += 4
    weights = resampling.bootstrap_weights(units, 2000, 0)
    drawn = resampling.Resampled(counts, mcc, average, weights)
    p = drawn.p(0, 1)
    assert 0.02 < p < 0.98
    for step, contains in ((0.01, False), (-0.01, True)):
        low, high = drawn.interval(0, 1, confidence=1 - p - step)
        assert (low <= 0 <= high) is contains
    assert drawn.p(1, 0) == p


def test_p_of_equal_methods_and_of_units_that_differ_alike():
    counts = units_of([np.full(6, 0.9), np.full(6, 0.9), np.full(6, 0.4), np.full(6, np.nan)])
    weights = resampling.bootstrap_weights(6, 200, 0)
    drawn = resampling.Resampled(np.nan_to_num(counts), share, "micro", weights)
    assert drawn.p(0, 1) == 1
    # none or all of 64 swaps are as great
    assert drawn.p(0, 2) == 2 / 64
    assert drawn.p(0, 3) == 1


def test_wilcoxon_is_scipy_s():
    differences = np.array([0.3, -0.1, 0.25, 0.4, np.nan, 0.05, 0.2, 0.15])
    known = differences[np.isfinite(differences)]
    # ranks of the negative ones: 2 of 28; p by hand: subsets of 1 to 7 with a sum of at most 2
    assert significance.wilcoxon(differences) == pytest.approx(2 * 3 / 2**7)
    assert significance.wilcoxon(differences) == stats.wilcoxon(known).pvalue
    assert significance.wilcoxon(np.zeros(5)) == 1


def test_holm_by_hand():
    # sorted 0.005, 0.01, 0.03, 0.04, times 4, 3, 2, 1, never falling
    p = [0.01, 0.04, np.nan, 0.03, 0.005]
    adjusted = significance.holm(p)
    np.testing.assert_allclose(adjusted, [0.03, 0.06, np.nan, 0.06, 0.02])
    assert significance.holm([0.6, 0.9]).tolist() == [1, 1]
    assert significance.holm([]).tolist() == []


def units_of(values):
    """Units of 100 pixels with the given shares, (methods, units, 2)."""
    right = np.asarray(values, float) * 100
    return np.stack([right, 100 - right], axis=-1)


def rules(units, **changes):
    known = {"metric": "mcc", "average": "micro", "margin": 0.01, "confidence": 0.95}
    known |= {"min_units": 5, "resamples": 2000, "seed": 0, "test": "bootstrap_t", "folds": 10}
    return Rules(**(known | {"unit": "sample", "units": units} | changes))


def rank(counts, metric=share, **changes):
    methods = [Evidence("fixed", own) for own in counts]
    return ranking.rank_methods(methods, metric, rules(counts.shape[1], **changes))


def test_ranking_by_hand():
    random = np.random.default_rng(2)
    base = random.uniform(0.6, 0.8, 12)
    equal = base + np.tile([0.01, -0.01], 6)
    counts = units_of([base - 0.2, base, equal, np.full(12, np.nan)])
    rows = rank(np.nan_to_num(counts))
    assert [row["index"] for row in rows[2:]] == [0, 3]
    best, second, third, last = rows
    assert best["difference"] == 0
    assert best["indistinguishable"]
    assert second["indistinguishable"]
    assert not third["indistinguishable"]
    assert third["p_best"] < 0.05 < second["p_best"]
    assert third["pairs"] == 3
    assert third["difference"] == pytest.approx(0.2)
    # every unit differs by the same, but for the 0.01 of the second
    assert third["difference_low"] == pytest.approx(0.2, abs=0.01)
    assert third["p"] < 0.001
    assert third["p_adjusted"] >= third["p"]
    assert best["first"] + second["first"] == pytest.approx(1)
    assert not last["indistinguishable"]
    # a mean of 0 with a standard error of 0.01 / sqrt(11)
    assert [row["relation"] for row in rows] == ["", "equivalent", "worse", "not tested"]
    assert [row["rank"] for row in rows] == [1, 1, 3, 4]


def test_relations_to_the_best_method():
    random = np.random.default_rng(5)
    base = random.uniform(0.6, 0.8, 12)
    noisy = base - 0.02 + 0.1 * np.tile([1, -1], 6)
    rows = rank(units_of([base, base - 0.004 + 0.001 * np.tile([1, -1], 6), noisy, base - 0.3]))
    assert {row["index"]: row["relation"] for row in rows} == {
        0: "",
        1: "worse by less than the margin",
        2: "cannot tell",
        3: "worse",
    }
    # what is surely less, but by less than a wider margin
    rows = rank(units_of([base, base - 0.3]), margin=0.31)
    assert rows[1]["relation"] == "worse by less than the margin"


def test_an_undefined_method_does_not_count_as_a_comparison():
    counts = units_of([np.linspace(0.3, 0.9, 8), np.linspace(0.2, 0.8, 8), [0] * 8])
    counts[2] = 0
    second = rank(counts, resamples=100)[1]
    # every unit differs alike: 2 of 256, of a single pair
    assert second["p"] == second["p_adjusted"] == 2 / 256
    for test in significance.TESTS:
        last = rank(counts, resamples=100, test=test)[2]
        assert last["p"] is None
        assert not last["indistinguishable"]


def test_undefined_methods_only_are_not_tested():
    rows = rank(np.zeros((2, 8, 2)))
    assert [row["index"] for row in rows] == [0, 1]
    assert [row["indistinguishable"] for row in rows] == [None, None]
    assert rows[1]["relation"] == "not tested"


def test_unknown_names_are_refused():
    counts = units_of([np.linspace(0.3, 0.9, 8)] * 2)
    with pytest.raises(ValueError, match="micro, macro"):
        resampling.estimate(counts, share, "mean")
    with pytest.raises(ValueError, match="bootstrap_t, wilcoxon"):
        rank(counts, test="wilcoxn")


def test_few_units_tell_nothing():
    rows = rank(units_of([[0.9] * 4, [0.1] * 4]))
    assert {row["indistinguishable"] for row in rows} == {None}
    assert {row["low"] for row in rows} == {None}
    assert {row["p"] for row in rows} == {None}
    assert rows[1]["relation"] == "not tested"
    # five units are enough for an interval; of 32 flips the one that was seen alone speaks so
    # clearly for the best
    rows = rank(units_of([[0.9] * 5, [0.1] * 5]))
    assert (rows[1]["p"], rows[1]["pairs"]) == (2 / 32, 1)
    assert rows[1]["p_best"] == 1 / 32
    assert not rows[1]["indistinguishable"]
    assert rows[1]["low"] is not None


def fixed(counts):
    return [Evidence("fixed", own) for own in counts]


def brute_force(counts, metric):
    """The set of the best, flip by flip and pair by pair."""
    methods, units, _ = counts.shape
    flips = list(itertools.product((False, True), repeat=units))
    differences = np.zeros((len(flips), methods, methods))
    for number, flip in enumerate(flips):
        for i, k in itertools.permutations(range(methods), 2):
            own, other = counts[i].copy(), counts[k].copy()
            own[list(flip)], other[list(flip)] = counts[k][list(flip)], counts[i][list(flip)]
            differences[number, i, k] = metric(own.sum(axis=0)) - metric(other.sum(axis=0))
    scale = np.sqrt((differences**2).mean(axis=0))
    scale[scale == 0] = np.inf
    # of i: the greatest of what speaks for any other
    statistic = (differences.transpose(0, 2, 1) / scale.T).max(axis=2)
    return (statistic >= statistic[0] - 1e-12).mean(axis=0)


@pytest.mark.parametrize("seed", range(5))
def test_set_of_best_by_brute_force(seed):
    random = np.random.default_rng(seed)
    counts = random.integers(5, 100, (4, 6, 4)).astype(float)
    p = significance.set_of_best(fixed(counts), mcc, "micro", seed=0)
    np.testing.assert_allclose(p, brute_force(counts, mcc), atol=1e-12)
    assert p[np.argmax(mcc(counts.sum(axis=1)))] == 1


def test_set_of_best_of_equal_methods():
    counts = units_of([np.linspace(0.3, 0.9, 8)] * 3)
    assert significance.set_of_best(fixed(counts), share, "micro", seed=0).tolist() == [1, 1, 1]
    # more units than can be flipped in all ways: nearly the same
    values = np.random.default_rng(3).uniform(0.4, 0.6, 12)
    counts = units_of([values, values - 0.02 + np.tile([0.04, -0.02], 6)])
    every, drawn = (
        significance.set_of_best(fixed(counts), share, "micro", seed=1, most=most)
        for most in (2**13, 2000)
    )
    np.testing.assert_allclose(drawn, every, atol=0.04)


def test_folds_do_not_depend_on_order():
    labels = ["d", "a", "c", "b", "e"]
    folds = dict(zip(labels, cross_validation.assign_folds(labels, 2), strict=True))
    assert folds == {"a": 0, "b": 1, "c": 0, "d": 1, "e": 0}
    assert sorted(cross_validation.assign_folds(labels, 10)) == [0, 1, 2, 3, 4]


def test_folds_that_cannot_be():
    with pytest.raises(ValueError, match="at least one"):
        cross_validation.assign_folds(["a", "b"], 0)
    with pytest.raises(ValueError, match="twice"):
        cross_validation.assign_folds(["a", "a"], 2)


def splits_of(*fold_of):
    return cross_validation.Splits.of(np.array(fold_of))


def test_units_that_train_are_held_out_in_turn():
    splits = splits_of(0, 1, 1, 2)
    assert splits.can_choose
    assert splits.trains.astype(int).tolist() == [[0, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 0]]
    inner = splits.training(1)
    # units 0 and 3, each its own fold
    assert inner.fold_of.tolist() == [0, 1]
    assert inner.trains.astype(int).tolist() == [[0, 1], [1, 0]]
    assert not inner.training(0).can_choose


def test_nested_by_hand():
    counts = units_of([[0.9, 0.1, 0.5], [0.5, 0.5, 0.5], [0.1, 0.9, 0.6]])
    nested = cross_validation.nested_selection(counts, splits_of(0, 1, 2), share, "micro")
    # without unit 0: 0.3, 0.5, 0.75; without 1: 0.7, 0.5, 0.35; without 2: all 0.5, the first
    assert nested.chosen.tolist() == [2, 0, 0]
    np.testing.assert_allclose(share(nested.held_out), [0.1, 0.1, 0.5])


def test_nested_with_thresholds_of_each_fold():
    """What was calibrated without a fold is what is scored on it."""
    without = np.stack([units_of([[0.2, 0.8]]), units_of([[0.6, 0.4]])])
    nested = cross_validation.nested_selection(without, splits_of(0, 1), share, "micro")
    np.testing.assert_allclose(share(nested.held_out), [0.2, 0.4])


def test_a_single_fold_chooses_nothing():
    with pytest.raises(ValueError, match="annotate more"):
        cross_validation.nested_selection(units_of([[0.5, 0.5]]), splits_of(0, 0), share, "micro")


def test_counts_of_other_folds_are_refused():
    tables = np.stack([units_of([[0.5, 0.5]])] * 3)
    with pytest.raises(ValueError, match="counts of 3 folds"):
        cross_validation.nested_selection(tables, splits_of(0, 1), share, "micro")


def test_a_single_unit_has_no_learning_curve():
    assert resampling.learning_curve(units_of([0.5]), share, "macro", 0, 100, 0.1) == []


def test_learning_curve_falls_as_the_root():
    random = np.random.default_rng(0)
    counts = units_of(random.uniform(0.4, 0.8, 40))
    curve = dict(
        resampling.learning_curve(counts, share, "macro", 0, 4000, 0.25, sizes=[20, 40, 80, 320])
    )
    # of as many units as there are, it is the width that is given
    assert curve[40] == pytest.approx(0.25, rel=0.05)
    assert curve[80] / curve[20] == pytest.approx(
        0.5 * stats.t.ppf(0.975, 79) / stats.t.ppf(0.975, 19), rel=0.08
    )
    assert curve[320] / curve[80] == pytest.approx(0.5, rel=0.08)


# Simulations: what is true is known.


@pytest.fixture(scope="module")
def phantom_units():
    """Counts of two thresholds on 256 images of 256 px of a phantom: (methods, images, 4)."""
    counts = []
    for y in range(0, 4096, 256):
        image, truth = render((1, 4096, 4096), 5, 0, y, y + 256)
        for threshold in (165, 150):
            mask, known = image < threshold, truth == 1
            kinds = (mask & known, mask & ~known, ~mask & known, ~mask & ~known)
            counts.append([kind.reshape(256, 16, 256).sum(axis=(0, 2)) for kind in kinds])
    counts = np.array(counts, float).reshape(16, 2, 4, 16)
    return counts.transpose(1, 0, 3, 2).reshape(2, 256, 4)


def bounds(rate, number, tail=0.0005):
    """What a rate may come to in so many trials."""
    return stats.binom.ppf([tail, 1 - tail], number, rate) / number


@pytest.mark.parametrize("units", [8, 12, 30])
@pytest.mark.parametrize("average", AVERAGES)
def test_interval_covers_a_known_difference(phantom_units, average, units):
    random = np.random.default_rng(units)
    known = resampling.estimate(phantom_units, mcc, average)
    known = known[0] - known[1]
    assert abs(known) > 0.01
    number, covered = 1000, 0
    for seed in range(number):
        drawn = phantom_units[:, random.integers(0, phantom_units.shape[1], units)]
        weights = resampling.bootstrap_weights(units, 500, seed)
        low, high = resampling.Resampled(drawn, mcc, average, weights).interval(0, 1)
        covered += low <= known <= high
    # about four standard errors below 0.95 and five above: 0.007 each
    assert 0.92 <= covered / number <= 0.985


def equal_methods(random, methods, units):
    """Counts of methods with the same rates, which vary with the unit as samples do."""
    foreground = random.binomial(20_000, random.beta(4, 80, units))
    hardness = random.normal(0, 0.5, units)
    found = 1 / (1 + np.exp(-1.7 - hardness - random.normal(0, 0.3, (methods, units))))
    false = 0.005 * np.exp(random.normal(0, 0.4, (methods, units)))
    tp, fp = random.binomial(foreground, found), random.binomial(20_000 - foreground, false)
    return np.stack([tp, fp, foreground - tp, 20_000 - foreground - fp], axis=-1).astype(float)


@pytest.mark.parametrize(("methods", "units"), [(2, 8), (2, 13), (6, 12)])
def test_equal_methods_are_called_different_no_more_than_the_nominal_rate(methods, units):
    random = np.random.default_rng(units)
    number = 300 if methods == 2 else 80
    different = dropped = 0
    for seed in range(number):
        counts = equal_methods(random, methods, units)
        rows = rank(counts, mcc, seed=seed, resamples=500)
        # any pair with the best; and a given method, from the set of the best
        different += any(row["p_adjusted"] < 0.05 for row in rows[1:])
        dropped += any(row["index"] == 0 and not row["indistinguishable"] for row in rows)
    assert different / number <= bounds(0.05, number)[1]
    assert dropped / number <= bounds(0.05, number)[1]


def test_a_different_method_is_told_apart():
    random = np.random.default_rng(0)
    number, found = 40, 0
    for seed in range(number):
        counts = equal_methods(random, 3, 15)
        # the third misses a third of what it found
        lost = counts[2, :, 0] // 3
        counts[2, :, 0] -= lost
        counts[2, :, 2] += lost
        rows = rank(counts, mcc, seed=seed, resamples=100)
        worst = rows[-1]
        found += worst["index"] == 2 and not worst["indistinguishable"]
    assert found == number


def test_a_sweep_over_noise_is_no_better_than_its_default_when_held_out():
    """Thirty sets of parameters without a difference: the best looks better on its own tiles."""
    random = np.random.default_rng(7)
    resubstitution, held_out = [], []
    for _ in range(150):
        counts = equal_methods(random, 30, 10)
        values = resampling.estimate(counts, mcc, "micro")
        nested = cross_validation.nested_selection(counts, splits_of(*range(10)), mcc, "micro")
        resubstitution.append(values.max() - values[0])
        held_out.append(resampling.estimate(nested.held_out[None], mcc, "micro")[0] - values[0])
    error = np.std(held_out) / np.sqrt(len(held_out))
    assert np.mean(resubstitution) > 5 * error
    assert np.mean(held_out) < 3 * error


def test_p_of_resamples_without_an_error_is_student_s():
    values = np.array([[0.6, 0.5, 0.8, 0.7, 0.6, 0.9], [0.5, 0.5, 0.6, 0.7, 0.4, 0.6]])
    # each draws one unit alone
    drawn = resampling.Resampled(units_of(values), share, "macro", 6 * np.eye(6)[:3])
    expected = stats.ttest_1samp(values[0] - values[1], 0)
    assert drawn.p(0, 1) == pytest.approx(expected.pvalue)
    low, high = expected.confidence_interval(0.95)
    assert drawn.interval(0, 1) == pytest.approx((low, high))


def test_counts_that_a_unit_alone_has_are_0_without_it():
    # all that is found is in the first unit: without it, 0 of 9, with it 4 of 13
    counts = np.array([[[4, 0], [0, 4], [0, 5]]], float)
    once = resampling._estimates(counts, share, "micro", np.ones((1, 3)), True)
    np.testing.assert_allclose(once[0, :, 0], [0, 4 / 9, 4 / 8])


def test_sizes_of_a_learning_curve():
    counts = units_of(np.random.default_rng(1).uniform(0.4, 0.8, 20))
    curve = resampling.learning_curve(counts, share, "macro", 0, 200, 0.25)
    assert [size for size, _ in curve] == [5, 10, 15, 20, 30, 40, 60, 80]


def test_a_fold_without_units_to_choose_on_chooses_nothing():
    splits = splits_of(0, 1)
    trains = splits.trains.copy()
    trains[1] = False
    none = cross_validation.Splits(splits.fold_of, trains, splits.scores, splits.numbers)
    assert (splits.can_choose, none.can_choose, none.can_select) == (True, False, False)


def test_set_of_best_of_fixed_methods_does_not_depend_on_folds():
    counts = np.random.default_rng(2).integers(5, 100, (3, 6, 4)).astype(float)
    given = fixed(counts), mcc, "micro", 0
    alone = significance.set_of_best(*given)
    folded = significance.set_of_best(*given, splits=splits_of(0, 0, 1, 1, 2, 2))
    assert folded.tolist() == alone.tolist()
