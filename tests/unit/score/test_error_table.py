"""Errors of blocks and flags of tiles, added up by hand."""

import numpy as np
import pytest

from tilewise import frames
from tilewise.score import score_table
from tilewise.score.agreement import mean_dice
from tilewise.score.error_kinds import CALIBRES, DISTANCES
from tilewise.score.error_table import sum_strata


def stratum(by, low, tp, fp, fn, tn, sample="a"):
    names = {"sample": sample, "method": "otsu", "by": by, "low": low, "high": "9"}
    return names | {"tp": str(tp), "fp": str(fp), "fn": str(fn), "tn": str(tn)}


def table_of(rows):
    return frames.of_rows(rows, list(rows[0]) if rows else TILE, score_table.kinds([]))


TILE = ["sample", "method", "extent", "flags", "tp", "fp", "fn", "tn"]


def test_strata_of_blocks_add_up():
    rows = [stratum("distance", "0", 3, 1, 1, 5), stratum("calibre", "3", 4, 0, 4, 0)]
    rows += [stratum("distance", "0", 3, 1, 1, 5), stratum("distance", "0", 1, 0, 0, 1, "b")]
    both, calibre, other = sum_strata(rows, table_of([]))
    assert [both[name] for name in ("sample", "by", "low", "tp", "fp", "fn", "tn")] == [
        *("a", "distance", "0", 6, 2, 2, 10),
    ]
    assert (both["recall"], both["precision"], both["f1"]) == (0.75, 0.75, 0.75)
    assert both["mcc"] == pytest.approx((6 * 10 - 2 * 2) / (8 * 12))
    # what is not there has no calibre
    assert calibre["recall"] == 0.5
    assert (calibre["precision"], calibre["f1"], calibre["mcc"]) == (None, None, None)
    assert (other["sample"], other["recall"]) == ("b", 1)


def test_each_flag_of_a_tile_is_a_stratum():
    counts = {"tp": "1", "fp": "0", "fn": "1", "tn": "2"}
    tiles = [
        {"sample": "a", "method": "otsu", "extent": extent, "flags": flags, **counts}
        for extent, flags in (("tile", "blurred;dark"), ("tile", ""), ("tile", "dark"))
    ]
    tiles.append(tiles[0] | {"extent": "plane"})
    found = {
        row["low"]: (row["by"], row["tp"], row["tn"]) for row in sum_strata([], table_of(tiles))
    }
    assert found == {
        "blurred": ("quality", 1, 2),
        "dark": ("quality", 2, 4),
        "no flag": ("quality", 1, 2),
    }
    # in the order in which they first occur
    assert list(found) == ["blurred", "dark", "no flag"]


def test_limits_are_those_that_docs_name():
    assert list(CALIBRES) == [0, 3, 5, 9, 17, float("inf")]
    assert list(DISTANCES) == [0, 1, 2, 4, 8, float("inf")]


def mask(*pixels):
    array = np.zeros((2, 3), np.uint8)
    array.ravel()[list(pixels)] = 1
    return array


@pytest.mark.parametrize(
    ("masks", "expected"),
    [
        ([], None),
        ([mask(0)], None),
        ([mask(0, 1), mask(0, 1)], 1),
        ([mask(0, 1), mask(2)], 0),
        ([mask(), mask()], 1),
        # 2/3, 1/2 and 0
        ([mask(0), mask(0, 1), mask(1, 2)], (2 / 3 + 1 / 2 + 0) / 3),
    ],
)
def test_mean_dice_by_hand(masks, expected):
    assert mean_dice(masks) == (None if expected is None else pytest.approx(expected))
