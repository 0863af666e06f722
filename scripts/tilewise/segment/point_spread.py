"""The image of a point by a microscope, from a file of the user's."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SUFFIXES = (".tif", ".tiff", ".png", ".npy")


def read(path: str | Path) -> NDArray[np.float64]:
    """The light of a point in each pixel around it, of sum 1.

    Parameters
    ----------
    path : str or Path
        A TIFF, a PNG, or an array of numpy: one grey plane with odd numbers of rows and columns,
        whose middle is the point.

    Returns
    -------
    (rows, columns) ndarray of float64
        Not to be written to.

    Raises
    ------
    ValueError
        If the file cannot be read, or cannot be the image of a point; the message says why.
    """
    try:
        state = Path(path).stat()
    except OSError as error:
        raise ValueError(f"psf is {str(path)!r}: {error.strerror}") from error
    return _read(str(path), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16)
def _read(path: str, changed: int, size: int) -> NDArray[np.float64]:
    weights = _pixels_of(path)
    if weights.ndim != 2 or weights.dtype.kind not in "uif":
        raise ValueError(
            f"psf is {path!r}: {weights.dtype} of shape {weights.shape}: give one grey plane"
        )
    weights = weights.astype(np.float64)
    if not all(side % 2 for side in weights.shape):
        rows, columns = weights.shape
        raise ValueError(
            f"psf is {path!r}: {rows} x {columns} px: give odd numbers, the point in the middle"
        )
    if not np.isfinite(weights).all() or weights.min() < 0 or weights.max() == 0:
        raise ValueError(
            f"psf is {path!r}: give light of at least 0 in each pixel, and above 0 in some: "
            "subtract the background, and cut off what is below 0"
        )
    # first to at most 1, so that the sum is finite
    weights /= weights.max()
    weights /= weights.sum()
    weights.flags.writeable = False
    return weights


def _pixels_of(path: str) -> NDArray:
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"psf is {path!r}: give a file of {', '.join(SUFFIXES)}")
    try:
        if suffix == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        if suffix == ".png":
            pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        else:
            import tifffile

            pixels = tifffile.imread(path)
    except Exception as error:  # decoders raise exceptions of many classes on damaged files
        raise ValueError(f"psf is {path!r}: it cannot be read: {error}") from error
    if pixels is None:
        raise ValueError(f"psf is {path!r}: it cannot be read as a PNG")
    return np.asarray(pixels)
