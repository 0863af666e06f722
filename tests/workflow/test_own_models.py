"""Methods that are networks of the user's own."""

import hashlib

import networks
import numpy as np
import pytest
from projects import Project
from samples import write_samples
from scipy import ndimage

NAMES = ["s0", "s1"]
KERNEL = np.outer([1, 2, 3, 2, 1], [1, 2, 3, 2, 1]) / 81
MODEL = networks.convolution([KERNEL], last=None)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    project = Project.create(tmp_path_factory.mktemp("model") / "project")
    images, _, rows = write_samples(project, NAMES)
    (project.folder / "model.onnx").write_bytes(MODEL)
    settings = {"file": "model.onnx", "halo": 2, "window": 48, "above": 0.47}
    methods = {
        "network": {"threshold": {"onnx": settings}},
        "chosen": {"threshold": {"onnx": "model.onnx"}, "grid": {"above": [0.1, 0.47, 0.9]}},
    }
    project.configure(rows, methods=methods, block={"planes": 1})
    project.succeed()
    return project, images


def test_masks_are_those_of_the_network(finished):
    project, images = finished
    for name in NAMES:
        smooth = ndimage.correlate(images[name] / 255, KERNEL, mode="reflect")
        is_clear = np.abs(smooth - 0.47) > 1e-5
        expected = smooth > 0.47
        assert 0.02 < expected.mean() < 0.5
        for method in ("network", "chosen"):
            found = project.array(f"{name}/image.zarr/labels/{method}/0")[0]
            np.testing.assert_array_equal(found[is_clear], expected[is_clear], err_msg=method)


def test_they_are_ranked_and_say_what_made_them(finished):
    project, _ = finished
    assert {row["method"] for row in project.rows("ranking.tsv")} >= {"network", "chosen"}
    (row,) = [row for row in project.rows("sweeps/chosen/sweep.tsv") if row["chosen"]]
    assert row["variant"] == "above=0.47"
    note = f"a mask by model.onnx, SHA-256 {hashlib.sha256(MODEL).hexdigest()[:16]}"
    rows = project.rows("s0/network/thresholds/0/0/0.tsv")
    assert {row["note"] for row in rows} == {note}


def test_a_damaged_model_is_refused_before_any_job(finished, tmp_path):
    project = finished[0].copy(tmp_path / "project")
    (project.folder / "model.onnx").write_bytes(MODEL[:-20])
    run = project.run("--dry-run")
    assert run.code != 0
    assert "methods.network: threshold method onnx: model.onnx is no ONNX model" in run.output
