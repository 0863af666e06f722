"""The workflow on a real Slurm cluster of one node that cluster.sh starts: `make test-slurm`."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from pages import report_data
from projects import Project

CLUSTER = Path(__file__).with_name("cluster.sh")
PROFILE = (
    *("--workflow-profile", "workflow/profiles/slurm"),
    *("--slurm-init-seconds-before-status-checks", "3"),
)


def missing():
    """Why Slurm cannot be started here; empty if it can."""
    if os.geteuid():
        return "starting a Slurm cluster needs root"
    if not shutil.which("apt-get") and not shutil.which("slurmctld"):
        return "Slurm is not installed, and there is no apt-get to install it"
    return ""


pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "Slurm can be started")


@pytest.fixture(scope="module", autouse=True)
def cluster():
    started = subprocess.run([CLUSTER, "start"], capture_output=True, text=True, check=False)
    if started.returncode:
        pytest.skip(f"Slurm cannot be started: {started.stderr.splitlines()[-1:]}")
    yield
    subprocess.run([CLUSTER, "stop"], check=True)


BRAIN = {"brain": {"shape": [4, 128, 192], "seed": 5}}
"""Four blocks of a phantom."""
SUBMISSIONS = 9
"""The phantom; then, of its four blocks in one: the image to its histograms, the truth, the masks
by what the sample says, the sweep, the masks by the chosen parameters, the errors, and the
segmentation by the method that was decided on; its export."""
HALVES = {
    "left": {"shape": [1, 128, 190], "seed": 6},
    "right": {"shape": [1, 70, 192], "seed": 7},
}
"""Two that share a block."""


def create(folder, phantoms=BRAIN):
    project = Project.create(folder)
    rows = [
        {"sample": name, "image": f"phantom:{name}/image", "truth": f"phantom:{name}/truth"}
        for name in phantoms
    ]
    return project.configure(
        rows,
        block={"planes": 1},
        collect={"side": 8},
        pyramid={"levels": 1},
        filters={"denoised": ["invert", {"median": 3}]},
        methods={
            "otsu": {"filter": "denoised", "threshold": "otsu"},
            "swept": {"filter": "denoised", "threshold": "manual", "grid": {"value": [80, 100]}},
        },
        apply="best",
        phantoms=phantoms,
    )


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    project = create(tmp_path_factory.mktemp("local") / "project")
    project.succeed()
    return contents(project)


PASSED_OVER = {
    *("made_from", "cost", "costs.tsv", "run.js", "checksums.tsv", "report.html"),
    "ro-crate-metadata.json",
}


def contents(project):
    """Every file of the results, but for times of what was read, and what jobs and runs were.

    Of the report, its data without what methods have cost.
    """
    page = report_data(project)
    page["tables"].pop("costs")
    for method in page["methods"]:
        method.pop("cost")
    files = {
        path.relative_to(project.results): path.read_bytes()
        for path in project.results.rglob("*")
        if path.is_file() and not PASSED_OVER & set(path.parts)
    }
    return page, files


def submissions(output):
    return re.findall(r"has been submitted with SLURM jobid (\d+)", output)


def running():
    done = subprocess.run(["squeue", "-h", "-t", "R", "-o", "%i"], capture_output=True, text=True)
    return done.stdout.split()


def start(project):
    """Snakemake in the background."""
    command = [sys.executable, "-m", "snakemake", "--configfile", "my.yaml", *PROFILE]
    log = (project.folder / "run.log").open("w")
    return subprocess.Popen(command, cwd=project.folder, stdout=log, stderr=subprocess.STDOUT)


def wait_for_job(process):
    """The number of a job that runs, once one does."""
    deadline = time.time() + 120
    while time.time() < deadline and process.poll() is None:
        if jobs := running():
            return jobs[0]
        time.sleep(0.2)
    raise AssertionError("no job has been started")


def test_results_are_the_local_ones_and_blocks_are_grouped(tmp_path, local):
    project = create(tmp_path / "project")
    run = project.succeed("--configfile", "my.yaml", *PROFILE)
    assert contents(project) == local
    assert len(submissions(run.output)) == SUBMISSIONS


def test_samples_that_share_a_block_share_submissions(tmp_path):
    local = create(tmp_path / "local", HALVES)
    local.succeed()
    project = create(tmp_path / "project", HALVES)
    run = project.succeed("--configfile", "my.yaml", *PROFILE)
    assert contents(project) == contents(local)
    # two phantoms, and the same as above
    assert len(submissions(run.output)) == 8


def test_cancelled_job_is_submitted_again(tmp_path, local):
    project = create(tmp_path / "project")
    process = start(project)
    job = wait_for_job(process)
    subprocess.run(["scancel", job], check=True)
    assert process.wait(400) == 0
    output = (project.folder / "run.log").read_text()
    assert len(submissions(output)) == SUBMISSIONS + 1
    assert contents(project) == local


def test_killed_run_is_resumed(tmp_path, local):
    project = create(tmp_path / "project")
    process = start(project)
    wait_for_job(process)
    process.send_signal(signal.SIGINT)
    assert process.wait(100) != 0
    deadline = time.time() + 60
    while running() and time.time() < deadline:
        time.sleep(0.5)
    # its jobs are cancelled with it
    assert not running()
    project.succeed("--configfile", "my.yaml", "--unlock", *PROFILE)
    project.succeed("--configfile", "my.yaml", *PROFILE)
    assert contents(project) == local
