"""Faults of machines that people share: each ends in the same bytes, or says what to do."""

import compileall
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import forks
import numpy as np
import pytest
from faults import COMMAND, configured, contents, differing, started, verify
from PIL import Image
from projects import Project, Run
from samples import configure_discs

pytestmark = pytest.mark.skipif(
    not int(os.environ.get("TILEWISE_KILLS", "0")), reason="`make test-faults` tries faults"
)
HOOKS = Path(__file__).with_name("faulty")
SEED = int(os.environ.get("TILEWISE_SEED", "5"))
IS_ROOT = sys.platform == "linux" and os.geteuid() == 0


@cache
def python():
    """What runs Python's arguments, with the module that makes faults."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(HOOKS)
    try:
        return forks.command(2)
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before


def run(project, *arguments, fault=None, prefix=()):
    """Run Snakemake, with a fault of `faulty/sitecustomize.py` or without."""
    environment = os.environ | {"PYTHONPATH": str(HOOKS)}
    if fault:
        environment["FAULT"] = json.dumps(fault)
    done = subprocess.run(
        [*prefix, *python(), *COMMAND[1:], *arguments],
        cwd=project.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout + done.stderr)


def goes_on(project, whole):
    """The same command ends in the bytes of an undisturbed run, and leaves nothing to do."""
    done = run(project)
    assert done.code == 0, done.output
    assert differing(contents(project.results), whole) == []
    return done


def of_one_plane(folder):
    """A project of few jobs."""
    return configure_discs(Project.create(folder))


def undisturbed(project):
    """A project after its run."""
    done = run(project)
    assert done.code == 0, done.output
    return project


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project with files of all kinds, whose run was left alone."""
    return undisturbed(configured(tmp_path_factory.mktemp("finished") / "project"))


@pytest.fixture(scope="module")
def finished_plane(tmp_path_factory):
    """A project of few jobs, whose run was left alone."""
    return undisturbed(of_one_plane(tmp_path_factory.mktemp("plane") / "project"))


@pytest.fixture
def plane(finished_plane, tmp_path):
    """A project of few jobs, and the bytes of its results."""
    return of_one_plane(tmp_path / "project"), contents(finished_plane.results)


DYING = (
    ("write", r"image\.zarr/0/c/1/0/0$"),
    ("write", r"models/learned/0/[^/]*\.npz$"),
    ("fsync", r"models/learned/0/[^/]*\.npz$"),
    ("rename", r"models/learned/0/[^/]*\.npz$"),
    ("write", r"labels/learned/1/c/0/0/0$"),
    ("rename", r"learned/thresholds/1/0/0\.tsv$"),
    ("write", r"learned/overlay/0/0/0/[^/]*\.png$"),
    ("write", r"/ranking\.tsv$"),
    ("write", r"figures/[^/]*\.svg$"),
    ("write", r"/report\.html$"),
)
"""When a job dies, at what file; in about the order in which a run writes them."""


def test_compiled_code_that_a_full_disk_has_cut_is_compiled_again(plane):
    project, whole = plane
    assert compileall.compile_dir(project.folder / "scripts", quiet=1)
    compiled = sorted((project.folder / "scripts").rglob("*.pyc"))
    assert len(compiled) > 50
    for number, path in enumerate(compiled):
        os.truncate(path, path.stat().st_size * (number % 4) // 4)
    goes_on(project, whole)


def test_jobs_that_die_while_they_write(finished, tmp_path):
    project, whole = configured(tmp_path / "project"), contents(finished.results)
    dice = random.Random(SEED)
    sizes = {f"results/{name}": len(data) for name, data in whole.items()}
    for number, (kind, pattern) in enumerate(DYING):
        # what was made beside the job that died before, and what is made of it later
        later = [one for _, one in DYING[number:]]
        for path in list(project.results.rglob("*")):
            if path.exists() and any(re.search(one, str(path)) for one in later):
                path.unlink() if path.suffix != ".png" else shutil.rmtree(path.parent)
        done = tmp_path / f"done-{number}"
        # the report has times, and is not compared
        size = min((size for name, size in sizes.items() if re.search(pattern, name)), default=9999)
        fault = {"kind": kind, "pattern": pattern, "bytes": dice.randrange(size)}
        died = run(project, fault=fault | {"done": str(done)})
        assert done.exists(), died.output
        assert died.code != 0
        # what has its name is whole
        found = contents(project.results)
        assert all(whole[name] == found[name] for name in whole if name in found)
    goes_on(project, whole)
    assert verify(project) == ""


LATE = {"kind": "late", "pattern": "^results/", "seconds": 3}


def test_files_that_appear_late(plane):
    """As on a network file system: jobs have ended, and their files are seen later."""
    project, whole = plane
    done = run(project, "--latency-wait", "10", fault=LATE)
    assert done.code == 0, done.output
    assert differing(contents(project.results), whole) == []
    assert goes_on(project, whole).jobs == {}


def test_files_that_appear_too_late(plane):
    project, whole = plane
    done = run(project, "--latency-wait", "0", fault=LATE)
    assert done.code != 0
    assert "--latency-wait" in done.output
    time.sleep(LATE["seconds"])
    goes_on(project, whole)
    assert verify(project) == ""


@contextmanager
def small_disk(folder, size):
    """A file system of so many bytes in a folder."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if not IS_ROOT or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def used(folder):
    """Bytes that files take on a file system."""
    known = os.statvfs(folder)
    return (known.f_blocks - known.f_bfree) * known.f_frsize


def test_disk_full(plane):
    """Only results are on it: logs can still be written."""
    project, whole = plane
    dice = random.Random(SEED)
    with small_disk(project.results, dice.randrange(20_000, 120_000) // 4096 * 4096):
        full = run(project)
        assert full.code != 0
        assert re.search(
            "results/.*: No space left on device: make space there, and run the same command again",
            full.output,
        )
        assert "Traceback" not in full.output
        subprocess.run(["mount", "-o", "remount,size=100m", project.results], check=True)
        goes_on(project, whole)
        assert verify(project) == ""


def test_disk_full_of_all_that_a_run_writes(plane, tmp_path):
    """Logs, and what Snakemake writes down, are on it as well."""
    project, whole = plane
    dice = random.Random(SEED)
    with small_disk(tmp_path / "disk", "100m"):
        moved = project.copy(tmp_path / "disk/project")
        size = used(moved.folder) + dice.randrange(50_000, 300_000)
        subprocess.run(
            ["mount", "-o", f"remount,size={size // 4096 * 4096}", tmp_path / "disk"], check=True
        )
        full = run(moved)
        assert full.code != 0
        assert "No space left on device" in full.output
        subprocess.run(["mount", "-o", "remount,size=100m", tmp_path / "disk"], check=True)
        goes_on(moved, whole)
        assert verify(moved) == ""


@contextmanager
def read_only(folder):
    """Nobody can write to a folder."""
    folder.mkdir(exist_ok=True)
    if not IS_ROOT or subprocess.run(["mount", "--bind", folder, folder], check=False).returncode:
        pytest.skip("only root can mount a folder read-only")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_read_only_results(plane):
    project, whole = plane
    with read_only(project.results):
        refused = run(project)
    assert refused.code != 0
    assert re.search("Read-only file system: '?results/", refused.output)
    goes_on(project, whole)


def test_a_study_that_is_read_only(finished_plane):
    """It can be verified; a run is refused."""
    with read_only(finished_plane.folder):
        assert verify(finished_plane, "--files-only") == ""
        refused = run(finished_plane)
    assert refused.code != 0
    assert re.search(f"Read-only file system: '{finished_plane.folder}", refused.output)
    assert run(finished_plane).jobs == {}


def test_a_second_run_is_refused(finished, tmp_path):
    project, whole = configured(tmp_path / "project"), contents(finished.results)
    with started(project) as first:
        locks = project.folder / ".snakemake/locks"
        while not list(locks.glob("*.lock")):
            assert first.poll() is None
            time.sleep(0.05)
        second = run(project)
        assert first.poll() is None
        assert second.code != 0
        assert "Directory cannot be locked" in second.output
        assert "--unlock" in second.output
        assert first.wait() == 0, (project.folder / "log.txt").read_text()
    assert differing(contents(project.results), whole) == []
    assert goes_on(project, whole).jobs == {}


@pytest.mark.parametrize("copy", [["cp", "-a"], ["cp", "-r"]], ids=["with times", "without times"])
def test_copied(finished, tmp_path, copy):
    project, whole = Project(tmp_path / "elsewhere"), contents(finished.results)
    subprocess.run([*copy, finished.folder, project.folder], check=True)
    assert goes_on(project, whole).jobs == {}
    assert verify(project) == ""


def test_results_alone_copied_elsewhere_are_whole(finished, tmp_path):
    shutil.copytree(finished.results, tmp_path / "results", copy_function=shutil.copyfile)
    words = [sys.executable, "scripts/verify.py", "--files-only", "--directory", tmp_path]
    done = subprocess.run(words, cwd=finished.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def truncated(path, original):
    path.write_bytes(original[: len(original) // 2])


def resized(path, _):
    Image.fromarray(np.zeros((128, 128), np.uint8)).save(path)


def replaced(path, original):
    Image.fromarray(np.asarray(Image.open(io.BytesIO(original)))[::-1].copy()).save(path)


CHANGES = {
    truncated: "cannot be read: the image file is truncated; replace it",
    resized: "was replaced meanwhile, run again|was when the run began: run again",
    replaced: "was changed while it was read: run again",
    None: "cannot be read: .*No such file or directory.*; replace it|does not exist: correct",
}
"""What happens to a file of the user, None that it is deleted; and what is said of that."""


@pytest.mark.parametrize("name", ["image.png", "truth.png"])
def test_input_that_changes_while_it_is_read(plane, tmp_path, name):
    project, whole = plane
    dice = random.Random(SEED)
    path = project.folder / name
    original = path.read_bytes()
    for number, (change, message) in enumerate(CHANGES.items()):
        other, done = tmp_path / "other.png", tmp_path / f"done-{number}"
        if change:
            change(other, original)
        # a job opens it first to take its checksum, then to read its header, then its pixels
        fault = {"kind": "input", "pattern": rf"{name}$", "number": dice.randint(2, 3)}
        fault |= {"done": str(done), "other": str(other) if change else ""}
        refused = run(project, fault=fault)
        assert done.exists(), refused.output
        assert refused.code != 0, (change, fault)
        assert re.search(rf"ERROR .*{name} .*({message})", refused.output), refused.output
        assert "Traceback" not in refused.output
        path.write_bytes(original)
    goes_on(project, whole)
    assert verify(project) == ""


def test_an_image_that_is_replaced_by_a_newer_one(finished_plane, tmp_path):
    project, fresh = finished_plane.copy(tmp_path / "project"), of_one_plane(tmp_path / "fresh")
    original = (fresh.folder / "image.png").read_bytes()
    for own in (project, fresh):
        replaced(own.folder / "image.png", original)
    whole = contents(undisturbed(fresh).results)
    assert differing(whole, contents(finished_plane.results)) != []
    goes_on(project, whole)
