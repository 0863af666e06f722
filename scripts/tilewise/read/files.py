"""Files by their kind, which is told by their first bytes, not by their name.

PNG, JPEG, GIF and BMP are decoded a plane at a time; contiguous, uncompressed TIFF is
memory-mapped; OME-Zarr is read by whole chunks.
"""

from contextlib import contextmanager
from pathlib import Path

from tilewise.read.header import FormatError
from tilewise.read.omezarr import OmeZarr
from tilewise.read.picture import PNG, Picture, read_gif_header, read_pillow_header, read_png_header
from tilewise.read.tiff import Tiff


def read_header(path):
    """Read how many pixels of which kind a file holds; no pixel is decoded.

    Parameters
    ----------
    path : path
        A PNG, JPEG, GIF, BMP or TIFF file, or the folder of an OME-Zarr image.

    Returns
    -------
    Header
        Of an animated GIF, each frame is a plane. Of a TIFF file, the first series counts, its
        colour samples and `C` axis are channels, and all its other axes are planes; in an OME-TIFF
        set of several files, each file holds its own pages only. A palette counts as colour, unless
        all its colours are grey.

        The pixel size is that of the OME metadata, of ImageJ's calibration, of the coordinate
        transformations of an OME-Zarr or, failing these, the resolution of a TIFF file (unless it
        is in inches) or a PNG file: which counts only where pixels are finer than
        `pixel_size.PRINTED`,
        because writers put that of a printer or a screen into every file. JPEG, GIF and BMP files
        have none. Of planes that are points in time, channels or others besides z, no distance
        is known.

    Raises
    ------
    ValueError
        If the file is missing, damaged, of another kind, or has pixels other than
        `header.DTYPES`; the message names the file.
    """
    reader = open_file(path)
    reader.close()
    return reader.header


@contextmanager
def naming(path):
    """Turn whatever a decoder raises into a ValueError that names the file."""
    try:
        yield
    except (FormatError, MemoryError):
        raise
    except Exception as error:  # decoders raise exceptions of many classes on damaged files
        raise ValueError(f"{path} cannot be read: {error}; replace it") from error


def open_file(path):
    """Open a file by the reader of its kind.

    Parameters
    ----------
    path : path

    Returns
    -------
    Picture, Tiff or OmeZarr
        With a `header`, and with `read(plane, y0, y1, channel)` and `close()`: `read` gives
        (rows, width) pixels of a channel or, if it is None, (rows, width, 3) RGB pixels.

    Raises
    ------
    ValueError
        As `read_header`.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path} does not exist: correct the path")
    with naming(path):
        return OmeZarr(path) if path.is_dir() else _reader_of(path)


def _reader_of(path):
    with open(path, "rb") as file:
        start = file.read(8)
    if start == PNG:
        return Picture(path, *read_png_header(path))
    if start[:6] in (b"GIF87a", b"GIF89a"):
        return Picture(path, read_gif_header(path))
    if start[:3] == b"\xff\xd8\xff" or start[:2] == b"BM":
        return Picture(path, read_pillow_header(path))
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return Tiff(path)
    raise FormatError(
        f"{path} cannot be read: it is no PNG, JPEG, GIF, BMP or TIFF file"
        f"{'' if start else ' but empty'}; replace it"
    )
