"""What runs again after a change, and what does not."""

import os
import time

import pytest
import yaml
from projects import Project
from samples import blobs, write_planes


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two planes with truth, a plane per block; everything has been run."""
    project = Project.create(tmp_path_factory.mktemp("finished") / "project")
    image, truth = blobs()
    write_planes(project.folder / "image", image)
    write_planes(project.folder / "truth", truth * 255)
    rows = [{"sample": "discs", "image": "image/*.png", "truth": "truth/*.png"}]
    # blocks do not wait for each other, see test_guarded_samples.py
    otsu = {"filter": "denoised", "threshold": "otsu", "fallback": "empty"}
    methods = {"otsu": otsu}
    project.configure(rows, block={"planes": 1}, pyramid={"levels": 1}, methods=methods)
    project.succeed()
    return project


@pytest.fixture
def project(finished, tmp_path):
    # files written from now on are newer than all results
    time.sleep(1)
    return finished.copy(tmp_path / "project")


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_second_run_does_nothing(project):
    run = project.succeed()
    assert not run.jobs
    assert "Nothing to be done" in run.output


def test_touched_files_run_nothing(project):
    for pattern in ("image/*.png", "truth/*.png", "scripts/**/*.py", "my.*", "workflow/**/*.smk"):
        for path in project.folder.glob(pattern):
            os.utime(path)
    assert not project.succeed().jobs


def test_threshold_parameters_run_no_filter(project):
    config = yaml.safe_load((project.folder / "my.yaml").read_text())
    config["methods"]["otsu"]["threshold"] = {"manual": 80}
    project.configure(**config)
    jobs = project.succeed().jobs
    assert jobs == {
        **{"threshold": 2, "validate": 2, "overlay": 2, "errors": 2},
        **{"decide": 1, "aggregate": 1, "gather_warnings": 1, "report": 1, "quantities": 1},
        **{"costs": 1, "provenance": 1},
    }


def test_edited_validation_runs_no_threshold(project):
    rows = "[names | fields for fields in counts]"
    named = '[names | {"tile": tile.name.upper()} | fields for fields in counts]'
    edit(project.folder / "scripts/validate.py", rows, named)
    jobs = project.succeed().jobs
    assert jobs["validate"] == 2
    assert jobs["aggregate"] == jobs["report"] == jobs["decide"] == 1
    followers = {"overlay", "aggregate", "gather_warnings", "report", "errors", "decide"}
    followers |= {"quantities", "provenance"}
    assert set(jobs) <= {"validate", *followers}


def test_edited_library_module_runs_the_steps_that_import_it(project):
    edit(
        project.folder / "scripts/tilewise/score/confusion.py",
        '"""Where a mask',
        '"""Where the mask',
    )
    jobs = project.succeed().jobs
    assert jobs["validate"] == 2
    assert not {"ingest", "ingest_truth", "filter", "threshold"} & set(jobs)


def test_new_sample_runs_alone(project):
    image, truth = blobs(planes=1, seed=7)
    write_planes(project.folder / "other", image)
    write_planes(project.folder / "other_truth", truth * 255)
    with (project.folder / "my.tsv").open("a") as sheet:
        sheet.write("more\tother/*.png\tother_truth/*.png\n")
    run = project.succeed()
    assert run.jobs["ingest"] == run.jobs["filter"] == run.jobs["threshold"] == 1
    assert run.jobs["aggregate"] == 1
    assert "stack=more" in run.output
    assert "stack=discs" not in run.output
    assert {row["sample"] for row in project.rows("metrics.tsv")} == {"discs", "more"}


def test_changed_image_runs_its_block_only(project):
    image, _ = blobs(seed=3)
    write_planes(project.folder / "image", image[1:], first=2)
    run = project.succeed()
    assert run.jobs["ingest"] == run.jobs["filter"] == run.jobs["threshold"] == 1
    assert run.jobs["ingest_truth"] == 0
    assert "block=0/0/0" not in run.output


@pytest.mark.parametrize("path", ["labels/otsu", "labels/otsu/1", "labels", "."])
def test_deleted_metadata_is_written_again_and_nothing_else(project, path):
    lost = project.results / "discs/image.zarr" / path / "zarr.json"
    before = lost.read_text()
    lost.unlink()
    assert project.succeed().jobs == {"metadata": 1}
    assert lost.read_text() == before
    assert not project.succeed().jobs


def test_a_deleted_reduced_level_of_a_mask_is_made_again(project):
    lost = project.results / "discs/image.zarr/labels/otsu/1/c/0/0/0"
    before = lost.read_bytes()
    lost.unlink()
    run = project.succeed()
    # what follows may be spared, since the mask's values are the same
    followers = {
        "validate",
        "overlay",
        "errors",
        "decide",
        "aggregate",
        "gather_warnings",
        "quantities",
        "costs",
        "report",
    }
    assert run.jobs["threshold"] == 1
    assert set(run.jobs) <= {"threshold", *followers}
    assert "block=1/0/0" not in run.output
    assert lost.read_bytes() == before
    assert not project.succeed().jobs


def test_a_damaged_block_is_refused_and_made_again_once_it_is_deleted(project):
    damaged = project.results / "discs/image.zarr/0/c/0/0/0"
    before = damaged.read_bytes()
    damaged.write_bytes(bytes([before[0] ^ 1]) + before[1:])
    run = project.run()
    assert run.code != 0
    message = "results/discs/image.zarr/0/c/0/0/0 is damaged (chunk (0, 0, 0)): delete it"
    assert f"sample discs: {message}, and the next run makes it again" in run.output
    damaged.unlink()
    jobs = project.succeed().jobs
    assert jobs["ingest"] == 1
    assert damaged.read_bytes() == before
    assert not project.succeed().jobs


def test_a_file_that_changes_at_an_older_time(project):
    image, truth = blobs(seed=3)
    folder = project.folder
    for kind, planes in (("image", image), ("truth", truth * 255)):
        (path,) = (folder / kind).glob("*2.png")
        times = path.stat().st_atime_ns, path.stat().st_mtime_ns - 10**12
        write_planes(folder / kind, planes[1:], first=2)
        os.utime(path, ns=times)
    run = project.succeed()
    assert run.jobs["ingest"] == run.jobs["ingest_truth"] == 1
    assert "block=0/0/0" not in run.output
    assert not project.succeed().jobs


def test_changes_that_are_taken_back_run_again(project):
    (path,) = (project.folder / "image").glob("*2.png")
    before = path.read_bytes()
    image, _ = blobs(seed=3)
    write_planes(project.folder / "image", image[1:], first=2)
    assert project.succeed().jobs["ingest"] == 1
    path.write_bytes(before)
    assert project.succeed().jobs["ingest"] == 1
    os.utime(path)
    assert not project.succeed().jobs
