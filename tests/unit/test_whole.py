"""Outputs of jobs appear whole, or not at all."""

import os
import socket
import subprocess
import sys
import time

import pytest
from snakemake.iocontainers import OutputFiles

from tilewise import runs, whole


@pytest.fixture
def output(tmp_path):
    """A file with a name, a list of two, and a folder."""
    named = OutputFiles(fromdict={})
    for path in ("a.tsv", "b_0.npz", "b_1.npz", "c"):
        named.append(str(tmp_path / path))
    named._set_name("table", 0)
    named._set_name("models", 1, end=3)
    named._set_name("folder", 3)
    return named


def write(output):
    """What a script does."""
    for path in (output.table, *output.models):
        with open(path, "w") as file:
            file.write("whole")
    os.makedirs(output.folder)
    with open(os.path.join(output.folder, "picture.png"), "w") as file:
        file.write("whole")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_files_have_their_names_at_the_end(tmp_path, output):
    outputs = whole.Outputs(output)
    outputs.redirect()
    assert outputs.place_of(output.models[1]) == str(tmp_path / "b_1.npz")
    # libraries go by the end of a name
    assert output.models[0].endswith("-b_0.npz")
    write(output)
    assert all(name.startswith(".part-") for name in names(tmp_path))
    outputs.keep()
    assert names(tmp_path) == ["a.tsv", "b_0.npz", "b_1.npz", "c"]
    assert (tmp_path / "c/picture.png").read_text() == "whole"


def test_nothing_is_left_of_a_script_that_fails(tmp_path, output):
    (tmp_path / "a.tsv").write_text("as before")
    outputs = whole.Outputs(output)
    outputs.redirect()
    write(output)
    outputs.discard()
    assert names(tmp_path) == ["a.tsv"]
    assert (tmp_path / "a.tsv").read_text() == "as before"


JOB = """
import os, types
from tilewise import job

class Output(list):
    def _get_names(self):
        return []

snakemake = types.SimpleNamespace(log=["log"], output=Output(["results/a.tsv"]), threads=1)
job.start(snakemake)
with open(snakemake.output[0], "w") as file:
    file.write("whole")

def replace(*_):
    raise {error}

os.replace = replace
"""
FAILURES = {
    "OSError(28, os.strerror(28))": (
        "ERROR results: No space left on device: make space there, and run the same command again\n"
    ),
    "KeyboardInterrupt": "KeyboardInterrupt\n",
}


@pytest.mark.parametrize("error", FAILURES)
def test_a_job_that_cannot_give_names_fails(tmp_path, error):
    (tmp_path / "results").mkdir()
    environment = os.environ | {"PYTHONPATH": os.path.join(os.path.dirname(whole.__file__), "..")}
    command = [sys.executable, "-c", JOB.format(error=error)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 1
    assert (tmp_path / "log").read_text().endswith(FAILURES[error])
    assert names(tmp_path / "results") == []


def test_what_is_swept(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        host = "".join(filter(str.isalnum, socket.gethostname()))[:40]
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        (tmp_path / "deep").mkdir()
        of_the_dead = tmp_path / "deep" / f".part-{host}-{dead.pid}-a.tsv"
        folder = tmp_path / f".part-{host}-{dead.pid}-99-c"
        of_the_living = tmp_path / f".part-{host}-{other.pid}-a.tsv"
        elsewhere = tmp_path / f".part-{host}x-{dead.pid}-a.tsv"
        for path in (of_the_dead, of_the_living, elsewhere, tmp_path / "a.tsv"):
            path.write_text("x")
        folder.mkdir()
        (folder / "picture.png").write_text("x")
        now = time.time()
        assert set(whole.sweep(tmp_path, now)) == {of_the_dead, folder}
        assert names(tmp_path) == sorted([of_the_living.name, elsewhere.name, "a.tsv", "deep"])
        # a day later, no job lives
        assert set(whole.sweep(tmp_path, now + 90_000)) == {of_the_living, elsewhere}
        assert names(tmp_path) == ["a.tsv", "deep"]
        other.communicate(b"\n")


@pytest.fixture
def locked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs.LOCKS.mkdir(parents=True)
    (runs.LOCKS / "0.output.lock").write_text("results/a.tsv\n")
    return runs.LOCKS / "0.output.lock"


@pytest.fixture
def start(tmp_path):
    """Start a process that writes itself down in the folder."""
    scripts = os.path.join(os.path.dirname(whole.__file__), "..")
    started = []

    def begin():
        code = "from tilewise import runs; print(runs.begin(), flush=True); input()"
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": scripts},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        process.is_unlocked = process.stdout.readline().strip() == "True"
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_a_run_that_lives_keeps_its_lock(locked, start):
    start()
    assert not start().is_unlocked
    assert locked.exists()


def test_a_lock_that_nobody_has_written_down_stays(locked, start):
    assert not start().is_unlocked
    assert locked.exists()


def test_a_run_that_was_killed_keeps_no_lock(locked, start):
    first = start()
    first.kill()
    first.wait()
    # the next one goes on, and nobody else does while it lives
    assert start().is_unlocked
    assert not locked.exists()
    locked.write_text("results/a.tsv\n")
    assert not start().is_unlocked
    assert locked.exists()


def test_of_several_runs_one_that_lives_keeps_the_lock(locked, start):
    runs_of_all = [start() for _ in range(3)]
    runs_of_all[1].kill()
    runs_of_all[1].wait()
    assert not start().is_unlocked
    assert locked.exists()


def test_a_run_that_ends_is_struck_off(tmp_path, start):
    first = start()
    assert len(names(tmp_path / runs.RECORDS)) == 1
    first.communicate("\n")
    assert names(tmp_path / runs.RECORDS) == []


@pytest.mark.parametrize(("old", "new"), [('"host": "', '"host": "other-'), ("{", "[")])
def test_a_run_of_another_machine_keeps_its_lock(locked, start, old, new):
    first = start()
    (record,) = runs.RECORDS.iterdir()
    first.kill()
    first.wait()
    record.write_text(record.read_text().replace(old, new, 1))
    assert not start().is_unlocked
    assert locked.exists()
    # it is forgotten a day later, once somebody has unlocked
    locked.unlink()
    start().communicate("\n")
    assert record.exists()
    os.utime(record, (0, 0))
    start().communicate("\n")
    assert not record.exists()


def test_a_folder_that_cannot_be_written_to_is_not_locked(tmp_path, start):
    (tmp_path / ".snakemake").write_text("a file in the place of the folder")
    assert not start().is_unlocked


TERMINATED = """
import os, signal, threading
from tilewise import runs

class Scheduler:
    lock, ended = threading.Lock(), threading.Event()

    def exit_gracefully(self, *_):
        with self.lock:
            self.ended.set()

scheduler = Scheduler()
signal.signal(signal.SIGTERM, scheduler.exit_gracefully)
runs.end_gracefully(scheduler)
with scheduler.lock:
    os.kill(os.getpid(), signal.SIGTERM)
    assert not scheduler.ended.wait(0.1)
assert scheduler.ended.wait(10)
"""


def test_sigterm_while_the_scheduler_is_locked():
    environment = os.environ | {"PYTHONPATH": os.path.join(os.path.dirname(whole.__file__), "..")}
    command = [sys.executable, "-c", TERMINATED]
    subprocess.run(command, env=environment, timeout=60, check=True)
