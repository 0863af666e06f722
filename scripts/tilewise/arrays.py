"""Arrays of a `.npz` file."""

import zipfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DAMAGE = zipfile.BadZipFile, zlib.error, EOFError, KeyError, OSError, RuntimeError, ValueError
"""What reading a damaged file can raise."""


def read_arrays(path: str | Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Arrays of a file, by name.

    A file that lacks one of them, or does not agree with its checksums, is a ValueError that names
    it.
    """
    with open(path, "rb") as file, suppress(*DAMAGE):
        # numpy alone reads no further than an array's header says, and then checks nothing
        if zipfile.ZipFile(file).testzip() is None:
            file.seek(0)
            with np.load(file) as packed:
                known = {name: packed[name] for name in names}
                # of a member that is no array, numpy gives the bytes
                if all(isinstance(own, np.ndarray) for own in known.values()):
                    return known
    raise ValueError(f"{path} is damaged: delete it, and the next run makes it again")
