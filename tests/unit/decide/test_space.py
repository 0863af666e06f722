"""Tiles of one plane that are near each other, by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from tilewise.decide import space
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.space import Layout, Spot

ACCURACY = CountColumns(()).merit("accuracy")


def spots(*tiles, plane=0):
    return [Spot("a", plane, row, column) for row, column in tiles]


def sets_of(numbers):
    """The sets of rows and columns that numbers make."""
    found = {}
    for spot, number in numbers.items():
        found.setdefault(number, set()).add(spot[1:])
    return sorted(found.values(), key=sorted)


@pytest.mark.parametrize(
    ("gap", "linked"),
    [
        (0, [{(0, 0)}, {(0, 1)}, {(0, 4)}, {(1, 2)}, {(3, 4)}]),
        # side by side and at a corner
        (1, [{(0, 0), (0, 1), (1, 2)}, {(0, 4)}, {(3, 4)}]),
        # one tile width lies between (1, 2) and (0, 4), and sqrt(2) of them before (3, 4)
        (1.2, [{(0, 0), (0, 1), (1, 2), (0, 4)}, {(3, 4)}]),
        (1.5, [{(0, 0), (0, 1), (1, 2), (0, 4), (3, 4)}]),
    ],
)
def test_tiles_are_linked_by_the_gap_between_their_edges(gap, linked):
    tiles = spots((0, 0), (0, 1), (1, 2), (0, 4), (3, 4))
    expected = sorted(({(0, *tile) for tile in own} for own in linked), key=sorted)
    assert sets_of(space.link(tiles, gap)) == expected


def test_tiles_of_other_planes_are_never_linked():
    tiles = [*spots((0, 0)), *spots((0, 0), plane=10), Spot("b", 0, 0, 1)]
    assert len(set(space.link(tiles, 100).values())) == 3


def test_cells_cover_what_is_annotated():
    # 7 rows from row 2 on are cut in 3 and 4, 2 columns are less than one cell
    tiles = spots(*((row, column) for row in range(2, 9) for column in (5, 6)))
    cells = space.cut(tiles, 3)
    rows = {}
    for spot, cell in cells.items():
        rows.setdefault(cell, set()).add(spot.row)
    assert rows == {("a", 0, 0, 0): {2, 3, 4}, ("a", 0, 1, 0): {5, 6, 7, 8}}
    assert len(set(space.cut(tiles, 1).values())) == 14


def test_expected_error_of_two_tiles():
    touching = Layout([spots((0, 0)), spots((0, 1))])
    # of independent units it is the level
    assert touching.expected_error(length=0) == pytest.approx(0.05)
    # Student's distribution with one degree of freedom is Cauchy's. With a correlation r, the mean
    # varies by (1 + r) / 2, and the units' spread says (1 - r) / 2
    r, quantile = math.exp(-1), math.tan(math.pi * 0.475)
    cauchy = 1 - 2 / math.pi * math.atan(quantile * math.sqrt((1 - r) / (1 + r)))
    assert touching.expected_error(length=1) == pytest.approx(cauchy)
    far = Layout([spots((0, 0)), spots((0, 0), plane=10)])
    assert far.expected_error(length=1) == pytest.approx(0.05)
    assert math.isnan(Layout([spots((0, 0))]).expected_error())


def test_expected_error_of_units_of_two_tiles():
    # sums of two touching tiles vary by 2 + 2 / e, whatever lies in other planes
    pairs = Layout([spots((0, 0), (0, 1), plane=plane) for plane in (0, 10, 20)])
    assert pairs.expected_error(length=1) == pytest.approx(0.05)


@pytest.mark.parametrize("side", [1, 2])
def test_expected_error_is_that_of_scipy_s_test_of_random_fields(side):
    tiles = spots(*((row, column) for row in range(6) for column in range(6)))
    at = np.array([spot[2:] for spot in tiles])
    distances = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    random = np.random.default_rng(0)
    fields = np.linalg.cholesky(np.exp(-distances)) @ random.normal(size=(36, 4000))
    # sums of squares of tiles
    cells = [
        np.flatnonzero(((at // side) == cell).all(axis=1)) for cell in np.unique(at // side, axis=0)
    ]
    sums = np.array([fields[cell].sum(axis=0) for cell in cells])
    rejected = np.mean(stats.ttest_1samp(sums, 0).pvalue < 0.05)
    layout = Layout([[tiles[i] for i in cell] for cell in cells])
    # the standard error is less than 0.01
    assert layout.expected_error() == pytest.approx(rejected, abs=0.025)


ROW = Layout([spots((0, column)) for column in range(4)])


@pytest.mark.parametrize(
    ("values", "correlation", "effective"),
    [
        # three pairs, each with half a square of 1/2, over a variance of 1/3
        ((0, 1, 0, 1), -0.5, 4),
        # 1/3 over 1/3
        ((0, 1, 1, 0), 0, 4),
        # less than the least ratio of neighbours' distances (1) to those of all pairs (10/6)
        ((0, 1, 2, 3), 1, 1),
    ],
)
def test_nearness_of_a_row(values, correlation, effective):
    known = ROW.nearness(np.array(values, float))
    assert (known.correlation, known.pairs) == (pytest.approx(correlation, abs=2e-3), 3)
    assert known.effective == pytest.approx(effective, abs=5e-3)


def test_nearness_takes_the_mean_into_account():
    # neighbours differ by (4 + 1 + 4) / 2 / 3 = 1.5, and the variance is 5 / 3: a ratio of 0.9,
    # which is (1 - x) / (1 - (6 x + 4 x^2 + 2 x^3) / 12) with the neighbours' correlation x
    roots = np.roots((0.15, 0.3, -0.55, 0.1)).real
    (x,) = roots[(roots > 0) & (roots < 0.9)]
    known = ROW.nearness(np.array([[0.0, 2, 3, 1], [0, 4, 6, 2], [5, 5, 5, 5]]))
    assert known.correlation == pytest.approx(x)
    assert known.effective == pytest.approx(16 / (4 + 6 * x + 4 * x**2 + 2 * x**3))


def test_nearness_that_cannot_be_told():
    # two pairs are too few, equal values tell nothing, and planes are no neighbours
    assert Layout(ROW.units[:3]).nearness(np.array([0.0, 1, 5])) is None
    assert ROW.nearness(np.ones(4)) is None
    planes = Layout([spots((0, 0), plane=10 * i) for i in range(6)])
    assert planes.nearness(np.arange(6.0)) is None
    assert Layout([]).nearness(np.zeros(0)) is None


def test_contributions_to_a_mean_are_the_units_own_values():
    # TP, FP, FN, TN, and no more columns count here
    counts = np.array([[[0, 10, 0, 90], [0, 40, 0, 60], [0, 0, 0, 50]]], float)
    own = space.contributions(counts, ACCURACY, "macro")
    np.testing.assert_allclose(own, [[0.9, 0.6, 1]])
    # pooled, 200 of 250 are right; without a unit, 110 of 150, 140 of 150, 150 of 200
    pooled = space.contributions(counts, ACCURACY, "micro")
    expected = [3 * 0.8 - 2 * one for one in (110 / 150, 140 / 150, 150 / 200)]
    np.testing.assert_allclose(pooled, [expected])


def test_correlations_fall_with_distance_over_the_length():
    # as far as a unit, with half the length and twice it
    quantile = math.tan(math.pi * 0.475)
    touching = Layout([spots((0, 0)), spots((0, 1))])
    for length in (0.5, 2):
        r = math.exp(-1 / length)
        cauchy = 1 - 2 / math.pi * math.atan(quantile * math.sqrt((1 - r) / (1 + r)))
        assert touching.expected_error(length=length) == pytest.approx(cauchy)


def test_neighbours_that_differ_more_than_all_units_are_no_more_unlike_than_minus_1():
    # five touching pairs, in which values jump by 1 or 10: half their squares 0.5 and 50
    pairs = [spots((8 * i, 0)) for i in range(4)] + [spots((8 * i, 1)) for i in range(4)]
    known = Layout(pairs).nearness(np.array([-1.0, 1, -1, 1, 1, -1, 1, -1]))
    # 2 over a variance of 8 / 7
    assert known.correlation == pytest.approx(1 - 2 / (8 / 7))
    assert (known.effective, known.pairs) == (8, 4)
    # a unit that differs from all of its four: 1/2 over a variance of 1/5
    star = Layout([spots(tile) for tile in ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))])
    known = star.nearness(np.array([1.0, 0, 0, 0, 0]))
    assert (known.correlation, known.pairs) == (-1, 4)
