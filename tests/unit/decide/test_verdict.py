"""What may be said of the methods, from tables written by hand."""

import pytest
from right_pixels import table_of

from tilewise.decide.evidence import Rules
from tilewise.decide.verdict import advice, describe, opening, verdict, worst_tiles


def rules(units=8):
    return Rules("mcc", "micro", 0.01, 0.95, 5, 100, 0, "bootstrap_t", 10, "sample", units)


def ranking(*methods):
    """Of methods in order, each with its relation to the first."""
    return [{"method": name, "metric": "mcc", "relation": relation} for name, relation in methods]


FEW = ranking(("a", ""), ("b", "not tested"))
OPEN = ranking(("a", ""), ("b", "cannot tell"), ("c", "worse"))
USED = (
    " b is used: of those that may be the best and score within 0.01 of the highest, it is the "
    "simplest."
)


@pytest.mark.parametrize(
    ("rows", "units", "said"),
    [
        (ranking(("a", "")), 8, "a is the only method: there is nothing to compare it with."),
        (
            FEW,
            1,
            "Cannot tell with this much truth: 1 independent unit (sample), at least 5 are needed. "
            "a has the highest MCC here.",
        ),
        (
            ranking(("a", ""), ("b", "cannot tell")),
            8,
            "Cannot tell with this much truth: no method can be told apart from a, which has the "
            "highest MCC.",
        ),
        (OPEN, 8, "a has the highest MCC, but cannot be told apart from b."),
        (
            ranking(("a", ""), ("b", "cannot tell"), ("c", "equivalent")),
            8,
            "a has the highest MCC, but cannot be told apart from b. c is equivalent to a: MCC "
            "differs by less than 0.01.",
        ),
        (
            ranking(("a", ""), ("b", "equivalent"), ("c", "equivalent"), ("d", "worse")),
            8,
            "b, c are equivalent to a: MCC differs by less than 0.01. a is better than all others.",
        ),
        (ranking(("a", ""), ("b", "worse")), 8, "a is better than every other method."),
        (
            ranking(("a", ""), ("b", "worse by less than the margin"), ("c", "worse")),
            8,
            "a is better than every other method, than b by less than 0.01.",
        ),
    ],
)
def test_verdicts(rows, units, said):
    assert verdict(rows, "a", rules(units)) == said


def test_the_rule_is_said_where_another_than_the_highest_is_used():
    assert (
        verdict(OPEN, "b", rules())
        == f"a has the highest MCC, but cannot be told apart from b.{USED}"
    )


def test_what_would_make_a_decision_surer():
    curve = [{"units": 4 * n, "width": 0.1 / n} for n in (1, 2, 4, 8)]
    wide = (
        "With 16 units instead of 8, the interval of the score would be about 0.025 wide instead "
        "of 0.050."
    )
    assert advice(curve, None, rules(8)) == [wide]
    plan = {"methods": ["a", "b"], "units": 24.0, "low": 9.0, "high": None, "power": 0.8}
    assert advice(curve, plan, rules(8)) == [
        "To tell a and b apart, 24 units like these would be needed (power 80%; in resamples 9 to "
        "over 10,000).",
        wide,
    ]
    assert advice([], None, rules(8)) == []
    assert advice([], None, rules(4)) == [
        "Annotate at least 1 more independent unit: other samples, since further tiles of the same "
        "ones are no new units."
    ]
    assert advice([], None, rules(1)) == [
        "Annotate at least 4 more independent units: other samples, since further tiles of the "
        "same ones are no new units."
    ]


def tile(name, mcc, hd95="1"):
    row = {"sample": "s", "tile": name, "mcc": mcc, "hd95": hd95, "fp": "3", "fn": "4"}
    return row | {"edge": "normal"}


def test_worst_tiles_come_first_and_undefined_ones_not_at_all():
    rows = [tile("a", "0.5"), tile("b", "-0.25"), tile("c", ""), tile("d", "0.75")]
    worst = worst_tiles(table_of(rows), {("s", "b"): "striped"}, "mcc", number=2)
    assert worst == [
        {"sample": "s", "tile": "b", "mcc": -0.25, "fp": 3, "fn": 4}
        | {"edge": "normal", "flags": "striped"},
        {"sample": "s", "tile": "a", "mcc": 0.5, "fp": 3, "fn": 4}
        | {"edge": "normal", "flags": ""},
    ]


def test_slivers_are_not_the_worst():
    rows = [tile("a", "0.5"), tile("b", "-0.25") | {"edge": "sliver"}, tile("d", "0.75")]
    assert [row["tile"] for row in worst_tiles(table_of(rows), {}, "mcc")] == ["a", "d"]


def test_the_worst_distance_is_the_greatest():
    rows = [tile("a", "0.5", hd95="2"), tile("b", "0.5", hd95="9"), tile("c", "0.5", hd95="4")]
    assert [row["tile"] for row in worst_tiles(table_of(rows), {}, "hd95")] == ["b", "c", "a"]


RECORD = {
    **{"verdict": "a is better.", "method": "a", "variant": "size=3", "metric": "mcc"},
    "expected": {"value": 0.9, "low": 0.8, "high": 0.95, "what": "choosing among these 2 methods"},
    **{"estimate": "held out", "value": 0.91234, "low": 0.85, "high": 0.95, "note": ""},
    "label": "selected, optimistic",
    "guard": "1 of 9 tiles left empty by the guard",
    **{"average": "micro", "confidence": 0.95, "left_out": ["d"], "excluded": 2},
    "next": ["Annotate more."],
    "units": {"unit": "sample", "number": 8, "independent": 8},
    "others": [
        {"method": "b", "value": 0.9, "p_best": 0.3, "first": 0.25, "guard": "2 of 9"}
        | {"difference": 0.01234, "difference_low": -0.02, "difference_high": 0.04}
        | {"relation": "cannot tell"}
    ],
    **{"within": [], "seeds": {"a": 4, "b": 1}, "metrics": {"f1": 0.5}},
    "learning_curve": [{"units": 8, "width": 0.1}],
    "worst": [{"sample": "s", "tile": "t", "mcc": 0.5, "fp": 3, "fn": 4, "flags": "x;y"}],
    "warnings": [{"message": "s is odd", "remedy": "look at it"}],
}


def text_of(record):
    return describe({"opening": opening(record), **record})


def test_a_decision_as_text():
    assert text_of(RECORD).splitlines() == [
        "# Decision",
        "",
        "**Use a with size=3.** On new samples like these, expect MCC 0.900 (95% interval "
        "0.800 to 0.950): choosing among these 2 methods. a is better. Annotate more.",
        "",
        "- Method: `a`, parameters `size=3`",
        "- Its own mcc, micro, held out (selected, optimistic): 0.912, 95% interval 0.850 to 0.950",
        "- 1 of 9 tiles left empty by the guard",
        "- Independent units: 8 (sample)",
        "- How intervals are computed: docs/validation.md, *Intervals*",
        "- Not ranked, since not run on all samples: d",
        "- Tiles excluded by their quality: 2",
        "- Used with 5 seeds of folds and flips: a 4, b 1",
        "- How alike other metrics order the methods (Kendall's tau): f1 0.50",
        "",
        "## The other methods",
        "",
        "| method | mcc | less than the highest by | relation to it | p | first |",
        "| --- | ---: | ---: | --- | ---: | ---: |",
        "| `b` | 0.900 | 0.012 (-0.020 to 0.040) | cannot tell; 2 of 9 | 0.300 | 25% |",
        "",
        "p is one-sided, of being the best: at most 0.05 is not in the set of the best "
        "(docs/validation.md, *The set of the best*). *First* is the share of resamples in which a "
        "method has the highest score; it is no test.",
        "",
        "## What could mislead",
        "",
        "- s is odd; look at it",
        "",
        "## Expected width of the interval",
        "",
        "| units | width |",
        "| ---: | ---: |",
        "| 8 | 0.100 |",
        "",
        "## Worst tiles",
        "",
        "| sample | tile | mcc | FP px | FN px | flags |",
        "| --- | --- | ---: | ---: | ---: | --- |",
        "| s | t | 0.500 | 3 | 4 | x, y |",
    ]


def test_a_score_on_the_tiles_that_chose_its_parameters_has_its_warning():
    changes = {"estimate": "resubstitution", "low": None, "note": "no interval: few units"}
    few = {
        "expected": {"value": 0.9, "low": None, "high": None, "what": "choosing"},
        "worst": [],
        "others": [],
    }
    within = {"within": "this tile", "best": "a", "method": "b", "better": 8, "parts": 9}
    within |= {"part": "blocks", "difference": 0.1, "low": 0.05, "high": 0.2}
    units = {"unit": "spatial blocks of one tile", "number": 9, "independent": 1}
    text = text_of(RECORD | changes | few | {"within": [within], "units": units})
    assert "0.912 (no interval: few units)" in text
    assert (
        "It has MCC 0.912 on these tiles; expect 0.900, choosing. What that says of other samples "
        "cannot be told from 9 blocks of the only annotated tile, which are not independent."
    ) in text
    assert "On new samples" not in text
    assert "How intervals are computed" not in text
    assert "chosen on: it is too high" in text
    assert "Worst tiles" not in text
    assert (
        "- higher mcc than `b` in 8 of 9 blocks, by 0.100 (interval over blocks 0.050 to 0.200)"
        in text
    )


def test_near_units_are_said_to_be_fewer():
    units = RECORD["units"] | {"unit": "tile", "correlation": 0.312, "effective": 5.2}
    expected = (
        "- Independent units: 8 (tile)\n- Neighbouring units have a correlation of 0.31, as if "
        "there were 5: a rough guess, which no test uses\n"
    )
    assert expected in text_of(RECORD | {"units": units})
