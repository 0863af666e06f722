"""The rows of a plane out of tables of many tiles, without reading all of their rows."""

import csv
import io
from functools import lru_cache
from itertools import groupby
from pathlib import Path

Row = dict[str, str]


def of_block(table: Path, start: str) -> list[Row]:
    """Rows of a table of one block that begin with some fields, or parts of them.

    A last row that is not whole, as the table is being written, is none.
    """
    content = table.read_bytes()
    header = content[: content.find(b"\n") + 1]
    rows, sought = [header], b"\n" + start.encode()
    end = len(header) - 1
    while (first := content.find(sought, end)) >= 0:
        end = content.find(b"\n", first + 1)
        if end < 0:
            break
        rows.append(content[first + 1 : end + 1])
    return _parsed(b"".join(rows))


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
    with open(table, "rb") as file:
        end = len(file.readline())
        whole = (line for line in file if line.endswith(b"\n"))
        for (sample, z), lines in groupby(whole, _plane_of):
            first, end = end, end + sum(map(len, lines))
            places[sample.decode(), int(z)] = first, end
    return places


def _plane_of(line):
    """Sample and plane, out of the first two fields: the sample and a tile's name."""
    sample, _, rest = line.partition(b"\t")
    return sample, rest[1 : rest.index(b"_")]


def _parsed(content):
    lines = io.StringIO(content.decode(), newline="")
    return list(csv.DictReader(lines, delimiter="\t"))
