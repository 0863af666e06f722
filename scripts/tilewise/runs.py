"""Which process runs in a folder, so that one that was killed does not lock it for ever."""

import json
import os
import socket
from pathlib import Path

RECORD = Path(".snakemake/tilewise-run.json")
LOCKS = Path(".snakemake/locks")


def begin() -> None:
    """Write down that this process runs in the working directory."""
    import psutil

    known = {"host": socket.gethostname(), "pid": os.getpid()}
    known["started"] = psutil.Process().create_time()
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps(known), encoding="utf-8")


def end() -> None:
    """Write down that the run of this process has ended."""
    RECORD.unlink(missing_ok=True)


def unlock() -> bool:
    """Remove Snakemake's locks of a run that was killed on this machine; whether there were any.

    A run that lives, one of another machine, and one that nobody has written down keep theirs.
    """
    # jobs of a run parse the workflow, too
    if not RECORD.is_file() or not any(LOCKS.glob("*.lock")) or _lives():
        return False
    for lock in LOCKS.glob("*.lock"):
        lock.unlink(missing_ok=True)
    end()
    return True


def _lives() -> bool:
    import psutil

    try:
        known = json.loads(RECORD.read_text(encoding="utf-8"))
        if known["host"] != socket.gethostname():
            return True
        # another process may have its number now
        return bool(psutil.Process(known["pid"]).create_time() == known["started"])
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, OSError, ValueError, KeyError, TypeError):
        return True
