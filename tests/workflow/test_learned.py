"""Methods that learn from annotated tiles: what is scored was held out, and little runs again."""

import json
import re
import time
from importlib.util import find_spec

import numpy as np
import pytest
import zarr
from pages import decoded, pack_of, report_data
from projects import Project
from samples import blobs, colored_blobs, write_planes
from scipy import special

from tilewise.learn.model import Model
from tilewise.segment import cleanup

NAMES = [f"s{number:02}" for number in range(12)]
FAST = {"sigmas": [1, 2], "trees": 25, "pixels": 6000, "folds": 2}
LEARNED = {"threshold": {"pixel_classifier": FAST}}
FOREST = {
    "threshold": {"pixel_classifier": FAST | {"keep_probability": True, "learning_curve": True}},
    "cleanup": [{"remove_small": 9}],
}
QUIET = {"overlay": {"format": "zarr-only"}, "apply": "none", "collect": {}}


def write_all(project, images, truths):
    rows = []
    for name in images:
        write_planes(project.folder, images[name][None], f"{name}.png")
        write_planes(project.folder, truths[name][None] * 255, f"{name}_truth.png")
        rows.append({"sample": name, "image": f"{name}.png", "truth": f"{name}_truth.png"})
    return rows


def held_out(project, method, metric="mcc"):
    """The held-out score of a method, and its standard error over units."""
    row = project.scores(method, "held out", metric)
    units = project.rows(f"sweeps/{method}/units.tsv")
    counts = [[float(unit[name]) for name in ("tp", "fp", "fn", "tn")] for unit in units]
    each = np.array([mcc(*own) for own in np.array(counts)])
    return float(row["micro"]), each.std(ddof=1) / np.sqrt(len(each))


def mcc(tp, fp, fn, tn):
    """0 where it is undefined."""
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / np.sqrt(product) if product else 0.0


def blob_truths():
    return {name: blobs(1, 64, 64, seed)[1][0] for seed, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    project = Project.create(tmp_path_factory.mktemp("learned") / "project")
    images, truths = {}, {}
    for seed, name in enumerate(NAMES[:4]):
        image, truth = blobs(1, 64, 128, seed)
        noise = np.random.default_rng(seed).normal(0, 25, image[0].shape)
        images[name], truths[name] = np.clip(image[0] + noise, 0, 255).astype(np.uint8), truth[0]
    rows = write_all(project, images, truths)
    methods = {
        "otsu": {"threshold": "otsu", "min_contrast": 0},
        "forest": FOREST,
        "tried": {
            "threshold": {"pixel_classifier": FAST | {"folds": 3, "nested": True}},
            "grid": {"depth": [1, 3]},
        },
    }
    settings = {"apply": "forest", "block": {"planes": 1}, "pyramid": {"levels": 1}}
    settings |= {"report": {"tiles": 2}}
    project.configure(rows, methods=methods, **settings)
    project.succeed()
    return project, rows, truths


def test_masks_are_by_models_that_were_trained_without_the_tile(finished):
    project, rows, _ = finished
    places = project.rows("models/forest/0/places.tsv")
    model_of = {row["sample"]: row["model"] for row in places}
    assert sorted(set(model_of.values())) == ["0", "1"]
    for row in rows:
        name = row["sample"]
        image = project.array(f"{name}/image.zarr/0")[0]
        for label, model in (("forest", model_of[name]), ("segmentation", "all")):
            known = Model.load(project.results / f"models/forest/0/{model}.npz")
            expected = known.mask(image, (0, 0), (0, 64, 0, 128))
            expected = cleanup.clean(expected, [{"remove_small": 9}])
            found = project.array(f"{name}/image.zarr/labels/{label}/0")[0]
            np.testing.assert_array_equal(found, expected, err_msg=f"{name}, {label}")


def test_probabilities_are_images_of_their_own(finished):
    project, rows, _ = finished
    places = project.rows("models/forest/0/places.tsv")
    model_of = {row["sample"]: row["model"] for row in places}
    for row in rows:
        name = row["sample"]
        image = project.array(f"{name}/image.zarr/0")[0]
        for array, model in (("forest", model_of[name]), ("segmentation", "all")):
            known = Model.load(project.results / f"models/forest/0/{model}.npz")
            scores = known.scores(image, (0, 0), (0, 64, 0, 128)).astype(np.float64)
            expected = np.rint(255 * special.expit(known.trees.bias + known.trees.unit * scores))
            group = zarr.open_group(project.results / name / f"probability/{array}.zarr", mode="r")
            paths = [one["path"] for one in group.attrs["ome"]["multiscales"][0]["datasets"]]
            assert paths == ["0", "1"]
            np.testing.assert_array_equal(group["0"][0], expected)
            reduced = expected.reshape(32, 2, 64, 2).mean(axis=(1, 3))
            np.testing.assert_allclose(group["1"][0], reduced, atol=0.5)


def test_the_learning_curve_goes_up_to_all_units(finished):
    project, *_ = finished
    rows = project.rows("models/forest/learning_curve.tsv")
    # four units, of which the first model has two
    assert [(row["units"], row["draws"], row["metric"]) for row in rows] == [
        *(("1", "5", "mcc"), ("2", "1", "mcc")),
    ]
    assert 0.5 < float(rows[0]["lowest"]) <= float(rows[0]["highest"])
    assert float(rows[1]["mean"]) > 0.9
    assert not project.results.joinpath("models/tried/learning_curve.tsv").exists()


def test_the_report_has_probabilities_and_the_learning_curve(finished):
    project, *_ = finished
    for path in sorted(project.results.glob("report/*.js")):
        pack = pack_of(path)
        assert list(pack["probability"]) == ["forest"]
        array = project.array(f"{pack['sample']}/probability/forest.zarr/0")[0]
        x = 64 * int(pack["tile"][-2:])
        found = decoded(pack["probability"]["forest"])[..., 0].astype(int)
        # pictures are lossy
        assert np.abs(found - array[:, x : x + 64]).mean() < 10
    ((method, curve),) = report_data(project)["learning_curves"].items()
    assert (method, curve["units"]) == ("forest", [1, 2])


def test_what_is_scored_is_those_masks(finished):
    project, _, truths = finished
    for row in project.rows("metrics.tsv"):
        if row["method"] != "forest":
            continue
        assert row["estimate"] == "held out"
        x = int(row["x"])
        mask = project.array(f"{row['sample']}/image.zarr/labels/forest/0")[0, :, x : x + 64]
        truth = truths[row["sample"]][:, x : x + 64]
        assert int(row["tp"]) == (mask & truth).sum()
    units = project.rows("sweeps/forest/units.tsv")
    tiles = [row for row in project.rows("metrics.tsv") if row["method"] == "forest"]
    assert sum(float(row["tp"]) for row in units) == sum(int(row["tp"]) for row in tiles)
    assert {row["estimate"] for row in project.rows("sweeps/forest/sweep.tsv")} == {"held out"}


def test_they_are_ranked_with_the_others(finished):
    project, *_ = finished
    rows = {row["method"]: row for row in project.rows("ranking.tsv") if row["metric"] == "mcc"}
    assert {name: row["estimate"] for name, row in rows.items()} == {
        "otsu": "fixed",
        "forest": "held out",
        "tried": "held out",
    }
    # noise that a threshold of single pixels cannot tell from discs
    assert float(rows["forest"]["value"]) > float(rows["otsu"]["value"]) + 0.1
    assert float(rows["forest"]["value"]) > 0.9
    # of questions of one and of three levels; what is tuned on all is said to be
    assert {row["variant"] for row in project.rows("sweeps/tried/sweep.tsv")} == {
        *("depth=1", "depth=3")
    }
    tried = [row for row in project.rows("metrics.tsv") if row["method"] == "tried"]
    assert {row["estimate"] for row in tried} == {"resubstitution"}


def test_a_fold_is_chosen_for_by_models_that_have_not_seen_it(finished):
    project, _, truths = finished
    places = project.rows("models/tried/0/places.tsv")
    model_of = {row["sample"]: row["model"] for row in places}
    fold_of = {row["sample"]: row["fold"] for row in places}
    assert set(fold_of.values()) == set("0123")
    found = {}
    for name in truths:
        for row in project.rows(f"{name}/tried/sweep/0/0/0.tsv"):
            own = found.setdefault((name, row["variant"], row["fold"]), 0)
            found[name, row["variant"], row["fold"]] = own + int(row["tp"])
    for name, truth in truths.items():
        image = project.array(f"{name}/image.zarr/0")[0]
        for other, fold in fold_of.items():
            both = sorted({model_of[name], model_of[other]})
            card = json.loads(
                (project.results / f"models/tried/1/{'-'.join(both)}.json").read_text()
            )
            assert not {name, other} & {*card["trained_on"]["samples"]}
            assert card["trained_on"]["tiles"] > 0
            known = Model.load(project.results / f"models/tried/1/{'-'.join(both)}.npz")
            mask = known.mask(image, (0, 0), (0, 64, 0, 128))
            assert found[name, "depth=3", fold] == (mask & truth).sum(), (name, other)
    folds = {row["fold"] for row in project.rows("sweeps/tried/units.tsv")}
    assert folds == {"all", *"0123"}


def test_pixels_are_drawn_once_for_several_sets_of_parameters(finished):
    project, *_ = finished
    assert [path.name for path in project.results.glob("s00/tried/drawn/*")] == ["0"]


def test_the_model_is_a_result_with_its_card(finished, tmp_path):
    project, rows, _ = finished
    card = json.loads((project.results / "models/forest.json").read_text())
    assert card["trained_on"]["samples"] == [row["sample"] for row in rows]
    assert card["trained_on"]["tiles"] == 8
    assert card["scores"]["estimate"] == "held out"
    model = (project.results / "models/forest.npz").read_bytes()
    own, trained = (
        Model.load(project.results / f"models/{name}.npz") for name in ("forest", "forest/0/all")
    )
    assert (own.names, own.bound) == (trained.names, trained.bound)
    np.testing.assert_array_equal(own.trees.leaves, trained.trees.leaves)
    # and is applied elsewhere
    other = Project.create(tmp_path / "other")
    (other.folder / "models").mkdir()
    (other.folder / "models/given.npz").write_bytes(model)
    for row in rows[:2]:
        (other.folder / row["image"]).write_bytes((project.folder / row["image"]).read_bytes())
    methods = {"given": {"threshold": {"pixel_classifier": {"model": "models/given.npz"}}}}
    images = [{name: row[name] for name in ("sample", "image")} for row in rows[:2]]
    other.configure(images, methods=methods, apply="given", filters={})
    assert not re.search("rule (draw|train):", other.succeed().output)
    image = other.array("s00/image.zarr/0")[0]
    known = Model.load(other.folder / "models/given.npz")
    expected = known.mask(image, (0, 0), (0, 64, 0, 128))
    np.testing.assert_array_equal(other.array("s00/image.zarr/labels/segmentation/0")[0], expected)


def test_nothing_is_trained_again_without_need(finished, tmp_path):
    first, rows, truths = finished
    project = first.copy(tmp_path / "project")
    methods = {"forest": FOREST}
    # another method, and a sample without truth
    write_planes(project.folder, blobs(1, 64, 128, 77)[0], "new.png")
    new = [*rows, {"sample": "new", "image": "new.png"}]
    settings = {"apply": "forest", "block": {"planes": 1}, "pyramid": {"levels": 1}}
    project.configure(new, methods=methods, **settings)
    output = project.succeed().output
    assert "rule ingest:" in output
    assert not re.search("rule (draw|train):", output)
    # a truth that changes
    time.sleep(1)
    truth = truths["s03"].copy()
    truth[:8, :8] = 1
    write_planes(project.folder, truth[None] * 255, "s03_truth.png")
    output = project.succeed().output
    # jobs of a group are indented
    assert output.count("rule draw:") == 1
    assert output.count("rule train:") == 3
    # parameters of the trees, for which nothing is drawn again
    methods["forest"] = {"threshold": {"pixel_classifier": FAST | {"depth": 2}}}
    project.configure(new, methods=methods, **settings)
    output = project.succeed().output
    assert [output.count(f"rule {name}:") for name in ("draw", "train")] == [0, 3]


def test_channels_tell_what_a_grey_level_cannot(project, tmp_path):
    images, truths = {}, {}
    for seed, name in enumerate(NAMES[:3]):
        (image,), (truth,) = colored_blobs(1, 64, 128, seed)
        images[name], truths[name] = image, truth
    rows = write_all(project, images, truths)
    filters = {"lab": [{"channels": ["lightness", "a", "b"]}, {"median": 3}]}
    methods = {"grey": LEARNED, "lab": {**LEARNED, "filter": "lab"}}
    settings = {"apply": "lab", "figures": {"tiles": 1}, "pixel_size": 0.5}
    project.configure(rows, filters=filters, methods=methods, **settings)
    project.succeed()
    assert held_out(project, "lab")[0] > 0.95
    assert held_out(project, "grey")[0] < 0.5
    card = json.loads((project.results / "models/lab.json").read_text())
    assert card["channels"] == ["lightness", "a", "b"]
    assert {name.partition(":")[0] for name in card["features"]} == {"lightness", "a", "b"}
    # and elsewhere, on pixels of another size
    model = project.results / "models/lab.npz"
    settings = {"model": str(model), "keep_probability": True}
    given = {"filter": "lab", "threshold": {"pixel_classifier": settings}}
    other = Project.create(tmp_path / "other")
    row = write_all(other, {"s00": images["s00"]}, {"s00": truths["s00"]})[0]
    settings = {"filters": filters, "methods": {"given": given}, "apply": "given"}
    row = {name: row[name] for name in ("sample", "image")}
    other.configure([row], **settings, pixel_size=0.7)
    other.succeed()
    label = "s00/image.zarr/labels/segmentation/0"
    np.testing.assert_array_equal(other.array(label), project.array(label))
    mask = other.array(label)
    kept = other.array("s00/probability/segmentation.zarr/0")
    assert kept[mask > 0].min() > kept[mask == 0].max() - 1
    assert "pixel_size_of_model" in {row["code"] for row in other.rows("warnings.tsv")}


def test_a_new_companion_without_truth_trains_nothing(project):
    images, truths = {}, {}
    for seed, name in enumerate(NAMES[:4]):
        image, truth = blobs(1, 64, 64, seed)
        images[name], truths[name] = image[0], truth[0]
    rows = write_all(project, images, truths)
    settings = {"methods": {"forest": LEARNED}, **QUIET}
    project.configure(rows, **settings)
    assert project.succeed().jobs["train"] == 3
    write_planes(project.folder, blobs(1, 64, 64, 9)[0], "new.png")
    project.configure([*rows, {"sample": "new", "image": "new.png"}], **settings)
    jobs = project.succeed().jobs
    # its block is stored again, and drawn from again: the same pixels
    assert jobs["draw"] == 1
    assert jobs["train"] == 0


def test_what_only_training_tiles_tell_is_worth_nothing(project):
    """Grey levels that are the truth on training tiles, and say nothing on others."""
    truths, images, plain = blob_truths(), {}, {}
    for number, name in enumerate(NAMES):
        noise = np.random.default_rng(number).normal(0, 2, (64, 64))
        # each unit has levels of its own, above them in foreground or below, in turn
        sign = 1 if number % 2 else -1
        images[name] = np.clip(20 * number + 16 + 6.0 * sign * truths[name] + noise, 0, 255).astype(
            np.uint8
        )
        plain[name] = np.clip(20 * number + 16 + noise, 0, 255).astype(np.uint8)
    rows = write_all(project, images, truths)
    settings = FAST | {"sigmas": [1], "features": ["gaussian"], "trees": 50}
    methods = {"forest": {"threshold": {"pixel_classifier": settings}}}
    project.configure(rows, methods=methods, filters={}, **QUIET)
    project.succeed()
    planted, error = held_out(project, "forest")
    # trees that were trained on all of them know them by heart; the bound is no part of it, since
    # training pixels that trees have not seen say that they are worth nothing
    model = Model.load(project.results / "models/forest.npz")
    scores = np.stack([model.scores(images[name], (0, 0), (0, 64, 0, 64)) for name in NAMES])
    mask = scores * model.trees.unit + model.trees.bias > 0
    truth = np.stack([truths[name] for name in NAMES])
    assert np.corrcoef(mask.ravel(), truth.ravel())[0, 1] > 0.9

    write_all(project, plain, truths)
    project.configure(rows, methods=methods, filters={}, **QUIET)
    project.succeed()
    without, _ = held_out(project, "forest")
    assert planted <= without + 2 * error


def test_truths_of_other_units_teach_nothing(project):
    images, truths = {}, blob_truths()
    for seed, name in enumerate(NAMES):
        images[name] = blobs(1, 64, 64, seed)[0][0]
    moved = dict(zip(NAMES, [truths[name] for name in NAMES[5:] + NAMES[:5]], strict=True))
    project.configure(write_all(project, images, moved), methods={"forest": LEARNED}, **QUIET)
    project.succeed()
    shuffled, error = held_out(project, "forest")
    # discs lie near the middle of each tile, so that those of others overlap a little by chance:
    # what chance gives is the score of the right masks with the shuffled truths
    right = np.concatenate([truths[name].ravel() for name in NAMES])
    chance = np.corrcoef(right, np.concatenate([moved[name].ravel() for name in NAMES]))[0, 1]
    assert abs(shuffled - max(chance, 0)) <= 2 * error
    write_all(project, images, truths)
    project.succeed()
    assert held_out(project, "forest")[0] > 0.9


def test_a_single_sample_has_nothing_to_be_held_out_of(project):
    image, truth = blobs(1, 128, 128)
    rows = write_all(project, {"a": image[0]}, {"a": truth[0]})
    methods = {"forest": LEARNED, "otsu": {"threshold": "otsu"}}
    project.configure(rows, methods=methods, tile=128, **QUIET)
    project.succeed()
    # one tile: by its spatial blocks
    (row,) = (row for row in project.rows("metrics.tsv") if row["method"] == "forest")
    assert row["estimate"] == "held out"
    assert len({row["model"] for row in project.rows("models/forest/0/places.tsv")} - {""}) == 2
    estimates = {row["estimate"] for row in project.rows("scores.tsv") if row["method"] == "forest"}
    assert estimates == {"held out"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"foreground": "dark"}, r"methods\.m: truth says what is foreground"),
        ({"threshold": {"pixel_classifier": {"depth": 9}}}, r"depth is 9: give 1 to 8"),
        ({"threshold": {"pixel_classifier": {"model": "none.npz"}}}, r"none\.npz cannot be read"),
        ({"grid": {"tree": [3]}}, "tree is neither .* did you mean trees"),
    ],
)
def test_mistakes_are_explained_before_any_job(project, changed, message):
    image, truth = blobs(1, 64, 64)
    rows = write_all(project, {"a": image[0]}, {"a": truth[0]})
    project.configure(rows, methods={"m": {"threshold": "pixel_classifier"} | changed})
    run = project.run("--dry-run")
    assert run.code != 0
    assert re.search(message, run.output), run.output


@pytest.mark.skipif(find_spec("torch") is not None, reason="PyTorch is installed")
def test_without_pytorch_a_network_is_refused_before_any_job(project):
    image, truth = blobs(1, 64, 64)
    rows = write_all(project, {"a": image[0]}, {"a": truth[0]})
    project.configure(rows, methods={"net": {"threshold": "unet"}})
    run = project.run("--dry-run")
    assert run.code != 0
    assert re.search(r"methods\.net: unet needs PyTorch, .*requirements-unet\.txt", run.output)
