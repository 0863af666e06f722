"""What may be said of scores that share the units they were trained on, by hand and simulated."""

import itertools

import numpy as np
import pytest
from right_pixels import SETTINGS
from scipy import stats

from tilewise.decide import held_out, significance
from tilewise.decide.choice import choose, select
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import Splits, assign_folds, nested_selection
from tilewise.decide.evidence import Evidence, Rules
from tilewise.decide.resampling import bootstrap_weights
from tilewise.decide.uncertainty import Uncertainty

MCC = CountColumns(()).merit("mcc")
ACCURACY = CountColumns(()).merit("accuracy")
AVERAGES = ("micro", "macro")


def folds(units, number=10):
    return Splits.of(assign_folds([f"{unit:03}" for unit in range(units)], number))


def tuned(tables, splits, average="micro", metric=MCC):
    counts = nested_selection(tables, splits, metric, average).held_out
    return Evidence("held out", counts, tables=tables, parameters=1)


def test_the_error_of_a_mean_is_nadeau_and_bengio_s():
    random = np.random.default_rng(0)
    splits = folds(12, 4)
    counts = random.integers(1, 50, (12, 4)).astype(float)
    without = held_out.without_each_fold(counts, ACCURACY, "macro", splits)
    means = [np.mean(ACCURACY(counts[splits.fold_of == fold])) for fold in range(4)]
    # 3 units are scored, 9 train
    expected = np.sqrt((1 / 4 + 3 / 9) * np.var(means, ddof=1))
    assert held_out.corrected_error(without, splits) == pytest.approx(expected)


def test_interval_and_p_with_the_corrected_error():
    low, high = held_out.corrected_interval(0.3, 0.1, 8, 0.95)
    assert (low, high) == pytest.approx((0.3 - 0.2364624, 0.3 + 0.2364624))
    p = held_out.corrected_p(0.3, 0.1, 8)
    assert p == pytest.approx(stats.t.sf(3, 7))
    # at 1 - 2 p the interval begins at 0
    assert held_out.corrected_interval(0.3, 0.1, 8, 1 - 2 * p)[0] == pytest.approx(0, abs=1e-9)
    assert held_out.corrected_p(-0.3, 0.1, 8) == pytest.approx(1 - p)
    assert held_out.corrected_p(0.3, 0.0, 8) == 0
    assert held_out.corrected_p(0.0, 0.0, 8) == 1
    assert held_out.corrected_p(float("nan"), 0.1, 8) == 1
    assert held_out.corrected_interval(0.3, float("nan"), 8, 0.95) == (None, None)


def anew(first, second, splits, flip, average):
    """The difference of two methods that swap their tables in some units, written out."""
    own, other = first.copy(), second.copy()
    own[..., flip, :], other[..., flip, :] = second[..., flip, :], first[..., flip, :]

    def value(tables):
        counts = nested_selection(tables, splits, MCC, average).held_out
        return MCC(counts.sum(axis=0)) if average == "micro" else np.mean(MCC(counts))

    return value(own) - value(other)


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("by_fold", [False, True])
def test_tables_are_swapped_and_chosen_from_anew(average, by_fold):
    random = np.random.default_rng(3)
    splits = folds(6, 3)
    shape = (3, 4, 6, 4) if by_fold else (4, 6, 4)
    first, second = random.integers(1, 60, (2, *shape)).astype(float)
    flips = np.array(list(itertools.product((False, True), repeat=6)))
    expected = [anew(first, second, splits, flip, average) for flip in flips]
    found = held_out.ChosenAnew(first, second, splits, flips.astype(float), MCC, average)
    np.testing.assert_allclose(found.difference(MCC), expected, atol=1e-12)


def test_choices_are_by_the_metric_that_decides():
    random = np.random.default_rng(4)
    splits, flips = folds(6), np.zeros((1, 6))
    first, second = random.integers(1, 60, (2, 5, 6, 4)).astype(float)
    found = held_out.ChosenAnew(first, second, splits, flips, MCC, "micro").difference(ACCURACY)
    own, other = (tuned(tables, splits).counts.sum(axis=0) for tables in (first, second))
    assert found[0] == pytest.approx(ACCURACY(own) - ACCURACY(other))


def test_a_tuned_and_a_fixed_method_are_told_apart_by_the_corrected_error():
    random = np.random.default_rng(8)
    splits = folds(8)
    tables = random.integers(20, 60, (3, 8, 4)).astype(float)
    own = tuned(tables, splits)
    # the fixed method misses more, in most units
    worse = tables[0].copy()
    worse[:, 0] -= random.integers(-5, 20, 8)
    methods = [own, Evidence("fixed", worse)]
    value, error = significance.corrected_difference(*methods, MCC, "micro", splits)
    p = stats.t.sf(value / error, 7)
    assert 0.005 < p < 0.2
    found = significance.set_of_best(methods, MCC, "micro", 0, splits=splits)
    # as many of the 256 flips as p says, rounded up
    assert found.tolist() == [1, np.ceil(256 * p) / 256]


def of_rights(rights):
    """Counts of units of 1,000 background pixels."""
    return np.array([(0, 1000 - right, 0, right) for right in rights], float)


FEWER = np.array([10, 10, 10, 10, 10, 10, 10, 200])
"""Pixels that a fixed method gets right less than a tuned one, in each of eight units."""
TUNED = Evidence("held out", of_rights([900] * 8), tables=of_rights([900] * 8)[None], parameters=1)
FIXED = Evidence("fixed", of_rights(900 - FEWER))


def test_intervals_of_a_difference_have_the_corrected_error():
    splits = folds(8)
    sure = Uncertainty([TUNED, FIXED], ACCURACY, "micro", bootstrap_weights(8, 50, 0), splits)
    mean = np.mean(FEWER / 1000)
    # of eight folds, one unit is scored and seven train
    half = stats.t.ppf(0.975, 7) * np.sqrt((1 / 8 + 1 / 7) * np.var(FEWER / 1000, ddof=1))
    assert sure.interval(0, 1) == pytest.approx((mean - half, mean + half))


def test_a_fixed_method_is_selected_where_the_corrected_error_cannot_exclude_it():
    """It is worse in each unit, which none of 255 swaps is, but by how much varies."""
    methods = [TUNED, FIXED]
    assert significance.set_of_best(methods, ACCURACY, "micro", 0).tolist() == [1, 1 / 256]
    error = np.sqrt((1 / 8 + 1 / 7) * np.var(FEWER, ddof=1))
    assert stats.t.sf(np.mean(FEWER) / error, 7) > 0.05
    rules = Rules.of(SETTINGS | {"margin": 0.05}, "sample", 8)
    assert select(methods, folds(8), ACCURACY, rules) == 1


def test_two_tuned_methods_with_the_same_tables_are_equal():
    splits = folds(8)
    tables = np.random.default_rng(1).integers(1, 60, (3, 8, 4)).astype(float)
    methods = [tuned(tables, splits)] * 2
    assert significance.set_of_best(methods, MCC, "micro", 0, splits=splits).tolist() == [1, 1]


def test_the_simplest_of_those_that_are_as_good_is_applied():
    counts = np.zeros((5, 4))
    simple, other = Evidence("fixed", counts), Evidence("fixed", counts)
    one, two = (Evidence("held out", counts, parameters=number) for number in (1, 2))
    methods = [two, one, simple, other]
    everything = np.ones(4, bool)

    def chosen(values, in_set=everything):
        return choose(methods, np.array(values), in_set, margin=0.01)

    assert chosen([0.9, 0.9, 0.895, 0.895]) == 2
    assert chosen([0.9, 0.89, 0.88, np.nan]) == 1
    assert chosen([0.9, 0.8, 0.8, 0.8]) == 0
    # not in the set of the best
    assert chosen([0.9, 0.9, 0.895, 0.895], np.array([True, True, False, True])) == 3
    # with few units the highest score decides
    assert chosen([0.9, 0.91, 0.9, 0.9], None) == 1
    assert chosen([np.nan] * 4) == 0


def equal_tables(random, variants, units, noise=0.35):
    """Counts by sets of parameters without a difference, and by a fixed method that is as good."""
    pixels, share = 1e5, 1 / (1 + np.exp(-random.normal(-2, 0.5, units)))
    hardness = random.normal(0, 0.5, (2, units))

    def draw(number):
        drawn = random.normal(0, noise, (2, number, units)) + hardness[:, None]
        tp = pixels * share / (1 + np.exp(-1.5 - drawn[0]))
        tn = pixels * (1 - share) / (1 + np.exp(-4 - drawn[1]))
        return np.stack([tp, pixels * (1 - share) - tn, pixels * share - tp, tn], axis=-1)

    return draw(variants), draw(variants), draw(1)[0]


@pytest.mark.parametrize("average", AVERAGES)
def test_equal_tuned_methods_are_rarely_told_apart(average):
    """`benchmarks/set_of_best.py` has more units and sets of parameters."""
    random = np.random.default_rng(11)
    splits, number = folds(8), 300
    dropped, swapped = np.zeros(3), 0
    for seed in range(number):
        first, second, plain = equal_tables(random, 10, 8)
        own, other = tuned(first, splits, average), tuned(second, splits, average)
        alone = Evidence("fixed", plain)
        for place, pair in enumerate(((own, other), (own, alone), (alone, own))):
            p = significance.set_of_best(list(pair), MCC, average, seed, splits=splits)
            dropped[place] += p[0] <= 0.05
        # as if nothing had been chosen
        swapped += significance.set_of_best([own, other], MCC, average, seed)[0] <= 0.05
    # 0.05, and as much as so many trials may have above it
    most = stats.binom.ppf(0.999, number, 0.05) / number
    assert (dropped / number <= most).all()
    assert (dropped > 0).all()
    assert swapped / number > most
