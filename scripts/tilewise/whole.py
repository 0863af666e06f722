"""Results appear whole: a job writes them beside their place, and renames them if it ends well.

The names that they are written under tell the job. Those of a job that was killed stay, hidden,
until `sweep` deletes them.
"""

import os
import shutil
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PREFIX = ".part-"
SCHEDULERS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")
"""Variables in which schedulers tell a job its number."""
DAY = 86400


def _tag() -> str:
    """Machine, process and, if there is a scheduler, its number of the job."""
    numbers = (os.environ[name] for name in SCHEDULERS if name in os.environ)
    words = (socket.gethostname(), str(os.getpid()), next(numbers, ""))
    return "-".join("".join(filter(str.isalnum, word))[:40] for word in words if word)


def part_of(path: str) -> str:
    """Where a job writes what is to be at a path; the end of the name is the same."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f"{PREFIX}{_tag()}-{name}")


class Outputs:
    """What a job writes: `redirect` at its start, and `keep` or `discard` at its end.

    Parameters
    ----------
    named
        `snakemake.output`, which names the parts from `redirect` on.
    """

    def __init__(self, named: Any) -> None:
        self._paths = list(map(str, named))
        self._parts = list(map(part_of, self._paths))
        self._named = named

    def redirect(self) -> None:
        """Let the script write beside the places."""
        named = self._named
        for number, part in enumerate(self._parts):
            named[number] = part
        for name, (first, end) in list(named._get_names()):
            named._set_name(name, first, end=end)

    @property
    def folder(self) -> str:
        """Where the first of them will be."""
        return os.path.dirname(self._paths[0])

    def place_of(self, part: str) -> str:
        """Where something will be that is written to a part."""
        return self._paths[self._parts.index(part)]

    def keep(self) -> None:
        """Give what is written its name; blocks of arrays and models are on the disk before."""
        for part, path in zip(self._parts, self._paths, strict=True):
            if not os.path.lexists(part):
                continue
            if _is_precious(path):
                with open(part, "rb") as file:
                    os.fsync(file.fileno())
            if os.path.isdir(path):
                shutil.rmtree(path)
            os.replace(part, path)

    def discard(self) -> None:
        """Delete what is written."""
        remove(self._parts)


def _is_precious(path: str) -> bool:
    """Whether a file is a block of an array or a model."""
    is_block = "/c/" in path and os.path.basename(path).isdecimal()
    return is_block or ("/models/" in path and path.endswith(".npz"))


def remove(paths: Iterable[str | Path]) -> None:
    """Delete files and folders, as far as they exist."""
    for path in paths:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            Path(path).unlink(missing_ok=True)


def sweep(results: Path, now: float) -> list[Path]:
    """Delete what killed jobs have left, once no job of the run lives any more; what was deleted.

    A job of a scheduler may live longer than the run that has submitted it: parts of other machines
    stay for a day.

    Parameters
    ----------
    results
        The folder of results.
    now
        Seconds since 1970.
    """
    own = f"{PREFIX}{''.join(filter(str.isalnum, socket.gethostname()))[:40]}-"
    swept = []
    for folder, folders, names in os.walk(results):
        parts = [name for name in (*folders, *names) if name.startswith(PREFIX)]
        folders[:] = [name for name in folders if name not in parts]
        for name in parts:
            path = Path(folder, name)
            is_old = now - path.stat().st_mtime > DAY
            if is_old or (name.startswith(own) and not _lives(name.removeprefix(own))):
                swept.append(path)
    remove(swept)
    return swept


def _lives(rest: str) -> bool:
    """Whether the process of this machine lives that a name begins with."""
    try:
        os.kill(int(rest.partition("-")[0]), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        return True
    return True
