import pytest

from tilewise.segment.steps import parse


def blur(plane, size, sigma=1):
    return plane, size, sigma


def invert(plane):
    return plane


FUNCTIONS = {"blur": blur, "invert": invert}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("invert", ("invert", {})),
        ({"invert": None}, ("invert", {})),
        ({"blur": 3}, ("blur", {"size": 3, "sigma": 1})),
        ({"blur": {"sigma": 2, "size": 5}}, ("blur", {"sigma": 2, "size": 5})),
        (("blur", {"size": 5, "sigma": 2}), ("blur", {"sigma": 2, "size": 5})),
    ],
)
def test_forms(step, expected):
    assert parse(step, FUNCTIONS, "filter") == expected


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("blurr", r"filter blurr does not exist; did you mean blur\? \(known: blur, invert\)"),
        ("blur", "filter blur needs a value for size"),
        ({"blur": {"size": 3, "sgma": 1}}, r"no setting sgma; did you mean sigma\?"),
        ({"invert": 3}, "has no settings"),
    ],
)
def test_mistakes(step, message):
    with pytest.raises(ValueError, match=message):
        parse(step, FUNCTIONS, "filter")
