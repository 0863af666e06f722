"""Arrays of a `.npz` file, all at once, or in batches where memory has no room for all."""

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tilewise.tables import damage

Arrays = dict[str, NDArray[Any]]
BATCHES = "batches"
"""What a file has their number as."""
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, KeyError, MemoryError, OSError, RuntimeError),
    *(SyntaxError, TokenError, TypeError, ValueError),
)
"""What reading a damaged file can raise; the last ones where numpy reads an array's header."""


def read_arrays(path: str | Path, names: Iterable[str]) -> Arrays:
    """Arrays of a file that `numpy.savez` has written, by name.

    A file that lacks one of them, or does not agree with its checksums, is a ValueError that names
    it. So is a compressed one: a small file could have arrays that no memory holds.
    """
    with open(path, "rb") as file, _refusing(path):
        _check(file)
        with np.load(file) as packed:
            return _arrays(packed, names)


class BatchWriter:
    """Writes arrays of the same names several times over, compressed, as one file."""

    def __init__(self, path: str | Path) -> None:
        self._file = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._number = 0

    def write(self, **arrays: NDArray[Any]) -> None:
        """Write a batch, by name."""
        for name, array in arrays.items():
            self._write(f"{self._number}/{name}", array)
        self._number += 1

    def _write(self, name: str, array: NDArray[Any]) -> None:
        # as `numpy.savez_compressed` does
        with self._file.open(f"{name}.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array(member, array, allow_pickle=False)

    def close(self) -> None:
        """Write how many batches there are, without which some could be lost unseen."""
        self._write(BATCHES, np.array(self._number))
        self._file.close()


def read_batches(path: str | Path, names: Iterable[str]) -> Iterator[Arrays]:
    """The batches of a file that a `BatchWriter` has written, one after the other.

    A file is refused as by `read_arrays`, at the first batch that does not agree with its checksum.
    """
    names = list(names)
    with open(path, "rb") as file:
        with _refusing(path):
            packed = _open(file, zipfile.ZIP_DEFLATED)
            batches = _member(packed, BATCHES)
            if batches.shape != () or batches.dtype.kind != "i" or batches < 0:
                raise ValueError("no number")
        for number in range(int(batches)):
            with _refusing(path):
                arrays = {name: _member(packed, f"{number}/{name}") for name in names}
            yield arrays


def _open(file: IO[bytes], compression: int) -> zipfile.ZipFile:
    packed = zipfile.ZipFile(file)
    if any(member.compress_type != compression for member in packed.infolist()):
        raise zipfile.BadZipFile("compressed in another way")
    return packed


def _member(packed: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """An array of a batch: all of its bytes are read, and agree with their checksum."""
    array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(packed.read(f"{name}.npy")))
    return array


def _check(file: IO[bytes]) -> None:
    """Read a file for its checksums, and be at its start again."""
    # numpy alone reads no further than an array's header says, and then checks nothing
    if damaged := _open(file, zipfile.ZIP_STORED).testzip():
        raise zipfile.BadZipFile(damaged)
    file.seek(0)


def _arrays(packed: Any, names: Iterable[str]) -> Arrays:
    known = {name: packed[name] for name in names}
    # of a member that is no array, numpy gives the bytes
    if not all(isinstance(own, np.ndarray) for own in known.values()):
        raise ValueError("no array")
    return known


@contextmanager
def _refusing(path: str | Path) -> Iterator[None]:
    try:
        yield
    except DAMAGE:
        raise damage(path) from None
