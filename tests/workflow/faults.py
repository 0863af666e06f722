"""Runs that are disturbed: how they are started and ended, and what has to be the same after."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

from projects import Project
from samples import blobs, write_planes

OF_A_RUN = {
    *("report.html", "run.js", "checksums.tsv", "costs.tsv", "cost", "made_from"),
    "ro-crate-metadata.json",
}
"""Files and folders with times: of jobs, or of the images."""
COMMAND = (sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "my.yaml")
COMMAND = (*COMMAND, "--workflow-profile", "plain")
PATIENCE = 300
"""Seconds in which a run ends that was asked to."""


def discs(folder):
    """A project with an image of two planes and its truth, and the row of its sheet."""
    project = Project.create(folder)
    image, truth = blobs(planes=2)
    write_planes(project.folder, image, "image_{}.png")
    write_planes(project.folder, truth * 255, "truth_{}.png")
    return project, [{"sample": "discs", "image": "image_*.png", "truth": "truth_*.png"}]


def configured(folder):
    """Several blocks, filtered images that are deleted, a model, overlays and figures."""
    project, rows = discs(folder)
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


def differing(one, other):
    """Names of files that are only in one of two folders, or differ; a few of many."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))[:20]


@contextmanager
def started(project, *arguments, **environment):
    """A run in a session of its own, its output in `log.txt`, while the block lasts."""
    with open(project.folder / "log.txt", "a") as log:
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=project.folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | environment,
            # which a shell has its processes in the background ignore
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        try:
            yield process
            process.wait(PATIENCE)
        finally:
            # after an error, or if it does not end though it was asked to
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def finish(project, *arguments, **environment):
    """Run Snakemake, which has to end well; what it said."""
    log = project.folder / "log.txt"
    begin = log.stat().st_size if log.exists() else 0
    with started(project, *arguments, **environment) as process:
        code = process.wait()
    said = log.read_text()[begin:]
    assert code == 0, said
    return said


def wait_for_orphans(folder):
    """Jobs of a run that was killed alone end by themselves."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, check=False)
        if found.returncode:
            return
        time.sleep(0.2)
    raise AssertionError("a job of a killed run does not end")


def verify(project, *arguments):
    """What `scripts/verify.py` finds to do; nothing, once all is well."""
    done = subprocess.run(
        [sys.executable, "scripts/verify.py", "--configfile", "my.yaml", *arguments],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return "" if done.returncode == 0 else done.stdout + done.stderr
