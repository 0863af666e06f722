"""What may be said of the methods, from tables written by hand."""

import pytest

from tilewise.decide.evidence import Rules
from tilewise.decide.verdict import describe, verdict, worst_tiles


def rules(units=8):
    return Rules("mcc", "micro", 0.95, 5, 100, 0, "sign_flip", 10, "sample", units)


def ranking(*methods):
    """Of methods in order, each with whether it cannot be told apart from the first."""
    return [
        {"method": name, "metric": "mcc", "indistinguishable": "yes" if alike else ""}
        for name, alike in methods
    ]


@pytest.mark.parametrize(
    ("rows", "units", "said"),
    [
        (ranking(("a", True)), 8, "a is the only method: there is nothing to compare it with."),
        (
            ranking(("a", True), ("b", True)),
            1,
            "Cannot tell with this much truth: 1 independent unit (sample), at least 5 are needed. "
            "a has the highest mcc here.",
        ),
        (
            ranking(("a", True), ("b", True)),
            8,
            "Cannot tell with this much truth: no method can be told apart from a, which has the "
            "highest mcc.",
        ),
        (
            ranking(("a", True), ("b", True), ("c", False)),
            8,
            "a comes first, but cannot be told apart from b.",
        ),
        (ranking(("a", True), ("b", False)), 8, "a is better than every other method."),
    ],
)
def test_verdicts(rows, units, said):
    assert verdict(rows, rules(units)) == said


def tile(name, mcc, hd95="1"):
    row = {"sample": "s", "tile": name, "mcc": mcc, "hd95": hd95, "fp": "3", "fn": "4"}
    return row | {"edge": "normal"}


def test_worst_tiles_come_first_and_undefined_ones_not_at_all():
    rows = [tile("a", "0.5"), tile("b", "-0.25"), tile("c", ""), tile("d", "0.75")]
    worst = worst_tiles(rows, {("s", "b"): "striped"}, "mcc", number=2)
    assert worst == [
        {"sample": "s", "tile": "b", "mcc": -0.25, "fp": 3, "fn": 4}
        | {"edge": "normal", "flags": "striped"},
        {"sample": "s", "tile": "a", "mcc": 0.5, "fp": 3, "fn": 4}
        | {"edge": "normal", "flags": ""},
    ]


def test_slivers_are_not_the_worst():
    rows = [tile("a", "0.5"), tile("b", "-0.25") | {"edge": "sliver"}, tile("d", "0.75")]
    assert [row["tile"] for row in worst_tiles(rows, {}, "mcc")] == ["a", "d"]


def test_the_worst_distance_is_the_greatest():
    rows = [tile("a", "0.5", hd95="2"), tile("b", "0.5", hd95="9"), tile("c", "0.5", hd95="4")]
    assert [row["tile"] for row in worst_tiles(rows, {}, "hd95")] == ["b", "c", "a"]


RECORD = {
    **{"verdict": "a is better.", "method": "a", "variant": "size=3", "metric": "mcc"},
    **{"estimate": "held out", "value": 0.91234, "low": 0.85, "high": 0.95, "note": ""},
    "guard": "1 of 9 tiles left empty by the guard",
    **{"average": "micro", "confidence": 0.95, "left_out": ["d"], "excluded": 2},
    "units": {"unit": "sample", "number": 8, "independent": 8},
    "cross_validated": {"value": None, "chosen": ["a"]},
    "runners_up": [{"method": "b", "value": 0.9, "p_best": 0.3, "first": 0.25, "guard": "2 of 9"}],
    "learning_curve": [{"units": 8, "width": 0.1}],
    "worst": [{"sample": "s", "tile": "t", "mcc": 0.5, "fp": 3, "fn": 4, "flags": "x;y"}],
    "warnings": [{"message": "s is odd", "remedy": "look at it"}],
}


def test_a_decision_as_text():
    assert describe(RECORD).splitlines() == [
        "# Decision",
        "",
        "**a is better.**",
        "",
        "- Method: `a`, parameters `size=3`",
        "- mcc (micro, held out): 0.912, 95% interval 0.850 to 0.950",
        "- 1 of 9 tiles left empty by the guard",
        "- How the interval is computed: docs/validation.md, *Intervals*",
        "- mcc where the method too is selected by cross-validation: undefined",
        "- Independent units: 8 (sample)",
        "- Cannot be told apart: `b`, mcc 0.900, p 0.300, first in 25% of resamples; 2 of 9",
        "- p is one-sided, of being the best: at most 0.05 leaves the 95 % set. "
        "See docs/validation.md, *The set of the best*",
        "- Not ranked, since not run on all samples: d",
        "- Tiles excluded by their quality: 2",
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
    text = describe(RECORD | changes | {"cross_validated": None, "worst": []})
    assert "0.912 (no interval: few units)" in text
    assert "How the interval is computed" not in text
    assert "chosen on: it is too high" in text
    assert "cross-validation" not in text
    assert "Worst tiles" not in text
