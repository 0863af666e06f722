"""Learning curves: what is trained on, what is scored, and how often."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tilewise.learn import features, learning_curve, training, trees
from tilewise.learn.assignment import Assignment, Place
from tilewise.learn.drawn import Drawn

NAMES = [f"gaussian_{sigma}" for sigma in range(1, 6)]
SETTINGS = {"trees": 30, "depth": 2, "rate": 0.3, "keep": None, "seed": 0}
MODEL_OF = {"a": "0", "b": "1", "c": "2", "d": "0", "e": "1", "f": "2"}


def place_of(sample, model):
    return Place(sample, 0, 0, 0, "", sample, "0", model, frozenset())


def tile_of(number, sample):
    """All pixels of a tile of 20 x 20.

    All features but the last say something of the truth; that one all of it, in every other unit
    the other way round.
    """
    random = np.random.default_rng(number)
    truth = (random.random(400) < 0.3).astype(np.uint8)
    values = random.normal(0, 1, (len(NAMES), 400)).astype(np.float32)
    values[:-1] += truth
    values[-1] = (truth if number % 2 else 1 - truth) + 0.1 * values[-1]
    rows, columns = np.divmod(np.arange(400, dtype=np.int32), 20)
    totals = np.bincount(truth)
    corner = (sample, 0, 0, 0)
    return Drawn(corner, (20, 20), totals, ((0.0, 255.0),), rows, columns, truth, values)


@pytest.fixture(scope="module")
def tiles():
    return [tile_of(i, sample) for i, sample in enumerate(MODEL_OF)]


@pytest.fixture(scope="module")
def assignment():
    return Assignment(tuple(place_of(*pair) for pair in MODEL_OF.items()))


@pytest.fixture(scope="module")
def rows(tiles, assignment):
    return learning_curve.curve(tiles, assignment, NAMES, "uint8", SETTINGS, 4, "f1")


def test_units_are_doubled_and_drawn_a_few_times(rows):
    assert [row["units"] for row in rows] == [1, 2, 4]
    assert [row["draws"] for row in rows] == [learning_curve.DRAWS] * 2 + [1]
    for row in rows:
        assert row["lowest"] <= row["mean"] <= row["highest"]
    assert rows[0]["lowest"] < rows[0]["highest"]


def test_all_units_have_the_score_of_the_models(rows, tiles, assignment):
    found, truth = [], []
    for model in "012":
        pixels = training.gather(tiles, assignment.training(model), 4)
        merit = training.merit_of("f1")
        fitted = training.fit(pixels, NAMES, "uint8", merit, SETTINGS).model
        for tile in tiles:
            if MODEL_OF[tile.corner[0]] == model:
                own = [NAMES.index(name) for name in fitted.names]
                codes = features.quantise(tile.values[own], fitted.edges)[:, None]
                found.append(trees.score(codes, fitted.trees)[0] >= fitted.bound)
                truth.append(tile.truth)
    expected = f1_score(np.concatenate(truth), np.concatenate(found))
    assert rows[-1]["mean"] == pytest.approx(expected)
    assert rows[-1]["lowest"] == rows[-1]["highest"] == rows[-1]["mean"]


def test_few_units_tell_little_of_others(rows):
    assert rows[0]["mean"] < rows[-1]["mean"] - 0.1


def test_drawn_pixels_stand_for_all(tiles, assignment):
    # twice as much background as was drawn
    doubled = [
        Drawn(**{**vars(tile), "totals": tile.totals * np.array([2, 1])}) for tile in tiles[:3]
    ]
    own = Assignment(assignment.places[:3])
    row = learning_curve.curve(doubled, own, NAMES, "uint8", SETTINGS, 4, "accuracy")[-1]
    right = total = 0.0
    for model, tile in zip("012", doubled, strict=True):
        pixels = training.gather(doubled, own.training(model), 4)
        merit = training.merit_of("accuracy")
        fitted = training.fit(pixels, NAMES, "uint8", merit, SETTINGS).model
        kept = [NAMES.index(name) for name in fitted.names]
        codes = features.quantise(tile.values[kept], fitted.edges)[:, None]
        is_right = (trees.score(codes, fitted.trees)[0] >= fitted.bound) == tile.truth
        weights = np.where(tile.truth, 1, 2)
        right, total = right + weights[is_right].sum(), total + weights.sum()
    assert row["mean"] == pytest.approx(right / total)


def test_a_single_unit_has_no_curve(tiles):
    none = Assignment((place_of("a", ""),))
    assert learning_curve.curve(tiles[:1], none, NAMES, "uint8", SETTINGS, 4, "f1") == []
