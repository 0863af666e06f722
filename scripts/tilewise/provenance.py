"""What results were made from, as checksums and versions: the same in every folder."""

import hashlib
import platform
import re
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

LISTED = 100
"""Up to so many files are listed one by one; of more, there is the checksum of the list alone."""


def of_file(path: str | Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_code(paths: Iterable[str | Path], root: str | Path) -> str:
    """SHA-256 of the names and contents of files within a folder, in the order of their names."""
    root = Path(root).resolve()
    names = {Path(path).resolve().relative_to(root).as_posix(): path for path in paths}
    return _of_lines(f"{of_file(path)} {name}" for name, path in sorted(names.items()))


def of_inputs(records: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What was read of the user's images, by the records of the jobs that read them.

    Parameters
    ----------
    records
        As `read.sources.write` writes them.

    Returns
    -------
    dict
        `files`, their number; `planes` that were read of them; `sha256` of the list of files; and
        the list itself where it has at most `LISTED` lines: `file`, its name without its folder,
        `first` and `planes`, and `crc32c` of the bytes that these planes are decoded from, which
        tells a changed file, but is no proof against a forged one.
    """
    read = {
        (path, first, planes, f"{checksum:08x}")
        for record in records
        for (path, first, planes), _, checksum in record["sources"]
    }
    lines = sorted((Path(path).name, *rest) for path, *rest in read)
    numbers = {(path, first + i) for path, first, planes, _ in read for i in range(planes)}
    found = {
        "files": len({path for path, *_ in read}),
        "planes": len(numbers),
        "sha256": _of_lines(" ".join(map(str, line)) for line in lines),
    }
    columns = ("file", "first", "planes", "crc32c")
    listed = [dict(zip(columns, line, strict=True)) for line in lines]
    return found | ({"listed": listed} if len(listed) <= LISTED else {})


def of_files(paths: Sequence[str | Path], users: Sequence[list[str]]) -> list[dict[str, Any]]:
    """Files that methods go by: name, SHA-256 and the methods, in the order of the names."""
    found = [
        {"file": Path(path).name, "sha256": of_file(path), "methods": own}
        for path, own in zip(paths, users, strict=True)
    ]
    return sorted(found, key=lambda one: (one["file"], one["sha256"]))


def versions(requirements: str) -> dict[str, str]:
    """Versions of Python and of the libraries that a file of requirements names.

    Those that are not installed where this runs are left out.
    """
    found = {"python": platform.python_version()}
    for line in requirements.splitlines():
        if match := re.match(r"[A-Za-z0-9_.-]+", line):
            try:
                found[match[0]] = metadata.version(match[0])
            except metadata.PackageNotFoundError:
                continue
    return found


def _of_lines(lines: Iterable[str]) -> str:
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
