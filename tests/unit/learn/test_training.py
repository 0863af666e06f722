"""Training: what is held out inside, the bound, and features that are kept."""

from dataclasses import replace

import numpy as np
import pytest

from tilewise.learn import drawn, features, training
from tilewise.learn.assignment import Place
from tilewise.learn.drawn import Drawn

NAMES = [f"gaussian_{sigma}" for sigma in (1, 2, 3, 4)]
SETTINGS = {"trees": 20, "depth": 3, "rate": 0.3, "keep": None, "seed": 0}
F1 = training.merit_of("f1")


def tile_of(sample, truth, values, seed=0):
    rows, columns = drawn.draw(truth, 10**6, seed, (sample, 0, 0, 0))
    totals = np.array([(truth == kind).sum() for kind in (0, 1)])
    return Drawn(
        *((sample, 0, 0, 0), truth.shape, totals, ((0.0, 255.0),)),
        *(rows.astype(np.int32), columns.astype(np.int32)),
        *(truth[rows, columns], values[:, rows, columns].astype(np.float32)),
    )


def place_of(sample, patch="", unit=None, model="0"):
    return Place(sample, 0, 0, 0, patch, sample if unit is None else unit, "0", model, frozenset())


def made(sample, seed, side=30):
    """A tile whose first feature says something of the truth, and others nothing."""
    random = np.random.default_rng(seed)
    truth = (random.random((side, side)) < 0.2).astype(np.uint8)
    values = random.normal(0, 1, (len(NAMES), side, side))
    values[0] += 1.5 * truth
    return tile_of(sample, truth, values)


def test_parts_are_whole_units():
    tiles = [made(name, seed) for seed, name in enumerate("abcde")]
    pixels = training.gather(tiles, [place_of(name) for name in "abde"], margin=4)
    assert pixels.truth.size == 4 * 900
    # a, b, d and e by name: parts 0, 1, 2 and 0
    np.testing.assert_array_equal(pixels.part, np.repeat([0, 1, 2, 0], 900))
    np.testing.assert_array_equal(pixels.values[:, 1800:2700], tiles[3].values)


def test_a_single_unit_is_cut_into_blocks_with_a_margin():
    pixels = training.gather([made("a", 0)], [place_of("a", unit="")], margin=4)
    number = np.full((30, 30), training.NOWHERE)
    # three along each side, 4 px apart: 0 to 8, 12 to 18, 22 to 30
    for y, rows in enumerate((slice(0, 8), slice(12, 18), slice(22, 30))):
        for x, columns in enumerate((slice(0, 8), slice(12, 18), slice(22, 30))):
            number[rows, columns] = (3 * y + x) % training.INNER
    np.testing.assert_array_equal(pixels.part.reshape(30, 30), number)


def test_blocks_of_a_tile_are_places_of_their_own():
    tile = made("a", 0)
    places = [place_of("a", patch, unit=f"block {patch}") for patch in "04"]
    pixels = training.gather([tile], places, margin=4)
    assert pixels.truth.size == 8 * 8 + 6 * 6
    is_first = (tile.rows < 8) & (tile.columns < 8)
    np.testing.assert_array_equal(pixels.values[:, :64], tile.values[:, is_first])
    assert set(pixels.part[:64]) == {0}
    assert set(pixels.part[64:]) == {1}


def test_weights_follow_the_pixels():
    random = np.random.default_rng(0)
    truth = (random.random((40, 40)) < 0.3).astype(np.uint8)
    rows, columns = drawn.draw(truth, 20, 0, ("a", 0, 0, 0))
    totals = np.array([(truth == kind).sum() for kind in (0, 1)])
    tile = Drawn(
        *(("a", 0, 0, 0), truth.shape, totals, ((0.0, 1.0),)),
        *(rows.astype(np.int32), columns.astype(np.int32), truth[rows, columns]),
        np.zeros((len(NAMES), rows.size), np.float32),
    )
    pixels = training.gather([tile, made("b", 1)], [place_of("a"), place_of("b")], margin=4)
    assert pixels.weights[:40].sum() == pytest.approx(1600)
    assert set(pixels.weights[40:]) == {1.0}


def test_the_bound_has_the_highest_merit():
    random = np.random.default_rng(0)
    truth = (random.random(500) < 0.3).astype(np.uint8)
    odds = np.round(random.normal(truth, 1), 1)
    weights = random.uniform(0.5, 3, 500)
    for metric in ("f1", "mcc", "balanced_accuracy"):
        merit = training.merit_of(metric)
        bound = training._best_bound(odds, truth, weights, merit)

        def value(at, merit=merit):
            mask = odds >= at
            kinds = (mask & (truth == 1), mask & (truth == 0), ~mask & (truth == 1))
            counts = [weights[kind].sum() for kind in (*kinds, ~mask & (truth == 0))]
            return float(merit(np.array(counts)))

        each = [value(at) for at in np.unique(odds)[1:]]
        assert value(bound) == pytest.approx(max(each), abs=1e-12)
        # between two that occur
        assert bound not in odds


def test_f1_by_hand():
    counts = np.array([[6.0, 2, 4, 100], [0, 0, 0, 9]])
    # nothing to find, and nothing found: right
    np.testing.assert_array_equal(F1(counts), [2 * 6 / (2 * 6 + 2 + 4), 1])
    # which pixels alone do not give
    np.testing.assert_array_equal(training.merit_of("nsd")(counts), F1(counts))


def test_what_is_learned_holds_elsewhere():
    tiles = [made(name, seed) for seed, name in enumerate("abcd")]
    fitted = training.fit(
        training.gather(tiles[:3], [place_of(name) for name in "abc"], 4),
        *(NAMES, "uint8", F1, SETTINGS),
    )
    model = fitted.model
    # the one feature with something to say
    assert model.names[int(np.argmax(fitted.importance))] == NAMES[0]
    new = tiles[3]
    own = [NAMES.index(name) for name in model.names]
    codes = features.quantise(new.values[own], model.edges)
    mask = training.trees.score(codes[:, None], model.trees)[0] >= model.bound
    right = (mask & (new.truth == 1)).sum()
    found = 2 * right / (mask.sum() + new.truth.sum())
    # the best bound on that feature alone
    best = max(
        2
        * ((new.values[0] > t) & (new.truth == 1)).sum()
        / ((new.values[0] > t).sum() + new.truth.sum())
        for t in np.linspace(-2, 4, 121)
    )
    assert best - 0.06 < found <= best + 0.02


def test_the_same_pixels_give_the_same_model(tmp_path):
    tiles = [made(name, seed) for seed, name in enumerate("abc")]
    for file in ("a.npz", "b.npz"):
        pixels = training.gather(tiles, [place_of(name) for name in "abc"], 4)
        fitted = training.fit(pixels, NAMES, "uint8", F1, SETTINGS)
        fitted.model.save(tmp_path / file)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_features_are_kept_that_most_depends_on():
    tiles = [made(name, seed) for seed, name in enumerate("abc")]
    pixels = training.gather(tiles, [place_of(name) for name in "abc"], 4)
    fitted = training.fit(pixels, NAMES, "uint8", F1, SETTINGS | {"keep": 1})
    assert fitted.model.names == (NAMES[0],)
    assert fitted.model.edges.shape == (1, 2)


@pytest.mark.parametrize(("kind", "share"), [(0, 0), (1, 1)])
def test_one_class_alone_is_everywhere(kind, share):
    truth = np.full((9, 9), kind, np.uint8)
    tile = tile_of("a", truth, np.random.default_rng(0).normal(0, 1, (4, 9, 9)))
    pixels = training.gather([tile], [place_of("a")], 4)
    model = training.fit(pixels, NAMES, "uint8", F1, SETTINGS).model
    mask = model.mask(np.zeros((20, 20), np.uint8), (0, 0), (0, 20, 0, 20))
    assert mask.mean() == share


def test_without_pixels_all_is_background():
    pixels = training.gather([], [place_of("a")], 4)
    model = training.fit(pixels, NAMES, "uint8", F1, SETTINGS).model
    assert not model.mask(np.zeros((20, 20), np.uint8), (0, 0), (0, 20, 0, 20)).any()


def test_channels_have_scales_of_their_own():
    names = features.feature_names([1], ["gaussian"], ["red", "a"])
    assert names == ["red:intensity", "red:gaussian_1", "a:intensity", "a:gaussian_1"]
    tiles = []
    for sample, levels in (("a", ((0.0, 9.0), (-3.0, 1.0))), ("b", ((2.0, 20.0), (-1.0, 2.0)))):
        tiles.append(replace(made(sample, len(tiles)), levels=levels))
    pixels = training.gather(tiles, [place_of("a"), place_of("b")], 4)
    fitted = training.fit(pixels, names, "float32", F1, SETTINGS)
    assert fitted.model.scale == {
        "red": features.scale_of("float32", 0, 20),
        "a": features.scale_of("float32", -3, 2),
    }
    assert training.card(fitted, [], SETTINGS, "f1")["channels"] == ["red", "a"]


def test_a_model_without_pixels_has_a_card():
    # of fewer units than models, the last ones have no tiles
    fitted = training.fit(training.gather([], [], 4), NAMES, "uint8", F1, SETTINGS)
    card = training.card(fitted, [], SETTINGS, "f1")
    assert card["trained_on"]["background_pixels"] == 0
    assert card["trained_on"]["samples"] == []
