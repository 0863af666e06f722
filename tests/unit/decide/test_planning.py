"""Units that would be needed, ranks under the bootstrap, and the end of a grid, by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from tilewise.decide.grid_edge import edge_doubts, rising_edges
from tilewise.decide.planning import kendall_tau, rank_frequencies, units_to_tell_apart


def test_units_that_have_the_power():
    """The number is the least whose noncentral t has the power, but for the approximation."""
    # a standard deviation of 1 per unit, and a difference of 0.5
    number = units_to_tell_apart(0.5, 1 / math.sqrt(10), 10)
    power = {
        n: stats.nct.sf(stats.t.ppf(0.95, n - 1), n - 1, 0.5 * math.sqrt(n))
        for n in (number - 1, number, number + 1)
    }
    assert power[number + 1] > 0.8
    assert power[number - 1] < 0.8 + 0.01
    # of many units: (1.645 + 0.842)^2 / 0.25^2 = 99, and one or two more for Student's quantiles
    assert 99 <= units_to_tell_apart(0.25, 1 / math.sqrt(10), 10) <= 102


def test_no_more_units_are_planned_than_ten_thousand():
    def told_apart(units):
        """The difference of methods with a standard deviation of 1 that so many tell apart."""
        return (stats.t.ppf(0.95, units - 1) + stats.t.ppf(0.8, units - 1)) / math.sqrt(units)

    between = (told_apart(9_999) + told_apart(10_000)) / 2
    assert units_to_tell_apart(between, 1, 1) == 10_000
    beyond = (told_apart(10_000) + told_apart(10_001)) / 2
    assert units_to_tell_apart(beyond, 1, 1) == math.inf


def test_methods_that_do_not_differ_are_never_told_apart():
    assert units_to_tell_apart(0.0, 0.1, 8) == math.inf
    assert units_to_tell_apart(-0.1, 0.1, 8) == math.inf
    assert units_to_tell_apart(1e-6, 0.1, 8) == math.inf
    assert units_to_tell_apart(float("nan"), 0.1, 8) == math.inf
    assert units_to_tell_apart(0.5, 0.0, 8) == 3


def test_rank_frequencies_by_hand():
    resampled = np.array([[0.9, 0.8, 0.7], [0.9, 0.95, 0.1], [0.5, 0.5, np.nan], [0.1, 0.2, 0.3]])
    shares = rank_frequencies(resampled)
    # first, second, third in: 1 (and the tie), 2; last in the fourth
    assert shares.tolist() == [[0.5, 0.25, 0.25], [0.25, 0.75, 0], [0.25, 0, 0.75]]


def test_orders_that_are_alike():
    assert kendall_tau([1, 2, 3], [1, 2, 3]) == 1
    assert kendall_tau([1, 2, 3], [3, 2, 1]) == -1
    # two of three pairs in the same order
    assert kendall_tau([1, 2, 3], [1, 3, 2]) == pytest.approx(1 / 3)
    assert kendall_tau([1, 1], [1, 2]) is None


GRID = {"size": [31, 51], "offset": [-10, 0, 10], "filter": ["a", "b"]}


def test_a_score_that_rises_towards_the_end_of_a_grid():
    merits = np.zeros((2, 3, 2))
    merits[1, :, 1] = 0.5, 0.6, 0.7
    # size 51 and offset 10; a filter has no order
    chosen = int(np.argmax(merits))
    assert rising_edges(GRID, merits.ravel(), chosen) == [
        ("size", 51, "larger"),
        ("offset", 10, "larger"),
    ]
    # a value between is no end
    assert rising_edges(GRID, merits.ravel(), chosen - 2) == [("size", 51, "larger")]


def test_a_flat_score_and_an_unordered_grid():
    grid = {"value": [140, 95, 110]}
    assert rising_edges(grid, np.array([0.5, 0.7, 0.7]), 1) == []
    assert rising_edges(grid, np.array([0.5, 0.8, 0.7]), 1) == [("value", 95, "smaller")]
    assert rising_edges({"value": [95]}, np.array([0.5]), 0) == []
    assert rising_edges({}, np.array([0.5]), 0) == []
    assert rising_edges({"scope": ["tile", "sample"]}, np.array([0.5, 0.8]), 1) == []


def test_the_end_of_a_grid_has_its_warning():
    (doubt,) = edge_doubts("m", {"value": [95, 110]}, np.array([0.5, 0.7]), 1, "mcc")
    assert (doubt.code, doubt.method) == ("grid_edge", "m")
    assert doubt.message == (
        "the largest value of value that m tries, 110, is the best, and its MCC still rises there"
    )
    assert doubt.remedy == "add larger values to `methods.m.grid.value` in the configuration"
