"""The difference estimator by hand, by brute force, and by a short form of its benchmark."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tilewise.decide.difference_estimator import Drawn, Estimate, Fitted, fit, interval, p_value

BENCHMARK = Path(__file__).parents[3] / "benchmarks/quantities.py"
RNG = np.random.default_rng(5)
RESAMPLES = 500


def drawn(truths, masks, areas=None, chances=None):
    truths, masks = np.array(truths, float), np.array(masks, float)
    areas = np.ones(len(truths)) if areas is None else np.array(areas, float)
    chances = np.full(len(truths), 0.1) if chances is None else np.array(chances, float)
    return Drawn(areas, truths, masks, chances)


def test_tiles_of_one_size_by_hand():
    # deviations of the truths are -3, -1, 1, 3 and of the masks -4, -2, 2, 4: the covariance is 28
    # and the variance 40; four of sixteen tiles make lambda 28 / 40 / 1.25 = 0.56
    own = drawn([0.1, 0.2, 0.3, 0.4], [0.2, 0.3, 0.5, 0.6])
    found = Fitted(own, 4 / 16, RESAMPLES, 0).estimate(0.5)
    assert found.scale == pytest.approx(0.56)
    assert found.value == pytest.approx(0.25 + 0.56 * (0.5 - 0.4))
    assert found.units == 4


def test_tiles_of_several_sizes_are_weighted_by_area():
    # masks are alike, so that lambda is 0: 10 and 90 of 100 and 300
    found = Fitted(drawn([10, 90], [20, 60], [100, 300]), 0.1, RESAMPLES, 0).estimate(0.9)
    assert (found.scale, found.value) == (0, pytest.approx(0.25))
    # truth and mask differ by a tenth of the area: lambda is 1 but for the share, which is tiny
    areas, masks = np.array([100, 200, 300, 50]), np.array([30, 20, 90, 30])
    found = Fitted(drawn(masks - areas / 10, masks, areas), 1e-12, RESAMPLES, 0).estimate(0.4)
    assert found.scale == pytest.approx(1)
    assert found.value == pytest.approx(0.4 - 0.1)
    assert found.error == pytest.approx(0, abs=1e-9)


def test_lambda_is_kept_from_0_to_1():
    truths = np.array([0.1, 0.2, 0.3])
    for masks, expected in ((1 - truths, 0), (truths / 2, 1), (np.zeros(3), 0)):
        scale, _ = fit(drawn(truths, masks).sums.sum(axis=0), 0.1)
        assert scale == pytest.approx(expected)


def estimate_of(truths, masks, share, everything):
    """With covariances by NumPy, for tiles of one size."""
    (_, both), (_, spread) = np.cov(truths, masks)
    scale = min(max(both / spread / (1 + share), 0), 1)
    return truths.mean() + scale * (everything - masks.mean())


def test_the_interval_by_brute_force():
    masks = RNG.uniform(0.1, 0.4, 9)
    truths = 0.8 * masks + RNG.normal(0, 0.02, 9)
    chances = RNG.uniform(0.1, 0.5, 9)
    found = Fitted(drawn(truths, masks, chances=chances), 0.25, RESAMPLES, 3).estimate(0.3)
    assert found.value == pytest.approx(estimate_of(truths, masks, 0.25, 0.3))

    def without_one(units):
        return np.array(
            [
                estimate_of(truths[own], masks[own], 0.25, 0.3)
                for own in (np.delete(units, i) for i in range(len(units)))
            ]
        )

    once = without_one(np.arange(9))
    spread = (1 - chances) * (once - once.mean()) ** 2
    assert found.error == pytest.approx(np.sqrt(8 / 9 * spread.sum()))
    weights = np.random.default_rng(3).multinomial(9, np.full(9, 1 / 9), RESAMPLES)
    studentized = []
    for weight in weights:
        units = np.repeat(np.arange(9), weight)
        value = estimate_of(truths[units], masks[units], 0.25, 0.3)
        left = without_one(units)
        error = np.sqrt(8 / 9 * ((left - left.mean()) ** 2).sum())
        studentized.append((value - found.value) / error)
    student = stats.t(8).ppf(0.975)
    least, greatest = np.quantile(studentized, (0.025, 0.975))
    expected = [
        found.value - max(greatest, student) * found.error,
        found.value - min(least, -student) * found.error,
    ]
    assert interval(found) == pytest.approx(expected)


def test_units_that_were_sure_to_be_drawn_add_no_error():
    truths, masks = RNG.uniform(0, 1, (2, 6))
    own = drawn(truths, masks, chances=np.ones(6))
    assert Fitted(own, 1, RESAMPLES, 0).estimate(masks.mean()).error == 0
    # but they do where they speak of others
    assert Fitted(own, 1, RESAMPLES, 0).estimate(masks.mean(), is_finite=False).error > 0


def plain(value, error, units=10):
    """An estimate without resamples, whose intervals are Student's."""
    return Estimate(value, error, units)


def test_two_fractions_are_compared_as_by_welch():
    a, b = RNG.normal(0.3, 0.1, 12), RNG.normal(0.2, 0.2, 7)
    first, second = (plain(own.mean(), stats.sem(own), len(own)) for own in (a, b))
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert p_value(first, second) == pytest.approx(expected.pvalue)
    assert interval(first, second) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    # what is known without an error is a number that the other is compared with
    known = Estimate(0.25, 0.0)
    assert p_value(first, known) == pytest.approx(stats.ttest_1samp(a, 0.25).pvalue)
    low, high = stats.ttest_1samp(a, 0.25).confidence_interval(0.95)
    assert interval(known, first) == pytest.approx((0.25 - high, 0.25 - low))
    assert p_value(known, known) is None
    assert interval(known, known) == (0, 0)


def test_p_is_where_the_interval_touches_0():
    masks = RNG.uniform(0.1, 0.4, (2, 9))
    truths = 0.8 * masks + RNG.normal(0, 0.05, (2, 9))
    first, second = (
        Fitted(drawn(truths[i], masks[i]), 0.1, RESAMPLES, i).estimate(0.3 + 0.05 * i)
        for i in (0, 1)
    )
    p = p_value(first, second)
    assert 0 < p < 1
    for confidence, is_outside in ((1 - 1.1 * p, True), (1 - 0.9 * p, False)):
        low, high = interval(first, second, confidence)
        assert (low > 0 or high < 0) == is_outside


@pytest.mark.parametrize("is_even", [True, False])
def test_intervals_hold_the_true_fraction(is_even):
    """The benchmark in short: 95 % of 100 studies, give or take 3 standard errors."""
    spec = importlib.util.spec_from_file_location("quantities_benchmark", BENCHMARK)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    covered, widths, (least, greatest) = benchmark.study(8, 200, "even", is_even, runs=100)
    assert 0.88 <= covered[0] <= 1
    # half as wide as with truths alone, though the mask is biased by 17 to 39 %
    assert widths[0] < 0.55 * widths[1]
    assert 0.15 < least < greatest < 0.4


def test_resamples_of_two_fractions_are_of_their_difference():
    first = Estimate(0.6, 0.3, 1000, None, np.array([0.9, -1.2]), np.array([0.3, 0.4]))
    second = Estimate(0.2, 0.4, 1000, None, np.array([-0.6, 0.3]), np.array([0.4, 0.3]))
    # the differences are 1.5 and -1.5 from 0.4, each with an error of 0.5: studentized 3 and -3,
    # whose outer 2.5 % are at 3 - 0.025 * 6; the error of the difference is 0.5, too
    assert interval(first, second) == pytest.approx((0.4 - 0.5 * 2.85, 0.4 + 0.5 * 2.85))
    # of none of them 0.8 is reached by less than half: Student's alone
    assert p_value(first, second) == pytest.approx(1)
