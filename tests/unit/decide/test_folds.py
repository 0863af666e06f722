"""Units and folds: the same for all methods, and without what is excluded."""

import csv
import io

from tilewise.decide.folds import COLUMNS, Folds
from tilewise.decide.places import Place

SETTINGS = {"unit": "auto", "plane_gap": 10, "folds": 3}
CELLS = SETTINGS | {"folds": 10, "tile_gap": 1, "cell": 3, "min_units": 5}
TILES = {Place("a", 0, 64 * row, 64 * c): (row, c) for row in range(6) for c in range(6)}
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
    for places, settings in ((PLACES, SETTINGS), (list(TILES), CELLS), (tile, SETTINGS)):
        folds = Folds.of(places, GROUPS, settings, TILES)
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


def test_tiles_next_to_a_cell_do_not_train_for_it():
    folds = Folds.of(list(TILES), GROUPS, CELLS, TILES)
    assert folds.kind == "cell"
    assert folds.fold_of == {
        **{"a z0 y0 x0": 0, "a z0 y0 x192": 1},
        **{"a z0 y192 x0": 2, "a z0 y192 x192": 3},
    }
    # of 36 tiles, nine are held out and seven touch them
    training = {TILES[place] for place in folds.training()["0"]}
    assert training == {(row, column) for row, column in TILES.values() if max(row, column) > 3}
    assert len(folds.margin(0)) == 7
    assert folds.without_margin() == []
    assert [len(unit) for unit in folds.layout().units] == [9] * 4
    wider = Folds.of(list(TILES), GROUPS, CELLS | {"tile_gap": 1.1}, TILES)
    # one tile lies between, but not across a corner: column 4 in rows 0 to 3, and the like
    assert len(wider.margin(0)) == 7 + 8


def test_a_margin_that_leaves_nothing_is_left_out():
    # two columns of tiles touch each other
    tiles = {place: spot for place, spot in TILES.items() if spot[1] < 2}
    folds = Folds.of(list(tiles), GROUPS, CELLS | {"cell": 1, "folds": 12}, tiles)
    few = folds.within({place for place, spot in tiles.items() if spot[0] < 2})
    assert folds.without_margin() == []
    assert few.without_margin() == sorted(set(few.fold_of.values()))
    assert [len(places) for places in few.training().values()] == [3] * 4


def test_nothing_annotated():
    folds = Folds.of([], GROUPS, SETTINGS)
    assert (folds.unit_of, folds.fold_of, folds.training()) == ({}, {}, {})
    assert Folds.from_rows([]).places == ()
