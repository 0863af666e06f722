"""Units and folds: the same for all methods, and without what is excluded."""

import csv
import io

from tilewise.decide.folds import COLUMNS, Folds
from tilewise.decide.places import Place

SETTINGS = {"unit": "auto", "plane_gap": 10, "folds": 3}
SAMPLES = "abcdef"
PLACES = [Place(sample, 0, y, 0) for sample in SAMPLES for y in (0, 64)]
GROUPS = {sample: sample for sample in SAMPLES}


def test_folds_of_units():
    folds = Folds.of(PLACES, GROUPS, SETTINGS)
    assert folds.kind == "sample"
    assert folds.fold_of == {"a": 0, "b": 1, "c": 2, "d": 0, "e": 1, "f": 2}
    training = folds.training()
    assert list(training) == ["0", "1", "2"]
    assert {place.sample for place in training["1"]} == {"a", "c", "d", "f"}


def test_of_some_places_they_are_the_same():
    folds = Folds.of(PLACES, GROUPS, SETTINGS)
    own = folds.within({place for place in PLACES if place.sample in "bc"})
    assert own.fold_of == {"b": 1, "c": 2}
    assert {place.sample for place in own.training()["1"]} == {"c"}
    assert folds.within({PLACES[0]}).training() == {}
    # places that were excluded before have no fold
    assert folds.within({Place("z", 0, 0, 0)}).unit_of == {}


def test_a_table_is_read_back():
    tile = [Place("a", 0, 0, 0), *(Place("a", 0, 0, 0, str(number)) for number in range(4))]
    for places in (PLACES, tile):
        folds = Folds.of(places, GROUPS, SETTINGS)
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(folds.to_rows())
        text.seek(0)
        assert Folds.from_rows(csv.DictReader(text)) == folds
    # the spatial blocks of a single tile count in its place
    assert folds.kind == "block"
    assert tile[0] in folds.places
    assert tile[0] not in folds.unit_of
    assert len(folds.fold_of) == 4


def test_nothing_annotated():
    folds = Folds.of([], GROUPS, SETTINGS)
    assert (folds.unit_of, folds.fold_of, folds.training()) == ({}, {}, {})
    assert Folds.from_rows([]).places == ()
