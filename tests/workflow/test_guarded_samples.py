"""The guard over whole samples: blocks, changes, and what is said of it."""

import json
import time
from html import unescape

import numpy as np
import pytest
from kinds import membranes, rare_nuclei
from projects import Project
from samples import blobs, write_planes
from skimage.filters import apply_hysteresis_threshold, threshold_otsu

WEAK = {"threshold": "otsu", "foreground": "dark"}


@pytest.fixture(scope="module")
def planes():
    """Four planes of six tiles: discs in all of them, but for one tile of noise in the third."""
    image, truth = blobs(planes=4)
    image[2, :64, :64] = np.random.default_rng(5).normal(70, 8, (64, 64))
    truth[2, :64, :64] = 0
    return image, truth


@pytest.fixture(scope="module")
def finished(tmp_path_factory, planes):
    """A block for each plane; everything has been run."""
    project = Project.create(tmp_path_factory.mktemp("guarded") / "project")
    return configure(project, planes, {"planes": 1})


def configure(project, planes, block):
    image, truth = planes
    write_planes(project.folder / "image", image)
    write_planes(project.folder / "truth", truth[:1])
    rows = [{"sample": "discs", "image": "image/*.png", "truth": "truth/plane_1.png"}]
    methods = {
        "otsu": {"threshold": "otsu"},
        "swept": {"threshold": "otsu", "grid": {"filter": ["denoised", None]}},
    }
    project.configure(rows, block=block, methods=methods, overlay={"format": "zarr-only"})
    project.succeed()
    return project


@pytest.fixture
def again(finished, tmp_path):
    # files written from now on are newer than all results
    time.sleep(1)
    return finished.copy(tmp_path / "project")


def test_blocks_are_as_one(finished, planes, tmp_path):
    whole = configure(Project.create(tmp_path / "whole"), planes, {})
    for method in ("otsu", "swept"):
        label = f"discs/image.zarr/labels/{method}/0"
        np.testing.assert_array_equal(finished.array(label), whole.array(label))
    image = planes[0]
    mask = finished.array("discs/image.zarr/labels/otsu/0")
    expected = image[2, :64, :64] > threshold_otsu(image)
    np.testing.assert_array_equal(mask[2, :64, :64], expected)
    assert mask[2, 64:, :64].sum() > 100
    # which blocks have a tile that asks the sample
    outcomes = json.loads((finished.results / "discs/otsu/guard.json").read_text())
    assert outcomes[""]["blocks"] == ["2/0/0"]
    assert float(outcomes[""]["outcome"]["threshold"]["threshold"]) == threshold_otsu(image)
    assert not (whole.results / "discs/otsu/guard.json").exists()
    codes = {row["code"] for row in finished.rows("warnings.tsv")}
    assert not codes & {"left_empty", "weak_contrast", "constant_background"}


def test_clear_tiles_do_not_run_again(again, planes):
    image = planes[0].copy()
    # the fourth plane: brighter, so that the threshold of the sample is another
    image[3] = np.minimum(image[3], 205) + 50
    assert threshold_otsu(image) != threshold_otsu(planes[0])
    write_planes(again.folder / "image", image)
    jobs = again.succeed().jobs
    # of both methods: that plane's, and those of the block that asks the sample
    assert jobs["ingest"] == 1
    assert jobs["threshold"] == 2 * 2
    mask = again.array("discs/image.zarr/labels/otsu/0")
    expected = image[2, :64, :64] > threshold_otsu(image)
    np.testing.assert_array_equal(mask[2, :64, :64], expected)
    assert not again.succeed().jobs


def test_a_threshold_of_the_sample_that_stays_runs_nothing(again, planes):
    image = planes[0].copy()
    # a pixel of the ground: no count moves from one class to the other
    dark = np.argwhere(image[3] == 70)[0]
    image[3][tuple(dark)] = 71
    assert threshold_otsu(image) == threshold_otsu(planes[0])
    write_planes(again.folder / "image", image)
    assert again.succeed().jobs["threshold"] == 2


@pytest.fixture(scope="module")
def weak(tmp_path_factory):
    """Membranes of little contrast, in two samples, one of a single tile; nuclei in few tiles."""
    project = Project.create(tmp_path_factory.mktemp("weak") / "project")
    rows = []
    image, truth = membranes()
    images = {"many": (image, truth), "one": (image[:64, :64], truth[:64, :64])}
    images["rare"] = rare_nuclei()
    for name, pixels in images.items():
        for kind, plane in zip(("image", "truth"), pixels, strict=True):
            write_planes(project.folder, plane[None], f"{name}_{kind}.png")
        rows.append({"sample": name, "image": f"{name}_image.png", "truth": f"{name}_truth.png"})
    dark, bright = ["many", "one"], ["rare"]
    bounds = {"hysteresis": {"low": 100, "high": 150}}
    methods = {
        "weak": WEAK | {"samples": dark},
        "emptied": WEAK | {"weak": "empty", "samples": dark},
        "unguarded": WEAK | {"min_contrast": 0, "samples": dark},
        "numbers": {"threshold": bounds, "samples": dark},
        "few": {"threshold": "otsu", "samples": bright},
    }
    project.configure(rows, methods=methods, collect={}, overlay={"format": "zarr-only"})
    project.succeed()
    return project


def masks(project, method):
    """Of each sample of a method, by name."""
    return {
        row["sample"]: project.array(f"{row['stack']}/image.zarr/labels/{method}/0")[
            int(row["first_plane"]), : int(row["height"]), : int(row["width"])
        ]
        for row in project.rows("stacks.tsv")
        if (project.results / row["stack"] / method).exists()
    }


def test_weak_samples_keep_their_tiles_own_thresholds(weak):
    own, unguarded, emptied = (masks(weak, name) for name in ("weak", "unguarded", "emptied"))
    for sample in ("many", "one"):
        np.testing.assert_array_equal(own[sample], unguarded[sample])
        assert own[sample].mean() > 0.1
        assert not emptied[sample].any()


def test_numbers_are_not_guarded(weak):
    image, _ = membranes()
    expected = apply_hysteresis_threshold(image, 100, 150)
    np.testing.assert_array_equal(masks(weak, "numbers")["many"], expected)


def test_tiles_without_objects_stay_empty(weak):
    few, (_, truth) = masks(weak, "few")["rare"], rare_nuclei()
    has_objects = truth.reshape(8, 64, 8, 64).any(axis=(1, 3))
    assert not few.reshape(8, 64, 8, 64).any(axis=(1, 3))[~has_objects].any()
    assert 2 * (few & truth).sum() / (few.sum() + truth.sum()) > 0.8


def test_what_the_guard_made_is_said(weak):
    tiles = {(row["sample"], row["method"]): row for row in weak.rows("metrics.tsv")}
    assert tiles["one", "weak"]["guard"] == "weak, own"
    assert tiles["one", "emptied"]["guard"] == "weak, empty"
    assert tiles["one", "unguarded"]["guard"] == tiles["one", "numbers"]["guard"] == ""
    summary = {
        (row["sample"], row["method"], row["metric"]): row for row in weak.rows("summary.tsv")
    }
    assert summary["many", "emptied", "f1"]["left_empty"] == "64"
    assert summary["many", "weak", "f1"]["left_empty"] == "0"

    told = [(row["code"], row["sample"], row["method"]) for row in weak.rows("warnings.tsv")]
    assert [row for row in told if row[0] == "weak_contrast"] == [
        ("weak_contrast", "many", "weak"),
        ("weak_contrast", "one", "weak"),
    ]
    assert ("left_empty", "many", "emptied") in told
    assert ("left_empty", "one", "emptied") in told
    text = "emptied: 64 of 64 tiles left empty by the guard in many"
    for name in ("report.html", "warnings.tsv"):
        assert text in unescape((weak.results / name).read_text())


def test_the_ranking_says_what_the_guard_made(project):
    image, truth = membranes()
    write_planes(project.folder, image[None, :256, :256], "image.png")
    write_planes(project.folder, truth[None, :256, :256], "truth.png")
    rows = [{"sample": "cells", "image": "image.png", "truth": "truth.png"}]
    methods = {"emptied": WEAK | {"weak": "empty"}, "weak": WEAK}
    project.configure(rows, methods=methods, overlay={"format": "zarr-only"}).succeed()
    said = "16 of 16 tiles left empty by the guard"
    ranking = {row["method"]: row for row in project.rows("ranking.tsv") if row["metric"] == "mcc"}
    assert {name: row["guard"] for name, row in ranking.items()} == {"weak": "", "emptied": said}
    text, page = ((project.results / name).read_text() for name in ("decision.md", "report.html"))
    assert said in text
    assert said in page
    assert "contrast cannot tell objects from noise in cells (weak)" in text


def test_backgrounds_of_one_grey_level_are_said(project):
    image, truth = blobs(planes=1)
    # half of a tile is padding
    image[0, :64, :32] = 0
    write_planes(project.folder, image, "padded.png")
    write_planes(project.folder, truth, "truth.png")
    photons = np.random.default_rng(1).poisson(0.2, (1, 64, 64)).astype(np.uint8)
    write_planes(project.folder, photons, "photons.png")
    rows = [
        {"sample": "padded", "image": "padded.png", "truth": "truth.png"},
        {"sample": "photons", "image": "photons.png"},
    ]
    project.configure(
        rows, overlay={"format": "zarr-only"}, filters={}, methods={"otsu": {"threshold": "otsu"}}
    )
    project.succeed()
    told = {
        row["sample"]: row
        for row in project.rows("warnings.tsv")
        if row["code"] == "constant_background"
    }
    assert set(told) == {"padded", "photons"}
    assert told["padded"]["tile"] == "z0000_y00_x00"
