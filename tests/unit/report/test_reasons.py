"""Why a tile scores as it does: masks of the phantom that are wrong in a known way."""

import cv2
import numpy as np
import pytest

from tilewise.demo.phantom import render
from tilewise.quality.flags import FLAGS
from tilewise.report import reasons
from tilewise.report.reasons import reason
from tilewise.score.confusion import confusion_map, count
from tilewise.score.structure import compare

SHAPE = (1, 512, 512)


@pytest.fixture(scope="module")
def truth():
    return render(SHAPE, 1, 0, 0, 512)[1]


def row_of(truth, mask, flags="", choices=("cldice",)):
    """What the table of metrics has."""
    counts = count(confusion_map(truth, mask)) | compare(truth, mask, choices)
    return {name: str(value) for name, value in counts.items()} | {"flags": flags}


def grown(mask, pixels):
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1,) * 2)
    return cv2.dilate(mask, kernel)


def specks(truth, number=300, side=5):
    """False objects away from the truth."""
    mask, far = truth.copy(), grown(truth, 9)
    rng = np.random.default_rng(0)
    for y, x in rng.integers(0, 512 - side, (number, 2)):
        if not far[y : y + side, x : x + side].any():
            mask[y : y + side, x : x + side] = 1
    return mask


def without_pieces(truth):
    """Every second object is missed."""
    _, labels = cv2.connectedComponents(truth)
    return truth * (labels % 2).astype(np.uint8)


def test_a_mask_that_is_too_thick(truth):
    said = reason(row_of(truth, grown(truth, 1)))
    assert said.startswith("mostly false foreground: ")
    assert " and 0 px missed; centrelines are right, so that errors are along outlines" in said


def test_false_specks(truth):
    said = reason(row_of(truth, specks(truth)))
    assert said.startswith("mostly false foreground: ")
    assert "of the mask's centrelines are false: specks or lines of their own" in said
    assert "outlines" not in said


def test_missed_pieces(truth):
    said = reason(row_of(truth, without_pieces(truth)))
    assert said.startswith("mostly missed foreground: 0 px too many and ")
    assert "of the centrelines are missed: whole pieces, not outlines" in said
    assert "false:" not in said


def test_a_mask_that_is_moved_aside(truth):
    said = reason(row_of(truth, np.roll(truth, 1, axis=1)))
    assert said.startswith("false and missed foreground alike: ")


def test_counts_alone_say_less(truth):
    said = reason(row_of(truth, grown(truth, 1), choices=()))
    wrong = int((grown(truth, 1) != truth).sum())
    assert said == f"mostly false foreground: {wrong:,} px too many and 0 px missed"


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((0, 0, 0), ""),
        ((300, 0, 0), "all that is annotated is right"),
        ((0, 7, 0), "the truth has no foreground, and the mask 7 px"),
        ((0, 0, 300), "nothing is found: 0 px too many and 300 px missed"),
        ((0, 5, 300), "nothing that is found is right: 5 px too many and 300 px missed"),
        # at most twice as many are alike
        ((300, 40, 20), "false and missed foreground alike: 40 px too many and 20 px missed"),
        ((300, 41, 20), "mostly false foreground: 41 px too many and 20 px missed"),
        (
            (300, 1275, 890),
            "false and missed foreground alike: 1,275 px too many and 890 px missed",
        ),
        (
            (70, 5, 14),
            "mostly missed foreground: 5 px too many and 14 px missed; only 84 px are foreground "
            "in the truth, so that each weighs much",
        ),
    ],
)
def test_counts_in_words(counts, said):
    assert reason(dict(zip(("tp", "fp", "fn"), counts, strict=True)) | {"flags": ""}) == said


@pytest.mark.parametrize("flag", FLAGS)
def test_flags_in_words(flag):
    said = reason({"tp": "300", "fp": "0", "fn": "0", "flags": f"{flag};other"})
    assert said == f"all that is annotated is right; {reasons.FLAGS[flag]}"
