"""What every script does first."""

import atexit
import ctypes
import errno
import logging
import os
import resource
import sys
import time
import traceback
from contextlib import suppress
from typing import Any

from tilewise import whole

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
"""Numbers of settings in glibc's malloc.h."""
SPARE_MB = 2000
"""Of memory that a limit leaves beside twice what a job declares."""
STACKS = 50
"""Threads, of libraries too, whose stacks count as data, whether they use them or not."""
REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "make space there"),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "make it readable and writable"),
}
"""What to do about what the system refuses."""


def start(snakemake: Any) -> float:
    """Send messages to the job's log and use no more threads than its rule declares.

    `snakemake` is the object that Snakemake gives to a script; from now on, it names outputs under
    which they are written before they get their names at the end of the script. An error in the
    user's input (ValueError) is logged as one line.

    Returns
    -------
    float
        CPU seconds of the process until now, which its imports took.
    """
    sys.stderr = open(snakemake.log[0], "w", encoding="utf-8", buffering=1)  # noqa: SIM115
    # libraries written in C write to the file descriptor
    os.dup2(sys.stderr.fileno(), 2)
    _keep_memory()
    _open_many_files()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    if opencv := sys.modules.get("cv2"):
        opencv.setNumThreads(snakemake.threads)

    outputs = whole.Outputs(snakemake.output)
    outputs.redirect()
    snakemake.place_of = outputs.place_of
    failures: list[BaseException] = []

    def explain(kind, error, trace):
        failures.append(error)
        if issubclass(kind, ValueError):
            logging.error("%s", error)
        elif isinstance(error, OSError) and error.errno in REMEDIES:
            logging.error("%s", _refusal(error, outputs))
        else:
            sys.__excepthook__(kind, error, trace)

    sys.excepthook = explain
    atexit.register(_finish, outputs, failures)
    return time.process_time()


def limit_memory(snakemake: Any) -> None:
    """Let a job take no more than twice the memory that it declares, and some to spare.

    For jobs that decode files of others: a small file may be decoded to any number of bytes. What
    decodes them gets a MemoryError then, where the machine would run out of memory.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    stack, _ = resource.getrlimit(resource.RLIMIT_STACK)
    stacks = 0 if stack == resource.RLIM_INFINITY else STACKS * stack
    most = (2 * snakemake.resources.mem_mb + SPARE_MB) * 10**6 + stacks
    limits = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    # not all systems have such a limit
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (min([most, *limits]), hard))


def _refusal(error, outputs):
    """What the system refuses, where, and what to do."""
    place = error.filename or outputs.folder
    return f"{place}: {error.strerror}: {REMEDIES[error.errno]}, and run the same command again"


def _finish(outputs, failures):
    """Give outputs their names, unless the script has failed."""
    if failures:
        outputs.discard()
        return
    try:
        outputs.keep()
    except (OSError, KeyboardInterrupt) as error:
        if isinstance(error, OSError) and error.errno in REMEDIES:
            logging.error("%s", _refusal(error, outputs))
        else:
            traceback.print_exc()
        sys.stderr.flush()
        with suppress(OSError):
            outputs.discard()
        # an error at the exit alone would not fail the job
        os._exit(1)


def _open_many_files():
    """Let a job have a file per block open, of as many blocks as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # where there is no limit, macOS takes no more than this
    soft = 10240 if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _keep_memory():
    """Let glibc keep freed memory: fresh buffers cost more, page by page, than their use."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        for setting, value in ((TRIM_THRESHOLD, 2**31 - 1), (MMAP_THRESHOLD, 2**27)):
            libc.mallopt(setting, value)
        libc.mallopt(ARENA_MAX, 1)
