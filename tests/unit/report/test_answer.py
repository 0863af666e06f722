"""The decision in plain words."""

import pytest

from tilewise.report import answer
from tilewise.tables import EQUIVALENT, UNKNOWN, WORSE


def decision(relations=(), **changes):
    """A decision for `a`, whose score has an interval, beside others of these relations."""
    known = {
        **{"method": "a", "variant": "", "highest": "a", "metric": "mcc", "confidence": 0.95},
        **{"margin": 0.01, "low": 0.7, "high": 0.9, "note": "", "warnings": [], "next": ["More."]},
        "expected": {"value": 0.8, "low": 0.7, "high": 0.9},
        "units": {"independent": 8},
        "others": [{"method": f"m{i}", "relation": one} for i, one in enumerate(relations)],
        "worst": [{"sample": "s", "tile": f"t{i}", "mcc": i / 10} for i in range(5)],
    }
    return known | changes


def test_what_to_use_and_what_to_expect():
    first, second, third = answer.sentences(decision([WORSE, WORSE]), "MCC", has_truth=True)
    assert first == "Use a: of 3 methods, it has the highest MCC."
    assert second == (
        "On new samples like these, expect MCC of about 0.800 (95% interval 0.700 to 0.900), "
        "where 1 is perfect agreement with your annotations, and 0 is chance."
    )
    assert third == "It is better than every other method, by more than chance explains."


@pytest.mark.parametrize(
    ("relations", "said"),
    [
        (
            [UNKNOWN, WORSE],
            "Of the others, this much truth cannot tell m0 from the best; all others are worse.",
        ),
        ([UNKNOWN, UNKNOWN], "Of the others, this much truth cannot tell m0 and m1 from the best."),
        ([EQUIVALENT], "Of the others, m0 differs from the best by less than 0.01."),
        (
            [UNKNOWN, EQUIVALENT, EQUIVALENT],
            "Of the others, this much truth cannot tell m0 from the best, and m1 and m2 differ "
            "from the best by less than 0.01.",
        ),
        ([], "There is no other method to compare it with."),
    ],
)
def test_how_sure_it_is(relations, said):
    assert answer.sentences(decision(relations), "MCC", has_truth=True)[2] == said


def test_the_simplest_beside_the_highest():
    """The highest itself has no relation, and is not called worse."""
    known = decision(["", UNKNOWN], highest="m0")
    first, _, third = answer.sentences(known, "MCC", has_truth=True)
    assert first == "Use a: of 3 methods, it is the simplest that may be the best."
    assert third == "Of the others, this much truth cannot tell m1 from the best."


def test_too_few_units():
    known = decision(
        ["not tested"],
        **{"low": None, "high": None, "expected": {"value": 0.8, "low": None, "high": None}},
        **{"units": {"independent": 1}, "note": "no interval: 1 independent unit (tile), 5 needed"},
    )
    _, second, third = answer.sentences(known, "MCC", has_truth=True)
    assert second.startswith("On the annotated tiles the MCC is 0.800, ")
    assert second.endswith("what that says of other samples, 1 independent unit cannot tell.")
    assert third == (
        "Whether another method is better, this much truth cannot tell: 1 independent unit (tile), "
        "5 needed."
    )


def test_nothing_is_decided():
    assert "nothing to validate" in answer.sentences(None, "MCC", has_truth=False)[0]
    assert "not compared" in answer.sentences(None, "MCC", has_truth=True)[0]
    assert answer.next_steps(None, "MCC", [], []) == []


def test_what_to_do_next():
    doubts = [
        {"code": "other", "message": "m", "remedy": "r"},
        {"code": "grid_edge", "message": "offset -25 is the lowest", "remedy": "add lower ones"},
    ]
    following = [{"sample": "s", "tile": f"n{i}"} for i in range(4)]
    steps = answer.next_steps(decision(), "MCC", doubts, following)
    assert steps[:3] == [
        "More.",
        "Look at the worst tiles of a: s t0 (MCC 0.000), s t1 (MCC 0.100), s t2 (MCC 0.200).",
        "Extend a grid: offset -25 is the lowest; add lower ones.",
    ]
    assert "such as s n0, s n1, s n2;" in steps[3]


def test_warnings_that_touch_the_verdict():
    doubts = [
        {"code": "few_units", "message": "few"},
        {"code": "inverted_truth", "message": "of a sample without truth"},
        {"code": "biased_fraction", "message": "too much"},
    ]
    known = decision(warnings=[{"code": "few_units", "message": "few"}])
    assert answer.touching(known, doubts) == [0, 2]
    assert answer.touching(None, doubts) == [2]
