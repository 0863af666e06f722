"""`snakemake --report`, after a run."""

import json
import re

import pytest
from projects import Project
from samples import blobs, write_planes

SHOWN = {
    "Decision": {"decision.md", "ranking.tsv", "scores.tsv", "costs.tsv"},
    "Figures": {f"otsu-{kind}.svg" for kind in ("tiles", "histogram", "confusion")}
    | {"comparison.svg"},
    "Overview": {"report.html", "warnings.tsv"},
    "Quantities": {"quantities.tsv", "quantities_groups.tsv"},
    "Scores": {"metrics.tsv", "summary.tsv", "errors.tsv", "differences.tsv"},
    "Tiles": {"annotate_next.tsv"},
}
"""Files by the category that they are shown in."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of one sample with its truth, and of one without."""
    project = Project.create(tmp_path_factory.mktemp("report") / "project")
    image, truth = blobs(planes=2, rows=64, columns=64)
    write_planes(project.folder, image, "{}.png")
    write_planes(project.folder, truth[:1] * 255, "truth_{}.png")
    rows = [
        {"sample": "annotated", "image": "1.png", "truth": "truth_1.png"},
        {"sample": "other", "image": "2.png"},
    ]
    settings = {"quality": {"measure": True}, "figures": {"tiles": 1}}
    project.configure(rows, **settings).succeed()
    return project


def constant(page, name):
    """What the report's script sets a variable to."""
    start = re.search(rf'<script id="{name}">\s*var {name} = ', page).end()
    return json.JSONDecoder().raw_decode(page, start)[0]


def shown(page):
    """File names by the category that lists them."""
    return {
        category: {path.rpartition("/")[2] for paths in listed.values() for path in paths}
        for category, listed in constant(page, "categories").items()
    }


def test_outputs_have_captions_and_categories(finished):
    finished.succeed("--report", "page.html")
    page = (finished.folder / "page.html").read_text()
    assert shown(page) == SHOWN
    captions = [result["caption"] for result in constant(page, "results").values()]
    assert all(captions)
    assert len(set(captions)) == len(captions)
    # what docutils writes where it cannot read a caption
    assert "System Message" not in page


def test_without_truth(project):
    image, _ = blobs(planes=1, rows=64, columns=64)
    write_planes(project.folder, image, "image.png")
    project.configure([{"sample": "other", "image": "image.png"}], apply="otsu").succeed()
    project.succeed("--report", "page.html")
    page = (project.folder / "page.html").read_text()
    assert shown(page) == {
        category: SHOWN[category] for category in ("Overview", "Quantities", "Scores")
    }
    assert "System Message" not in page
