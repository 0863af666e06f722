"""The job of the fraction of foreground, by what segments all tiles."""

import pytest
from studies import OTSU, make_study, write_sample

from tilewise.plan import quantities

GRID = {"m": {"threshold": "manual", "grid": {"value": [1, 2]}}}


@pytest.fixture
def rows(tmp_path):
    """Two samples of a group, of which a has truth and a known size of pixels."""
    return [
        write_sample(tmp_path, "a", truth=(0,), group="g", pixel_size="0.5 0.25"),
        write_sample(tmp_path, "b", group="g"),
    ]


def test_of_the_method_that_is_decided_on(tmp_path, rows):
    job = quantities.quantities(make_study(tmp_path, *rows, methods=OTSU | GRID))
    assert (job.decided, job.methods) == (["results/choice.json"], ["otsu", "m"])
    assert job.label == "segmentation"
    table = "results/{}/{}/0/0/0.tsv".format
    assert job.thresholds == [table(name, "segmentation/thresholds") for name in "ab"]
    assert job.metrics == [table("a", "otsu/metrics")]
    assert job.sweeps == [table("a", "m/sweep")]
    assert job.swept == ["m"]
    assert job.choices == ["results/sweeps/m/choice.json"]
    assert job.tried_folds == ["results/sweeps/m/folds.tsv"]
    assert job.folds == ["results/folds.tsv"]
    assert job.samples == [
        {"name": "a", "group": "g", "pixel": 0.125},
        {"name": "b", "group": "g", "pixel": None},
    ]
    assert job.settings["sampling"] == "unknown"


def test_of_one_method(tmp_path, rows):
    one = make_study(tmp_path, *rows, methods=OTSU | GRID, apply="otsu")
    job = quantities.quantities(one)
    assert (job.decided, job.methods, job.label) == ([], ["otsu"], "segmentation")
    assert (job.sweeps, job.choices) == ([], [])
    # without truth the mask alone says how much there is
    job = quantities.quantities(make_study(tmp_path, rows[1]))
    assert (job.methods, job.metrics, job.folds) == (["otsu"], [], [])


def test_of_masks_of_all_methods(tmp_path, rows):
    methods = OTSU | {"li": {"threshold": "li"}}
    job = quantities.quantities(make_study(tmp_path, *rows, methods=methods, apply="all"))
    assert (job.label, job.methods) == ("", ["otsu", "li"])
    folders = [path.split("/")[1:3] for path in job.thresholds]
    assert folders == [[sample, method] for sample in "ab" for method in ("otsu", "li")]
    # nothing decides between them
    assert quantities.tables(make_study(tmp_path, rows[1], methods=methods, apply="all")) == []


def test_nothing_segments_everything(tmp_path, rows):
    assert quantities.tables(make_study(tmp_path, *rows, apply="none")) == []
    assert quantities.tables(make_study(tmp_path, *rows)) == quantities.TABLES
