"""What pixels were read from: so that a changed file is told from one that was only touched."""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import google_crc32c

from tilewise.read.files import naming, open_file

BUFFER_BYTES = 2**24


class Planes(NamedTuple):
    """Some planes of a file, or of a folder that is an OME-Zarr image."""

    path: str
    first: int
    number: int


class Stamp(NamedTuple):
    """Bytes of the files that planes are stored in, and when one changed last, in ns."""

    size: int
    time: int


class Record(NamedTuple):
    """What a job has read, as it was then."""

    planes: Planes
    stamp: Stamp
    checksum: int


@cache
def stamp(planes: Planes) -> Stamp:
    """Size and time of what the planes are stored in; asked once per process.

    Raises
    ------
    ValueError
        As `files.read_header`.
    """
    return _stamp(planes)


def _stamp(planes: Planes) -> Stamp:
    size = time = 0
    for path, _, _ in _spans(planes, whole=True):
        known = path.stat()
        size, time = size + known.st_size, max(time, known.st_mtime_ns)
    return Stamp(size, time)


@cache
def checksum(planes: Planes) -> int:
    """CRC-32C of the bytes that the planes are decoded from, and of what says how.

    Raises
    ------
    ValueError
        As `files.read_header`.
    """
    total = 0
    with naming(planes.path):
        for path, offset, size in _spans(planes):
            with open(path, "rb") as file:
                file.seek(offset)
                while size > 0 and (data := file.read(min(size, BUFFER_BYTES))):
                    total = google_crc32c.extend(total, data)
                    size -= len(data)
    return total


def _spans(planes: Planes, whole: bool = False) -> Iterator[tuple[Path, int, int]]:
    """Files, first bytes and numbers of bytes; of a file, all of it if it is `whole`."""
    path = Path(planes.path)
    if whole and not path.is_dir():
        yield path, 0, 0
        return
    reader = open_file(path)
    try:
        with naming(path):
            yield from reader.spans(planes.first, planes.number)
    finally:
        reader.close()


def record(planes: Iterable[Planes]) -> list[Record]:
    """What planes are stored in now.

    Raises
    ------
    ValueError
        As `files.read_header`.
    """
    return [Record(one, _stamp(one), checksum(one)) for one in planes]


def write(
    path: str | Path, records: Iterable[Record], revision: str, unpainted: Sequence[Any] = ()
) -> None:
    """Write what a job has read, and as which revision.

    Pairs of a sample and a file are `unpainted` if the file is a starting point that was saved
    again as it was, which is no truth.

    Raises
    ------
    ValueError
        If a file has changed since it was recorded; the message names it.
    """
    records = list(records)
    for one in records:
        if _stamp(one.planes) != one.stamp:
            raise ValueError(f"{one.planes.path} was changed while it was read: run again")
    known = {"revision": revision, "sources": records}
    text = json.dumps(known | ({"unpainted": unpainted} if unpainted else {}), indent=0)
    Path(path).write_text(f"{text}\n", encoding="utf-8")


def unpainted_of(path: str | Path) -> list[tuple[str, str]]:
    """Samples and files of starting points that a job has found as they were."""
    known = json.loads(Path(path).read_text(encoding="utf-8"))
    return [(sample, file) for sample, file in known.get("unpainted", ())]


def first_planes(paths: Iterable[str | Path]) -> dict[str, tuple[int, int, int]]:
    """Of files whose first plane was read: number of planes read with it, bytes, and checksum.

    `paths` are records as `write` writes them.
    """
    records = (json.loads(Path(path).read_text(encoding="utf-8")) for path in paths)
    return {
        path: (number, size, checksum)
        for record in records
        for (path, first, number), (size, _), checksum in record["sources"]
        if first == 0
    }


def revision_of(path: str | Path, planes: Iterable[Planes]) -> str:
    """The revision that planes are at: what was read, or what has changed since then.

    Parameters
    ----------
    path
        What `write` has written, if it has.
    planes
        What is to be read now.

    Returns
    -------
    str
        Where nothing has changed but times, the revision that was read; empty at first.
    """
    try:
        known = json.loads(Path(path).read_text(encoding="utf-8"))
        before = {
            Planes(*planes): (Stamp(*stamp), checksum)
            for planes, stamp, checksum in known["sources"]
        }
        revision = str(known["revision"])
    # not there, no JSON, or JSON of something else
    except (OSError, ValueError, TypeError, KeyError):
        return ""
    changed = []
    for one in planes:
        own_stamp, own_checksum = before.get(one, (None, None))
        # other files are noticed as other inputs
        if own_stamp not in (None, stamp(one)) and own_checksum != checksum(one):
            changed.append(f"{checksum(one):08x}")
    return " ".join(changed) or revision
