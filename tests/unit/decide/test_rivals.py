"""Where the method that was decided on is worse than another that may be as good."""

import pytest

from tilewise.decide import rivals


def other(method, value, estimate="fixed", p_best=None, indistinguishable=""):
    return {
        **{"method": method, "value": value, "estimate": estimate, "p_best": p_best},
        "indistinguishable": indistinguishable,
    }


def decision(*others, independent=2, **changes):
    """For `a`, which is tuned and reached 0.9, of which 0.85 is to be expected."""
    return {
        **{"method": "a", "metric": "mcc", "estimate": "held out", "value": 0.9, "margin": 0.01},
        **{"expected": {"value": 0.85}, "others": list(others)},
        "units": {"unit": "sample", "independent": independent, "needed": 5},
        **changes,
    }


def test_rivals_without_a_test_are_fixed_and_above_what_to_expect():
    known = decision(other("b", 0.86), other("c", 0.84), other("d", 0.88, "held out"))
    assert rivals.rivals(known) == ["b"]


def test_rivals_with_a_test_are_the_set_of_the_best():
    known = decision(
        other("b", 0.86, p_best=0.01), other("c", 0.84, p_best=0.3, indistinguishable="yes")
    )
    assert rivals.rivals(known) == ["c"]


def test_fixed_methods_above_what_to_expect():
    known = decision(other("b", 0.86), other("c", 0.84))
    (doubt,) = rivals.expected_doubts(known)
    assert doubt.message == (
        "b (0.860) scores above 0.850, the MCC to expect of choosing a; none of its parameters was "
        "tuned"
    )
    assert rivals.expected_doubts(decision(other("c", 0.84))) == []
    # nothing of the method was tuned either
    assert rivals.expected_doubts(known | {"estimate": "fixed"}) == []


def rows_of(metric, values):
    return [{"metric": metric, "method": name, "value": value} for name, value in values.items()]


def units_of(metric, values):
    """Of each unit, a value of each method."""
    return [
        {"unit": str(i), "method": name, **dict.fromkeys(rivals.OTHER_METRICS), metric: value}
        for i, own in enumerate(values)
        for name, value in own.items()
    ]


def test_another_metric():
    ranking = rows_of("cldice", {"a": 0.80, "b": 0.84, "c": 0.99})
    units = units_of("cldice", [{"a": 0.7, "b": 0.9}, {"a": 0.9, "b": 0.8}])
    (doubt,) = rivals.metric_doubts(decision(other("b", 0.86)), ranking, units)
    assert doubt.message == (
        "a is not the best in everything: its clDice is 0.800, that of b 0.840, which is higher in "
        "1 of 2 units"
    )


@pytest.mark.parametrize(
    ("metric", "own"),
    [
        # less than three margins, a metric that is a matter of taste, the one that decides
        ("cldice", 0.815),
        ("precision", 0.5),
        ("mcc", 0.5),
        ("cldice", None),
    ],
)
def test_another_metric_that_says_little(metric, own):
    ranking = rows_of(metric, {"a": own, "b": 0.84})
    units = units_of(metric, [{"a": own, "b": 0.84}])
    assert rivals.metric_doubts(decision(other("b", 0.86)), ranking, units) == []


def test_with_enough_units_most_of_them_agree():
    ranking = rows_of("nsd", {"a": 0.80, "b": 0.90})
    known = decision(other("b", 0.86, p_best=0.3, indistinguishable="yes"), independent=6)
    four = [{"a": 0.8, "b": 0.95}] * 4 + [{"a": 0.8, "b": 0.7}] * 2
    assert len(rivals.metric_doubts(known, ranking, units_of("nsd", four))) == 1
    three = [{"a": 0.8, "b": 0.95}] * 3 + [{"a": 0.8, "b": 0.7}] * 3
    assert rivals.metric_doubts(known, ranking, units_of("nsd", three)) == []


def errors(method, tp, fn, low=17, high="inf", sample="s"):
    return {
        **{"sample": sample, "method": method, "by": "calibre", "low": str(low)},
        **{"high": str(high), "tp": str(tp), "fn": str(fn)},
    }


def test_a_class_of_calibre():
    rows = [
        *(errors("a", 40, 10), errors("a", 45, 5, sample="t"), errors("a", 900, 0, 0, 17)),
        *(errors("b", 50, 0), errors("b", 45, 5, sample="t"), errors("b", 100, 800, 0, 17)),
        *(errors("c", 50, 0), errors("c", 50, 0, sample="t")),
        errors("b", 50, 0) | {"by": "distance"},
    ]
    (doubt,) = rivals.calibre_doubts(decision(other("b", 0.86)), rows)
    # 85 of 100, and 95 of 100
    assert doubt.message == "of what is 17 or more px wide a finds 85%, b 95%"
    assert "`cleanup: [fill_holes]`) or write `apply: b`" in doubt.remedy
    # a class counts by its pixels, found or not
    missed = [errors("a", 10, 90), errors("b", 95, 5), errors("a", 900, 0, 0, 17)]
    (doubt,) = rivals.calibre_doubts(decision(other("b", 0.86)), missed)
    assert doubt.message == "of what is 17 or more px wide a finds 10%, b 95%"
    thin = [row | {"low": "3", "high": "5"} for row in rows if row["low"] == "17"]
    (doubt,) = rivals.calibre_doubts(decision(other("b", 0.86)), thin)
    assert doubt.message == "of what is 3 to 5 px wide a finds 85%, b 95%"
    assert "fill_holes" not in doubt.remedy


@pytest.mark.parametrize(
    ("own", "thin"),
    [
        # 96 % beside 100 %, and a class of 50 of 10,050 pixels
        ((96, 4), 900),
        ((40, 10), 10_000),
    ],
)
def test_a_class_of_calibre_that_says_little(own, thin):
    rows = [errors("a", *own), errors("b", sum(own), 0)]
    rows += [errors(name, thin, 0, 0, 17) for name in "ab"]
    assert rivals.calibre_doubts(decision(other("b", 0.86)), rows) == []
