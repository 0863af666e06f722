import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import threshold_otsu
from sklearn.metrics import f1_score

from tilewise.demo import phantom
from tilewise.quality.feature_names import FEATURES
from tilewise.quality.features import MAX_CONTRAST_TO_NOISE, features
from tilewise.quality.flags import excluded_tiles, flag, flags_of_tiles, logit

SIDE = 256
SHAPE = (40, 4 * SIDE, 4 * SIDE)
ODD = 5
"""The tile that tests change."""
CHANGES = {
    "blurred": lambda tile: camera(cv2.GaussianBlur(tile, (0, 0), 3), noise=1.8),
    "saturated": lambda tile: tile + 60,
    "low_contrast": lambda tile: 120 + tile / 16,
    "uneven": lambda tile: tile - np.linspace(0, 90, SIDE),
    "striped": lambda tile: tile - 40 + camera(np.zeros((1, SIDE)), noise=14),
    "unimodal": lambda tile: camera(np.full_like(tile, 120), noise=10),
    "empty": lambda tile: np.full_like(tile, 120),
}
COPIES = {
    "16 bits": lambda tile: tile.astype(np.uint16) * 257,
    "offset": lambda tile: tile.astype(np.uint16) * 16 + 1000,
    "signed": lambda tile: (tile.astype(np.int32) * 100 - 9000).astype(np.int16),
    "float": lambda tile: tile.astype(np.float32) / 255 - 0.3,
    "large float": lambda tile: (tile.astype(np.float32) - 77) * np.float32(2.0**118),
    "small float": lambda tile: (tile.astype(np.float32) - 77) * np.float32(2.0**-118),
}


def camera(pixels, noise):
    return pixels + np.random.default_rng(0).normal(0, noise, pixels.shape)


def to_uint8(pixels):
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def rows_of(tiles):
    return [features(tile) for tile in tiles]


def changed(tiles, name):
    odd = to_uint8(CHANGES[name](tiles[ODD].astype(np.float64)))
    return [odd if number == ODD else tile for number, tile in enumerate(tiles)]


def cut(plane):
    starts = range(0, SHAPE[1], SIDE)
    return [plane[y : y + SIDE, x : x + SIDE].copy() for y in starts for x in starts]


@pytest.fixture(scope="module")
def tiles_and_truths():
    return tuple(map(cut, phantom.render(SHAPE, 1, 20, 0, SHAPE[1])))


@pytest.fixture(scope="module")
def tiles(tiles_and_truths):
    return tiles_and_truths[0]


@pytest.fixture(scope="module")
def tile(tiles):
    return tiles[ODD]


def row(**fields):
    usual = {"mean": 200, "sd": 12, "contrast": 80, "saturated": 0, "focus": 0.6, "gradient": 0.1}
    return {**usual, "stripes": 0.01, "separability": 0.6, "contrast_to_noise": 9, **fields}


# --- features --------------------------------------------------------------------------------


def test_grey_levels_agree_with_numpy_and_scikit_image(tile):
    found = features(tile)
    assert tuple(found) == FEATURES
    assert found["mean"] == pytest.approx(tile.mean(), rel=1e-12)
    assert found["sd"] == pytest.approx(tile.std(), rel=1e-12)
    first, last = np.percentile(tile, (1, 99), method="inverted_cdf")
    assert found["contrast"] == last - first
    bright = tile > threshold_otsu(tile)
    above, below = tile[bright].astype(float), tile[~bright].astype(float)
    between = bright.mean() * (1 - bright.mean()) * (above.mean() - below.mean()) ** 2
    assert found["separability"] == pytest.approx(between / tile.var(), rel=1e-9)
    # vessels are dark and fewer
    difference = above.mean() - below.mean()
    assert found["contrast_to_noise"] == pytest.approx(difference / above.std(), rel=1e-9)


def test_focus_agrees_with_scipy(tile):
    binomial = np.array([1, 4, 6, 4, 1]) / 16
    smooth = tile.astype(float)
    for axis in (0, 1):
        smooth = ndimage.correlate1d(smooth, binomial, axis=axis, mode="mirror")
    half = smooth[::2, ::2]
    fine = half - ndimage.uniform_filter(half, 15, mode="mirror")
    expected = ndimage.laplace(half, mode="mirror").var() / fine.var()
    assert features(tile)["focus"] == pytest.approx(expected, rel=1e-4)


def test_noise_has_its_known_values():
    noise = np.rint(camera(np.full((512, 512), 9000.0), noise=1000)).astype(np.uint16)
    found = features(noise)
    assert found["separability"] == pytest.approx(2 / np.pi, abs=0.005)
    # means that are 2 * sqrt(2 / pi) apart, over the deviation sqrt(1 - 2 / pi) of half a normal
    assert found["contrast_to_noise"] == pytest.approx(2.647, abs=0.03)
    assert found["stripes"] == pytest.approx(1 / 512, rel=0.3)
    assert found["gradient"] < 0.05


def test_gradient_by_hand():
    ramp = np.tile(np.arange(128, dtype=np.uint8), (128, 1))
    # medians of the blocks from 7.5 to 119.5; percentiles 1 and 126
    assert features(ramp)["gradient"] == pytest.approx(112 / 125, rel=1e-12)
    assert features(ramp.T.copy())["gradient"] == pytest.approx(112 / 125, rel=1e-12)


def test_gradient_sees_light_that_falls_off_on_all_sides():
    y, x = np.indices((128, 128)) - 63.5
    assert features(to_uint8(200 - (y * y + x * x) / 60))["gradient"] > 0.8


def test_gradient_is_not_misled_by_one_wide_vessel():
    tile = to_uint8(camera(np.full((256, 256), 200.0), noise=3))
    cv2.circle(tile, (100, 120), 16, 60, cv2.FILLED)
    assert features(tile)["gradient"] < 0.1


def test_stripes_by_hand():
    columns = np.tile(np.array([0, 10], np.uint8), (64, 32))
    both = columns + 2 * columns.T
    # rows are 10 off their mean, and 10 / 31 on the other side is the average over 31 of them; the
    # variance is 125, and 125 / 31**2 that of the averages: 100 * (32 / 31)**2 / (125 * 960 / 961)
    assert features(both)["stripes"] == pytest.approx(1024 / 1200, rel=1e-6)
    assert features(both.T.copy())["stripes"] == pytest.approx(1024 / 1200, rel=1e-6)
    assert features(columns)["stripes"] == 1


def test_a_ramp_has_no_stripes():
    ramp = np.tile(np.arange(128, dtype=np.uint8), (128, 1))
    assert features(ramp)["stripes"] == pytest.approx(0, abs=1e-9)


def test_saturated_counts_both_ends_of_8_bits():
    tile = np.random.default_rng(0).integers(1, 255, (100, 100), np.uint8)
    assert features(tile)["saturated"] == 0
    tile[0, :30], tile[1, :20] = 0, 255
    assert features(tile)["saturated"] == 50 / 10_000


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32])
def test_saturated_where_a_wider_dtype_is_clipped(dtype):
    light = camera(np.full((128, 128), 3000.0), noise=600)
    expected = np.mean(light >= 4095)
    assert expected > 0.01
    clipped = np.minimum(np.rint(light), 4095).astype(dtype)
    assert features(clipped)["saturated"] == pytest.approx(expected, rel=0.02)
    # of 128 x 128 values, none is at an end of the dtype
    assert features(np.rint(light).astype(dtype))["saturated"] == 0


def test_a_dim_background_of_8_bits_is_not_saturated():
    tile = np.full((64, 64), 3, np.uint8)
    tile[:, :5] = 4
    assert features(tile)["saturated"] == 0


def test_a_handful_of_equal_pixels_is_not_saturated():
    tile = np.random.default_rng(0).random((64, 64), np.float32)
    tile[0, :16] = 2
    assert features(tile)["saturated"] == 0
    tile[0, :17] = 2
    assert features(tile)["saturated"] == 17 / 4096


def test_blur_lowers_the_focus_the_more_the_wider(tile):
    widths = (0.5, 1, 2, 3, 5)
    blurred = [camera(cv2.GaussianBlur(tile.astype(float), (0, 0), s), 1) for s in widths]
    focus = [row["focus"] for row in rows_of(map(to_uint8, [tile, *blurred]))]
    assert focus == sorted(focus, reverse=True)
    assert focus[-1] < focus[0] / 4


def test_focus_depends_neither_on_contrast_nor_on_uneven_light(tile):
    focus = features(tile)["focus"]
    paler = 100 + tile.astype(np.float32) / 4
    uneven = tile.astype(np.float32) + np.linspace(0, 60, SIDE, dtype=np.float32)
    assert features(paler)["focus"] == pytest.approx(focus, rel=1e-3)
    assert features(uneven)["focus"] == pytest.approx(focus, rel=0.05)


@pytest.mark.parametrize("name", COPIES)
def test_copies_have_the_same_features(tile, name):
    copy = COPIES[name](tile)
    unit = float(np.ptp(copy)) / float(np.ptp(tile))
    expected, found = features(tile), features(copy)
    for feature in ("sd", "contrast"):
        assert found[feature] == pytest.approx(unit * expected[feature], rel=1e-3)
    assert found["mean"] == pytest.approx(copy.mean(dtype=float), rel=1e-6)
    for feature in ("focus", "gradient", "stripes", "separability", "contrast_to_noise"):
        assert found[feature] == pytest.approx(expected[feature], rel=2e-3, abs=1e-4)


@pytest.mark.parametrize("power", [-110, -40, 40, 110])
def test_features_of_floats_do_not_depend_on_the_scale(tile, power):
    pixels = tile.astype(np.float32) / 3 - 20
    expected = features(pixels)
    for feature in ("mean", "sd", "contrast"):
        expected[feature] *= 2.0**power
    assert features(pixels * np.float32(2.0**power)) == expected


@pytest.mark.parametrize(
    ("dtype", "value", "saturated"),
    [
        (np.uint8, 0, 1),
        (np.uint8, 255, 1),
        (np.uint8, 7, 0),
        (np.uint16, 65535, 1),
        (np.uint16, 255, 0),
        (np.int16, -32768, 1),
        (np.int16, 0, 0),
        (np.float32, 0, 0),
        (np.float32, 0.5, 0),
    ],
)
def test_constant_tiles(dtype, value, saturated):
    assert features(np.full((64, 40), value, dtype)) == {
        "mean": value,
        "sd": 0,
        "contrast": 0,
        "saturated": saturated,
        "focus": None,
        "gradient": 0,
        "stripes": 0,
        "separability": None,
        "contrast_to_noise": None,
    }


def test_a_tile_that_is_constant_but_for_few_pixels():
    tile = np.full((64, 64), 50, np.uint8)
    tile[30:33, 30:33] = 90
    found = features(tile)
    assert (found["contrast"], found["gradient"], found["separability"]) == (0, 0, 1)
    assert found["contrast_to_noise"] == MAX_CONTRAST_TO_NOISE
    assert found["sd"] > 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (31, 512), (32, 33), (45, 47)])
def test_tiles_at_a_corner(shape, dtype):
    tile = np.random.default_rng(0).integers(10, 90, shape).astype(dtype)
    found = features(tile)
    is_known = min(shape) >= 32
    for name in ("focus", "gradient", "stripes"):
        assert (found[name] is not None) == is_known
    assert found["mean"] == pytest.approx(tile.mean())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_must_be_finite(value):
    tile = np.ones((40, 40), np.float32)
    tile[3, 3] = value
    with pytest.raises(ValueError, match="not finite"):
        features(tile)


# --- flags -----------------------------------------------------------------------------------


def test_a_sample_without_faults_is_flagged_only_for_what_it_shows(tiles):
    flags = flag(rows_of(tiles))
    assert flags[ODD] == []
    assert set().union(*flags) <= {"unimodal", "low_contrast"}


def test_otsu_fails_where_no_two_classes_are(tiles_and_truths):
    tiles, truths = tiles_and_truths
    dice = [
        f1_score(truth.ravel(), (tile <= threshold_otsu(tile)).ravel())
        for tile, truth in zip(tiles, truths, strict=True)
    ]
    is_flagged = ["unimodal" in found for found in flag(rows_of(tiles))]
    failed = [value for value, flagged in zip(dice, is_flagged, strict=True) if flagged]
    worked = [value for value, flagged in zip(dice, is_flagged, strict=True) if not flagged]
    assert len(failed) >= 3
    assert max(failed) < min(worked)


@pytest.mark.parametrize("name", CHANGES)
def test_each_fault_is_flagged(tiles, name):
    before = flag(rows_of(tiles))
    after = flag(rows_of(changed(tiles, name)))
    assert name in after[ODD]
    assert after[:ODD] + after[ODD + 1 :] == before[:ODD] + before[ODD + 1 :]


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_has_the_same_flags(tiles, copy):
    faulty = tiles
    for shift, name in enumerate(("blurred", "uneven", "striped", "unimodal", "empty")):
        odd = changed(tiles, name)[ODD]
        faulty = [odd if number == 2 * shift else tile for number, tile in enumerate(faulty)]
    expected = flag(rows_of(faulty))
    assert sum(map(bool, expected)) >= 5
    assert flag(rows_of(map(COPIES[copy], faulty))) == expected


@pytest.mark.parametrize(("feature", "name"), [("focus", "blurred"), ("contrast", "low_contrast")])
def test_relative_flags_by_hand(feature, name):
    # of the logarithms, the median is 0 and the median absolute deviation 1
    logarithms = [-10, -1, -1, 0, 0, 0, 1, 1, 2]
    rows = [row(**{feature: np.exp(value)}) for value in logarithms]
    assert flag(rows) == [[name]] + [[]] * 8
    # 10 / 1.4826 = 6.745
    assert flag(rows, {feature: 6.74})[0] == [name]
    assert flag(rows, {feature: 6.75})[0] == []


def test_high_focus_and_contrast_are_no_fault():
    rows = [row() for _ in range(9)] + [row(focus=60, contrast=8000)]
    assert flag(rows)[-1] == []


def test_equal_tiles_do_not_make_a_small_difference_stand_out():
    # 10 % is assumed: log(0.9) is 1.05 and log(0.6) is 5.1 times as much
    assert flag([row() for _ in range(9)] + [row(focus=0.9 * 0.6)])[-1] == []
    assert flag([row() for _ in range(9)] + [row(focus=0.6 * 0.6)])[-1] == ["blurred"]


def test_few_tiles_are_not_compared():
    odd = row(focus=0.01, contrast=1, foreground=0.9, saturated=0.2)
    others = [row(foreground=0.03) for _ in range(7)]
    found = flag([odd, *others])
    assert found[0] == ["blurred", "saturated", "low_contrast", "foreground_outlier"]
    assert flag([odd, *others[1:]])[0] == ["saturated"]
    # one that is empty does not count
    assert flag([odd, *others[1:], row(sd=0, focus=None)])[0] == ["saturated"]


def test_limits_are_exclusive():
    limits = {"saturated": 0.5, "gradient": 0.5, "stripes": 0.5, "contrast_to_noise": 0.5}
    assert flag([row(**limits)], limits) == [[]]
    beyond = row(saturated=0.51, gradient=0.51, stripes=0.51, contrast_to_noise=0.49)
    assert flag([beyond], limits) == [["saturated", "uneven", "striped", "unimodal"]]


def test_empty_tiles_have_no_other_flag_and_are_not_compared():
    empty = {**features(np.zeros((64, 64), np.uint8)), "foreground": 0}
    rows = [empty] * 20 + [row(foreground=0.03) for _ in range(9)] + [row(contrast=2)]
    assert flag(rows) == [["empty"]] * 20 + [[]] * 9 + [["low_contrast"]]


def test_foreground_stands_out_on_either_side():
    # logit(0.02) = -3.89; deviations are 0, so 3.5 times 0.1 is the limit: 0.0283 and 0.0142
    rows = [row(foreground=0.02) for _ in range(9)]
    rows += [row(foreground=value) for value in (0.0280, 0.0286, 0.0143, 0.0141, 0, 1, None)]
    expected = [False, True, False, True, True, True, False]
    assert [found == ["foreground_outlier"] for found in flag(rows)[9:]] == expected


def test_a_sample_with_mostly_no_contrast():
    rows = [row(contrast=0) for _ in range(9)] + [row(contrast=5)]
    assert flag(rows) == [[]] * 10
    assert flag([row(contrast=0) for _ in range(9)]) == [[]] * 9


def test_rows_may_be_text(tiles):
    rows = rows_of(changed(tiles, "empty"))
    text = [{name: "" if v is None else str(v) for name, v in fields.items()} for fields in rows]
    assert flag(text) == flag(rows)


def table(sample, **tiles):
    """Rows as a table of features gives them."""
    return [
        row(sample=sample, tile=tile, z="0", y="0", x=str(x), **fields)
        for x, (tile, fields) in enumerate(tiles.items())
    ]


def test_excluded_tiles_by_hand():
    rows = [
        *table("a", even={}, striped={"stripes": "0.2"}, uneven={"gradient": "0.5"}),
        *table("b", even={"sd": "0"}, both={"stripes": "0.2", "gradient": "0.5"}),
    ]
    flags = flags_of_tiles(iter(rows), {})
    assert excluded_tiles(flags, ()) == set()
    assert excluded_tiles(flags, ["striped"]) == {("a", "striped"), ("b", "both")}
    assert excluded_tiles(flags_of_tiles(rows, {"stripes": 0.3}), ["striped"]) == set()
    assert excluded_tiles(flags, ["uneven", "empty"]) == {
        ("a", "uneven"),
        ("b", "both"),
        ("b", "even"),
    }


def test_no_tiles():
    assert flag([]) == []


def test_limits_have_known_names():
    with pytest.raises(ValueError, match="no limit is called blur: use focus"):
        flag([row()], {"blur": 3})


def test_logit_is_symmetric_and_finite():
    found = logit(np.array([0, 0.5, 1, 0.2, 0.8, np.nan]))
    assert found[:2].tolist() == [pytest.approx(-9.21, abs=0.001), 0]
    assert found[2] == pytest.approx(-found[0])
    assert found[3] == pytest.approx(np.log(0.25))
    assert found[4] == pytest.approx(-found[3])
    assert np.isnan(found[5])
