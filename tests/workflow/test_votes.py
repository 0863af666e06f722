"""Votes of methods."""

import numpy as np
import pytest
from projects import Project
from samples import write_samples

NAMES = ["s0", "s1"]
METHODS = {
    "otsu": {"threshold": "otsu"},
    "smooth": {"threshold": {"manual": 110}, "filter": "smooth"},
    "learned": {"threshold": {"pixel_classifier": {"trees": 5, "pixels": 500, "sigmas": [1]}}},
    "vote": {"threshold": {"vote": ["otsu", "smooth", "learned"]}},
    "any": {"threshold": {"vote": {"methods": ["otsu", "smooth"], "least": 1}}},
}
FILTERS = {"smooth": [{"gaussian": 2}]}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    project = Project.create(tmp_path_factory.mktemp("votes") / "project")
    _, _, rows = write_samples(project, NAMES)
    # a block for each plane of the volume: what Otsu's method does waits for both
    settings = {"filters": FILTERS, "methods": METHODS, "block": {"planes": 1}}
    settings["overlay"] = {"format": "zarr-only"}
    project.configure(rows, **settings)
    project.succeed()
    return project, rows, settings


def label(project, sample, method):
    return project.array(f"{sample}/image.zarr/labels/{method}/0")


def test_foreground_is_what_most_methods_call_so(finished):
    project, *_ = finished
    for sample in (*NAMES, "volume"):
        masks = {name: label(project, sample, name).astype(int) for name in METHODS}
        votes = masks["otsu"] + masks["smooth"] + masks["learned"]
        # they do not all agree
        assert (votes == 1).any()
        assert (votes == 2).any()
        np.testing.assert_array_equal(masks["vote"], votes >= 2)
        np.testing.assert_array_equal(masks["any"], masks["otsu"] | masks["smooth"])
    rows = project.rows("s0/vote/thresholds/0/0/0.tsv")
    assert {row["note"] for row in rows} == {"at least 2 of otsu, smooth, learned"}
    ranked = {row["method"]: row["estimate"] for row in project.rows("ranking.tsv")}
    assert ranked["vote"] == "fixed"


def test_a_vote_is_applied_where_its_methods_are_not(finished, tmp_path):
    project, rows, settings = finished
    applied = Project.create(tmp_path / "project")
    write_samples(applied, NAMES)
    applied.configure(rows, **settings, apply="vote")
    applied.succeed()
    assert not (applied.results / "volume/image.zarr/labels/otsu/0/c").exists()
    np.testing.assert_array_equal(
        label(applied, "volume", "segmentation"), label(project, "volume", "vote")
    )
