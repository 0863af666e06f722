import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilewise.segment.circular import arc_split, half_circle, hues_of
from tilewise.segment.global_thresholds import NoThreshold, circular
from tilewise.segment.histograms import histogram
from tilewise.segment.masks import arc_mask
from tilewise.segment.thresholds import find_threshold


def scatter(counts, arc):
    """Sum of squared distances from the mean of an arc, as a fraction; None without pixels."""
    pixels = sum(counts[k % len(counts)] for k in arc)
    if not pixels:
        return None
    mean = Fraction(sum(k * counts[k % len(counts)] for k in arc), pixels)
    return sum(counts[k % len(counts)] * (k - mean) ** 2 for k in arc)


def both(counts, start, end):
    arcs = range(start, end), range(end, start + len(counts))
    found = [scatter(counts, arc) for arc in arcs]
    return None if None in found else sum(found)


def search(counts):
    """The least sum of both arcs, over all pairs of cuts."""
    sums = (both(counts, *cuts) for cuts in itertools.combinations(range(len(counts)), 2))
    return min(found for found in sums if found is not None)


counts_of_circles = st.lists(st.integers(0, 40), min_size=12, max_size=12).filter(
    lambda counts: np.count_nonzero(counts) > 1
)


@settings(deadline=None, database=None)
@given(counts_of_circles)
def test_opposite_cuts_are_as_good_as_any(counts):
    start = half_circle(np.array(counts))
    assert both(counts, start, start + 6) == search(counts)


@settings(deadline=None, database=None)
@given(counts_of_circles, st.integers(0, 11))
def test_a_turned_circle_is_as_good(counts, turn):
    turned = np.roll(counts, turn)
    start = half_circle(turned)
    assert both(turned.tolist(), start, start + 6) == search(counts)


def test_sums_are_exact():
    """Squares of these sums are beyond 64 bits, and differ by one pixel in 10 ** 12."""
    counts = np.zeros(360, np.int64)
    counts[[0, 60, 240]] = 10**12, 10**12 + 1, 10**12
    start = half_circle(counts)
    assert both(counts.tolist(), start, start + 180) == search_of_halves(counts.tolist())
    weighted = half_circle(counts * 0.5)
    assert weighted == start


def search_of_halves(counts):
    half = len(counts) // 2
    sums = (both(counts, start, start + half) for start in range(half))
    return min(found for found in sums if found is not None)


@pytest.mark.parametrize(
    ("places", "start"),
    # cuts between 45 and 225 degrees, and with 0 between the classes between 35 and 215
    [((0, 90), 45), ((350, 80), 35)],
)
def test_cuts_are_midway_between_two_hues(places, start):
    counts = np.zeros(360, int)
    counts[list(places)] = 5
    # a place belongs to the arc that begins with it
    assert abs(half_circle(counts) - start) <= 1


@pytest.mark.parametrize("counts", [[0] * 6, [0, 0, 7, 0, 0, 0]])
def test_fewer_than_two_places_have_no_arcs(counts):
    assert half_circle(np.array(counts)) is None
    assert arc_split(np.array(counts)) is None


def test_contrast_of_a_uniform_circle():
    split = arc_split(np.full(360, 9))
    assert split.contrast("bright") == pytest.approx(math.sqrt(12), rel=1e-4)
    # a half has a quarter of the variance of the whole
    assert split.separability == pytest.approx(0.75, rel=1e-4)


def test_arcs_are_apart_by_the_shorter_way():
    counts = np.zeros(360, int)
    counts[[355, 5]], counts[[75, 85]] = 4, 2
    split = arc_split(counts)
    assert (split.difference, split.contrast("bright")) == (80, 80 / 5)


def hues(*places):
    """A histogram of int16 with pixels at hues, and some without hue."""
    values = np.repeat(np.array([-1, *places], np.int16), 3)
    return histogram(values)


def test_foreground_is_the_half_that_holds_a_hue():
    counts = hues(350, 10, 200)
    first, last = circular(*counts, hue=0)
    assert first > last
    plane = np.array([[350, 10, 200, -1, 0, 359]], np.int16)
    assert arc_mask(plane, first, last).tolist() == [[1, 1, 0, 0, 1, 1]]
    assert arc_mask(plane, *circular(*counts, hue=200)).tolist() == [[0, 0, 1, 0, 0, 0]]


def test_foreground_is_the_smaller_half_without_a_hue():
    counts = hues(350, 10, 200)
    assert circular(*counts) == circular(*counts, hue=200)


@pytest.mark.parametrize("values", [[-1], [-1, 30]])
def test_no_threshold_without_two_hues(values):
    counts, centers = histogram(np.array(values, np.int16))
    with pytest.raises(NoThreshold):
        circular(counts, centers)
    found = find_threshold(counts, centers, "circular", {"hue": 0})
    assert (found.values, found.note) == ((), "no threshold: constant")


def test_evidence_is_that_of_the_arcs():
    counts, centers = hues(355, 5, 75, 85)
    found = find_threshold(counts, centers, "circular", {"hue": 0})
    assert (found.difference, found.contrast) == (80, 16)
    assert hues_of(counts, centers).sum() == 12
