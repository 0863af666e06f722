"""Which tiles score methods, and how much each counts, by hand."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from right_pixels import table_of
from test_decision_of_methods import SETTINGS, decided, row, tables

from tilewise.decide import evidence, unit_doubts
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.cross_validation import Splits
from tilewise.decide.folds import COLUMNS, Folds
from tilewise.decide.places import Place
from tilewise.decide.resampling import Resampled, additive, bootstrap_weights, estimate
from tilewise.decide.sampling import Sampling, _number_of_tiles
from tilewise.decide.selection import Trials
from tilewise.decide.significance import _swapped

WEIGHTED = CountColumns((), is_weighted=True)
ACCURACY = WEIGHTED.metric("accuracy")
SIZES = {"planes": 1, "tiles_of_plane": 4}


def folds_of(samples, tiles_of=None, unit="auto", folds=10):
    """Folds of a tile, or of some, in each sample of `samples`: purpose and pi by sample."""
    tiles = {
        Place(sample, 0, 0, 64 * x): (0, x)
        for sample in samples
        for x in range((tiles_of or {}).get(sample, 1))
    }
    settings = {
        sample: {"purpose": purpose, "pi": pi, "tiles": [], **SIZES}
        for sample, (purpose, pi) in samples.items()
    }
    sampling = Sampling.of(tiles, settings), settings
    groups = dict(zip(samples, samples, strict=True))
    by = SETTINGS | {"unit": unit, "folds": folds, "tile_gap": 0, "cell": 3}
    return Folds.of(list(tiles), groups, by, tiles, sampling)


def read_back(folds):
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(folds.to_rows())
    text.seek(0)
    return Folds.from_rows(csv.DictReader(text))


def drawn(**pi):
    return {sample: ("estimate", own) for sample, own in pi.items()}


def test_a_tile_counts_for_as_many_as_it_stands_for():
    # tiles that were drawn with 1/2 and 1/8 stand for two and for eight
    folds = folds_of(drawn(a=0.5, b=0.125), unit="tile")
    rows = [row("a", 90), row("b", 40)]
    own = evidence.fixed(table_of(rows), folds, WEIGHTED).counts
    assert own[:, 1].tolist() == [2 * 10, 8 * 60]
    assert own[:, -1].tolist() == [2, 8]
    pooled, mean = (estimate(own[None], ACCURACY, average)[0] for average in ("micro", "macro"))
    assert pooled == (2 * 90 + 8 * 40) / (2 * 100 + 8 * 100)
    assert mean == pytest.approx((2 * 0.9 + 8 * 0.4) / 10)


def test_the_mean_over_tiles_is_that_of_the_population():
    # of three tiles of 1, 2 and 4 right pixels of 100, two are drawn without replacement, each pair
    # alike often: pi is 2/3 for all, and the mean over all samples that there are is the true one
    rights, means = {"a": 10, "b": 20, "c": 40}, []
    for left_out in "abc":
        kept = {sample: right for sample, right in rights.items() if sample != left_out}
        folds = folds_of(drawn(**dict.fromkeys(kept, 2 / 3)), unit="tile")
        rows = [row(sample, right) for sample, right in kept.items()]
        counts = evidence.fixed(table_of(rows), folds, WEIGHTED).counts
        means.append(estimate(counts[None], ACCURACY, "macro")[0])
    assert np.mean(means) == pytest.approx((0.1 + 0.2 + 0.4) / 3)


def test_a_sample_counts_by_its_own_probability_in_a_mean():
    # a was drawn with 1/2 and all of its four tiles are annotated; b is sure, one of its four tiles
    # was drawn: the mean over samples takes a twice and b once
    folds = folds_of(drawn(a=0.5, b=0.25), {"a": 4}, unit="sample")
    rows = [row("a", 90) | {"x": str(64 * x)} for x in range(4)] + [row("b", 40)]
    counts = evidence.fixed(table_of(rows), folds, WEIGHTED).counts
    assert counts[:, -1].tolist() == [4 * 2 / 4, 1 * 4 / 4]
    mean, pooled = (estimate(counts[None], ACCURACY, average)[0] for average in ("macro", "micro"))
    assert mean == pytest.approx((2 * 0.9 + 0.4) / 3)
    assert pooled == pytest.approx((8 * 90 + 4 * 40) / 1200)


def test_a_plane_counts_by_its_own_probability_in_a_mean():
    # one of ten planes was drawn, and of its four tiles two: 1/20 for each
    folds = folds_of(drawn(a=0.05, b=0.05), {"a": 2, "b": 2}, unit="plane")
    assert [folds.sampling.share(place) for place in folds.places] == [20 / 4] * 4


def test_the_weight_is_drawn_and_left_out_with_the_counts():
    counts = np.array([[[10.0, 10, 0, 0, 2], [20, 0, 0, 0, 5], [0, 40, 0, 0, 1]]])
    draws = np.array([[2.0, 1, 0], [0, 0, 3]])
    # each unit's accuracy is 1/2, 1 and 0
    expected = [(2 * 2 * 0.5 + 5 * 1) / (2 * 2 + 5), 0]
    assert estimate(counts, ACCURACY, "macro", draws)[:, 0].tolist() == pytest.approx(expected)
    sure = Resampled(counts, ACCURACY, "macro", bootstrap_weights(3, 10, 0))
    value, error, *_ = sure.contrast(0, None)
    assert value == pytest.approx((2 * 0.5 + 5) / 8)
    without = np.array([5 / 6, 1 / 3, 6 / 7])
    jackknife = np.sqrt(2 / 3 * ((without - without.mean()) ** 2).sum())
    assert error == pytest.approx(jackknife)


def test_a_unit_that_alone_is_defined_cannot_be_left_out():
    # precision of the others is not defined; a weight below 1 divides as any other
    precision = WEIGHTED.metric("precision")
    counts = np.array([[[1.0, 1, 0, 0, 0.1], [0, 0, 1, 0, 0.7], [0, 0, 1, 0, 0.3]]])
    sure = Resampled(counts, precision, "macro", np.array([[3.0, 0, 0]]))
    once, _ = sure._left_out
    assert sure.values[0] == pytest.approx(0.5)
    assert np.isnan(once[0, 0, 0])


def test_without_a_unit_that_scores_nothing_can_be_told():
    folds = folds_of(dict.fromkeys("abc", ("train", None)))
    grid = tuned_rows(a=(10, 20), b=(10, 20), c=(10, 20))
    made = decided(tables(fixed=[90] * 3, tuned=[0] * 3), {"tuned": grid}, folds=folds)
    assert made.record["value"] is None
    assert "0 independent units" in made.record["verdict"]
    assert {one["variant"] for one in made.scores if one["method"] == "tuned"} == {"high"}


def test_swaps_keep_the_weights():
    first = np.array([[10.0, 0, 0, 0, 2], [5, 5, 0, 0, 6]])
    second = np.array([[5.0, 5, 0, 0, 2], [0, 10, 0, 0, 6]])
    difference = _swapped(first, second, ACCURACY, "macro")(np.array([[0.0, 0], [1, 0], [0, 1]]))
    # accuracies are 1 and 0.5, and 0.5 and 0; weights are 2 and 6
    assert difference == pytest.approx([0.5, (-2 * 0.5 + 6 * 0.5) / 8, (2 * 0.5 - 6 * 0.5) / 8])
    fields, _ = additive(np.stack([first, second]), ACCURACY, "macro")
    assert fields[..., 1].tolist() == [[2, 6], [2, 6]]


def test_counts_without_pi_are_as_they_were():
    folds = folds_of(dict.fromkeys("abc", ("estimate", None)))
    assert not folds.is_weighted
    counts = CountColumns(()).table(table_of([row("a", 90)]))
    assert folds.weighted_table([Place("a", 0, 0, 0)], counts, CountColumns(())) is counts
    assert counts.tolist() == [[0, 10, 0, 90]]
    assert folds.scoring is folds
    assert folds.splits()[0].scores.all()


def test_which_tiles_score():
    tiles = {"a": ("estimate", None), "b": ("train", None), "c": ("train", 0.5)}
    assert {place.sample for place in folds_of(tiles).scoring.places} == {"a"}
    assert not folds_of(tiles).is_weighted
    # one that is to estimate has a pi: then all have to
    folds = folds_of(tiles | drawn(d=0.5))
    assert {place.sample for place in folds.scoring.places} == {"d"}
    assert folds.is_weighted
    (doubt,) = (one for one in unit_doubts.doubts_of(folds, SETTINGS) if one.code == "without_pi")
    assert "1 of 4 annotated tiles have no `pi`" in doubt.message


def test_the_table_is_read_back():
    mixed = drawn(a=0.25, b=1, c=None) | {"d": ("train", None), "e": ("train", 0.5)}
    for unit in ("sample", "tile"):
        folds = folds_of(mixed, {"a": 2}, unit)
        assert read_back(folds) == folds
        assert read_back(folds).splits()[0].scores.tolist() == folds.splits()[0].scores.tolist()
    rows = {one["sample"]: one for one in folds.to_rows()}
    assert [rows[name]["purpose"] for name in "ad"] == ["estimate", "train"]
    assert [rows[name]["pi"] for name in "ace"] == [0.25, "", 0.5]


def test_every_fold_has_something_to_score():
    tiles = dict.fromkeys("abc", ("train", None)) | dict.fromkeys("xyz", ("estimate", None))
    folds = folds_of(tiles, folds=3)
    assert folds.fold_of == {"x": 0, "y": 1, "z": 2, "a": 0, "b": 1, "c": 2}
    assert {place.sample for place in folds.training()["0"]} == set("bcyz")
    # a single one that scores is held out, and the others train for it
    single = folds_of(dict.fromkeys("abc", ("train", None)) | drawn(x=None))
    assert {place.sample for place in single.training()["0"]} == set("abc")


def test_tiles_that_score_say_what_the_units_are():
    # with a alone, which scores, its tiles are the units, though there are other samples
    tiles = {"a": ("estimate", None)} | dict.fromkeys("bc", ("train", None))
    folds = folds_of(tiles, {"a": 3})
    assert (folds.kind, len(folds.scoring.fold_of)) == ("tile", 3)
    assert folds_of(dict.fromkeys("abc", ("train", None))).kind == "sample"
    assert folds_of(tiles | {"b": ("estimate", None)}, {"a": 3}).kind == "sample"


def tuned_rows(**rights):
    return [
        row(sample, right, variant=variant, fold="")
        for sample, own in rights.items()
        for variant, right in zip(("low", "high"), own, strict=True)
    ]


def test_tiles_for_training_choose_but_do_not_score():
    # on x and y alone, low is better; d, with much more to say, has high
    folds = folds_of({"d": ("train", None)} | drawn(x=None, y=None))
    rows = tuned_rows(d=(0, 100), x=(80, 70), y=(90, 60))
    trials = Trials.of(("low", "high"), table_of(rows), folds, CountColumns(()))
    assert trials.names == ["d (train)", "x", "y"]
    splits, _ = folds.splits()
    assert splits.scores.tolist() == [False, True, True]
    by = CountColumns(()).metric("accuracy"), "micro"
    own = evidence.selected(trials, splits, *by)
    assert own.variant == "high"
    # d is in the fold of x, and trains for y only
    assert folds.fold_of == {"x": 0, "y": 1, "d": 0}
    assert own.counts[:, 3].tolist() == [80, 60]
    assert own.resubstitution[:, 3].tolist() == [70, 60]


def test_what_only_trains_of_a_unit_is_held_out_with_it():
    folds = folds_of(drawn(x=0.5, y=0.5, z=0.5), {"x": 2, "y": 2}, unit="sample")
    training = frozenset({Place("x", 0, 0, 64)})
    sampling = replace(folds.sampling, training=training)
    folds = replace(folds, sampling=sampling, unscored=training)
    splits, _ = folds.splits()
    assert sorted(set(folds.part_of.values())) == ["x", "x (train)", "y", "z"]
    assert splits.fold_of.tolist() == [0, 0, 1, 2]
    assert splits.scores.tolist() == [True, False, True, True]
    # both parts of x are swapped together
    assert splits.swaps(np.array([[1.0, 0, 0], [0, 1, 0]])).tolist() == [[1, 1, 0, 0], [0, 0, 1, 0]]
    shuffled = splits.shuffled(1)
    assert sorted(shuffled.scored_folds.tolist()) == [0, 1, 2]
    assert shuffled.fold_of[0] == shuffled.fold_of[1]
    inner = splits.training(0)
    assert (inner.scores.tolist(), inner.fold_of.tolist()) == ([True, True], [0, 1])


def test_units_that_only_train_are_not_swapped():
    splits = Splits.of(np.array([0, 0, 1]), np.array([False, True, True]), np.array([7, 3, 5]))
    assert splits.swaps(np.array([[1.0, 1]])).tolist() == [[0, 1, 1]]


def test_intervals_count_units_that_score():
    rights = {"good": [90, 80, 90, 80, 90, 80], "bad": [50, 40, 60, 50, 40, 30]}
    folds = folds_of(dict.fromkeys("abcde", ("estimate", None)) | {"f": ("train", None)})
    grid = tuned_rows(**{sample: (20, 90 + i) for i, sample in enumerate("abcdef")})
    made = decided(tables(**rights, tuned=[0] * 6), {"tuned": grid}, folds=folds)
    assert made.record["units"] == {"unit": "sample", "number": 5, "independent": 5, "needed": 5}
    by_method = {one["method"]: one for one in made.ranking if one["metric"] == "accuracy"}
    assert by_method["good"]["value"] == pytest.approx(0.86)
    # f, which has 95 of 100, is none of its score
    assert by_method["tuned"]["value"] == pytest.approx(0.92)
    # and none of 32 flips of five units
    assert by_method["bad"]["p_best"] == 1 / 32


def test_a_single_unit_that_scores_has_no_cross_validated_selection():
    folds = folds_of({"a": ("estimate", None)} | dict.fromkeys("bcd", ("train", None)))
    made = decided(tables(good=[90, 10, 10, 10], bad=[50, 90, 90, 90]), folds=folds)
    assert (made.record["method"], made.record["value"]) == ("good", 0.9)
    assert "chosen" not in made.record["expected"]


def test_a_decision_with_weights():
    folds = folds_of(drawn(a=1, b=0.5, c=0.5, d=0.25, e=0.25, f=0.125))
    rights = [90, 80, 70, 60, 50, 40]
    made = decided(tables(one=rights, other=[right - 30 for right in rights]), folds=folds)
    scores = {
        one["method"]: one
        for one in made.scores
        if one["metric"] == "accuracy" and one["estimate"] == "fixed"
    }
    # of w: 1, 2, 2, 4, 4, 8
    mean = (90 + 2 * 80 + 2 * 70 + 4 * 60 + 4 * 50 + 8 * 40) / 2100
    assert scores["one"]["micro"] == pytest.approx(mean)
    # each has one of its four tiles: the weights are in the same proportion
    assert scores["one"]["macro"] == pytest.approx(mean)
    assert scores["one"]["macro_low"] < mean < scores["one"]["macro_high"]
    trivial = next(one for one in made.scores if one["method"] == "all background")
    assert (trivial["micro"], trivial["macro"]) == (1, 1)


def test_a_group_of_samples_has_the_tiles_of_all_of_them():
    settings = {
        "a": {"planes": 2, "tiles_of_plane": 4},
        "b": {"planes": 1, "tiles_of_plane": 3},
        "c": {"planes": 9, "tiles_of_plane": 9},
    }
    groups, places = {"a": "mouse", "b": "mouse", "c": "other"}, [Place("a", 0, 0, 0)]
    assert _number_of_tiles("sample", places, groups, settings) == 2 * 4 + 3
    assert _number_of_tiles("plane", [*places, Place("b", 0, 0, 0)], groups, settings) == 4 + 3
