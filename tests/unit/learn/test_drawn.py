"""Drawn pixels: balanced, repeatable, and weighed so that they stand for their tile."""

import numpy as np
import pytest

from tilewise.learn import drawn
from tilewise.learn.drawn import Drawn

CORNER = ("a", 0, 64, 128)


@pytest.fixture
def truth():
    random = np.random.default_rng(0)
    truth = (random.random((50, 60)) < 0.1).astype(np.uint8)
    truth[:, :7] = 255
    return truth


def tile_of(truth, number, corner=CORNER):
    rows, columns = drawn.draw(truth, number, 0, corner)
    values = np.arange(3 * rows.size, dtype=np.float32).reshape(3, -1)
    totals = np.array([(truth == kind).sum() for kind in (0, 1)])
    place = rows.astype(np.int32), columns.astype(np.int32)
    return Drawn(
        corner, truth.shape, totals, ((3.0, 200.0),) * 2, *place, truth[rows, columns], values
    )


def test_as_many_of_each_class_and_of_no_other(truth):
    rows, columns = drawn.draw(truth, 70, 0, CORNER)
    assert np.bincount(truth[rows, columns]).tolist() == [70, 70]
    assert len({*zip(rows.tolist(), columns.tolist(), strict=True)}) == 140


def test_all_of_a_class_that_has_fewer(truth):
    foreground = np.argwhere(truth == 1)
    rows, columns = drawn.draw(truth, 10**6, 0, CORNER)
    own = truth[rows, columns] == 1
    np.testing.assert_array_equal(np.stack([rows[own], columns[own]], 1), foreground)


def test_draws_are_spread_evenly(truth):
    # over many seeds each background pixel is drawn as often
    times = np.zeros(truth.shape)
    for seed in range(400):
        times[drawn.draw(truth, 100, seed, CORNER)] += 1
    background = times[truth == 0]
    share = 100 / background.size
    # binomial: mean and standard deviation
    assert background.mean() == pytest.approx(400 * share)
    assert background.std() == pytest.approx(np.sqrt(400 * share * (1 - share)), rel=0.1)


def test_a_draw_depends_on_its_tile_number_and_seed(truth):
    known = [axis.tolist() for axis in drawn.draw(truth, 70, 0, CORNER)]
    assert [axis.tolist() for axis in drawn.draw(truth, 70, 0, CORNER)] == known
    for seed, corner in ((1, CORNER), (0, ("b", 0, 64, 128)), (0, ("a", 0, 64, 0))):
        assert [axis.tolist() for axis in drawn.draw(truth, 70, seed, corner)] != known


def test_weights_undo_the_balance(truth):
    tile = tile_of(truth, 70)
    for kind in (0, 1):
        assert tile.weights[tile.truth == kind].sum() == pytest.approx((truth == kind).sum())


def test_number_per_tile():
    assert drawn.number_per_tile(30_000, 1) == 30_000
    assert drawn.number_per_tile(30_000, 7) == 4286
    assert drawn.number_per_tile(30_000, 10_000) == drawn.LEAST


def test_tiles_are_read_back(truth, tmp_path):
    tiles = [tile_of(truth, 40), tile_of(truth[:, :7], 40, ("b", 1, 0, 0)), tile_of(truth, 9)]
    drawn.write(tmp_path / "a.npz", tiles[:2], 3)
    drawn.write(tmp_path / "b.npz", tiles[2:], 3)
    drawn.write(tmp_path / "none.npz", [], 3)
    found = drawn.read([tmp_path / name for name in ("a.npz", "none.npz", "b.npz")])
    assert [one.corner for one in found] == [one.corner for one in tiles]
    for one, tile in zip(found, tiles, strict=True):
        assert (one.shape, one.levels) == (tile.shape, tile.levels)
        for name in ("totals", "rows", "columns", "truth", "values", "weights"):
            np.testing.assert_array_equal(getattr(one, name), getattr(tile, name))
