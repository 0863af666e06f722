"""Which processes run in a folder, so that one that was killed does not lock it for ever.

Each writes itself down before Snakemake locks the folder, and is struck off when it ends: locks are
those of a run that was killed if none lives of those that are written down.
"""

import atexit
import json
import os
import signal
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tilewise.whole import DAY

RECORDS = Path(".snakemake/tilewise-runs")
LOCKS = Path(".snakemake/locks")


def begin() -> bool:
    """Unlock the working directory after runs that were killed, and write down that this one runs.

    A run that lives, one of another machine, and one that nobody has written down keep their locks.

    Returns
    -------
    bool
        Whether there were locks of runs that were killed on this machine.
    """
    is_unlocked = False
    # a folder that must not be written to can be looked at all the same
    with suppress(OSError):
        records = {path: _read(path) for path in RECORDS.glob("*.json")}
        dead = {path for path, known in records.items() if not _lives(known)}
        locks = list(LOCKS.glob("*.lock"))
        if locks and dead and dead == set(records):
            _remove(locks)
            is_unlocked = True
        if is_unlocked or not locks:
            _remove(dead | {path for path in set(records) - dead if _is_old(path, records[path])})
        _write_down()
    return is_unlocked


def end_gracefully(scheduler: Any) -> None:
    """Let SIGTERM end a run after the jobs that run now, whatever its scheduler is doing.

    Snakemake's own handler waits for a lock that the thread it interrupts may hold, for ever then.
    Another thread can wait.

    Parameters
    ----------
    scheduler
        `workflow.scheduler`.
    """
    if signal.getsignal(signal.SIGTERM) == scheduler.exit_gracefully:
        ask = scheduler.exit_gracefully
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=ask, daemon=True).start())


def _write_down():
    import psutil

    known = {"host": socket.gethostname(), "pid": os.getpid()}
    known["started"] = psutil.Process().create_time()
    RECORDS.mkdir(parents=True, exist_ok=True)
    path = (RECORDS / f"{known['host']}-{known['pid']}.json").absolute()
    path.write_text(json.dumps(known), encoding="utf-8")
    atexit.register(_remove, [path])


def _remove(paths):
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    """What is written down; empty if it cannot be understood."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _is_old(path, known):
    """Whether a process of another machine was written down more than a day ago."""
    with suppress(OSError):
        return (
            known.get("host") != socket.gethostname() and time.time() - path.stat().st_mtime > DAY
        )
    return False


def _lives(known):
    import psutil

    if known.get("host") != socket.gethostname():
        return True
    try:
        # another process may have its number now
        return bool(psutil.Process(known["pid"]).create_time() == known["started"])
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, KeyError, TypeError, ValueError):
        return True
