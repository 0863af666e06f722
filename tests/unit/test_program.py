"""Programs of others, with limits."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tilewise import program

SCRIPTS = Path(__file__).parents[2] / "scripts"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="a feature of Linux")


def call(folder, text, *arguments, seconds=20, **settings):
    """Run a Python text as the program, and give the log."""
    log = folder / "log.txt"
    with log.open("w") as file:
        file.write("before\n")
        try:
            program.call([sys.executable, "-c", text, *arguments], file, seconds, **settings)
        finally:
            file.write("after\n")
    return log.read_text()


def test_what_a_program_says_is_in_the_log(tmp_path):
    text = "import sys; print('one'); print('two', file=sys.stderr)"
    assert call(tmp_path, text) == "before\ntwo\none\nafter\n"


def test_arguments_reach_it_as_they_are(tmp_path):
    odd = ["$HOME", "; touch here", "a b", "*"]
    said = call(tmp_path, "import sys; print(sys.argv[1:])", *odd)
    assert str(odd) in said
    assert program.fill_in(["{input}/x", "{other}", 3], {"input": "in"}) == ["in/x", "{other}", "3"]


def test_it_has_its_threads(tmp_path):
    text = f"import os; print({{os.environ[name] for name in {program.THREADS}}})"
    assert "{'3'}" in call(tmp_path, text, threads=3)


def test_it_says_what_it_has_taken(tmp_path):
    text = "import sys, time\nblock = bytearray(300_000_000)\nprint('well', file=sys.stderr)\n"
    text += "while time.process_time() < 0.3: pass"
    with (tmp_path / "log.txt").open("w") as log:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = program.call([sys.executable, "-c", text], log, 20)
    assert 0.3 <= done.seconds - before.ru_utime - before.ru_stime < 3
    assert done.peak > 300e6
    assert done.words == ["well"]


def test_a_failure_has_its_last_words(tmp_path):
    text = "import sys; print('out\\n' * 99); sys.exit('\\n'.join(map(str, range(50))))"
    with pytest.raises(ValueError, match="ended with status 1; its last words:\n30\n31") as caught:
        call(tmp_path, text)
    assert str(caught.value).endswith("\n48\n49")


def test_a_program_that_says_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"ended with status 3; its last words:\n\(none\)"):
        call(tmp_path, "raise SystemExit(3)")


def test_a_program_that_is_killed(tmp_path):
    with pytest.raises(ValueError, match="ended with signal 9, perhaps for its memory"):
        call(tmp_path, "import os; os.kill(os.getpid(), 9)")


def test_what_cannot_be_started(tmp_path):
    with (
        pytest.raises(ValueError, match="nowhere cannot be started .*: install it"),
        (tmp_path / "log.txt").open("w") as log,
    ):
        program.call([str(tmp_path / "nowhere")], log, 9)


def test_it_has_so_much_time(tmp_path, monkeypatch):
    monkeypatch.setattr(program, "GRACE", 0.2)
    # neither it nor what it starts minds being asked
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    later = f"{deaf}time.sleep(3); open({str(tmp_path / 'alive')!r}, 'w')"
    text = f"{deaf}import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', sys.argv[1]])\n"
    began = time.monotonic()
    with pytest.raises(ValueError, match="was not done after 1 s: raise `timeout`"):
        call(tmp_path, f"{text}time.sleep(60)", later, seconds=1)
    assert time.monotonic() - began < 20
    time.sleep(4)
    assert not (tmp_path / "alive").exists()


@LINUX
def test_it_has_so_much_memory(tmp_path):
    text = "block = bytearray(500_000_000)"
    call(tmp_path, text)
    with pytest.raises(ValueError, match="MemoryError"):
        call(tmp_path, text, megabytes=300)


JOB = """
import sys
from tilewise import program

text = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
with open("log.txt", "w") as log:
    program.call([sys.executable, "-c", text], log, 60)
"""


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, pytest.param(signal.SIGKILL, marks=LINUX)]
)
def test_it_ends_with_its_job(tmp_path, number):
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    job = subprocess.Popen([sys.executable, "-c", JOB], cwd=tmp_path, env=environment)
    pid = wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    job.send_signal(number)
    job.wait(20)
    wait_for(lambda: not is_running(int(pid)))


def wait_for(condition):
    for _ in range(200):
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("nothing has happened")


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # what nobody has asked for its status is there still, but done
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
