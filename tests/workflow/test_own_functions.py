"""Methods that are functions of the user's own, and filters with files of theirs."""

import re
import time

import numpy as np
import pytest
from projects import Project
from samples import write_samples
from scipy import ndimage

NAMES = ["s0", "s1"]
OWN = """
from scipy import ndimage


def segment(image, level, sigma=1.0):
    return ndimage.gaussian_filter(image.astype(float), sigma, truncate=3) > level
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    project = Project.create(tmp_path_factory.mktemp("own") / "project")
    images, _, rows = write_samples(project, NAMES)
    (project.folder / "own.py").write_text(OWN)
    np.save(project.folder / "psf.npy", np.ones((1, 3)))
    filters = {"sharp": [{"deconvolve": {"psf": "psf.npy", "iterations": 2}}]}
    methods = {
        "whole": {"threshold": {"python": {"file": "own.py", "params": {"level": 120}}}},
        "tiles": {"threshold": {"python": {"file": "own.py", "params": {"level": 120}, "halo": 3}}},
        "chosen": {"threshold": {"python": "own.py"}, "grid": {"level": [10, 120, 250]}},
        "otsu": {"threshold": "otsu", "fallback": "empty"},
        "sharp": {"threshold": "otsu", "filter": "sharp", "fallback": "empty"},
    }
    project.configure(
        rows, filters=filters, methods=methods, keep_filtered=False, block={"planes": 1}
    )
    project.succeed()
    return project, images


def test_masks_are_the_function_s(finished):
    project, images = finished
    for name in NAMES:
        smooth = ndimage.gaussian_filter(images[name].astype(float), 1, truncate=3)
        expected = (smooth > 120).astype(np.uint8)
        assert expected.any()
        for method in ("whole", "tiles", "chosen"):
            found = project.array(f"{name}/image.zarr/labels/{method}/0")[0]
            np.testing.assert_array_equal(found, expected, err_msg=f"{name}, {method}")


def test_they_are_ranked_with_the_others(finished):
    project, _ = finished
    assert {row["method"] for row in project.rows("ranking.tsv")} >= {"whole", "chosen", "otsu"}
    (row,) = [row for row in project.rows("sweeps/chosen/sweep.tsv") if row["chosen"]]
    assert row["variant"] == "level=120"
    rows = project.rows("s0/whole/thresholds/0/0/0.tsv")
    assert {(row["scope"], row["threshold"]) for row in rows} == {("pixel", "")}
    assert {row["note"] for row in rows} == {"a mask by own.py: segment"}


def test_an_edited_function_runs_its_methods_alone(finished, tmp_path):
    project = finished[0].copy(tmp_path / "project")
    time.sleep(1)
    (project.folder / "own.py").write_text(OWN.replace("> level", ">= level"))
    run = project.run("--dry-run", "--quiet", "progress", "host")
    assert set(re.findall(r"wildcards: .*method=(\w+)", run.output)) == {"whole", "tiles", "chosen"}
    # two samples of one block and one of two; jobs of a group are indented
    assert run.output.count("rule threshold:") == 3 * 4
    assert run.output.count("rule sweep:") == 2


def test_an_edited_image_of_a_point_runs_its_filter_again(finished, tmp_path):
    project = finished[0].copy(tmp_path / "project")
    time.sleep(1)
    np.save(project.folder / "psf.npy", np.ones((3, 1)))
    run = project.run("--dry-run", "--quiet", "progress", "host")
    assert set(re.findall(r"wildcards: .*method=(\w+)", run.output)) == {"sharp"}
    assert run.output.count("rule filter:") == 4
