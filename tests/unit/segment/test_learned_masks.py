"""Which model makes the mask of which pixels."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from tilewise.learn import features, trees
from tilewise.learn.assignment import COLUMNS
from tilewise.learn.model import Model
from tilewise.segment import learned
from tilewise.segment.learned import Kept, Models, read_models
from tilewise.segment.segmenters import Segmenter, segment_region
from tilewise.segment.trials import trials_of
from tilewise.store.grid import Grid, Region, crop
from tilewise.tables import write_rows

GRID = Grid((1, 48, 90), 30, (1, 60, 90))
WHOLE = Region(0, 1, 0, 48, 0, 90)
NAMES = ("gaussian_1", "gradient_4")


@pytest.fixture(scope="module")
def plane():
    return np.random.default_rng(0).integers(0, 256, (48, 90)).astype(np.uint8)


@pytest.fixture(scope="module")
def files(plane, tmp_path_factory):
    """Three models that differ in what they call foreground."""
    folder, scale = tmp_path_factory.mktemp("models"), features.scale_of("uint8", 0, 255)
    values = features.compute(plane, NAMES, scale).reshape(2, -1)
    edges, paths = features.edges_of(values), {}
    for name, share in (("all", 50), ("0", 20), ("1", 80)):
        truth = values[0] > np.percentile(values[0], share)
        grown = trees.train(features.quantise(values, edges), truth, trees=5, depth=3)
        paths[name] = str(folder / f"{name}.npz")
        Model("uint8", NAMES, scale, edges, grown, 0).save(paths[name])
    return paths


def mask_by(path, plane):
    return Model.load(path).mask(plane, (0, 0), (0, *plane.shape[:1], 0, plane.shape[1]))


def test_a_model_is_everywhere_where_no_other_is(plane, files):
    expected = mask_by(files["all"], plane)
    np.testing.assert_array_equal(Models(files["all"]).mask(plane, WHOLE, GRID), expected)


def test_tiles_and_blocks_of_tiles_have_their_own(plane, files):
    blocks = {str(n): files["01"[n % 2]] for n in range(9)}
    models = Models(files["all"], {(0, 0, 30): {"": files["0"]}, (0, 30, 0): blocks})
    expected = mask_by(files["all"], plane)
    expected[:30, 30:60] = mask_by(files["0"], plane)[:30, 30:60]
    # the lower left tile has 18 rows and 30 columns
    for n in range(9):
        rows, columns = slice(30 + n // 3 * 6, 36 + n // 3 * 6), slice(n % 3 * 10, n % 3 * 10 + 10)
        expected[rows, columns] = mask_by(blocks[str(n)], plane)[rows, columns]
    found = models.mask(plane, WHOLE, GRID)
    np.testing.assert_array_equal(found, expected)
    # of another plane nothing is held out
    other = Region(1, 2, 0, 48, 0, 90)
    grid = Grid((2, 48, 90), 30, (1, 60, 90))
    everywhere = models.mask(plane, other, grid)
    np.testing.assert_array_equal(everywhere, mask_by(files["all"], plane))


def test_blocks_outside_of_a_region_are_not_predicted(plane):
    loaded = []

    class One:
        def mask(self, pixels, corner, window, probability):
            y0, y1, x0, x1 = window
            return np.ones((y1 - y0, x1 - x0), np.uint8)

    def load(path):
        loaded.append(path)
        return One()

    # blocks of 10 x 10 px; the region has the first row of them and a half of the second
    models = Models("all", {(0, 0, 0): {str(number): str(number) for number in range(9)}})
    mask = models.mask(plane[:15, :30], Region(0, 1, 0, 15, 0, 30), GRID, load)
    assert mask.all()
    assert loaded == ["0", "1", "2", "3", "4", "5"]


def segmenter_of(files, models, cleanup=()):
    settings = dict.fromkeys(learned.OF_DRAWING) | {"model": None}
    settings |= {"sigmas": [1, 4], "features": ["gaussian", "gradient"]}
    rest = {"scope": "tile", "foreground": "bright", "min_contrast": 8, "min_separability": 0.6}
    rest |= {"fallback": "sample", "weak": "auto", "cleanup": list(cleanup)}
    return Segmenter(learned.NAME, settings, **rest, models=models)


@pytest.mark.parametrize("region", [Region(0, 1, 30, 48, 0, 60), Region(0, 1, 0, 30, 60, 90)])
def test_a_region_has_the_mask_that_the_whole_has(plane, files, region):
    models = Models(files["all"], {(0, 30, 0): {"": files["0"]}})
    segmenter = segmenter_of(files, models, [{"opening": 1}])
    assert 0 < segmenter.reach < 48
    assert not segmenter.needs_sample(9)
    whole, thresholds = segment_region(plane, WHOLE, WHOLE, GRID, segmenter)
    assert {one.note for one in thresholds.values()} == {"a class per pixel"}
    outer = GRID.around(region, segmenter.reach)
    part = np.ascontiguousarray(crop(plane, WHOLE, outer))
    found, _ = segment_region(part, outer, region, GRID, segmenter)
    np.testing.assert_array_equal(found, crop(whole, WHOLE, region))


def test_nothing_is_foreground_outside_of_the_region_of_interest(plane, files):
    inside = np.zeros(plane.shape, bool)
    inside[5:40, 9:70] = True
    segmenter = segmenter_of(files, Models(files["0"]))
    mask, _ = segment_region(plane, WHOLE, WHOLE, GRID, segmenter, inside=inside)
    assert mask[inside].any()
    assert not mask[~inside].any()


def test_models_are_read_by_set_of_parameters_and_sample(files, tmp_path):
    rows = [
        {"sample": "a", "z": 0, "y": 0, "x": 30, "unit": "u", "fold": 4, "model": 1},
        {"sample": "b", "z": 2, "y": 0, "x": 0, "unit": "v", "fold": 3, "model": 0},
        # a tile for which its blocks stand
        {"sample": "c", "z": 0, "y": 0, "x": 0},
        {"sample": "c", "z": 0, "y": 0, "x": 0, "patch": 3, "unit": "w", "fold": 4, "model": 1},
    ]
    write_rows(tmp_path / "places.tsv", COLUMNS, rows)
    names = [("depth=1", "all"), ("depth=1", "0"), ("depth=1", "1"), ("depth=2", "all")]
    names += [("depth=2", "0"), ("depth=2", "1")]
    paths = [f"{variant}/{model}.npz" for variant, model in names]
    known = read_models(names, paths, [tmp_path / "places.tsv"] * 2)
    assert known["depth=1"].of("a") == Models(
        "depth=1/all.npz", {(0, 0, 30): {"": "depth=1/1.npz"}}
    )
    assert known["depth=2"].of("b") == Models("depth=2/all.npz", {(2, 0, 0): {"": "depth=2/0.npz"}})
    assert known["depth=2"].of("c").held_out == {(0, 0, 0): {"3": "depth=2/1.npz"}}
    assert known["depth=2"].of("d").held_out == {}
    # what is applied in the end
    assert read_models(names[:1], paths[:1], [])[names[0][0]].of("a") == Models(paths[0])


def test_probabilities_are_those_of_what_makes_the_mask(plane, files):
    def odds_by(path):
        model = Model.load(path)
        scores = model.scores(plane, (0, 0), (0, 48, 0, 90)).astype(np.float64)
        return scores * model.trees.unit + model.trees.bias

    kept = Kept()
    models = Models(files["all"], {(0, 0, 30): {"": files["0"]}}, kept)
    segmenter = segmenter_of(files, models, [{"opening": 1}])
    odds = odds_by(files["all"])
    odds[:30, 30:60] = odds_by(files["0"])[:30, 30:60]
    region = Region(0, 1, 0, 30, 0, 60)
    outer = GRID.around(region, segmenter.reach)
    own = np.ascontiguousarray(crop(plane, WHOLE, outer))
    mask, _ = segment_region(own, outer, region, GRID, segmenter)
    expected = np.rint(255 * special.expit(crop(odds, WHOLE, region)))
    np.testing.assert_array_equal(kept.of(region, None), expected)
    inside = np.arange(60) % np.full((30, 1), 7) > 2
    np.testing.assert_array_equal(kept.of(region, inside), np.where(inside, expected, 0))
    assert expected.std() > 20
    # and the mask is that without them
    same = segmenter_of(files, replace(models, kept=None), [{"opening": 1}])
    np.testing.assert_array_equal(mask, segment_region(own, outer, region, GRID, same)[0])


def test_a_fold_is_tried_with_models_that_have_not_seen_it(tmp_path):
    rows = [
        {"sample": sample, "z": 0, "y": 0, "x": 0, "unit": sample, "fold": fold, "model": model}
        for sample, fold, model in (("a", 0, 0), ("b", 1, 1), ("c", 2, 2), ("d", 3, 0))
    ]
    write_rows(tmp_path / "places.tsv", COLUMNS, rows)
    names = ["all", "0", "1", "2", "0-1", "0-2", "1-2"]

    def by_fold(number):
        files = [("v", name) for name in names[:number]], [f"{n}.npz" for n in names[:number]]
        return read_models(*files, [tmp_path / "places.tsv"])["v"].by_fold("b")

    assert by_fold(4) == {}
    known = by_fold(7)
    files = {fold: own.held_out[0, 0, 0][""] for fold, own in known.items()}
    assert files == {
        **{"all": "1.npz", "0": "0-1.npz", "1": "1.npz", "2": "1-2.npz", "3": "0-1.npz"},
    }
    # folds that go with one model are tried once
    variant = {"name": "v", "filter": "image", "segmenter": vars(segmenter_of({"all": ""}, None))}
    (trials,) = trials_of([variant], {}, {}, {"v": known["all"]}, {"v": known}).values()
    assert [trial.folds for trial in trials] == [("all", "1"), ("0", "3"), ("2",)]
    assert [trial.segmenter.models for trial in trials] == [known[n] for n in ("all", "0", "2")]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"nested": 1}, "give true or false"),
        ({"keep_probability": "yes"}, "give true or false"),
        ({"learning_curve": 5}, "give true or false"),
        ({"nested": True, "folds": 2}, "nested needs 3 folds or more"),
        ({"sigmas": []}, "sigmas is"),
        ({"sigmas": ["a"]}, "give numbers of pixels"),
        ({"sigmas": [0.1]}, "0.3 or more"),
        ({"features": ["colour"]}, "no feature"),
        ({"features": "gaussian"}, "give a list"),
        ({"trees": 0}, "at least 1"),
        ({"trees": 10**6}, "up to 5000"),
        ({"depth": 9}, "1 to 8"),
        ({"rate": 0}, "above 0"),
        ({"rate": 1.5}, "up to 1"),
        ({"keep": 0}, "number of features"),
        ({"folds": 1}, "at least 2"),
        ({"pixels": 2.5}, "whole number"),
        ({"seed": -1}, "at least 0"),
        ({"model": 3}, "path of a model"),
    ],
)
def test_settings_are_checked(changed, message):
    defaults = {
        **{"sigmas": [1.0], "features": ["gaussian"], "keep": None, "trees": 10, "depth": 3},
        **{"rate": 0.3, "pixels": 100, "folds": 5, "seed": 0, "model": None},
        **{"nested": False, "keep_probability": False},
        "learning_curve": False,
    }
    learned.check(**defaults)
    with pytest.raises(ValueError, match=message):
        learned.check(**defaults | changed)


def test_a_trained_model_makes_the_mask_of_a_plane(plane, files):
    found = learned.pixel_classifier(plane, model=files["1"])
    np.testing.assert_array_equal(found, mask_by(files["1"], plane))
    with pytest.raises(ValueError, match="give its `model`"):
        learned.pixel_classifier(plane)
