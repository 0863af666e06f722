"""Choices, the decision and tests on tiles of one plane."""

import near_tiles
import numpy as np
import pytest
from right_pixels import SETTINGS as KNOWN
from right_pixels import row_of, table_of

from tilewise.decide import decision, selection
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.folds import Folds
from tilewise.decide.places import place_of
from tilewise.decide.selection import Trials

SETTINGS = KNOWN | {"tile_gap": 1, "cell": 1}
COLUMNS = CountColumns(())
LOW, HIGH = (50, 100, 50, 50, 50), (50, 0, 60, 60, 60)
"""Right pixels of 100 in a row of five tiles. Without the first tile the low one is better, 250 to
180; without the second one too, which touches the first, the high one: 150 to 180."""


def row(column, right, **more):
    place = {"sample": "a", "tile": f"z0000_y00_x{column:02d}", "x": str(64 * column)}
    return row_of(place, right, **more)


def rows_of(rights, **more):
    return [row(column, right, **more) for column, right in enumerate(rights)]


def folds():
    tiles = {place_of(row): (0, column) for column, row in enumerate(rows_of(LOW))}
    return Folds.of(list(tiles), {"a": "a"}, SETTINGS, tiles)


def trials_of(rows):
    return Trials.of(("low", "high"), table_of(rows), folds(), COLUMNS)


def test_parameters_are_chosen_without_near_tiles():
    rows = [*rows_of(LOW, variant="low", fold=""), *rows_of(HIGH, variant="high", fold="")]
    trials, right = trials_of(rows), COLUMNS.names.index("tn")
    assert trials.kind == "cell"
    # names are in the order of their text: 0, 128, 192, 256, 64
    assert trials.names == [f"a z0 y0 x{64 * column}" for column in (0, 2, 3, 4, 1)]
    assert trials.of_all[0, :, right].tolist() == [50, 50, 50, 50, 100]
    # the fold of the first tile, without its neighbour
    fold = folds().fold_of["a z0 y0 x0"]
    assert trials.by_fold[fold, ..., right].tolist() == [[50, 50, 50, 50, 0], [50, 60, 60, 60, 0]]
    chosen = selection.select("m", trials, COLUMNS, COLUMNS.merit("accuracy"), "micro")
    assert {"fold": fold, "variant": "high"} in chosen.fold_rows
    # with the threshold of other folds, too
    rows = [*rows_of(LOW, variant="low", fold="all"), *rows_of(HIGH, variant="high", fold="")]
    rows += [one for i in range(5) for one in rows_of(LOW, variant="low", fold=str(i))]
    np.testing.assert_array_equal(trials_of(rows).by_fold, trials.by_fold)


def test_the_method_is_selected_without_near_tiles():
    tiles = {"low": rows_of(LOW, method="low"), "high": rows_of(HIGH, method="high")}
    known = {"choices": (), "histograms": {}, "annotators": (), "flags": {}, "samples": ["a"]}
    known |= {"left_out": [], "excluded": 0, "folds": folds()}
    record = decision.decide(
        {name: table_of(rows) for name, rows in tiles.items()}, {}, SETTINGS, **known
    ).record
    fold = folds().fold_of["a z0 y0 x0"]
    assert record["expected"]["chosen"][fold] == "high"
    assert record["method"] == "low"
    units = record["units"]
    assert (units["unit"], units["independent"]) == ("cell", 5)
    # differences are 0, 100, -10, -10, -10: neighbours differ by (100^2 + 110^2) / 2 / 4 = 2762.5,
    # over a variance of (100^2 + 3 * 10^2 - 70^2 / 5) / 4 = 2330
    assert units["correlation"] == pytest.approx(1 - 2762.5 / 2330)
    assert units["effective"] == 5
    assert [doubt["code"] for doubt in record["warnings"]] == ["near_units"]


def test_errors_of_near_tiles():
    """A short form of `benchmarks/near_tiles.py`."""
    number, covered, rejected, *_ = near_tiles.study(4, 16, ("each tile",), 1, 150)["each tile"]
    assert number == 16
    # of 150 studies, the standard error is 0.04: three of them from what there should be
    assert covered < 0.95 - 0.12
    assert rejected > 0.05 + 0.12
    titles = ("each tile", "cells of 2 x 2")
    rates = {title: row[2] for title, row in near_tiles.study(6, 36, titles, 1, 150).items()}
    assert rates["cells of 2 x 2"] < rates["each tile"] - 0.08
    alone = near_tiles.study(6, 36, ("each tile",), 0, 150)["each tile"]
    assert alone[2] < 0.05 + 0.06
