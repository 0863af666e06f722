"""Files by their kind, which is told by their first bytes, not by their name.

PNG, JPEG, GIF and BMP are decoded by Pillow, WebP and PNM by imageio, a plane at a time;
contiguous, uncompressed TIFF is memory-mapped; OME-Zarr is read by whole chunks.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from numpy.typing import NDArray

from tilewise.read.header import FormatError, Header, check_dtype
from tilewise.read.omezarr import OmeZarr
from tilewise.read.picture import ImageioPicture, open_gif, open_picture
from tilewise.read.tiff import Tiff


class Reader(Protocol):
    """What every kind of file is opened by."""

    header: Header

    def read(self, plane: int, y0: int, y1: int, channel: int | None) -> NDArray:
        """Rows y0 to y1 - 1 of a plane.

        Returns
        -------
        (rows, width) or (rows, width, 3) ndarray
            Pixels of a channel or, if it is None, red, green and blue.
        """

    def spans(self, plane: int, planes: int) -> Iterable[tuple[Path, int, int]]:
        """What some planes are decoded from: files, first bytes and numbers of bytes."""

    def close(self) -> None:
        """Let go of the file and of what was decoded of it."""


OPENERS: dict[bytes, Callable[[Path], Reader]] = {
    rb"GIF8[79]a": open_gif,
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|BM": open_picture,
    rb"II[*+]\0|MM\0[*+]": Tiff,
    rb"RIFF[\0-\xff]{4}WEBP": ImageioPicture,
    # PBM, and PGM and PPM of 8 bits: Pillow changes the pixels of others, as of JPEG 2000
    rb"P[14]\s|P[2356]\s+(#.*\n\s*)*\d+\s+\d+\s+255\s": ImageioPicture,
}
"""What opens a file, by a pattern of its first bytes."""
SIGNATURE_BYTES = 1024
"""First bytes of a file that are looked at: PNM files may have comments there."""


def read_header(path: str | Path, allows_any: bool = False) -> Header:
    """Read how many pixels of which kind a file holds; no pixel is decoded.

    Parameters
    ----------
    path
        A PNG, JPEG, GIF, BMP, WebP, PNM or TIFF file, or the folder of an OME-Zarr image.
    allows_any
        Whether pixels may be other numbers than `pixels.DTYPES`, as labels may.

    Returns
    -------
    Header
        Of an animated GIF or WebP, each frame is a plane. Of a TIFF file, the first series counts,
        its colour samples and `C` axis are channels, and all its other axes are planes; in an
        OME-TIFF set of several files, each file holds its own pages only. A palette counts as
        colour, unless all its colours are grey.

        The pixel size is that of the OME metadata, of ImageJ's calibration, of the coordinate
        transformations of an OME-Zarr or, failing these, the resolution of a TIFF file (unless it
        is in inches) or a PNG file: which counts only where pixels are finer than
        `pixel_size.PRINTED_PIXEL_SIZE`, because writers put that of a printer or a screen into
        every file. Other files have none. Of planes that are points in time, channels or others
        besides z, no distance is known.

    Raises
    ------
    ValueError
        If the file is missing, damaged, of another kind, or has pixels other than
        `pixels.DTYPES`; the message names the file.
    """
    reader = open_file(path)
    reader.close()
    check_dtype(reader.header.dtype, path, allows_any)
    return reader.header


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Turn whatever a decoder raises into a ValueError that names the file."""
    try:
        yield
    except FormatError:
        raise
    except MemoryError as error:
        raise FormatError(
            f"{path} does not fit into memory: {error}; save it in tiles, or replace it"
        ) from error
    except Exception as error:  # decoders raise exceptions of many classes on damaged files
        raise FormatError(f"{path} cannot be read: {error}; replace it") from error


def open_file(path: str | Path) -> Reader:
    """Open a file by the reader of its kind, whatever the dtype of its pixels.

    Raises
    ------
    ValueError
        As `read_header`.
    """
    path = Path(path)
    # of a name that no file can have, Path.exists raises an error
    if not os.path.exists(path):
        raise ValueError(f"{path} does not exist: correct the path")
    if not (path.is_file() or path.is_dir()):
        # to open a named pipe may take for ever
        raise ValueError(f"{path} is neither a file nor a folder: correct the path")
    with naming(path):
        return OmeZarr(path) if path.is_dir() else _open_by_signature(path)


def _open_by_signature(path: Path) -> Reader:
    with open(path, "rb") as file:
        start = file.read(SIGNATURE_BYTES)
    for signature, opener in OPENERS.items():
        if re.match(signature, start):
            return opener(path)
    raise FormatError(
        f"{path} cannot be read: it is no PNG, JPEG, GIF, BMP, WebP or TIFF file, and no PNM file "
        f"of 8 bits{'' if start else ', but empty'}; replace it, or save it as TIFF in the program "
        "that made it"
    )
