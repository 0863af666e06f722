"""Masks that a program has written, a file per tile."""

import glob
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tilewise.read.stack import open_stack


def read_mask(folder: str | Path, name: str, shape: tuple[int, int]) -> NDArray[np.float32]:
    """The mask of a tile.

    Parameters
    ----------
    folder
        Where the program has written it.
    name
        Of its file, without an ending.
    shape
        Rows and columns that it must have.

    Returns
    -------
    (rows, columns) float32 ndarray

    Raises
    ------
    ValueError
        If the file is missing, cannot be read, or is not one plane of that size.
    """
    found = sorted(Path(folder).glob(f"{glob.escape(name)}.*"))
    if not found:
        others = len(list(Path(folder).iterdir()))
        raise ValueError(f"it wrote no {name}.tif to `{{output}}`, and {others} other files")
    with open_stack(found[:1], 0, as_stored=True, allows_any=True) as stack:
        known = stack.header
        size = known.planes, known.channels, known.height, known.width
        if size != (1, 1, *shape):
            raise ValueError(
                f"{found[0].name} has {known.planes} planes and {known.channels} channels of "
                f"{known.height} x {known.width} px: it must have one of {shape[0]} x {shape[1]}"
            )
        return stack.rows(0, 0, known.height).astype(np.float32)
