"""Checksums of results that have none in them, as they were at the end of a run."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import google_crc32c

from tilewise.tables import read_rows, write_rows
from tilewise.verify.files import has_checksum

TABLE = "checksums.tsv"
"""In the folder of results."""
COLUMNS = ("path", "bytes", "crc32c", "mtime_ns")
NOT_OF_JOBS = ("annotate", "workflow")
"""Folders there whose files people change, or that say what a run was made by."""
OF_A_RUN = (TABLE, "run.js", "report-partial.html", "ro-crate-metadata.json")
"""Files there that say of a run what differs from run to run."""
BUFFER_BYTES = 2**20


class Entry(NamedTuple):
    """A file as it was."""

    size: int
    checksum: str
    """CRC-32C, eight hexadecimal digits."""
    mtime_ns: int
    """When it was changed, in nanoseconds: it tells which files need not be read again."""


def files_of(results: Path) -> Iterator[Path]:
    """Files of a folder of results, relative to it, in order, that jobs have made."""
    for folder, folders, names in os.walk(results):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if Path(folder) == results:
            folders[:] = [name for name in folders if name not in NOT_OF_JOBS]
        for name in sorted(names):
            path = Path(folder, name).relative_to(results)
            if not name.startswith(".") and str(path) not in OF_A_RUN:
                yield path


def checksum(path: Path) -> str:
    """CRC-32C of a file, eight hexadecimal digits."""
    total = 0
    with open(path, "rb") as file:
        while data := file.read(BUFFER_BYTES):
            total = google_crc32c.extend(total, data)
    return f"{total:08x}"


def read(results: Path) -> dict[Path, Entry]:
    """What the last run has written down; empty if there was none."""
    table = results / TABLE
    if not table.is_file():
        return {}
    return {
        Path(row["path"]): Entry(int(row["bytes"]), row["crc32c"], int(row["mtime_ns"]))
        for row in read_rows(table)
    }


def update(results: Path) -> None:
    """Write down what results are now; a file is read if its size or its time has changed."""
    known, rows = read(results), []
    for path in files_of(results):
        if has_checksum(path):
            continue
        stat = os.stat(results / path)
        entry = known.get(path)
        if entry is None or (entry.size, entry.mtime_ns) != (stat.st_size, stat.st_mtime_ns):
            entry = Entry(stat.st_size, checksum(results / path), stat.st_mtime_ns)
        rows.append(dict(zip(COLUMNS, (path.as_posix(), *entry), strict=True)))
    # who reads it never sees half of it
    write_rows(results / f"{TABLE}.new", COLUMNS, rows)
    os.replace(results / f"{TABLE}.new", results / TABLE)


def damage(results: Path, path: Path, known: Mapping[Path, Entry]) -> str:
    """What is wrong with a file that has no checksum in it; empty if nothing is."""
    entry = known.get(path)
    if entry is None:
        return ""
    if os.stat(results / path).st_size != entry.size or checksum(results / path) != entry.checksum:
        return "it is not as the run has written it"
    return ""
