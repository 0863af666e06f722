"""The rows of a plane out of tables of many tiles, without reading all of their rows."""

import csv
import mmap
import re
from functools import lru_cache
from pathlib import Path

Row = dict[str, str]

START = re.compile(rb"^([^\t\n]*)\tz(\d+)_", re.MULTILINE)
"""How a row begins, in a table that has the sample and the tile first: both, up to the plane."""


def of_block(table: Path, start: str) -> list[Row]:
    """Rows of a table of one block that begin with some fields, or parts of them."""
    content = table.read_bytes()
    header = content.partition(b"\n")[0]
    rows = re.findall(rb"^" + re.escape(start.encode()) + rb".*$", content, re.MULTILINE)
    return _parsed(b"\n".join([header, *rows]))


def of_plane(table: Path, sample: str, z: int) -> list[Row]:
    """Rows of a plane of a sample, out of the table of all tiles of all samples.

    The first two columns are the sample and the tile, and rows of a plane follow one another. Where
    each plane begins is looked up once, and again where the table has changed.
    """
    known = table.stat()
    places = _places(table, known.st_mtime_ns, known.st_size)
    place = places.get((sample, z))
    if place is None:
        return []
    with open(table, "rb") as file:
        header = file.readline()
        file.seek(place[0])
        return _parsed(header + file.read(place[1] - place[0]))


@lru_cache(maxsize=2)
def _places(table, time, size):
    """First byte of the rows of each plane, and the first byte after them."""
    places: dict[tuple[str, int], tuple[int, int]] = {}
    if not size:
        return places
    with open(table, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        before, first = None, 0
        for match in START.finditer(content):
            plane = match.groups()
            if plane != before:
                if before:
                    places[before[0].decode(), int(before[1])] = first, match.start()
                before, first = plane, match.start()
        if before:
            places[before[0].decode(), int(before[1])] = first, len(content)
    return places


def _parsed(content):
    lines = content.decode().splitlines()
    return list(csv.DictReader(lines, delimiter="\t"))
