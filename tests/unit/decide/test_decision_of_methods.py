"""The decision between methods and the selection of parameters, by hand."""

import re
from dataclasses import replace

import numpy as np
import pytest
from right_pixels import SETTINGS, counts_of, row_of, table_of

from tilewise.decide import choice, decision, decision_doubts, evidence, selection
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import Splits
from tilewise.decide.evidence import Evidence, Rules
from tilewise.decide.folds import Folds
from tilewise.decide.places import place_of
from tilewise.decide.selection import Trials

COLUMNS = CountColumns(())
SAMPLES = "abcdef"
GROUPS = dict(zip(SAMPLES, SAMPLES, strict=True))


def row(sample, right, **more):
    return row_of({"sample": sample, "tile": "z0000_y00_x00"}, right, **more)


def tables(**rights):
    """Rows by method, from how many pixels it gets right in each sample."""
    return {
        method: [
            row(sample, right, method=method)
            for sample, right in zip(SAMPLES, numbers, strict=False)
        ]
        for method, numbers in rights.items()
    }


def decided(tiles, tried=None, folds=None, **changes):
    settings = SETTINGS | changes
    known = {"choices": (), "histograms": {}, "annotators": (), "flags": {}}
    known |= {"left_out": [], "excluded": 0, "samples": list(GROUPS)}
    rows = (row for rows in tiles.values() for row in rows)
    known["folds"] = folds or folds_of(rows, settings)
    own = {
        name: decision.Tried(trials_of(rows, ("low", "high"), folds), 1, {"value": ["low", "high"]})
        for name, rows in (tried or {}).items()
    }
    of_methods = {name: table_of(rows) for name, rows in tiles.items()}
    return decision.decide(of_methods, own, settings, **known)


def trials_of(rows, variants, folds=None):
    return Trials.of(variants, table_of(rows), folds or folds_of(rows), COLUMNS)


def folds_of(rows, settings=None):
    return Folds.of(dict.fromkeys(map(place_of, rows)), GROUPS, settings or SETTINGS)


def test_the_better_method_is_decided_on():
    made = decided(tables(good=[90, 80, 90, 80, 90, 80], bad=[50, 40, 60, 50, 40, 30]))
    record = made.record
    assert (record["method"], record["metric"], record["estimate"]) == ("good", "accuracy", "fixed")
    assert record["value"] == 510 / 600
    # of 64 flips only the one that was seen speaks so clearly for the other
    second = made.ranking[1]
    assert (second["method"], second["p_best"], second["indistinguishable"]) == ("bad", 1 / 64, "")
    assert second["relation"] == "worse"
    assert record["verdict"] == "good is better than every other method."
    assert record["units"] == {"unit": "sample", "number": 6, "independent": 6, "needed": 5}
    expected = record["expected"]
    assert (expected["value"], expected["chosen"]) == (510 / 600, ["good"] * 6)
    # what to expect comes before the score of the method that was selected
    assert list(record).index("expected") < list(record).index("value")
    assert record["label"] == "selected, optimistic"
    assert not record["within"]
    assert [tile["sample"] for tile in record["worst"]] == ["b", "d", "f", "a", "c", "e"]


def test_the_scores_of_each_unit():
    made = decided(tables(first=[90, 80, 70, 60, 50, 40], second=[30] * 6))
    assert [(one["unit"], one["method"]) for one in made.units] == [
        (sample, method) for method in ("first", "second") for sample in SAMPLES
    ]
    assert [one["accuracy"] for one in made.units] == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, *[0.3] * 6]
    # without foreground in the truth, none is found
    assert {one["recall"] for one in made.units} == {None}


def test_the_simplest_of_methods_that_are_as_good_is_used():
    rights = (90, 80, 90, 80, 90, 80)
    made = decided(
        tables(first=rights, second=(92, 77, 91, 78, 91, 79), bad=[30] * 6),
        tried={"first": swept(low=rights, high=[20] * 6)},
        margin=0.02,
    )
    record = made.record
    assert (record["method"], record["highest"], record["value"]) == ("second", "first", 508 / 600)
    assert record["verdict"] == (
        "first has the highest accuracy, but cannot be told apart from second. second is used: of "
        "those that may be the best and score within 0.02 of the highest, it is the simplest."
    )
    # what is surely worse, if by little, may not be the best
    surely = decided(tables(first=rights, second=[right - 1 for right in rights]), margin=0.02)
    assert surely.record["method"] == "first"
    assert surely.record["verdict"] == (
        "first is better than every other method, than second by less than 0.02."
    )


def test_tests_of_methods_with_unequal_grids_are_in_doubt():
    counts = np.zeros((6, 4))
    known = {"b": Evidence("fixed", counts)}
    for name, number in (("a", 2), ("c", 3), ("d", 3)):
        known[name] = Evidence("held out", counts, tables=np.zeros((number, 6, 4)))
    told_apart = [{"relation": ""}, {"relation": "cannot tell"}, {"relation": "worse"}]
    (doubt,) = decision_doubts.tuned_doubts(known, told_apart)
    assert doubt.code == "tuned_methods"
    assert doubt.message.startswith("a, c, d choose from different numbers of sets")
    # nothing is told apart, or all choose from as many
    assert decision_doubts.tuned_doubts(known, [*told_apart[:2], {"relation": "not tested"}]) == []
    del known["a"]
    assert decision_doubts.tuned_doubts(known, told_apart) == []
    # a model is not trained anew where tables of units are swapped, whatever it chooses from
    known["d"] = replace(known["d"], is_trained=True)
    assert not known["c"].is_as_free_as(known["d"])
    assert not known["d"].is_as_free_as(known["c"])
    (doubt,) = decision_doubts.tuned_doubts(known, told_apart)
    assert doubt.message.startswith("c, d choose parameters or train models")


@pytest.mark.parametrize(
    ("pixels", "settings", "expected"),
    [
        # 105 squared over 10,005: like 1.1 units, where 0.5 * 6 = 3 are asked for
        ([100, 1, 1, 1, 1, 1], {}, "95% of the pixels .* weigh like 1.1 even ones"),
        # 10 squared over 30: like 3.3 units
        ([5, 1, 1, 1, 1, 1], {}, None),
        ([100, 1, 1, 1, 1, 1], {"average": "macro"}, None),
        ([100, 1, 1, 1], {}, None),
        ([1000] + [1] * 29, {}, None),
    ],
)
def test_few_large_units_are_in_doubt(pixels, settings, expected):
    rules = Rules.of(SETTINGS | settings, "sample", len(pixels))
    found = [str(doubt) for doubt in decision_doubts.uneven_doubts(np.array(pixels), rules)]
    assert len(found) == (expected is not None)
    assert all(re.search(expected, text) for text in found)


def test_a_decision_says_that_its_units_are_uneven():
    rights = {"good": [90, 80, 90, 80, 90, 80], "bad": [50, 40, 60, 50, 40, 30]}
    tiles = tables(**rights)
    assert "uneven_units" not in codes(decided(tiles))
    for rows in tiles.values():
        # true negatives are most of a unit
        rows[0] |= {"tn": "900", "fp": "0"}
    assert "uneven_units" in codes(decided(tiles))


def codes(made):
    return {doubt["code"] for doubt in made.record["warnings"]}


def test_pixels_that_are_scored():
    counts = np.array([[[1, 20, 300, 4000, 7]]])
    assert CountColumns(["cldice"]).pixels(counts).tolist() == [[4321]]


def test_what_holds_within_a_single_tile_stands_apart():
    blocks = [
        row("a", right, method=method, patch=str(patch))
        for method, numbers in (
            ("good", (90, 80, 70, 90, 80, 70, 90, 80, 20)),
            ("bad", (50, 40, 30, 50, 40, 30, 50, 40, 30)),
        )
        for patch, right in enumerate(numbers)
    ]
    whole = [row("a", right, method=method) for method, right in (("good", 74), ("bad", 40))]
    rows = [*whole, *blocks]
    made = decided({m: [r for r in rows if r["method"] == m] for m in ("good", "bad")})
    record = made.record
    assert record["units"]["independent"] == 1
    assert record["verdict"].startswith("Cannot tell with this much truth: 1 independent unit")
    # untested is not indistinguishable
    assert [row["indistinguishable"] for row in made.ranking] == [""] * len(made.ranking)
    assert [row["relation"] for row in made.ranking[:2]] == ["", "not tested"]
    (within,) = record["within"]
    assert (within["best"], within["method"]) == ("good", "bad")
    assert (within["better"], within["parts"], within["part"]) == (8, 9, "blocks")
    assert within["difference"] == pytest.approx((670 - 360) / 900)
    assert 0 < within["low"] < within["difference"] < within["high"]


def test_trivial_masks_stand_beside_the_methods():
    made = decided(tables(good=[90, 80], bad=[50, 40]))
    value = {row["method"]: row["micro"] for row in made.scores if row["metric"] == "accuracy"}
    # nothing of the truth is foreground
    assert value["all background"] == value["random at the prevalence"] == 1
    assert value["good"] == 0.85
    assert value[decision.CROSS_VALIDATED] == 0.85


def test_trivial_masks_are_of_as_many_pixels_as_the_truth_of_each_unit():
    # 10 of 110 pixels are foreground in the one, 30 of 130 in the other
    made = decided({"m": [row("a", 90, method="m", fn="10"), row("b", 90, method="m", fn="30")]})
    value = {row["method"]: row["micro"] for row in made.scores if row["metric"] == "accuracy"}
    assert value["all background"] == pytest.approx(200 / 240)


def test_the_method_is_selected_without_the_fold_that_is_scored():
    # without its own sample each method is the worse one there
    counts = {
        name: counts_of([row("a", right) for right in rights], COLUMNS)
        for name, rights in (("x", (90, 10)), ("y", (10, 80)))
    }
    known = {name: Evidence("fixed", table) for name, table in counts.items()}
    rules = Rules.of(SETTINGS, "sample", 2)
    splits = Splits.of(np.array([0, 1]))
    pooled, selected = choice.cross_validate(known, splits, COLUMNS.merit("accuracy"), rules)
    assert selected == ["y", "x"]
    assert pooled[:, COLUMNS.names.index("tn")].tolist() == [10, 10]


def test_the_selection_is_made_on_scores_that_are_held_out_in_turn():
    """On the units that choose its parameters the tuned method is better; held out, it is not."""
    rights = [[95, 10, 10], [10, 95, 10], [10, 10, 95]]
    tables_ = np.stack([counts_of([row("a", right) for right in own], COLUMNS) for own in rights])
    splits, by = Splits.of(np.arange(3)), (COLUMNS.merit("accuracy"), "micro")
    tuned = Evidence("held out", tables_[0], tables=tables_, parameters=1)
    plain = Evidence("fixed", counts_of([row("a", 30)] * 3, COLUMNS))
    # of two units, a set of parameters has 95 of one and 10 of the other: 0.525 where it chooses
    inner = tuned.training(0, splits, *by)
    assert inner.counts[:, COLUMNS.names.index("tn")].tolist() == [10, 10]
    rules = Rules.of(SETTINGS, "sample", 3)
    known = {"tuned": tuned, "plain": plain}
    _, selected = choice.cross_validate(known, splits, COLUMNS.merit("accuracy"), rules)
    assert selected == ["plain"] * 3


def swept(**rights):
    return [
        row(sample, right, variant=variant, fold="")
        for variant, numbers in rights.items()
        for sample, right in zip(SAMPLES, numbers, strict=False)
    ]


def select(rows, variants=("low", "high")):
    by = COLUMNS.metric("accuracy"), "micro"
    return selection.select("m", trials_of(rows, variants), COLUMNS, *by)


def test_the_best_variant_is_chosen_and_held_out():
    chosen = select(swept(low=(90, 80, 20), high=(60, 70, 80)))
    # 190 against 210 of 300
    assert chosen.variant == "high"
    assert [row["chosen"] for row in chosen.sweep_rows] == ["", "yes"]
    # without a: 100 < 150, without b: 110 < 140, without c: 170 > 130
    assert [row["folds"] for row in chosen.sweep_rows] == [1, 2]
    assert [row["accuracy"] for row in chosen.sweep_rows] == [190 / 300, 210 / 300]
    assert [(row["fold"], row["variant"]) for row in chosen.fold_rows] == [
        (0, "high"),
        (1, "high"),
        (2, "low"),
    ]


def test_only_models_that_are_trained_without_a_fold_are_held_out_in_the_table():
    rows = swept(low=(90, 80, 20), high=(60, 70, 80))
    by = COLUMNS, COLUMNS.metric("accuracy"), "micro"
    for is_trained, samples, estimate in (
        (False, 3, "resubstitution"),
        (True, 3, "held out"),
        (True, 1, "resubstitution"),
    ):
        own = [one for one in rows if one["sample"] in SAMPLES[:samples]]
        own = trials_of(own, ("low", "high"))
        made = selection.select("m", own, *by, is_trained=is_trained)
        assert {row["estimate"] for row in made.sweep_rows} == {estimate}


def evidence_of(trials):
    return evidence.selected(trials, trials.splits, COLUMNS.metric("accuracy"), "micro", 1)


def read_back(trials, folds):
    text = [{name: str(value) for name, value in row.items()} for row in trials.to_rows(COLUMNS)]
    return Trials.from_rows(text, folds, COLUMNS)


def test_evidence_is_read_back_from_the_table_of_units():
    rows = swept(low=(90, 80, 20), high=(60, 70, 80))
    known = evidence_of(read_back(trials_of(rows, ("low", "high")), folds_of(rows)))
    at = COLUMNS.names.index("tn")
    assert (known.estimate, known.variant) == ("held out", "high")
    assert known.counts[:, at].tolist() == [60, 70, 20]
    assert known.resubstitution[:, at].tolist() == [60, 70, 80]
    assert known.tables[..., at].tolist() == [[90, 80, 20], [60, 70, 80]]


def test_thresholds_that_are_calibrated_without_a_fold_score_it():
    rows = [
        row(sample, right, variant="low", fold=fold)
        for fold, rights in (("all", (90, 80)), ("0", (50, 40)), ("1", (30, 20)))
        for sample, right in zip(SAMPLES, rights, strict=False)
    ]
    rows += [row(sample, 35, variant="high", fold="") for sample in "ab"]
    known = evidence_of(read_back(trials_of(rows, ("low", "high")), folds_of(rows)))
    at = COLUMNS.names.index("tn")
    assert known.tables[..., at].tolist() == [[[50, 40], [35, 35]], [[30, 20], [35, 35]]]
    # without a, b has 40 by the one and 35 by the other; without b, a has 30 and 35
    assert known.counts[:, at].tolist() == [50, 35]
    assert (known.variant, known.resubstitution[:, at].tolist()) == ("low", [90, 80])


def test_a_single_unit_has_no_held_out_score():
    chosen = trials_of(swept(low=(90,), high=(60,)), ("low", "high"))
    assert evidence_of(chosen).estimate == "resubstitution"
    assert (
        selection.select("m", chosen, COLUMNS, COLUMNS.merit("accuracy"), "micro").fold_rows == []
    )


def test_without_a_tile_nothing_can_be_chosen():
    with pytest.raises(ValueError, match="method m: no annotated tile is left"):
        select([])


def test_means_have_their_sum_and_their_number():
    columns = CountColumns(["hd95"])
    rows = [row("a", 50, hd95="3.5"), row("a", 50, hd95=""), row("a", 50, hd95="1.5")]
    counts = counts_of(rows, columns).sum(axis=0)
    assert columns.names[4:] == ("hd95", "hd95_extents")
    assert counts[4:].tolist() == [5, 2]
    assert columns.metric("hd95")(counts) == 2.5
    assert columns.merit("hd95")(counts) == -2.5
