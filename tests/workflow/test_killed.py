"""Runs that are killed at random moments: the same command goes on, and results are the same."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from projects import Project
from samples import blobs, write_planes

KILLS = int(os.environ.get("TILEWISE_KILLS", "0"))
SEED = 7
LONGEST = 0.7
"""Of the time that an undisturbed run takes: the latest moment of a kill."""
OF_A_RUN = {
    *("report.html", "run.js", "checksums.tsv", "costs.tsv", "cost", "made_from"),
    "ro-crate-metadata.json",
}
"""Files and folders with times: of jobs, or of the images."""


def configured(folder):
    """Several blocks, filtered images that are deleted, a model, overlays and figures."""
    project = Project.create(folder)
    image, truth = blobs(planes=2)
    write_planes(project.folder, image, "image_{}.png")
    write_planes(project.folder, truth * 255, "truth_{}.png")
    rows = [{"sample": "discs", "image": "image_*.png", "truth": "truth_*.png"}]
    methods = {
        "otsu": {"filter": "denoised", "threshold": "otsu"},
        "local": {"filter": "denoised", "threshold": {"adaptive": {"size": 21}}},
        "learned": {"threshold": {"pixel_classifier": {"trees": 5}}},
    }
    settings = {"block": {"planes": 1}, "pyramid": {"levels": 1}, "figures": {"tiles": 1}}
    return project.configure(rows, methods=methods, keep_filtered=False, **settings)


def contents(results):
    """Bytes of all files, hidden ones included, but for those with times."""
    paths = {path.relative_to(results): path for path in results.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes()
        for name, path in paths.items()
        if OF_A_RUN.isdisjoint(name.parts) and name.name != ".snakemake_timestamp"
    }


def start(project, log):
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "my.yaml"]
    return subprocess.Popen(
        [*command, "--workflow-profile", "plain"],
        cwd=project.folder,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A project whose run was left alone, and the seconds that it took."""
    project = configured(tmp_path_factory.mktemp("undisturbed") / "project")
    began = time.monotonic()
    with open(project.folder / "log.txt", "w") as log:
        assert start(project, log).wait() == 0
    return project, time.monotonic() - began


@pytest.mark.skipif(not KILLS, reason="`make test-faults` kills runs")
def test_killed_again_and_again(undisturbed, tmp_path):
    whole, seconds = undisturbed
    dice = random.Random(SEED)
    left, project = KILLS, None
    while left:
        folder = tmp_path / str(left)
        project = configured(folder)
        # some of the kills in one study, then the run that ends well
        for _ in range(min(left, dice.randint(2, 5))):
            left -= 1
            with open(folder / "log.txt", "a") as log:
                process = start(project, log)
                try:
                    process.wait(dice.uniform(0.1, LONGEST * seconds))
                except subprocess.TimeoutExpired:
                    # all processes; or Snakemake alone, whose jobs go on beside the next run
                    kill = os.kill if dice.random() < 0.5 else os.killpg
                    kill(process.pid, signal.SIGKILL)
                process.wait()
        with open(folder / "log.txt", "a") as log:
            assert start(project, log).wait() == 0, (folder / "log.txt").read_text()
        assert contents(project.results) == contents(whole.results)
        wait_for_orphans(folder)
        with open(folder / "log.txt", "a") as log:
            assert start(project, log).wait() == 0
        assert list(project.results.rglob(".part-*")) == []
        assert not list(project.results.glob("*/filtered/*.zarr/c"))
        verified = subprocess.run(
            [sys.executable, "scripts/verify.py", "--configfile", "my.yaml"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert verified.returncode == 0, verified.stdout


def wait_for_orphans(folder):
    """Jobs of a run that was killed alone end by themselves."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, check=False)
        if found.returncode:
            return
        time.sleep(0.2)
    raise AssertionError("a job of a killed run does not end")
