"""Arrays of a `.npz` file, all at once, or in batches where memory has no room for all."""

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
        _check(file, zipfile.ZIP_STORED)
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

    Of a file that does not agree with its checksums, none: it is refused as by `read_arrays`.
    """
    names = list(names)
    with open(path, "rb") as file:
        with _refusing(path):
            _check(file, zipfile.ZIP_DEFLATED)
            packed = np.load(file)
            batches = packed[BATCHES]
            if batches.shape != () or batches.dtype.kind != "i" or batches < 0:
                raise ValueError("no number")
        for number in range(int(batches)):
            with _refusing(path):
                arrays = _arrays(packed, [f"{number}/{name}" for name in names])
            yield dict(zip(names, arrays.values(), strict=True))


def _check(file: IO[bytes], compression: int) -> None:
    """Read a file for its checksums, and be at its start again."""
    packed = zipfile.ZipFile(file)
    if any(member.compress_type != compression for member in packed.infolist()):
        raise zipfile.BadZipFile("compressed in another way")
    # numpy alone reads no further than an array's header says, and then checks nothing
    if damaged := packed.testzip():
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
