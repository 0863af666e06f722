"""What a run shows: bars on a terminal, some lines in a file, errors, and warnings at the end."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import snakemake_logger_plugin_rich
import tifffile
from samples import blobs, configure_discs, write_planes

DEFAULT = ("--workflow-profile", "default")
PLAIN = ("--workflow-profile", "plain")


@pytest.fixture
def project(project):
    return configure_discs(project)


def test_in_a_file(project):
    run = project.succeed(*DEFAULT)
    # a table of the jobs, and none of them by itself
    assert re.search(r"^ *threshold +1 *$", run.output, re.MULTILINE)
    assert not run.jobs
    assert len(run.output.splitlines()) < 40
    assert "\x1b" not in run.output
    assert (project.results / "report.html").exists()
    assert "Nothing to be done" in project.succeed(*DEFAULT).output


def test_dry_run(project):
    run = project.succeed(*DEFAULT, "--dry-run")
    assert re.search(r"^ *threshold +1 *$", run.output, re.MULTILINE)
    assert "This was a dry-run" in run.output
    assert not project.results.exists()


def test_on_a_terminal(project):
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "my.yaml"]
    with subprocess.Popen(
        command, cwd=project.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        # reading fails when the last process has closed the terminal
        try:
            while some := os.read(ours, 65536):
                shown += some
        except OSError:
            pass
    os.close(ours)
    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    (number,) = re.search(r"^ *total +(\d+) *\r$", text, re.MULTILINE).groups()
    # jobs done of all, for all rules and for one, and the time left
    assert re.search(rf"Total Progress .* 100% .* {number}/{number} +0:00:00 left", text)
    assert re.search(r"threshold .* 100% .* 1/1 +0:00:00 left", text)


@pytest.mark.parametrize("profile", [DEFAULT, PLAIN], ids=["default", "plain"])
def test_a_failing_job_shows_its_error(project, profile):
    image = np.ones((128, 192), np.float32)
    image[5, 5] = np.nan
    tifffile.imwrite(project.folder / "image.tif", image)
    project.configure([{"sample": "discs", "image": "image.tif"}])
    run = project.run(*profile)
    assert run.code != 0
    assert "ERROR sample discs: image.tif: plane 0 has NaN or infinite pixels" in run.output
    assert "Traceback" not in run.output


@pytest.mark.parametrize("profile", [DEFAULT, PLAIN], ids=["default", "plain"])
def test_warnings_come_last(project, profile):
    _, truth = blobs(planes=1)
    write_planes(project.folder, 1 - truth, "truth.png")
    old = project.results / "masks/old.png"
    old.parent.mkdir(parents=True)
    old.touch()
    (project.results / "gone/image.zarr").mkdir(parents=True)
    one = {"sample": "discs", "image": "image.png", "truth": "truth.png", "group": "one"}
    project.configure([one, one | {"sample": "also"}])
    run = project.succeed(*profile)
    expected = [
        "the truth of discs looks inverted",
        "the truth of also looks inverted",
        "12 annotated tiles are 2 independent units (plane), 5 are needed for intervals and tests",
        "results/gone is of an earlier run, and nothing uses it any more",
        "1 masks are of an earlier run",
    ]
    # bars leave empty lines in a file
    last = run.output.rstrip().splitlines()[-len(expected) :]
    assert [line.split(": ")[:2] for line in last] == [["Warning", text] for text in expected]
    assert run.output.count("Warning: ") == len(expected)
    # only a run that makes the tables tells of them
    assert "Warning: " not in project.succeed(*profile, "--forceall", "--dry-run").output
    (project.results / "report.html").unlink()
    again = project.succeed(*profile).output
    assert "inverted" not in again
    assert again.count("Warning: ") == 2


def test_without_the_plugin(project, tmp_path):
    packages = Path(snakemake_logger_plugin_rich.__file__).parents[1]
    others = tmp_path / "packages"
    others.mkdir()
    for entry in packages.iterdir():
        if not entry.name.startswith(snakemake_logger_plugin_rich.__name__):
            (others / entry.name).symlink_to(entry)
    run = subprocess.run(
        [sys.executable, "-S", "-m", "snakemake", "--dry-run", "--configfile", "my.yaml"],
        cwd=project.folder,
        env=os.environ | {"PYTHONPATH": str(others)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "rule threshold:" in run.stdout + run.stderr


def test_elsewhere(project):
    """The demo's configuration and its sheet are found from any folder."""
    (project.folder / "my.yaml").unlink()
    target = "results/stacks.tsv"
    project.succeed("--directory", "elsewhere", target)
    made = (project.folder / "elsewhere" / target).read_text()
    assert "cortex" in made
    assert not project.results.exists()

    outside = project.folder.parent / "outside"
    outside.mkdir()
    command = ["--snakefile", str(project.folder / "Snakefile"), "--cores", "1"]
    for further in ([], ["--configfile", str(project.folder / "config.yaml"), "--forceall"]):
        subprocess.run(
            [sys.executable, "-m", "snakemake", *command, *further, target],
            cwd=outside,
            check=True,
            capture_output=True,
        )
        assert (outside / target).read_text() == made

    # a configuration of the working directory comes first
    (outside / "config.yaml").write_text("samples: nowhere.tsv\nmethods: {m: {threshold: otsu}}\n")
    run = project.run("--directory", str(outside), "--dry-run")
    assert run.code != 0
    assert "sample sheet nowhere.tsv does not exist" in run.output
