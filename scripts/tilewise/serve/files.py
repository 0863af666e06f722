"""Files within a folder, and nothing that lies outside of it."""

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

SEPARATORS = frozenset("/\\\0")


def within(folder: Path, *names: str) -> Path | None:
    """The real path of what a folder holds, by the names of its folders and its own.

    Parameters
    ----------
    folder
        A real path itself.

    Returns
    -------
    Path or None
        None where nothing is, where a name is no plain one (empty, `.`, `..`, or with a separator
        of paths), and where a symbolic link leads out of the folder.
    """
    if any(name in ("", ".", "..") or SEPARATORS & set(name) for name in names):
        return None
    try:
        real = os.path.realpath(os.path.join(folder, *names), strict=True)
    except OSError:
        return None
    return Path(real) if real.startswith(os.path.join(folder, "")) else None


def open_within(folder: Path, path: str) -> BinaryIO | None:
    """A regular file of a folder, by its path as it stands in an address, percent-encoded.

    An encoded separator is none, but part of a name. None as for `within`, where a path is not
    UTF-8, and for folders, pipes, devices and files that must not be read.
    """
    try:
        names = [unquote_to_bytes(name).decode() for name in path.split("/")]
    except UnicodeError:
        return None
    real = within(folder, *names)
    if real is None:
        return None
    try:
        # a pipe is not waited for; a link that has come in between is not followed
        descriptor = os.open(real, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb")


def read_json(folder: Path, *names: str) -> Any:
    """What a file of a folder says, or None where there is none; see `within`.

    Raises
    ------
    ValueError
        If it is no JSON.
    """
    path = within(folder, *names)
    if path is None:
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ValueError(
            f"{path} is damaged, or is being written: try again, or delete it and run the workflow"
        ) from None
