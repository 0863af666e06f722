"""The fraction of foreground over all tiles, against the same from pixels."""

import numpy as np
import pytest
import yaml
from projects import Project
from samples import blobs, configure_discs, write_planes

VALUES = (95, 120)
DRAWN = ((0, 0, 0), (0, 64, 64), (0, 64, 128), (1, 0, 64), (1, 0, 128), (1, 64, 0))
"""Plane, row and column of the annotated tiles of the volume, of twelve."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A volume with six annotated tiles, one in part, and a plane with truth everywhere."""
    project = Project.create(tmp_path_factory.mktemp("quantities") / "project")
    image, truth = blobs(planes=2)
    inside = np.ones(truth.shape, bool)
    inside[:, :, :20] = False
    write_planes(project.folder / "volume", image)
    write_planes(project.folder / "roi", inside * np.uint8(255))
    windows = ["z\ty\tx\tpath"]
    for z, y, x in DRAWN:
        rows = 64 if (z, y, x) != DRAWN[1] else 40
        own = truth[z : z + 1, y : y + rows, x : x + 64] * 255
        write_planes(project.folder, own, f"window_{z}_{y}_{x}.png")
        windows.append(f"{z}\t{y}\t{x}\twindow_{z}_{y}_{x}.png")
    (project.folder / "windows.tsv").write_text("\n".join(windows) + "\n")
    plane, known = blobs(planes=1, seed=5)
    write_planes(project.folder, plane, "plane.png")
    write_planes(project.folder, known * 255, "plane_truth.png")
    sheet = [
        {"sample": "volume", "image": "volume/*.png", "truth": "windows.tsv", "roi": "roi/*.png"},
        {"sample": "plane", "image": "plane.png", "truth": "plane_truth.png"},
    ]
    columns = {"volume": ("v", "2"), "plane": ("p", "")}
    for row in sheet:
        row["group"], row["pixel_size"] = columns[row["sample"]]
    methods = {
        "swept": {"threshold": "manual", "grid": {"value": list(VALUES)}},
        "fixed": {"threshold": {"manual": 160}},
    }
    settings = {"methods": methods, "apply": "best", "quantities": {"sampling": "random"}}
    project.configure(sheet, **settings).succeed()
    return project, image, truth, inside, known


def by_name(project):
    return {(row["level"], row["name"]): row for row in project.rows("quantities.tsv")}


def test_a_corrected_fraction_as_from_pixels(finished):
    project, image, truth, inside, _ = finished
    row = by_name(project)["sample", "volume"]
    assert row["method"] == "swept"
    segmented = project.array("volume/image.zarr/labels/segmentation/0")
    fraction = segmented[inside].mean()
    assert float(row["uncorrected"]) == pytest.approx(fraction)
    # the masks of annotated tiles are those that the other unit, the plane, chooses
    (fold,) = {one["fold"] for one in project.rows("folds.tsv") if one["sample"] == "volume"}
    chosen = {one["fold"]: one["variant"] for one in project.rows("sweeps/swept/folds.tsv")}
    mask = image > float(chosen[fold].removeprefix("value="))
    areas = []
    for z, y, x in DRAWN:
        rows = 64 if (z, y, x) != DRAWN[1] else 40
        own, part = np.s_[z, y : y + 64, x : x + 64], np.s_[z, y : y + rows, x : x + 64]
        scale = inside[own].sum() / inside[part].sum()
        counts = (scale * (one[part] * inside[part]).sum() for one in (truth, mask))
        areas.append([inside[own].sum(), *counts])
    area, true, found = np.array(areas, float).T
    residuals = [one - one.sum() / area.sum() * area for one in (true, found)]
    slope = residuals[0] @ residuals[1] / (residuals[1] @ residuals[1])
    scale = min(max(slope / (1 + 6 / 12), 0), 1)
    expected = scale * fraction + (true - scale * found).sum() / area.sum()
    assert float(row["lambda"]) == pytest.approx(scale)
    assert float(row["corrected"]) == pytest.approx(expected)
    assert (row["tiles"], row["annotated"], row["units"], row["unit"]) == ("12", "6", "6", "tile")
    assert float(row["low"]) < truth[inside].mean() < float(row["high"])
    assert float(row["region_um2"]) == 4 * inside.sum()
    assert float(row["corrected_um2"]) == pytest.approx(4 * inside.sum() * expected)


def test_what_is_annotated_everywhere_is_known(finished):
    project, *_, known = finished
    row = by_name(project)["sample", "plane"]
    assert float(row["corrected"]) == known.mean()
    assert row["low"] == row["high"] == ""
    assert "every tile is annotated" in row["note"]


def test_groups_are_compared_and_shown(finished):
    project = finished[0]
    rows = by_name(project)
    (pair,) = project.rows("quantities_groups.tsv")
    assert (pair["group"], pair["other"]) == ("v", "p")
    values = [float(rows["group", name]["corrected"]) for name in "vp"]
    assert float(pair["difference"]) == pytest.approx(values[0] - values[1])
    assert pair["p"] == pair["p_adjusted"]
    page = (project.results / "report.html").read_text()
    assert "<h2>Foreground of all tiles</h2>" in page
    assert f"{100 * values[0]:.2f}%" in page
    assert "v minus p" in page


def test_an_unknown_draw_corrects_nothing(finished, tmp_path):
    project = finished[0].copy(tmp_path / "project")
    config = yaml.safe_load((project.folder / "my.yaml").read_text())
    del config["quantities"]
    run = project.configure(**config).succeed()
    assert set(run.jobs) <= {"quantities", "gather_warnings", "report", "provenance"}
    assert run.jobs["quantities"] == 1
    rows = by_name(project)
    row = rows["sample", "volume"]
    assert row["corrected"] == row["low"] == ""
    assert "how the annotated tiles were drawn is unknown" in row["note"]
    # which is no matter where all of them are annotated
    assert rows["group", "p"]["corrected"]


def test_nothing_to_estimate_where_nothing_is_segmented(project):
    configure_discs(project)
    config = yaml.safe_load((project.folder / "my.yaml").read_text())
    run = project.configure(**config | {"apply": "none"}).succeed()
    assert "quantities" not in run.jobs
    page = (project.results / "report.html").read_text()
    assert "No method segments all tiles: there is nothing to estimate." in page
