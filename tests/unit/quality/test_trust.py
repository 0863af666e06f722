import numpy as np
import pytest

from tilewise.quality.features import features
from tilewise.quality.trust import COLUMNS, most_worth, trust


def logit(fraction):
    return np.log(fraction / (1 - fraction))


def stack(foreground):
    """Rows of a (planes, rows, columns) array of fractions; NaN where there is no tile."""
    return [
        {"z": z, "y": 512 * y, "x": 512 * x, "foreground": float(value)}
        for (z, y, x), value in np.ndenumerate(foreground)
        if not np.isnan(value)
    ]


def line(values, name="gradient", **fields):
    """Tiles far apart, in one plane, that differ in one feature."""
    return [{"z": 0, "y": 0, "x": 0, name: value, **fields} for value in values]


def field(found, name):
    return [fields[name] for fields in found]


def none(rows):
    return [False] * len(rows)


# --- drift -----------------------------------------------------------------------------------


def test_a_jump_along_z_is_the_greatest_drift():
    fractions = np.full((10, 1, 1), 0.03)
    fractions[5] = 0.3
    found = trust(stack(fractions), [False] * 10)
    # all other deviations are 0: their scale is 0.1
    expected = [0] * 5 + [(logit(0.3) - logit(0.03)) / 0.1] + [0] * 4
    assert field(found, "drift_z") == pytest.approx(expected)
    assert field(found, "drift_plane") == [None] * 10
    assert np.argmin(field(found, "trust")) == 5


def test_a_slow_trend_along_z_is_no_drift():
    trend = 1 / (1 + np.exp(-np.linspace(-4, -1, 13)))
    found = trust(stack(trend.reshape(-1, 1, 1)), [False] * 13)
    # in the middle, two planes on either side cancel
    assert field(found, "drift_z")[2:-2] == pytest.approx([0] * 9, abs=1e-9)


def test_a_fraction_unlike_those_around_it_is_a_drift_in_the_plane():
    fractions = np.full((1, 4, 5), 0.05)
    fractions[0, 1, 3] = 0.01
    found = trust(stack(fractions), [False] * 20)
    expected = np.zeros((4, 5))
    expected[1, 3] = (logit(0.01) - logit(0.05)) / 0.1
    assert field(found, "drift_plane") == pytest.approx(expected.ravel())
    assert field(found, "drift_z") == [None] * 20


def robust(deviations):
    known = [abs(value) for value in deviations if value is not None]
    scale = max(1.4826 * np.median(known), 0.1)
    return [None if value is None else value / scale for value in deviations]


def test_drifts_agree_with_a_search_of_all_pairs():
    generator = np.random.default_rng(3)
    fractions = generator.uniform(0.01, 0.2, (7, 4, 5))
    fractions[generator.random(fractions.shape) < 0.25] = np.nan
    fractions[2:, 1, 2] = np.nan
    rows = stack(fractions)
    generator.shuffle(rows)
    along, across = [], []
    for row in rows:
        here = [other for other in rows if (other["y"], other["x"]) == (row["y"], row["x"])]
        here.sort(key=lambda other: other["z"])
        start = max(min(here.index(row) - 2, len(here) - 5), 0)
        planes = [other for other in here[start : start + 5] if other is not row]
        around = [
            other
            for other in rows
            if other["z"] == row["z"]
            and max(abs(other["y"] - row["y"]), abs(other["x"] - row["x"])) == 512
        ]
        for deviations, others, fewest in ((along, planes, 2), (across, around, 3)):
            median = np.median([logit(other["foreground"]) for other in others] or [0])
            enough = len(others) >= fewest
            deviations.append(logit(row["foreground"]) - median if enough else None)
    assert None in along
    assert None in across
    found = trust(rows, none(rows))
    for name, expected in (("drift_z", robust(along)), ("drift_plane", robust(across))):
        assert [value is None for value in field(found, name)] == [v is None for v in expected]
        assert [value for value in field(found, name) if value is not None] == pytest.approx(
            [value for value in expected if value is not None]
        )


def test_empty_tiles_neither_drift_nor_make_others_drift():
    fractions = np.full((12, 1, 1), 0.03)
    fractions[4:7] = 0
    rows = stack(fractions)
    for row in rows[4:7]:
        row["flags"] = ["empty"]
    found = field(trust(rows, none(rows)), "drift_z")
    assert found[4:7] == [None] * 3
    # the planes next to three empty ones have two others left
    assert found[:4] + found[7:] == pytest.approx([0] * 9)


def test_few_tiles_have_no_drift():
    assert field(trust(stack(np.full((7, 1, 1), 0.03)), [False] * 7), "drift_z") == [None] * 7
    assert field(trust(stack(np.full((8, 1, 1), 0.03)), [False] * 8), "drift_z") == [0] * 8


# --- distance --------------------------------------------------------------------------------


def test_distance_by_hand():
    # the median is 0.4, the median absolute deviation 0.2
    rows = line(np.arange(9) / 10)
    found = trust(rows, [i == 7 for i in range(9)])
    expected = np.abs(np.arange(9) - 7) / 10 / (1.4826 * 0.2)
    assert field(found, "distance") == pytest.approx(expected)
    assert field(found, "annotated") == [0] * 7 + [1, 0]
    # the nearest of two
    found = trust(rows, [i in (1, 7) for i in range(9)])
    assert field(found, "distance")[3] == pytest.approx(expected[5])


def test_distance_is_the_root_mean_square_over_features():
    rows = line(np.arange(9) / 10)
    for row in rows:
        row["stripes"] = 0.8 - row["gradient"]
    for row in rows[:8]:
        row["saturated"] = 0.3
    found = field(trust(rows, [i == 7 for i in range(9)]), "distance")
    unit = 1 / (1.4826 * 2)
    # three features, of which one is the same, or is taken to be the same, in all tiles
    assert found == pytest.approx(np.abs(np.arange(9) - 7) * unit * np.sqrt(2 / 3))


def test_a_tile_unlike_all_others_is_the_farthest():
    rows = [*line(np.linspace(0.1, 0.11, 9)), *line([5000])]
    found = field(trust(rows, [i == 4 for i in range(10)]), "distance")
    assert np.argmax(found) == 9
    # however far
    assert found[9] <= 8


def test_brightness_and_gain_do_not_change_a_distance():
    generator = np.random.default_rng(0)
    tiles = [generator.integers(a, 90 + 9 * a, (64, 64), np.uint8) for a in range(1, 10)]

    def distances(tiles):
        rows = [{"z": 0, "y": 0, "x": 0, **features(tile)} for tile in tiles]
        return field(trust(rows, [i == 2 for i in range(9)]), "distance")

    expected = distances(tiles)
    assert max(expected) > 0.5
    shifted = [tile.astype(np.uint16) * 90 + 500 for tile in tiles]
    assert distances(shifted) == pytest.approx(expected, rel=1e-3)


def test_no_distance_without_annotated_tiles():
    rows = line(np.arange(9) / 10)
    assert field(trust(rows, none(rows)), "distance") == [None] * 9


# --- trust -----------------------------------------------------------------------------------


def test_trust_by_hand():
    rows = line([0.1] * 4, agreement=0.8, contrast_to_noise=5.3, flags=["striped", "uneven"])
    rows[1]["agreement"] = 0.2
    rows[2] |= {"agreement": None, "contrast_to_noise": ""}
    rows[3] |= {"contrast_to_noise": 2, "flags": []}
    assert field(trust(rows, none(rows)), "trust") == pytest.approx(
        [(0.8 + 0.5 + 1 / 3) / 3, (0.2 + 0.5 + 1 / 3) / 3, 1 / 3, (0.8 + 0 + 1) / 3]
    )


def test_distance_and_drift_in_trust_by_hand():
    rows = line(np.arange(9) / 10)
    unit = 1 / (1.4826 * 2)
    found = field(trust(rows, [i == 7 for i in range(9)]), "trust")
    expected = [(1 + 1 / (1 + (unit * abs(i - 7)) ** 2)) / 2 for i in range(9)]
    assert found == pytest.approx(expected)
    fractions = np.full((10, 1, 1), 0.5)
    # three times the least scale of 0.1 off
    fractions[5] = 1 / (1 + np.exp(-0.3))
    found = field(trust(stack(fractions), [False] * 10), "trust")
    assert found[5] == pytest.approx((1 + 0.5) / 2)
    assert found[0] == 1


def test_both_drifts_count_half_of_one_part():
    fractions = np.full((10, 3, 3), 0.5)
    # in all planes: a drift in the plane only, of three times the least scale
    fractions[:, 1, 1] = 1 / (1 + np.exp(-0.3))
    found = np.reshape(field(trust(stack(fractions), [False] * 90), "trust"), fractions.shape)
    assert found[:, 1, 1] == pytest.approx([(1 + (1 + 0.5) / 2) / 2] * 10)


@pytest.mark.parametrize(
    ("name", "better", "worse"),
    [
        ("agreement", 0.9, 0.3),
        ("contrast_to_noise", 9, 4),
        ("flags", [], ["blurred"]),
        ("flags", ["blurred"], ["blurred", "striped"]),
        ("foreground", 0.03, 0.2),
        ("foreground", 0.03, 0.001),
    ],
)
def test_trust_falls_with_each_part(name, better, worse):
    usual = {"agreement": 0.9, "contrast_to_noise": 9, "flags": [], name: better}
    rows = [{**row, **usual} for row in stack(np.full((5, 3, 3), 0.03))]
    rows[22][name] = worse
    found = field(trust(rows, [i == 0 for i in range(45)]), "trust")
    assert np.argmin(found) == 22
    assert 0 <= found[22] < found[21] <= 1


def test_rows_may_be_text():
    rows = stack(np.random.default_rng(1).uniform(0.01, 0.1, (4, 3, 3)))
    for row in rows:
        row |= {"agreement": 0.25, "focus": row["foreground"] * 7, "stripes": None}
    text = [{name: "" if v is None else str(v) for name, v in row.items()} for row in rows]
    annotated = [i % 9 == 0 for i in range(36)]
    found = trust(rows, annotated)
    assert trust(text, annotated) == found
    assert all(tuple(fields) == COLUMNS for fields in found)
    assert most_worth(text, found, 4) == most_worth(rows, found, 4)


def test_no_tiles():
    assert trust([], []) == []
    assert most_worth([], [], 3) == []


def test_as_many_tiles_everywhere():
    rows = line([0.1, 0.2])
    with pytest.raises(ValueError, match="2 tiles, but 1 values"):
        trust(rows, [True])
    with pytest.raises(ValueError, match="2 tiles, but the trust of 0"):
        most_worth(rows, [], 1)


# --- most worth ------------------------------------------------------------------------------


def trusts(values, annotated=()):
    return [
        {"trust": value, "annotated": int(number in annotated)}
        for number, value in enumerate(values)
    ]


def test_two_tiles_that_are_alike_are_not_chosen_first():
    rows = line([0.1, 0.2, 0.3, 0.4, 0.5, 0.9, 0.901])
    found = most_worth(rows, trusts([0.6, 0.6, 0.6, 0.6, 0.6, 0.1, 0.1]), 7)
    # the two of least trust are alike: the farthest from them is next, and the other is the last
    assert found[:2] == [5, 0]
    assert found[-1] == 6
    assert sorted(found) == list(range(7))


def test_choice_by_hand():
    # distances in units of 0.1: the scale cancels
    rows = line(np.arange(9) / 10)
    # 1 - trust times the distance from tile 4: 0.4, 1.5, 0.2, 0.1, -, 0.1, 0.2, 1.5, 1.6
    found = most_worth(rows, trusts([0.9, 0.5, 0.9, 0.9, 0, 0.9, 0.9, 0.5, 0.6], {4}), 3)
    # then from 8 too: tile 7 has 0.5; then from 1 too: tile 7 still 0.5, tile 0 has 0.1
    assert found == [8, 1, 7]


def test_annotated_and_empty_tiles_are_never_chosen():
    rows = line(np.arange(9) / 10)
    rows[8]["flags"] = ["empty"]
    found = most_worth(rows, trusts([0, *[0.5] * 7, 0], {0, 3}), 9)
    assert sorted(found) == [1, 2, 4, 5, 6, 7]
    assert found[0] == 7


def test_tiles_that_are_annotated_already_are_as_good_as_chosen():
    rows = line([0.1, 0.1, 0.5, 0.5, 0.9, 0.9])
    assert most_worth(rows, trusts([0.5] * 6, {0, 4}), 1) == [2]


def test_trust_decides_among_tiles_that_are_alike():
    rows = line([0.1] * 4)
    assert most_worth(rows, trusts([0.9, 0.2, 0.5, 0.2]), 4) == [1, 3, 2, 0]
    assert most_worth(rows, trusts([0.9, 0.2, 0.5, 0.2], {0}), 4) == [1, 3, 2]


def test_distance_decides_among_tiles_that_are_trusted():
    rows = line([0.1, 0.11, 0.5, 0.9])
    assert most_worth(rows, trusts([1] * 4, {0}), 2) == [3, 2]


def test_none_and_all():
    rows = line([0.1, 0.2, 0.3])
    assert most_worth(rows, trusts([0.5] * 3), 0) == []
    assert len(most_worth(rows, trusts([0.5] * 3), 10)) == 3
    assert most_worth(rows, trusts([0.5] * 3, {0, 1, 2}), 10) == []


def test_end_to_end_with_trust():
    fractions = np.random.default_rng(2).uniform(0.02, 0.04, (6, 4, 4))
    fractions[3, 1, 1] = fractions[2, 3, 2] = 0.6
    rows = [{**row, "flags": []} for row in stack(fractions)]
    rows[0]["flags"] = ["empty"]
    odd = [3 * 16 + 1 * 4 + 1, 2 * 16 + 3 * 4 + 2]
    found = most_worth(rows, trust(rows, [i == 5 for i in range(96)]), 3)
    assert found[0] in odd
    # the other one is equal to it
    assert found[1] not in odd
    assert not {0, 5} & set(found)
