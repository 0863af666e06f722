"""Tiles without vessels, constant tiles, truth that looks inverted."""

from html import unescape

import numpy as np
from samples import blobs, write_planes


def test_constant_and_empty_tiles(project):
    image, truth = blobs(planes=1)
    image[0, :64, :64] = 70
    # noise without a disc
    image[0, :64, 64:128] = np.random.default_rng(5).normal(70, 8, (64, 64))
    truth[0, :64, :128] = 0
    write_planes(project.folder, image, "image.png")
    write_planes(project.folder, truth, "truth.png")
    methods = {
        "guarded": {"threshold": "otsu", "fallback": "empty"},
        "fallback": {"threshold": "otsu"},
        "unguarded": {"threshold": "otsu", "min_contrast": 0},
    }
    rows = [{"sample": "discs", "image": "image.png", "truth": "truth.png"}]
    project.configure(rows, methods=methods).succeed()

    notes = {
        (row["method"], row["tile"]): row
        for method in methods
        for row in project.rows(f"discs/{method}/thresholds/0/0/0.tsv")
    }
    for method in methods:
        constant = notes[method, "z0000_y00_x00"]
        assert constant["note"] == "no threshold: constant"
        assert constant["threshold"] == ""
    assert notes["guarded", "z0000_y00_x01"]["note"].endswith("is below 5: empty")
    assert notes["fallback", "z0000_y00_x01"]["note"].endswith("threshold of the sample")
    assert notes["unguarded", "z0000_y00_x01"]["note"] == ""
    assert notes["guarded", "z0000_y01_x01"]["note"] == ""

    metrics = {(row["method"], row["tile"]): row for row in project.rows("metrics.tsv")}
    assert metrics["guarded", "z0000_y00_x00"]["edge"] == "both_empty"
    assert float(metrics["guarded", "z0000_y00_x00"]["f1"]) == 1
    assert metrics["guarded", "z0000_y00_x01"]["edge"] == "both_empty"
    assert metrics["unguarded", "z0000_y00_x01"]["edge"] == "truth_empty"

    summary = {(row["method"], row["metric"]): row for row in project.rows("summary.tsv")}
    wrong = summary["unguarded", "false_positive_area"]
    assert wrong["tiles"] == "2"
    assert wrong["pooled"] == metrics["unguarded", "z0000_y00_x01"]["fp"]
    # tiles with empty truth are not averaged over
    assert summary["guarded", "f1"]["averaged"] == "4"
    assert summary["guarded", "f1"]["tiles"] == "6"


def test_truth_that_looks_inverted(project):
    image, truth = blobs(planes=1)
    write_planes(project.folder, image, "image.png")
    write_planes(project.folder, 1 - truth, "truth.png")
    project.configure([{"sample": "discs", "image": "image.png", "truth": "truth.png"}]).succeed()
    warnings = {row["warning"] for row in project.rows("summary.tsv")}
    (warning,) = warnings
    assert "discs looks inverted" in warning
    assert "foreground" in warning
    assert "inverted mask of every method" in warning
    (doubt,) = (row for row in project.rows("warnings.tsv") if row["code"] == "inverted_truth")
    assert doubt["sample"] == "discs"
    assert warning == f"{doubt['message']}; {doubt['remedy']}"
    for name in ("decision.md", "report.html"):
        assert warning in unescape((project.results / name).read_text())


def test_right_truth_is_not_suspected(project):
    image, truth = blobs(planes=1, rows=64, columns=64)
    write_planes(project.folder, image, "image.png")
    write_planes(project.folder, truth, "truth.png")
    project.configure([{"sample": "discs", "image": "image.png", "truth": "truth.png"}]).succeed()
    assert {row["warning"] for row in project.rows("summary.tsv")} == {""}
    # a single tile is what it is warned of
    assert [row["code"] for row in project.rows("warnings.tsv")] == ["few_units"]
    assert "inverted" not in (project.results / "decision.md").read_text()
