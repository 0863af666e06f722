"""Other people's programs: run to their end, with a limit of time, threads and memory."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
    *("NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"),
)
"""Environment variables by which libraries learn how many threads to use."""
LAST_LINES = 20
"""Of what a program has said, in the message of its failure."""
GRACE = 5
"""Seconds to end in, before a program is killed."""
SET_PARENT_DEATH_SIGNAL = 1
"""Number of the option of Linux's `prctl`."""


@dataclass(frozen=True)
class Done:
    """What a program that has ended well has taken, and said."""

    seconds: float
    """CPU time of its processes ..."""
    peak: float
    """... and bytes that one of them has held at most: of it and of all that were run before."""
    words: list[str]
    """The last lines that it has written to its standard error."""


def last_words(words: Sequence[str]) -> str:
    """The end of a message, with what a program has said."""
    return "\n".join(["; its last words:", *(words or ["(none)"])])


def fill_in(run: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    """Arguments with the values of places such as `{input}`; other braces stay as they are."""
    arguments = []
    for argument in map(str, run):
        for name, value in values.items():
            argument = argument.replace(f"{{{name}}}", str(value))
        arguments.append(argument)
    return arguments


def call(
    arguments: Sequence[str],
    log: TextIO,
    seconds: float,
    threads: int = 1,
    megabytes: int | None = None,
) -> Done:
    """Run a program to its end, never through a shell.

    What it says goes to the log. It has a group of processes of its own, which is killed where it
    does not end in time, and with the job that has started it.

    Parameters
    ----------
    arguments
        The program and its arguments.
    log
        A file that is open for writing.
    seconds
        After which it has to be done.
    threads
        What `THREADS` are set to.
    megabytes
        Most memory for the data of each of its processes; None sets no limit.

    Raises
    ------
    ValueError
        If it cannot be started, fails, or is not done in time. The message has the last lines that
        it has written to its standard error.
    """
    name, environment = arguments[0], os.environ | dict.fromkeys(THREADS, str(threads))
    log.flush()
    began = os.lseek(log.fileno(), 0, os.SEEK_CUR)
    with tempfile.TemporaryFile() as said, _ended_by_signals():
        try:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=log,
                env=environment,
                start_new_session=True,
                preexec_fn=_limits(megabytes),
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ValueError(f"{name} cannot be started ({error}): install it") from None
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _kill(process)
        lines = _written(log, began)
        said.seek(0)
        log.write(said.read().decode(errors="replace"))
    if status is None:
        what = f"was not done after {seconds:g} s: raise `timeout`, or make `block` smaller"
        raise ValueError(f"{name} {what}{last_words(lines)}")
    if status:
        what = f"status {status}" if status > 0 else f"signal {-status}, perhaps for its memory"
        raise ValueError(f"{name} ended with {what}{last_words(lines)}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Done(used.ru_utime + used.ru_stime, peak, lines)


def _written(log: TextIO, began: int) -> list[str]:
    """The last lines of a log from a place on."""
    with Path(log.name).open("rb") as file:
        file.seek(began)
        return file.read().decode(errors="replace").splitlines()[-LAST_LINES:]


def _limits(megabytes: int | None) -> Callable[[], None]:
    """What the new process does before it becomes the program."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None

    def limit():
        if library:
            # whatever ends the job ends the program
            library.prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if megabytes is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 10**6,) * 2)

    return limit


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let a signal that ends the job first kill what it has started."""

    def end(number, frame):
        sys.exit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _kill(process: subprocess.Popen) -> None:
    """End a program with all that it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            continue
