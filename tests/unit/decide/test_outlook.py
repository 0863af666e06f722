"""What stands beside a decision, by hand."""

from dataclasses import replace

import numpy as np
import pytest
import right_pixels
from right_pixels import SETTINGS, row_of
from scipy import stats

from tilewise.decide import choice, decision_doubts, outlook
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import Splits, assign_folds, nested_selection
from tilewise.decide.evidence import Evidence, Rules

COLUMNS = CountColumns(())
ACCURACY = COLUMNS.merit("accuracy")


def counts_of(rights):
    return right_pixels.counts_of([row_of({"sample": "a"}, right) for right in rights], COLUMNS)


def rules_of(units, **changes):
    return Rules.of(SETTINGS | changes, "sample", units)


def folds_of(units, number=10):
    return Splits.of(assign_folds([f"{unit:03}" for unit in range(units)], number))


def test_units_that_would_tell_the_leading_methods_apart():
    # differences of 4 and -2, in turn
    first = [80, 84, 76, 82, 78, 80, 84, 76, 81]
    second = [right - (4 if i % 2 == 0 else -2) for i, right in enumerate(first)]
    known = {"a": Evidence("fixed", counts_of(first)), "b": Evidence("fixed", counts_of(second))}
    decisive = [{"method": "a", "relation": ""}, {"method": "b", "relation": "cannot tell"}]
    given = known, decisive, COLUMNS, rules_of(9), folds_of(9)
    plan = outlook.planned(*given)
    # the mean of 5 times 4 and 4 times -2 is 12/9
    variance = (5 * (4 - 12 / 9) ** 2 + 4 * (-2 - 12 / 9) ** 2) / 8
    numbers = np.arange(3, 200)
    needed = (stats.t.ppf(0.95, numbers - 1) + stats.t.ppf(0.8, numbers - 1)) * np.sqrt(
        variance / numbers
    )
    assert plan["units"] == numbers[np.flatnonzero(needed <= 12 / 9)[0]]
    assert plan["low"] <= plan["units"]
    assert plan["methods"] == ["a", "b"]
    # what is known needs no plan
    known_relation = [decisive[0], {"method": "b", "relation": "worse"}]
    assert outlook.planned(known, known_relation, *given[2:]) is None


def test_equal_methods_are_never_told_apart():
    known = {name: Evidence("fixed", counts_of([80, 84, 76, 82, 78])) for name in "ab"}
    decisive = [{"method": "a", "relation": ""}, {"method": "b", "relation": "cannot tell"}]
    plan = outlook.planned(known, decisive, COLUMNS, rules_of(5), folds_of(5))
    assert (plan["units"], plan["low"], plan["high"]) == (None, None, None)


def test_other_metrics_order_methods_alike_or_not():
    orders = {"accuracy": (1, 2, 3), "f1": (1, 3, 2), "iou": (3, 2, 1), "mcc": (1, 1, 1)}
    ranking = [
        {"metric": metric, "method": method, "rank": rank}
        for metric, ranks in orders.items()
        for method, rank in zip("abc", ranks, strict=True)
    ]
    # all the same orders nothing
    assert outlook.orders_alike(ranking, rules_of(6)) == {
        "f1": pytest.approx(1 / 3),
        "iou": pytest.approx(-1),
    }


def test_how_often_each_method_has_each_rank():
    known = {
        name: Evidence("fixed", counts_of(rights))
        for name, rights in (("best", range(90, 96)), ("worst", range(40, 46)))
    }
    assert outlook.shares_of_ranks(known, COLUMNS, rules_of(6)) == {
        "best": [1, 0],
        "worst": [0, 1],
    }
    assert outlook.shares_of_ranks(known, COLUMNS, rules_of(4)) == {}


def test_the_rule_is_followed_with_other_seeds():
    """Held out in other folds, the tuned method is better or worse than the fixed one."""
    random = np.random.default_rng(2)
    tables = np.stack([counts_of(random.permutation(np.arange(30, 100, 5))) for _ in range(6)])
    splits, rules = folds_of(14, 2), rules_of(14, margin=0)
    counts = nested_selection(tables, splits, ACCURACY, "micro").held_out
    tuned = Evidence("held out", counts, tables=tables, parameters=1)
    values = []
    for seed in range(1, 5):
        folds = splits.shuffled(seed)
        values.append(ACCURACY(nested_selection(tables, folds, ACCURACY, "micro").held_out.sum(0)))
    # between the held-out scores of these four
    middle = float(np.median(values))
    assert sum(value > middle for value in values) == 2
    plain = Evidence("fixed", counts_of(np.full(14, 100 * middle)))
    known = {"tuned": tuned, "plain": plain}
    seeds = choice.repeat("tuned", known, splits, ACCURACY, rules)
    assert seeds == {"tuned": 3, "plain": 2}
    # what is calibrated without a fold is known of its own folds alone
    calibrated = replace(tuned, tables=np.stack([tables, tables]))
    with_folds = known | {"tuned": calibrated}
    assert choice.repeat("tuned", with_folds, splits, ACCURACY, rules) == {"tuned": 5}
    (doubt,) = decision_doubts.seed_doubts("tuned", seeds)
    assert (doubt.code, doubt.method) == ("unstable", "tuned")
    assert "of 5 seeds of folds and flips, tuned is selected in 3, plain in 2" in doubt.message
    assert decision_doubts.seed_doubts("tuned", {"tuned": 5}) == []
