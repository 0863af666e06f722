"""A U-Net as a method: held out where it is scored, applied elsewhere, trained only when needed."""

import json
import re
import shutil
import sys
from pathlib import Path

import forks
import numpy as np
import pytest
from projects import Project
from samples import blobs, colored_blobs, write_planes

pytest.importorskip("torch", reason="PyTorch is not installed: envs/requirements-unet.txt")

from tilewise.learn import unet  # noqa: E402

NAMES = [f"s{number}" for number in range(4)]
FAST = {"networks": 2, "width": 4, "levels": 1, "steps": 100, "batch": 2, "crop": 32, "folds": 2}
METHODS = {
    "otsu": {"threshold": "otsu", "min_contrast": 0},
    "net": {"threshold": {"unet": FAST}},
}
SETTINGS = {"apply": "net", "filters": {}, "methods": METHODS, "collect": {"side": 8}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    project = Project.create(tmp_path_factory.mktemp("unet") / "project")
    rows, images, truths = [], {}, {}
    for seed, name in enumerate(NAMES):
        image, truth = blobs(1, 96, 96, seed)
        noise = np.random.default_rng(seed).normal(0, 30, image.shape)
        images[name], truths[name] = np.clip(image + noise, 0, 255).astype(np.uint8), truth
        write_planes(project.folder, images[name], f"{name}.png")
        write_planes(project.folder, truth * 255, f"{name}_truth.png")
        rows.append({"sample": name, "image": f"{name}.png", "truth": f"{name}_truth.png"})
    project.configure(rows, **SETTINGS)
    return project, rows, images, project.succeed()


def model_of(project, name):
    return unet.Model.of(unet.network.load(str(project.results / f"models/net/0/unet-{name}.npz")))


def mask_of(project, name, label):
    table = {row["sample"]: row for row in project.rows("stacks.tsv")}
    known = table[name]
    labels = project.array(f"{known['stack']}/image.zarr/labels/{label}/0")
    return labels[int(known["first_plane"]), :96, :96]


def test_masks_are_by_models_that_were_trained_without_the_tile(finished):
    project, _, images, run = finished
    assert run.jobs["train_network"] == 3
    places = project.rows("models/net/0/places.tsv")
    model_of_sample = {row["sample"]: row["model"] for row in places}
    assert sorted(set(model_of_sample.values())) == ["0", "1"]
    for name in NAMES:
        for label, model in (("net", model_of_sample[name]), ("segmentation", "all")):
            odds = model_of(project, model).odds(images[name][0], (0, 0), (0, 96, 0, 96))
            bound = model_of(project, model).trained.bound
            found = mask_of(project, name, label)
            # one float may be rounded to another side of the bound
            is_clear = np.abs(odds - bound) > 1e-4
            np.testing.assert_array_equal(found[is_clear], (odds >= bound)[is_clear])


def test_it_is_scored_held_out_and_better_than_a_threshold(finished):
    project, *_ = finished
    rows = {row["method"]: row for row in project.rows("ranking.tsv") if row["metric"] == "mcc"}
    assert rows["net"]["estimate"] == "held out"
    assert float(rows["net"]["value"]) > float(rows["otsu"]["value"])


def test_the_model_is_a_result_that_works_elsewhere(finished, tmp_path):
    project, rows, _, _ = finished
    card = json.loads((project.results / "models/net.json").read_text())
    assert card["trained_on"]["samples"] == NAMES
    assert card["scores"]["estimate"] == "held out"
    assert not [*project.results.rglob("*checkpoint*")]
    other = Project.create(tmp_path / "other")
    (other.folder / "net.npz").write_bytes((project.results / "models/net.npz").read_bytes())
    (other.folder / "s0.png").write_bytes((project.folder / "s0.png").read_bytes())
    methods = {"given": {"threshold": {"unet": {"model": "net.npz"}}}}
    other.configure([{"sample": "s0", "image": "s0.png"}], apply="given", methods=methods)
    assert not re.search("rule (windows|train_network):", other.succeed().output)
    found = other.array("s0/image.zarr/labels/segmentation/0")[0]
    np.testing.assert_array_equal(found, mask_of(project, "s0", "segmentation"))


def test_only_what_it_is_trained_on_trains_it_again(finished, tmp_path):
    first, rows, *_ = finished
    project = first.copy(tmp_path / "project")
    write_planes(project.folder, blobs(1, 96, 96, 9)[0], "new.png")
    project.configure([*rows, {"sample": "new", "image": "new.png"}], **SETTINGS)
    jobs = project.succeed().jobs
    # its block is stored again, and cut again: the same tiles
    assert jobs["windows"] == 1
    assert jobs["train_network"] == 0


def test_channels_tell_what_a_grey_level_cannot(project):
    rows = []
    for seed, name in enumerate(NAMES[:2]):
        (image,), (truth,) = colored_blobs(1, 64, 128, seed)
        write_planes(project.folder, image[None], f"{name}.png")
        write_planes(project.folder, truth[None] * 255, f"{name}_truth.png")
        rows.append({"sample": name, "image": f"{name}.png", "truth": f"{name}_truth.png"})
    methods = {"net": {"filter": "rgb", "threshold": {"unet": FAST}}}
    filters = {"rgb": [{"channels": ["red", "green", "blue"]}]}
    project.configure(rows, **SETTINGS | {"methods": methods, "filters": filters}).succeed()
    card = json.loads((project.results / "models/net.json").read_text())
    assert card["channels"] == ["red", "green", "blue"]
    (row,) = [row for row in project.rows("ranking.tsv") if row["metric"] == "f1"]
    assert float(row["value"]) > 0.8


def test_a_job_that_dies_while_it_writes_a_checkpoint_goes_on_from_the_one_before(
    finished, tmp_path, monkeypatch
):
    whole, rows, *_ = finished
    project = Project.create(tmp_path / "project")
    for path in whole.folder.glob("*.png"):
        shutil.copy(path, project.folder)
    project.configure(rows, **SETTINGS)
    # they are written after 50 and 100 steps
    fault = {"kind": "write", "pattern": r"all\.checkpoint-0\.npz$", "number": 2, "bytes": 5000}
    monkeypatch.setenv("FAULT", json.dumps(fault | {"done": str(tmp_path / "done")}))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).with_name("faulty")))
    monkeypatch.setattr(forks, "command", lambda number: [sys.executable])
    assert project.run().code != 0
    assert (tmp_path / "done").exists()
    project.succeed()
    (log,) = project.folder.glob("logs/models/net/0/*all.log")
    assert "training goes on from step 50" in log.read_text()
    models = list((whole.results / "models").rglob("*.npz"))
    assert len(models) == 4
    for path in models:
        own = project.results / path.relative_to(whole.results)
        assert own.read_bytes() == path.read_bytes()
    assert not list(project.results.rglob("*checkpoint*"))
