"""Files that hold their own checksums: PNG, NPZ and blocks of arrays, which stay compressed."""

import json
import mmap
import struct
import zipfile
import zlib
from functools import cache
from math import prod
from pathlib import Path

import google_crc32c

MISSING = 2**64 - 1
"""Offset, and size, of a chunk that a shard does not store."""
CRC_BYTES = 4


def is_block(path: Path) -> bool:
    """Whether a file is a block of an array: `.../c/0/0/0`, below the folder of its `zarr.json`."""
    # samples and methods may be called c, too
    is_number = path.name.isdecimal()
    return is_number and "c" in path.parts and any(part.endswith(".zarr") for part in path.parts)


def has_checksum(path: Path) -> bool:
    """Whether `damage` can tell that a file is as it was written."""
    return path.suffix in (".png", ".npz") or is_block(path)


def damage(path: Path) -> str:
    """What is wrong with a file that has a checksum; empty if nothing is."""
    check = {".png": _png, ".npz": _npz}.get(path.suffix, _shard)
    try:
        if not path.stat().st_size:
            return "it is empty"
        return check(path)
    except (OSError, ValueError, KeyError, struct.error, zipfile.BadZipFile) as error:
        return f"it cannot be read ({error})"


def _shard(path: Path) -> str:
    """A shard ends with an index of offset and size per chunk; all are followed by their CRC-32C.

    Source: Zarr v3, codecs `sharding_indexed` 1.0 and `crc32c` 1.0.
    """
    array = next(folder.parent for folder in path.parents if folder.name == "c")
    number = _chunks_of_a_shard(array)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        index_at = len(data) - 16 * number - CRC_BYTES
        if index_at < 0:
            return "it is truncated"
        with memoryview(data) as view:
            if not _is_whole(view[index_at:]):
                return "its index is damaged"
            index = struct.unpack_from(f"<{2 * number}Q", view, index_at)
            for offset, size in zip(index[::2], index[1::2], strict=True):
                if offset == MISSING:
                    continue
                if offset + size > index_at or not _is_whole(view[offset : offset + size]):
                    return f"the chunk at byte {offset:,} is damaged"
    return ""


def _is_whole(data: memoryview) -> bool:
    """Whether bytes end with the CRC-32C of those before."""
    (stored,) = struct.unpack("<I", data[-CRC_BYTES:])
    return google_crc32c.value(data[:-CRC_BYTES].tobytes()) == stored


@cache
def _chunks_of_a_shard(array: Path) -> int:
    known = json.loads((array / "zarr.json").read_text(encoding="utf-8"))
    shard = known["chunk_grid"]["configuration"]["chunk_shape"]
    chunk = known["codecs"][0]["configuration"]["chunk_shape"]
    return prod(size // step for size, step in zip(shard, chunk, strict=True))


def _png(path: Path) -> str:
    """Each chunk of a PNG file is followed by its CRC-32 (PNG specification, 5.3)."""
    data, place = path.read_bytes(), 8
    while place + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, place)
        end = place + 8 + size
        kind = data[place + 4 : place + 8]
        if data[end : end + 4] != struct.pack(">I", zlib.crc32(data[place + 4 : end])):
            return "it is damaged"
        place = end + 4
        if kind == b"IEND":
            return ""
    return "it is truncated"


def _npz(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        broken = archive.testzip()
    return f"its array {broken} is damaged" if broken else ""
