"""Tables of several steps brought together, by hand."""

from tilewise.quality import tile_table
from tilewise.quality.feature_names import FEATURES


def feature_row(sample, tile, x, **more):
    place = {"sample": sample, "tile": tile, "z": "0", "y": "0", "x": str(x)}
    return place | dict.fromkeys(FEATURES, "1") | more


def test_a_tile_has_what_each_step_knows_of_it():
    features = [feature_row("a", "right", 64), feature_row("a", "left", 0)]
    thresholds = [
        {"sample": "a", "tile": "left", "foreground": value} for value in ("0.1", "0.5", "0.3")
    ]
    agreement = [{"sample": "a", "tile": "left", "agreement": "0.8"}]
    joined = tile_table.join(features, thresholds, agreement, {("a", "right")})
    left, right = joined["a"]
    # in order of their place; the median of three methods
    assert (left["tile"], left["foreground"], left["agreement"]) == ("left", 0.3, "0.8")
    assert (right["foreground"], right["agreement"]) == (None, None)
    assert (left["annotated"], right["annotated"]) == (False, True)


def test_flags_exclude_and_annotated_tiles_are_not_worth_annotating():
    features = [
        feature_row("a", "fine", 0),
        feature_row("a", "constant", 64, sd="0"),
        feature_row("a", "traced", 128),
    ]
    rows = tile_table.join(features, [], [], {("a", "traced")})["a"]
    tiles, most_worth = tile_table.judge(rows, {"contrast_to_noise": 0.5}, ["empty"], 5)
    by_name = {row["tile"]: row for row in tiles}
    assert by_name["constant"]["flags"] == "empty"
    assert [row["excluded"] for row in tiles] == ["", "yes", ""]
    assert [row["annotated"] for row in tiles] == ["", "", "yes"]
    assert [(row["rank"], row["tile"]) for row in most_worth] == [(1, "fine")]
    # it was picked because it looks hard
    assert [row["purpose"] for row in most_worth] == ["train"]


def test_slivers_are_not_worth_annotating():
    features = [feature_row("a", "rest", 0, edge="sliver"), feature_row("a", "fine", 64, edge="")]
    rows = tile_table.join(features, [], [], set())["a"]
    tiles, most_worth = tile_table.judge(rows, {}, [], 5)
    assert [row["edge"] for row in tiles] == ["sliver", ""]
    assert [row["tile"] for row in most_worth] == ["fine"]


def test_no_tile_is_named_unless_some_are_asked_for():
    rows = tile_table.join([feature_row("a", "fine", 0)], [], [], set())["a"]
    assert tile_table.judge(rows, {}, [], 0)[1] == []
