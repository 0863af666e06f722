"""Nothing is scored with what was learned from it."""

import json

import numpy as np
from samples import blobs, write_planes
from skimage.filters import threshold_otsu

SAMPLES = "abcdef"


def test_excluded_samples_calibrate_nothing_and_move_no_fold(project):
    images, rows = {}, []
    for number, name in enumerate(SAMPLES):
        image, truth = blobs(planes=1, rows=64, columns=64, seed=number)
        # thresholds of all samples differ, so that any leak shows
        images[name] = np.clip(image[0] + 9.0 * number, 0, 255).astype(np.uint8)
        if name == "c":
            images[name][:] = 200
        write_planes(project.folder, images[name][None], f"{name}.png")
        write_planes(project.folder, truth * 255, f"{name}_truth.png")
        rows.append({"sample": name, "image": f"{name}.png", "truth": f"{name}_truth.png"})
    methods = {
        "calibrated": {"threshold": "otsu", "scope": "calibrated"},
        "swept": {"threshold": "otsu", "grid": {"scope": ["calibrated", "tile"]}},
    }
    # a constant tile is `empty`
    quality = {"measure": True, "exclude": ["empty"], "survey": 0}
    project.configure(rows, methods=methods, quality=quality, overlay={"format": "zarr-only"})
    project.succeed()

    folds = {row["unit"]: row["fold"] for row in project.rows("folds.tsv")}
    assert sorted(folds) == ["a", "b", "d", "e", "f"]
    assert len(set(folds.values())) == 5
    for method, variant in (("calibrated", ""), ("swept", "scope=calibrated")):
        calibrations = project.rows(f"sweeps/{method}/calibration.tsv")
        assert {row["variant"] for row in calibrations} == {variant}
        thresholds = {row["fold"]: float(row["threshold"]) for row in calibrations}
        everything = np.concatenate([images[name] for name in folds])
        assert thresholds.pop("all") == threshold_otsu(everything)
        expected = {
            fold: threshold_otsu(np.concatenate([images[name] for name in folds if name != unit]))
            for unit, fold in folds.items()
        }
        assert thresholds == expected
    # held out: each unit with the threshold of the others
    units = project.rows("sweeps/calibrated/units.tsv")
    held_out = {row["unit"]: row for row in units if row["fold"] == folds[row["unit"]]}
    calibrations = project.rows("sweeps/calibrated/calibration.tsv")
    thresholds = {row["fold"]: float(row["threshold"]) for row in calibrations}
    for unit, fold in folds.items():
        above = images[unit] > thresholds[fold]
        assert int(float(held_out[unit]["tp"])) + int(float(held_out[unit]["fp"])) == above.sum()


def test_tiles_next_to_held_out_ones_calibrate_nothing(project):
    image, truth = blobs(planes=1, rows=64, columns=5 * 64)
    # thresholds of all tiles differ, so that any leak shows
    image = np.clip(image[0] + 9.0 * (np.arange(5 * 64) // 64), 0, 255).astype(np.uint8)
    write_planes(project.folder, image[None], "a.png")
    write_planes(project.folder, truth * 255, "a_truth.png")
    rows = [{"sample": "a", "image": "a.png", "truth": "a_truth.png"}]
    methods = {"calibrated": {"threshold": "otsu", "scope": "calibrated"}}
    project.configure(rows, methods=methods, decision={"cell": 1})
    project.succeed()

    folds = {int(row["column"]): row["fold"] for row in project.rows("folds.tsv")}
    assert len(set(folds.values())) == 5
    assert {row["unit_kind"] for row in project.rows("folds.tsv")} == {"cell"}
    calibrations = project.rows("sweeps/calibrated/calibration.tsv")
    thresholds = {row["fold"]: float(row["threshold"]) for row in calibrations}
    tiles = np.split(image, 5, axis=1)
    for held_out, fold in folds.items():
        training = [tile for i, tile in enumerate(tiles) if abs(i - held_out) > 1]
        assert thresholds[fold] == threshold_otsu(np.concatenate(training))
    decision = json.loads((project.results / "decision.json").read_text())
    assert (decision["units"]["unit"], decision["units"]["independent"]) == ("cell", 5)
    assert 1 <= decision["units"]["effective"] <= 5
    assert "near_units" in {row["code"] for row in project.rows("warnings.tsv")}
