from fractions import Fraction

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, jaccard_score, matthews_corrcoef

from tilewise.score import confusion, formulas

TRUTH = np.array(
    [
        [0, 0, 1, 1, 0],
        [0, 0, 1, 1, 0],
        [255, 0, 0, 1, 0],
        [255, 255, 0, 0, 0],
        [0, 0, 0, 0, 1],
    ],
    np.uint8,
)
MASK = np.array(
    [
        [0, 1, 1, 1, 0],
        [0, 0, 1, 0, 0],
        [1, 0, 0, 1, 0],
        [0, 1, 0, 0, 0],
        [1, 0, 0, 0, 0],
    ],
    np.uint8,
)


def metrics(tp, fp, fn, tn):
    row = {"tp": tp, "fp": fp, "fn": fn, "tn": tn}
    formulas.set_metrics([row], formulas.PIXEL_METRICS)
    return row


def test_confusion_map_by_hand():
    codes = confusion.confusion_map(TRUTH, MASK)
    assert codes.tolist() == [
        [1, 2, 4, 4, 1],
        [1, 1, 4, 3, 1],
        [0, 1, 1, 4, 1],
        [0, 0, 1, 1, 1],
        [2, 1, 1, 1, 3],
    ]
    assert confusion.count(codes) == {"tp": 4, "fp": 2, "fn": 2, "tn": 14}


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="must be equal"):
        confusion.confusion_map(TRUTH, MASK[:3])


def test_a_mask_of_0_and_255_is_refused():
    with pytest.raises(ValueError, match="must be 0 and 1, not 0 and 255"):
        confusion.confusion_map(TRUTH, MASK * 255)


def test_metrics_by_hand():
    found = metrics(4, 2, 2, 14)
    assert found["accuracy"] == 18 / 22
    assert found["precision"] == 4 / 6
    assert found["recall"] == 4 / 6
    assert found["specificity"] == 14 / 16
    assert found["f1"] == 8 / 12
    assert found["iou"] == 4 / 8
    assert found["balanced_accuracy"] == (4 / 6 + 14 / 16) / 2
    assert found["prevalence"] == 6 / 22
    # (4 * 14 - 2 * 2) / sqrt(6 * 6 * 16 * 16)
    assert found["mcc"] == pytest.approx(52 / 96, rel=1e-15)


def test_metrics_agree_with_scikit_learn():
    generator = np.random.default_rng(0)
    for prevalence in (0.02, 0.3, 0.9):
        truth = (generator.random(4000) < prevalence).astype(np.uint8)
        mask = truth ^ (generator.random(4000) < 0.1)
        counts = confusion.count(
            confusion.confusion_map(truth.reshape(50, 80), mask.reshape(50, 80))
        )
        found = metrics(**counts)
        assert found["f1"] == pytest.approx(f1_score(truth, mask), rel=1e-12)
        assert found["iou"] == pytest.approx(jaccard_score(truth, mask), rel=1e-12)
        assert found["mcc"] == pytest.approx(matthews_corrcoef(truth, mask), rel=1e-12)
        assert found["balanced_accuracy"] == pytest.approx(
            balanced_accuracy_score(truth, mask), rel=1e-12
        )


def test_the_published_tile():
    found = metrics(tp=5595, fp=122, fn=1863, tn=254564)
    assert found["accuracy"] == 0.9924278259277344
    assert found["f1"] == 0.8493358633776091
    assert found["mcc"] == pytest.approx(0.8533910225863214, rel=1e-15)


def test_mcc_does_not_overflow_at_a_terapixel():
    tp, fp, fn, tn = 30 * 10**9, 10**9, 7 * 10**9, 962 * 10**9
    square = Fraction((tp * tn - fp * fn) ** 2, (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    assert metrics(tp, fp, fn, tn)["mcc"] == pytest.approx(float(square) ** 0.5, 1e-14)
    # the same proportions at a thousandth of the size
    small = metrics(tp // 1000, fp // 1000, fn // 1000, tn // 1000)
    assert small["mcc"] == pytest.approx(metrics(tp, fp, fn, tn)["mcc"], rel=1e-15)


@pytest.mark.parametrize(
    ("counts", "edge", "f1", "iou", "mcc", "precision", "recall"),
    [
        ((0, 0, 0, 9), "both_empty", 1, 1, 1, None, None),
        ((9, 0, 0, 0), "both_full", 1, 1, 1, 1, 1),
        ((0, 0, 3, 6), "mask_empty", 0, 0, 0, None, 0),
        ((0, 3, 0, 6), "truth_empty", 0, 0, 0, 0, None),
        ((3, 6, 0, 0), "mask_full", 0.5, 3 / 9, 0, 3 / 9, 1),
        ((3, 0, 6, 0), "truth_full", 0.5, 3 / 9, 0, 1, 3 / 9),
        ((0, 4, 5, 0), "all_wrong", 0, 0, -1, 0, 0),
        ((0, 9, 0, 0), "mask_full", 0, 0, -1, 0, None),
        ((0, 0, 9, 0), "mask_empty", 0, 0, -1, None, 0),
        ((0, 0, 0, 0), "not_annotated", None, None, None, None, None),
        ((2, 3, 1, 4), "normal", 0.5, 2 / 6, None, 0.4, 2 / 3),
        ((4, 2, 2, 14), "normal", 8 / 12, 0.5, None, 4 / 6, 4 / 6),
    ],
)
def test_degenerate_cases(counts, edge, f1, iou, mcc, precision, recall):
    assert confusion.edge(*counts) == edge
    found = metrics(*counts)
    assert (found["f1"], found["iou"]) == (f1, iou)
    assert (found["precision"], found["recall"]) == (precision, recall)
    if edge != "normal":
        assert found["mcc"] == mcc


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (2, 3)])
def test_tiles_at_a_corner(shape):
    """A sample of 513 x 513 px has a tile of one pixel."""
    truth, mask = np.zeros(shape, np.uint8), np.ones(shape, np.uint8)
    assert confusion.confusion_map(truth, mask).tolist() == np.full(shape, 2).tolist()
    counts = confusion.count(confusion.confusion_map(truth, mask))
    assert counts == {"tp": 0, "fp": truth.size, "fn": 0, "tn": 0}
