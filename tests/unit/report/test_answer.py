"""The decision in plain words."""

import pytest

from tilewise.report import answer
from tilewise.tables import EQUIVALENT, UNKNOWN, WORSE


def decision(relations=(), **changes):
    """A decision for `a`, whose score has an interval, beside others of these relations."""
    known = {
        **{"method": "a", "variant": "", "highest": "a", "metric": "mcc", "confidence": 0.95},
        **{"margin": 0.01, "low": 0.7, "high": 0.9, "warnings": [], "next": ["More."]},
        **{"value": 0.8, "estimate": "fixed"},
        "expected": {"value": 0.8, "low": 0.7, "high": 0.9, "chosen": ["a"]},
        "units": {"unit": "sample", "number": 8, "independent": 8, "needed": 5},
        "others": [
            {"method": f"m{i}", "relation": one, "indistinguishable": ""}
            for i, one in enumerate(relations)
        ],
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


BLOCKS = {"unit": "spatial blocks of one tile", "number": 9, "independent": 1, "needed": 5}
TWO = {"unit": "sample", "number": 2, "independent": 2, "needed": 5}
NONE = {"low": None, "high": None}


def few(units, expected, value=0.9, relations=("not tested", "not tested"), **changes):
    """A decision without intervals."""
    known = {"units": units, "value": value, "expected": {**NONE, **expected}, **NONE}
    return answer.sentences(decision(relations, **known | changes), "MCC", has_truth=True)


def test_too_few_units():
    _, second, third = few(TWO, {"value": 0.8, "chosen": ["a", "b"]})
    assert second == (
        "a reached MCC 0.900 on your annotated tiles, where 1 is perfect agreement with your "
        "annotations, and 0 is chance; on a new sample, expect about 0.800, because it was chosen "
        "on these: how far a new sample may be from that, 2 independent samples cannot tell."
    )
    assert third == (
        "Whether one of the others would be better on other samples cannot be told from 2 "
        "independent samples: it takes 5 or more independent units."
    )


def test_the_score_is_no_higher_than_what_to_expect():
    _, second, _ = few(TWO, {"value": 0.9, "chosen": ["a", "a"]})
    assert "0 is chance. On a new sample, expect about 0.900: how far" in second
    assert "chosen" not in second


def test_blocks_of_one_tile_say_nothing_of_other_images():
    _, second, third = few(BLOCKS, {"value": 0.8, "chosen": ["a"]})
    assert "on a new sample" not in second
    assert second.endswith(
        "0 is chance. Without what it was chosen for, it is about 0.800. What to expect of other "
        "images cannot be told from 9 blocks of the only annotated tile, which are not independent."
    )
    assert "cannot be told from 9 blocks of the only annotated tile, which are not" in third


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"estimate": "resubstitution"}, "That is too high, since its parameters were chosen on"),
        ({"expected": {"value": 0.8, "low": 0.7, "high": 0.9}}, "That is a little too high, since"),
        ({"value": 0.85}, "The 0.850 that a has on your annotated tiles is a little too high,"),
    ],
)
def test_a_flattering_score_is_called_one(changes, said):
    assert said in answer.sentences(decision([WORSE], **changes), "MCC", has_truth=True)[1]
    fair = answer.sentences(decision([WORSE]), "MCC", has_truth=True)[1]
    assert fair.endswith("and 0 is chance.")


def test_nothing_is_decided():
    assert "nothing to validate" in answer.sentences(None, "MCC", has_truth=False)[0]
    assert "not compared" in answer.sentences(None, "MCC", has_truth=True)[0]
    assert answer.next_steps(None, "MCC", [], []) == []


EDGE = {"code": "grid_edge", "message": "offset -25 is best", "remedy": "add lower ones"}


def test_what_to_do_next():
    doubts = [{"code": "other", "message": "m", "remedy": "r"}, EDGE | {"method": "a"}]
    following = [{"sample": "s", "tile": f"n{i}"} for i in range(4)]
    steps = answer.next_steps(decision(), "MCC", doubts, following)
    assert steps == [
        "More.",
        "Look at the worst tiles of a: s t0 (MCC 0.000), s t1 (MCC 0.100), s t2 (MCC 0.200).",
        "Add lower ones: MCC still rises there.",
        "To choose parameters better, annotate the tiles that look hardest, such as s n0, s n1, "
        "s n2 (together one more independent unit, since all are of s); for scores, annotate those "
        "drawn at random, in `results/annotate_random.tsv`.",
    ]


def test_tiles_of_several_samples_are_several_units():
    following = [{"sample": f"s{i}", "tile": "n"} for i in range(3)]
    assert "independent unit" not in answer.next_steps(decision(), "MCC", [], following)[-1]
    planes = decision(units={"unit": "plane", "number": 8, "independent": 8, "needed": 5})
    following = [{"sample": "s", "tile": f"n{i}"} for i in range(3)]
    assert "independent unit" not in answer.next_steps(planes, "MCC", [], following)[-1]


def test_scores_of_single_tiles_are_explained():
    (step,) = answer.next_steps(decision(next=[]), "MCC", [], [], "resubstitution")
    assert "flatter it a little, since its parameters were chosen on the same tiles" in step
    (step,) = answer.next_steps(decision(next=[], units=BLOCKS), "MCC", [], [], "held out")
    assert "flatter" not in step
    assert "The score of the whole tile differs a little from the MCC above, which leaves" in step


def test_warnings_that_touch_the_verdict():
    doubts = [
        {"code": "few_units", "message": "few"},
        {"code": "inverted_truth", "message": "of a sample without truth"},
        {"code": "biased_fraction", "message": "too much"},
        {"code": "worse_by_calibre", "message": "of what is thick"},
    ]
    known = decision(warnings=[{"code": "few_units", "message": "few"}])
    assert answer.touching(known, doubts) == [0, 2, 3]
    assert answer.touching(None, doubts) == [2, 3]


def test_a_grid_of_a_method_that_is_no_rival_does_not_touch_it():
    doubts = [EDGE | {"method": name} for name in ("a", "m0", "m1")]
    known = decision([UNKNOWN, WORSE], warnings=doubts)
    known["others"][0]["indistinguishable"] = "yes"
    assert answer.touching(known, doubts) == [0, 1]
    steps = answer.next_steps(known | {"next": [], "worst": []}, "MCC", doubts, [])
    assert steps == ["Add lower ones: MCC still rises there."] * 2
