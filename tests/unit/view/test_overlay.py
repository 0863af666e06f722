"""Right and wrong in colour; what was not scored is dark and hatched."""

import cv2
import numpy as np
import pytest

from tilewise.score.confusion import confusion_map
from tilewise.view.overlay import COLORS, HATCH_GREY, blend, display, hatch_period

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (24, 31), np.uint8)
RGB = RNG.integers(0, 256, (24, 31, 3), np.uint8)
SCORED = RNG.integers(1, 5, (24, 31), np.uint8)
PERIOD = 8


def is_line(shape, corner=(0, 0), period=PERIOD):
    """Where lines are that are a pixel wide, pixel by pixel."""
    rows, columns = shape
    return np.array(
        [
            [(corner[0] + y + corner[1] + x) % period == 0 for x in range(columns)]
            for y in range(rows)
        ]
    )


def published(picture, codes, alpha):
    """The blend of the published procedure, of a tile that is annotated as a whole."""
    colors = np.array([(0, 0, 0), *(COLORS[kind] for kind in ("tn", "fp", "fn", "tp"))], np.uint8)
    if picture.ndim == 2:
        picture = np.stack([picture] * 3, -1)
    return cv2.addWeighted(picture, 1 - alpha, colors[codes], 1 - (1 - alpha), 0)


@pytest.mark.parametrize("picture", [GREY, RGB, RGB[:, ::-1]], ids=["grey", "colour", "view"])
@pytest.mark.parametrize("alpha", [0, 0.3, 1])
def test_what_is_scored_as_a_whole_has_no_hatching(picture, alpha):
    expected = published(picture, SCORED, alpha)
    for corner, period in (((0, 0), 8), ((512, 77), 16)):
        found = blend(picture, SCORED, COLORS, alpha, corner, period)
        np.testing.assert_array_equal(found, expected)


def test_by_hand():
    # true and false positives, not annotated, and true negatives; lines where y + x is 0 or 8
    picture = np.full((2, 4), 200, np.uint8)
    found = blend(picture, np.array([[4, 0, 0, 2], [0, 0, 1, 3]], np.uint8), alpha=0.5)
    dark = [66] * 3
    assert found.tolist() == [
        [[100, 228, 228], dark, dark, [228, 100, 228]],
        [dark, dark, [100] * 3, [228, 228, 100]],
    ]
    found = blend(picture, np.zeros((2, 4), np.uint8), corner=(6, 0))
    line = [HATCH_GREY] * 3
    assert found.tolist() == [[dark, dark, line, dark], [dark, line, dark, dark]]


@pytest.mark.parametrize("picture", [GREY, RGB], ids=["grey", "colour"])
def test_outside_of_a_region_of_interest(picture):
    y, x = np.mgrid[:24, :31]
    inside = np.hypot(y - 12, x - 15) < 10
    truth = np.where(inside, GREY > 128, 255).astype(np.uint8)
    codes = confusion_map(truth, ((GREY > 99) & inside).astype(np.uint8))
    found = blend(picture, codes)
    np.testing.assert_array_equal(found[inside], published(picture, codes, 0.3)[inside])
    of_three = np.stack([picture] * 3, -1) if picture.ndim == 2 else picture
    lines = is_line(inside.shape)
    assert (found[lines & ~inside] == HATCH_GREY).all()
    dark = ~lines & ~inside
    np.testing.assert_array_equal(found[dark], np.floor(of_three[dark] / 3))


@pytest.mark.parametrize("level", [0, 40, 128, 255])
def test_what_was_not_scored_is_told_from_what_was_on_any_ground(level):
    picture = np.full((24, 31), level, np.uint8)
    codes = np.ones_like(SCORED)
    codes[:, 15:] = 0
    found = blend(picture, codes)[..., 0].astype(int)
    scored, lines = found[0, 0], is_line(codes.shape)[:, 15:]
    assert (found[:, :15] == scored).all()
    assert (found[:, 15:][~lines] <= scored).all()
    # lines stand out from what lies between them
    assert np.ptp(found[:, 15:]) >= 40


@pytest.mark.parametrize("picture", [GREY, RGB], ids=["grey", "colour"])
@pytest.mark.parametrize("period", [8, 16, 41])
def test_hatching_goes_on_from_tile_to_tile(picture, period):
    codes = SCORED * (RNG.random(SCORED.shape) < 0.5)
    whole = blend(picture, codes, corner=(5, 70), period=period)
    for rows, columns in ((slice(0, 10), slice(0, 13)), (slice(10, 24), slice(13, 31))):
        corner = 5 + rows.start, 70 + columns.start
        found = blend(picture[rows, columns], codes[rows, columns], corner=corner, period=period)
        np.testing.assert_array_equal(found, whole[rows, columns])


def test_nothing_given_is_changed():
    picture, codes = RGB.copy(), np.zeros_like(SCORED)
    blend(picture, codes)
    np.testing.assert_array_equal(picture, RGB)
    assert not codes.any()


def test_large_tiles_have_wider_hatching():
    periods = [hatch_period(sides) for sides in ((16, 16), (64, 512), (512, 512), (2048, 300))]
    assert periods == [8, 16, 16, 64]
    # a sixth of it is line
    found = blend(np.zeros((1, 64), np.uint8), np.zeros((1, 64), np.uint8), period=64)
    assert np.flatnonzero(found[0, :, 0]).tolist() == list(range(10))


def test_what_is_shown_of_more_than_8_bits():
    # of 0 to 1000 the 0.5th percentile is 5, the 99.5th 995
    ramp = np.arange(1001, dtype=np.uint16)
    shown = display(ramp)
    assert shown.dtype == np.uint8
    assert (shown[5], shown[500], shown[995]) == (0, 128, 255)
    # 990 levels for 255
    assert shown[5 + 99] == round(99 * 255 / 990)
    assert (shown[:5] == 0).all()
    assert (shown[996:] == 255).all()
    np.testing.assert_array_equal(display(ramp.astype(np.int16) - 600), shown)
    assert (display(np.full((2, 2), 7, np.float32)) == 128).all()
    assert display(GREY) is GREY
