"""Rows of tiles, and of the spatial blocks of a single one."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from tilewise.score import score_table, scoring
from tilewise.score.patches import patches
from tilewise.segment import local_thresholds, trials
from tilewise.store.grid import Grid, Region, Tile, runs_of
from tilewise.tables import read_rows

SETTINGS = {"metrics": [], "spacing": [1, 1, 1], "tolerance": 1, "objects": {}, "margin": None}


@pytest.mark.parametrize(("shape", "margin"), [((512, 512), 16), ((100, 64), 7), ((9, 30), 16)])
def test_blocks_are_apart_by_the_margin(shape, margin):
    covered = np.zeros(shape, int)
    found = patches(shape, margin)
    assert len(found) == 9
    for patch in found:
        assert covered[patch].size
        covered[patch] += 1
    assert covered.max() == 1
    rows = [patch[0] for patch in found[::3]]
    columns = [patch[1] for patch in found[:3]]
    for size, cuts in zip(shape, (rows, columns), strict=True):
        assert (cuts[0].start, cuts[-1].stop) == (0, size)
        gaps = {b.start - a.stop for a, b in zip(cuts, cuts[1:], strict=False)}
        assert gaps == {min(margin, size // 3 - 1)}


def test_margins_of_blocks_by_hand():
    # of four pixels between blocks, two are taken from each; of three, one and two
    rows = [(cut.start, cut.stop) for cut, _ in patches((30, 3), 4)[::3]]
    assert rows == [(0, 8), (12, 18), (22, 30)]
    rows = [(cut.start, cut.stop) for cut, _ in patches((30, 3), 3)[::3]]
    assert rows == [(0, 8), (11, 18), (21, 30)]
    # of three columns each block has one
    assert [(cut.start, cut.stop) for _, cut in patches((30, 3), 4)[:3]] == [(0, 1), (1, 2), (2, 3)]


def test_a_tile_has_one_row_unless_it_is_cut():
    truth, mask = np.zeros((2, 12, 12), np.uint8)
    truth[:4, :4] = mask[:4, :4] = 1
    truth[:, 8:] = 255
    (row,) = scoring.count_tile(truth, mask, SETTINGS)
    assert (row["patch"], row["tp"], row["tn"]) == ("", 16, 80)
    rows = scoring.count_tile(truth, mask, SETTINGS | {"margin": 0})
    # three of the nine blocks are not annotated
    assert [row["patch"] for row in rows] == ["", 0, 1, 3, 4, 6, 7]
    assert [row["tp"] for row in rows] == [16, 16, 0, 0, 0, 0, 0]


def test_a_sliver_is_one_whatever_its_counts():
    empty = np.zeros((12, 2), np.uint8)
    (whole,) = scoring.count_tile(empty, empty, SETTINGS)
    (sliver,) = scoring.count_tile(empty, empty, SETTINGS, is_sliver=True)
    assert (whole["edge"], sliver["edge"]) == ("both_empty", "sliver")
    assert sliver | {"edge": ""} == whole | {"edge": ""}


def test_rows_of_whole_tiles():
    rows = [{"patch": "", "tp": "3"}, {"patch": "0", "tp": "1"}, {"patch": "8", "tp": "2"}]
    assert score_table.whole_tiles(rows) == rows[:1]


def test_what_is_not_annotated_has_no_row():
    assert (
        scoring.count_tile(np.full((4, 4), 255, np.uint8), np.ones((4, 4), np.uint8), SETTINGS)
        == []
    )


def test_columns_hold_every_field(tmp_path):
    truth = np.eye(8, dtype=np.uint8)
    settings = SETTINGS | {"metrics": ["cldice", "nsd", "hd95", "assd", "objects"]}
    (row,) = scoring.count_tile(truth, truth, settings)
    row |= dict.fromkeys(score_table.PLACE, "here")
    columns = score_table.columns(settings["metrics"])
    assert len(set(columns)) == len(columns)
    # a field without a column, and a column without a field, would both fail
    score_table.write_scores(tmp_path / "scores.tsv", [row], settings["metrics"])
    (written,) = read_rows(tmp_path / "scores.tsv")
    assert list(written) == list(columns)
    assert all(written[name] for name in columns if name != "patch")


def test_runs_of_neighbouring_tiles():
    grid = Grid((2, 100, 250), 64, (2, 128, 256))
    tiles = [Tile(0, 0, 0), Tile(0, 0, 1), Tile(0, 0, 3), Tile(0, 1, 3), Tile(1, 0, 2)]
    assert runs_of(tiles, grid) == [
        Region(0, 1, 0, 64, 0, 128),
        Region(0, 1, 0, 64, 192, 250),
        Region(0, 1, 64, 100, 192, 250),
        Region(1, 2, 0, 64, 128, 192),
    ]
    assert runs_of([], grid) == runs_of([], grid, math.inf) == []
    planes = [Region(0, 1, 0, 100, 0, 250), Region(1, 2, 0, 100, 0, 250)]
    assert runs_of(tiles, grid, math.inf) == planes


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_shared_surfaces_are_those_of_each(dtype):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 250, (40, 90)).astype(dtype)
    outer, own = Region(0, 1, 0, 40, 0, 90), Region(0, 1, 5, 40, 10, 80)
    surfaces = trials.Surfaces(pixels, outer)
    for offset in (0, -7.3, 12):
        segmenter = SimpleNamespace(threshold="adaptive", settings={"size": 15, "offset": offset})
        expected = local_thresholds.adaptive(pixels[5:40, 10:80], 15, offset)
        np.testing.assert_array_equal(surfaces.of(segmenter, own), expected)


def test_planes_and_volumes_as_extents():
    truth = np.arange(4, dtype=np.uint8).reshape(4, 1, 1) % 2
    mask = 1 - truth
    planes = list(scoring.planes_of([1, 3], truth.__getitem__, mask.__getitem__))
    assert [(name, z, int(t[0, 0]), int(m[0, 0])) for name, z, t, m in planes] == [
        ("z0001", 1, 1, 0),
        ("z0003", 3, 1, 0),
    ]
    # from the first annotated plane to the last, with those between
    for annotated in ([1, 3], [1, 2, 3]):
        volumes = scoring.volume_of(annotated, truth.__getitem__, mask.__getitem__)
        ((name, z, known, predicted),) = volumes
        assert (name, z) == ("sample", 1)
        assert known.ravel().tolist() == [1, 0, 1]
        assert predicted.ravel().tolist() == [0, 1, 0]
