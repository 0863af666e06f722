"""The decision between methods and the selection of parameters, by hand."""

import numpy as np
import pytest

from tilewise.decide import decision, evidence, selection
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.evidence import Evidence, Rules
from tilewise.decide.folds import Folds
from tilewise.decide.places import place_of
from tilewise.score.formulas import PIXEL_METRICS

SETTINGS = {
    **{"metric": "accuracy", "average": "micro", "unit": "auto", "plane_gap": 10, "folds": 10},
    **{"confidence": 0.95, "min_units": 5, "resamples": 200, "seed": 0, "test": "sign_flip"},
}
COLUMNS = CountColumns(())
SAMPLES = "abcdef"
GROUPS = dict(zip(SAMPLES, SAMPLES, strict=True))


def row(sample, right, **more):
    """A tile of 100 background pixels, some of which a mask gets right."""
    place = {"sample": sample, "tile": "z0000_y00_x00", "z": "0", "y": "0", "x": "0", "patch": ""}
    counts = {"tp": 0, "fp": 100 - right, "fn": 0, "tn": right}
    metrics = dict.fromkeys(PIXEL_METRICS, "") | {"accuracy": right / 100}
    fields = {name: str(value) for name, value in (counts | metrics).items()}
    return place | fields | {"edge": ""} | more


def tables(**rights):
    """Rows by method, from how many pixels it gets right in each sample."""
    return {
        method: [
            row(sample, right, method=method)
            for sample, right in zip(SAMPLES, numbers, strict=False)
        ]
        for method, numbers in rights.items()
    }


def decided(tiles, **changes):
    settings = SETTINGS | changes
    known = {"choices": (), "histograms": {}, "annotators": (), "flags": {}}
    known |= {"left_out": [], "excluded": 0, "samples": list(GROUPS)}
    known["folds"] = folds_of((row for rows in tiles.values() for row in rows), settings)
    return decision.decide(tiles, {}, settings, **known)


def folds_of(rows, settings=None):
    return Folds.of(dict.fromkeys(map(place_of, rows)), GROUPS, settings or SETTINGS)


def test_the_better_method_is_decided_on():
    made = decided(tables(good=[90, 80, 90, 80, 90, 80], bad=[50, 40, 60, 50, 40, 30]))
    record = made.record
    assert (record["method"], record["metric"], record["estimate"]) == ("good", "accuracy", "fixed")
    assert record["value"] == 510 / 600
    # every of the six samples differs in one direction: 2 of 64 swaps, of a single pair
    second = made.ranking[1]
    assert (second["method"], second["p"], second["indistinguishable"]) == ("bad", 2 / 64, "")
    assert record["verdict"] == "good is better than every other method."
    assert record["units"] == {"unit": "sample", "number": 6, "independent": 6}
    assert record["cross_validated"] == {"value": 510 / 600, "chosen": ["good"] * 6}
    assert [tile["sample"] for tile in record["worst"]] == ["b", "d", "f", "a", "c", "e"]


def test_tests_of_tuned_methods_are_in_doubt():
    rows = [
        {"method": name, "estimate": estimate, "indistinguishable": same}
        for name, estimate, same in (
            ("a", "held out", "yes"),
            ("b", "fixed", ""),
            ("c", "fixed", ""),
        )
    ]
    (doubt,) = decision._tuned_doubts(rows)
    assert (doubt.code, doubt.method) == ("tuned_methods", "a")
    # nothing is told apart, or nothing was tuned
    assert decision._tuned_doubts([row | {"indistinguishable": "yes"} for row in rows]) == []
    assert decision._tuned_doubts([row | {"estimate": "fixed"} for row in rows]) == []


def test_trivial_masks_stand_beside_the_methods():
    made = decided(tables(good=[90, 80], bad=[50, 40]))
    value = {row["method"]: row["micro"] for row in made.scores if row["metric"] == "accuracy"}
    # nothing of the truth is foreground
    assert value["all background"] == value["random at the prevalence"] == 1
    assert value["good"] == 0.85
    assert value[decision.CROSS_VALIDATED] == 0.85


def test_the_method_is_selected_without_the_fold_that_is_scored():
    # without its own sample each method is the worse one there
    counts = {
        name: np.array([COLUMNS.of(row("a", right)) for right in rights])
        for name, rights in (("x", (90, 10)), ("y", (10, 80)))
    }
    known = {name: Evidence("fixed", table) for name, table in counts.items()}
    rules = Rules.of(SETTINGS, "sample", 2)
    pooled, selected = decision.cross_validate(known, COLUMNS, np.array([0, 1]), rules)
    assert selected == ["y", "x"]
    assert pooled[:, COLUMNS.names.index("tn")].tolist() == [10, 10]


def swept(**rights):
    return [
        row(sample, right, variant=variant, fold="")
        for variant, numbers in rights.items()
        for sample, right in zip(SAMPLES, numbers, strict=False)
    ]


def select(rows, variants=("low", "high")):
    return selection.select("m", variants, rows, folds_of(rows), COLUMNS, SETTINGS)


def test_the_best_variant_is_chosen_and_held_out():
    chosen = select(swept(low=(90, 80, 20), high=(60, 70, 80)))
    # 190 against 210 of 300
    assert chosen.variant == "high"
    assert [row["chosen"] for row in chosen.sweep_rows] == ["", "yes"]
    # without a: 100 < 150, without b: 110 < 140, without c: 170 > 130
    assert [row["folds"] for row in chosen.sweep_rows] == [1, 2]
    assert [row["accuracy"] for row in chosen.sweep_rows] == [190 / 300, 210 / 300]
    held_out = [row["tn"] for row in chosen.unit_rows if row["estimate"] == "held out"]
    assert held_out == [60, 70, 20]
    training = {
        (row["fold"], row["unit"]): row["tn"]
        for row in chosen.unit_rows
        if row["estimate"] == "training"
    }
    assert [training[2, unit] for unit in "abc"] == [90, 80, 0]


def test_evidence_is_read_back_from_the_table_of_units():
    chosen = select(swept(low=(90, 80, 20), high=(60, 70, 80)))
    text = [{name: str(value) for name, value in row.items()} for row in chosen.unit_rows]
    known = evidence.selected(text, COLUMNS)
    at = COLUMNS.names.index("tn")
    assert (known.estimate, known.variant) == ("held out", "high")
    assert known.counts[:, at].tolist() == [60, 70, 20]
    assert known.resubstitution[:, at].tolist() == [60, 70, 80]
    assert {fold: table[:, at].tolist() for fold, table in known.training.items()} == {
        0: [0, 70, 80],
        1: [60, 0, 80],
        2: [90, 80, 0],
    }


def test_a_single_unit_has_no_held_out_score():
    chosen = select(swept(low=(90,), high=(60,)))
    assert {row["estimate"] for row in chosen.unit_rows} == {"resubstitution"}
    text = [{name: str(value) for name, value in row.items()} for row in chosen.unit_rows]
    assert evidence.selected(text, COLUMNS).estimate == "resubstitution"


def test_without_a_tile_nothing_can_be_chosen():
    with pytest.raises(ValueError, match="method m: no annotated tile is left"):
        select([])


def test_means_have_their_sum_and_their_number():
    columns = CountColumns(["hd95"])
    rows = [row("a", 50, hd95="3.5"), row("a", 50, hd95=""), row("a", 50, hd95="1.5")]
    counts = np.sum([columns.of(one) for one in rows], axis=0)
    assert columns.names[4:] == ("hd95", "hd95_extents")
    assert counts[4:].tolist() == [5, 2]
    assert columns.metric("hd95")(counts) == 2.5
    assert columns.merit("hd95")(counts) == -2.5
