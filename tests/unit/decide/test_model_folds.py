"""Models and the annotated tiles that they are trained without."""

import csv
import io
from itertools import combinations

from tilewise.decide import model_folds
from tilewise.decide.folds import Folds
from tilewise.decide.places import Place
from tilewise.learn.assignment import ALL, COLUMNS, Assignment

SETTINGS = {"unit": "auto", "plane_gap": 10, "folds": 10}
CELLS = SETTINGS | {"tile_gap": 1, "cell": 1, "min_units": 5}
SAMPLES = "abcdefgh"
PLACES = [Place(sample, 0, y, 0) for sample in SAMPLES for y in (0, 64)]


def assigned(folds, samples, number):
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, delimiter="\t")
    writer.writeheader()
    writer.writerows(model_folds.assign(folds, samples, number))
    text.seek(0)
    return Assignment.from_rows(csv.DictReader(text, delimiter="\t"))


def samples_of(places):
    return "".join(sorted({place.sample for place in places}))


def test_each_model_is_trained_without_what_it_predicts():
    folds = Folds.of(PLACES, {sample: sample for sample in SAMPLES}, SETTINGS)
    known = assigned(folds, SAMPLES, 3)
    assert samples_of(known.training(ALL)) == SAMPLES
    # eight folds, of which every third goes with one model
    assert [samples_of(known.training(str(i))) for i in range(3)] == ["bcefh", "acdfg", "abdegh"]
    predicting = known.predicting()
    assert predicting["d", 0, 64, 0] == {"": "0"}
    assert len(predicting) == len(PLACES)
    assert known.training("3") == []


def test_models_of_pairs_have_seen_neither():
    folds = Folds.of(PLACES, {sample: sample for sample in SAMPLES}, SETTINGS)
    known = assigned(folds, SAMPLES, 3)
    assert samples_of(known.training("0-1")) == "cf"
    assert samples_of(known.training("0-2")) == "beh"
    assert known.training("0-3") == []
    # sample e is fold 4, which goes with model 1
    assert known.nested_folds == list("01234567")
    predicting = known.predicting("4")
    models = {sample: predicting[sample, 0, 64, 0][""] for sample in SAMPLES}
    assert "".join(SAMPLES) == "".join(models)
    assert list(models.values()) == ["0-1", "1", "1-2", "0-1", "1", "1-2", "0-1", "1"]
    # of two models, a pair is all that there is
    assert assigned(folds, SAMPLES, 2).nested_folds == []


def test_groups_stay_together():
    groups = {sample: "g" if sample in "abc" else sample for sample in SAMPLES}
    known = assigned(Folds.of(PLACES, groups, SETTINGS), SAMPLES, 3)
    models = {known.predicting()[sample, 0, 0, 0][""] for sample in "abc"}
    assert len(models) == 1
    assert not set("abc") & set(samples_of(known.training(*models)))


def test_a_method_on_some_samples_has_models_of_these():
    folds = Folds.of(PLACES, {sample: sample for sample in SAMPLES}, SETTINGS)
    # folds 0 and 5, which five models would have as one
    known = assigned(folds, "af", 5)
    assert [samples_of(known.training(str(i))) for i in range(3)] == ["f", "a", ""]
    assert samples_of(known.training(ALL)) == "af"


def test_a_single_unit_is_predicted_by_what_it_trained():
    folds = Folds.of(PLACES[:1], {"a": "a"}, SETTINGS)
    known = assigned(folds, "a", 5)
    assert known.training("0") == []
    assert known.predicting() == {}
    assert known.resubstituted == {"a"}
    assert samples_of(known.training(ALL)) == "a"


def test_blocks_of_a_tile():
    places = [Place("a", 0, 0, 0), *(Place("a", 0, 0, 0, str(n)) for n in range(9))]
    folds = Folds.of(places, {"a": "a"}, SETTINGS)
    known = assigned(folds, "a", 3)
    assert [place.patch for place in known.training(ALL)] == [""]
    assert [place.patch for place in known.training("1")] == ["0", "2", "3", "5", "6", "8"]
    expected = {str(n): str(n % 3) for n in range(9)}
    assert known.predicting() == {("a", 0, 0, 0): expected}
    assert known.resubstituted == set()


def test_tiles_in_the_margin_of_a_model_do_not_train_it():
    tiles = {Place("a", 0, 0, 64 * c): (0, c) for c in range(12)}
    folds = Folds.of(list(tiles), {"a": "a"}, CELLS, tiles)
    assert folds.kind == "cell"
    known = assigned(folds, "a", 4)
    predicting = known.predicting()
    for model in "0123":
        own = {x // 64 for (_, _, _, x), models in predicting.items() if models[""] == model}
        near = {column + side for column in own for side in (-1, 0, 1)}
        trained = {place.x // 64 for place in known.training(model)}
        assert own
        assert trained == set(range(12)) - near


def test_tiles_in_the_margin_of_either_do_not_train_a_pair():
    tiles = {Place("a", 0, 0, 64 * c): (0, c) for c in range(12)}
    folds = Folds.of(list(tiles), {"a": "a"}, CELLS, tiles)
    known = assigned(folds, "a", 6)
    model_of = {x // 64: own[""] for (_, _, _, x), own in known.predicting().items()}
    for one, other in combinations("012345", 2):
        own = {column for column, model in model_of.items() if model in (one, other)}
        near = {column + side for column in own for side in (-1, 0, 1)}
        far = set(range(12)) - near
        trained = {place.x // 64 for place in known.training(f"{one}-{other}")}
        assert trained == (far or set(range(12)) - own)


def test_where_all_are_in_the_margin_they_train_all_the_same():
    tiles = {Place("a", 0, 0, 64 * c): (0, c) for c in range(6)}
    folds = Folds.of(list(tiles), {"a": "a"}, CELLS, tiles)
    known = assigned(folds, "a", 2)
    for model in "01":
        predicting = known.predicting().items()
        own = {x // 64 for (_, _, _, x), models in predicting if models[""] == model}
        others = set(range(6)) - own
        assert others <= {column + side for column in own for side in (-1, 1)}
        assert {place.x // 64 for place in known.training(model)} == others
