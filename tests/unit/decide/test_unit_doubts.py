"""Why there are few units, and when they are too near."""

import pytest

from tilewise.decide.folds import Folds
from tilewise.decide.places import Place
from tilewise.decide.space import Nearness
from tilewise.decide.unit_doubts import doubts_of

SETTINGS = {
    **{"unit": "auto", "plane_gap": 10, "folds": 10},
    **{"tile_gap": 1, "cell": 3, "min_units": 5},
}


def plane(rows, columns, z=0, sample="a"):
    return [Place(sample, z, row, column) for row in range(rows) for column in range(columns)]


def folds_of(places, groups=None, **changes):
    groups = groups or {place.sample: place.sample for place in places}
    tiles = {place: (place.y, place.x) for place in places}
    return Folds.of(places, groups, SETTINGS | changes, tiles)


def doubts(places, groups=None, nearness=None, **changes):
    known = doubts_of(folds_of(places, groups, **changes), SETTINGS | changes, nearness)
    return {doubt.code: str(doubt) for doubt in known}


@pytest.mark.parametrize(
    ("places", "groups", "number", "reason", "remedy"),
    [
        (
            [Place("a", z, 0, 0) for z in range(12)],
            {},
            "12 annotated tiles are 1 independent unit (parts of one unit)",
            "12 planes are 1 unit, since planes fewer than 10 apart are one",
            "`plane_gap`",
        ),
        (
            [*plane(4, 4), *plane(4, 4, sample="b")],
            {},
            "32 annotated tiles are 2 independent units (sample)",
            "all tiles of a sample are one unit",
            "`unit: plane`",
        ),
        (
            [Place(sample, 0, 0, 0) for sample in "abcdef"],
            dict.fromkeys("abc", "mouse") | dict.fromkeys("def", "rat"),
            "6 annotated tiles are 2 independent units (sample)",
            "6 samples are 2 groups",
            "`group`",
        ),
        (
            [*plane(2, 2), *plane(2, 2, z=20)],
            {},
            "8 annotated tiles are 2 independent units (plane)",
            "all tiles of a plane are one unit",
            "`unit: tile`",
        ),
        (
            plane(6, 6),
            {},
            "36 annotated tiles are 4 independent units (cell)",
            "tiles that touch are brought together in cells of 3 x 3 tiles",
            "`cell`",
        ),
        (
            plane(5, 5),
            {},
            "25 annotated tiles are 1 independent unit (near tiles of one plane)",
            "tiles that touch are one unit",
            "`tile_gap`",
        ),
    ],
)
def test_few_units_are_explained(places, groups, number, reason, remedy):
    text = doubts(places, groups)["few_units"]
    assert text.startswith(number)
    assert reason in text
    assert remedy in text


def test_a_unit_that_is_asked_for_can_be_the_reason():
    text = doubts([Place("a", z, 0, 0) for z in range(12)], unit="plane")["few_units"]
    assert "all are one plane, and `unit: plane` is asked for" in text
    assert text.endswith(
        "or write `unit: auto` under `decision` in the configuration: intervals then hold for it "
        "alone, and say nothing of others"
    )


def test_nothing_to_explain():
    assert doubts([place for sample in "abcde" for place in plane(2, 2, sample=sample)]) == {}


def test_as_few_units_as_tiles_are_few():
    text = doubts([Place(sample, 0, 0, 0) for sample in "abc"])["few_units"]
    assert text == (
        "3 annotated tiles are 3 independent units (sample), 5 are needed for intervals and tests; "
        "annotate further samples"
    )


def test_a_single_tile_says_nothing_of_other_images():
    known = doubts([Place("a", 0, 0, 0, str(i)) for i in range(9)])
    assert list(known) == ["few_units"]
    assert known["few_units"].startswith(
        "a single tile is annotated, and its 9 blocks are not independent: how well any method "
        "does on another image is unknown"
    )
    assert "a single tile is annotated: how well" in doubts([Place("a", 0, 0, 0)])["few_units"]


def test_cells_that_touch_are_in_doubt():
    text = doubts(plane(9, 9))["near_units"]
    # in the simulation of 16 such cells, tests err in 16 %
    assert text.startswith("the 9 units are cells of 3 x 3 tiles near each other: if errors are")
    assert "in 14 % of studies" in text
    assert "correlation" not in text
    # in the simulation of such tiles in 24 %, within 5 points
    assert "in 31 % of studies" in doubts(plane(4, 4), tile_gap=0)["near_units"]


def test_a_correlation_is_told_where_it_is_sure():
    # five tiles between them: their nearness alone is no reason
    far = [Place("a", 0, 0, 6 * i) for i in range(6)]
    assert doubts(far) == {}
    known = doubts(far, nearness=Nearness(0.8, 2.4, 5))["near_units"]
    assert "neighbours have a correlation of 0.80, as if there were 2 units (a rough guess" in known
    # 1.645 standard errors of five pairs are 0.74, and 5.2 of 6 units are enough
    assert doubts(far, nearness=Nearness(0.7, 2.4, 5)) == {}
    assert doubts(far, nearness=Nearness(0.8, 5.2, 5)) == {}


def test_folds_without_a_margin_are_in_doubt():
    # the middle one of three rows of three has no tile that does not touch it
    known = doubts(plane(3, 3), cell=1)
    assert known["no_margin"].startswith("1 of 9 folds leave no tiles")
    assert "no_margin" not in doubts(plane(6, 6), cell=2)
