"""Metrics of counts: the same as those of one confusion matrix, and by hand."""

import warnings
from fractions import Fraction

import exact
import numpy as np
import pytest

from tilewise.score import formulas


def as_counts(table):
    return dict(zip(formulas.COUNTS, np.asarray(table, float).T, strict=True))


@pytest.mark.parametrize("name", formulas.PIXEL_METRICS)
def test_the_same_as_of_one_matrix(name):
    random = np.random.default_rng(0)
    table = np.concatenate(
        [
            random.integers(0, 1000, (200, 4)),
            # every pattern of zeros
            [[(i >> k & 1) * 7 for k in range(4)] for i in range(16)],
            random.integers(1, 10**12, (50, 4)),
        ]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = formulas.evaluate(name, as_counts(table))
    for row, value in zip(table.tolist(), found, strict=True):
        expected = exact.metrics(*row)[name]
        if expected is None:
            assert np.isnan(value)
        else:
            # `exact.metrics` has the MCC to 2 ** -64
            assert value == pytest.approx(expected, rel=1e-12, abs=2**-63)


def test_mcc_of_large_counts_that_nearly_cancel():
    tp, fp, fn, tn = 926281390793, 948843706486, 380013795042, 389279215205
    square = Fraction((tp * tn - fp * fn) ** 2, (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    found = formulas.evaluate("mcc", as_counts([[tp, fp, fn, tn]]))[0]
    assert found == pytest.approx(float(square) ** 0.5, rel=1e-14, abs=0)


def test_shapes_are_kept():
    counts = {name: np.full((3, 2), value) for name, value in zip("abcd", range(4), strict=True)}
    counts = dict(zip(formulas.COUNTS, counts.values(), strict=True))
    assert formulas.evaluate("mcc", counts).shape == (3, 2)
    assert formulas.evaluate("f1", dict(zip(formulas.COUNTS, (2, 1, 1, 9), strict=True))) == 2 / 3


def test_unknown_counts_give_no_value():
    counts = {"surface": [4.0, np.nan], "surface_near": [3.0, np.nan]}
    found = formulas.evaluate("nsd", counts)
    assert found[0] == 0.75
    assert np.isnan(found[1])


def test_structure_by_hand():
    skeletons = ("skeleton_mask", "skeleton_mask_right", "skeleton_truth", "skeleton_truth_found")
    # precision 3 / 4, sensitivity 3 / 6
    counts = dict(zip(skeletons, (4, 3, 6, 3), strict=True))
    assert formulas.evaluate("cldice", counts) == pytest.approx(2 * 0.75 * 0.5 / 1.25)
    assert formulas.evaluate("assd", {"surface": 8, "surface_distance": 4}) == 0.5
    objects = {"objects_mask": 5, "objects_truth": 4, "objects_matched": 3}
    assert formulas.evaluate("object_precision", objects) == 0.6
    assert formulas.evaluate("object_recall", objects) == 0.75
    assert formulas.evaluate("object_f1", objects) == pytest.approx(6 / 9)
    assert formulas.evaluate("count_error", objects) == 1
    pixels = {"tp": 6, "fp": 3, "fn": 2, "tn": 9}
    assert formulas.evaluate("area_error", pixels) == 1 / 8


def test_nothing_is_right_about_centrelines_that_never_meet():
    skeletons = ("skeleton_mask", "skeleton_mask_right", "skeleton_truth", "skeleton_truth_found")
    counts = dict(zip(skeletons, (4, 0, 6, 0), strict=True))
    assert formulas.evaluate("cldice", counts) == 0


def test_directions():
    worse_when_high = {name for name, metric in formulas.METRICS.items() if metric.direction < 0}
    assert worse_when_high == {"assd", "hd95"}


def test_which_way_a_metric_is_better_and_what_may_rank_methods():
    by_name = formulas.METRICS
    # all others are better the higher they are
    directions = {name: one.direction for name, one in by_name.items() if one.direction != 1}
    assert directions == {
        **{"hd95": -1, "assd": -1},
        **{"prevalence": 0, "count_error": 0, "area_error": 0},
    }
    assert {name for name, one in by_name.items() if one.decides} == {
        *("accuracy", "f1", "iou", "balanced_accuracy", "mcc", "cldice", "nsd", "object_f1"),
    }
    # all others are from 0 to 1
    ranges = {name: (one.low, one.high) for name, one in by_name.items()}
    assert {name: own for name, own in ranges.items() if own != (0, 1)} == {
        **{"mcc": (-1, 1), "hd95": (0, np.inf), "assd": (0, np.inf)},
        **{"count_error": (-np.inf, np.inf), "area_error": (-1, np.inf)},
    }
