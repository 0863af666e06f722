"""Methods whose masks are made elsewhere."""

import re
import time

import numpy as np
import pytest
import tifffile
from projects import Project
from samples import blobs
from scipy import ndimage

METHODS = {
    "labels": {"threshold": {"external": "cells"}},
    "chosen": {"threshold": {"external": "maps"}, "grid": {"above": [0.05, 0.5, 0.95]}},
    "calibrated": {"filter": "smooth", "threshold": "otsu", "scope": "calibrated"},
    "guarded": {"filter": "smooth", "threshold": "otsu"},
    "cleaned": {"threshold": {"external": "cells"}, "cleanup": [{"remove_small": 250}]},
    "otsu": {"threshold": "otsu"},
}


def labels_of(truth, first):
    """Objects of each plane with numbers above `first`, which need more than 16 bits."""
    in_plane = np.zeros((3, 3, 3), int)
    in_plane[1] = ndimage.generate_binary_structure(2, 1)
    labels, _ = ndimage.label(truth, in_plane)
    return np.where(labels, labels.astype(np.uint32) + np.uint32(first), 0).astype(np.uint32)


def probabilities_of(truth, seed):
    """Above 0.5 in all objects, and nowhere else."""
    random = np.random.default_rng(seed).uniform(0.1, 0.4, truth.shape)
    return np.where(truth, 1 - random, random).astype(np.float64)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two samples that share a stack, and one of two blocks; one more has no masks."""
    project = Project.create(tmp_path_factory.mktemp("external") / "project")
    rows, masks = [], {}
    sizes = {"a": (1, 64, 64), "b": (1, 60, 50), "bare": (1, 64, 64), "large": (2, 64, 128)}
    for seed, (name, shape) in enumerate(sizes.items()):
        image, truth = blobs(*shape, seed=seed)
        labels, maps = labels_of(truth, 70000), probabilities_of(truth, seed)
        for kind, pixels in (("image", image), ("truth", truth), ("cells", labels), ("maps", maps)):
            path = project.folder / f"{name}_{kind}.tif"
            tifffile.imwrite(path, pixels, photometric="minisblack")
        masks[name] = labels
        rows.append(
            {kind: f"{name}_{kind}.tif" for kind in ("image", "truth", "cells", "maps")}
            | {"sample": name}
        )
    rows[2] |= {"cells": "", "maps": ""}
    samples = {"samples": ["a", "b", "large"]}
    project.configure(
        rows,
        filters={"smooth": [{"external": "maps"}, {"gaussian": 1}]},
        methods={name: own | (samples if name != "otsu" else {}) for name, own in METHODS.items()},
        block={"planes": 1},
        collect={"side": 1},
        figures={"tiles": 2},
        quality={"measure": True, "survey": 2},
    )
    project.succeed()
    return project, masks


def mask(project, name, method):
    stack, plane = {"a": ("_small_uint8_1", 0), "b": ("_small_uint8_1", 1)}.get(name, (name, 0))
    _, rows, columns = {"a": (1, 64, 64), "b": (1, 60, 50)}.get(name, (2, 64, 128))
    array = project.array(f"{stack}/image.zarr/labels/{method}/0")
    return array[plane : plane + (2 if name == "large" else 1), :rows, :columns]


def test_labels_are_foreground(finished):
    project, masks = finished
    for name in ("a", "b", "large"):
        expected = (masks[name] != 0).astype(np.uint8)
        assert expected.any()
        np.testing.assert_array_equal(mask(project, name, "labels"), expected)


def test_annotated_tiles_choose_a_threshold_of_probabilities(finished):
    project, masks = finished
    (row,) = [row for row in project.rows("sweeps/chosen/sweep.tsv") if row["chosen"]]
    assert row["variant"] == "above=0.5"
    for name in ("a", "b", "large"):
        np.testing.assert_array_equal(mask(project, name, "chosen"), masks[name] != 0)


def test_probabilities_are_filtered_before_they_are_thresholded(finished):
    project, _ = finished
    threshold = float(project.rows("large/calibrated/thresholds/0/0/0.tsv")[0]["threshold"])
    assert 0.4 < threshold < 0.7
    maps = tifffile.imread(project.folder / "large_maps.tif").astype(np.float32)
    smooth = [ndimage.gaussian_filter(plane, 1, mode="reflect", truncate=4) for plane in maps]
    # both sum in another order
    is_clear = np.abs(np.array(smooth) - threshold) > 1e-3
    found = mask(project, "large", "calibrated")[is_clear]
    np.testing.assert_array_equal(found, (np.array(smooth) > threshold)[is_clear])


def test_tiles_of_several_blocks_have_their_own_threshold(finished):
    project, masks = finished
    rows = project.rows("large/guarded/thresholds/0/0/0.tsv")
    rows += project.rows("large/guarded/thresholds/1/0/0.tsv")
    assert {(row["scope"], row["guard"]) for row in rows} == {("tile", "")}
    found, truth = mask(project, "large", "guarded") != 0, masks["large"] != 0
    # a smooth edge lies elsewhere than a sharp one by a pixel at most
    wide = ndimage.binary_dilation(truth, np.ones((1, 3, 3)))
    narrow = ndimage.binary_erosion(truth, np.ones((1, 3, 3)))
    assert not (found & ~wide).any()
    assert not (narrow & ~found).any()


def test_masks_are_cleaned(finished):
    project, masks = finished
    labels = masks["large"]
    small = [number for number in np.unique(labels)[1:] if (labels == number).sum() < 250]
    assert 0 < len(small) < len(np.unique(labels)) - 1
    expected = (labels != 0) & ~np.isin(labels, small)
    np.testing.assert_array_equal(mask(project, "large", "cleaned"), expected)


def test_masks_are_ranked_overlaid_and_surveyed_as_all_others(finished):
    project, _ = finished
    assert {row["method"] for row in project.rows("metrics.tsv")} == set(METHODS)
    scores = {row["method"]: row["mcc"] for row in project.rows("metrics.tsv")}
    assert float(scores["labels"]) == 1
    assert list((project.results / "large/labels/overlay/0/0/0").glob("large_*.png"))
    stored = project.array("large/external/cells.zarr")
    np.testing.assert_array_equal(stored, tifffile.imread(project.folder / "large_cells.tif"))


def test_a_second_run_does_nothing(finished):
    assert not finished[0].succeed().jobs


def test_another_mask_runs_its_own_methods_alone(finished, tmp_path):
    project = finished[0].copy(tmp_path / "project")
    time.sleep(1)
    path = project.folder / "large_cells.tif"
    labels = tifffile.imread(path)
    labels[1] = 0
    tifffile.imwrite(path, labels, photometric="minisblack")
    run = project.run("--dry-run", "--quiet", "progress", "host")
    places = re.findall(r"rule ingest_external:.*?wildcards: ([^\n]*)", run.output, re.DOTALL)
    assert places == ["stack=large, array=cells, block=1/0/0"]
    masks = set(re.findall(r"wildcards: stack=(\w+), method=(\w+)", run.output))
    assert {(stack, method) for stack, method in masks if method != "otsu"} == {
        ("large", "labels"),
        ("large", "cleaned"),
    }
