"""The module that knows file formats: headers, planes row by row, truth values, file names.

Kinds are told by a file's first bytes, not by its name. PNG, JPEG, GIF and BMP are decoded a plane
at a time; contiguous, uncompressed TIFF is memory-mapped; OME-Zarr is read by whole chunks.
"""

import io
import json
import math
import mmap
import re
import struct
import unicodedata
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

DTYPES = ("uint8", "uint16", "int16", "float32")
"""Pixels that the pipeline works on; bool is read as uint8, 0 or 1."""
COLORS = {"red": 0, "green": 1, "blue": 2}
SLAB_BYTES = 2**29
"""Most memory that decoded chunks of an OME-Zarr image may take to save decoding them again."""
PNG = b"\x89PNG\r\n\x1a\n"
PNG_END = b"IEND\xaeB`\x82"
PNG_PALETTE = 3
MICROMETERS = {
    **dict.fromkeys(("m", "meter", "metre"), 1e6),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e4),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e3),
    # the micro sign is compared as the Greek letter, the angstrom sign as the Swedish one
    **dict.fromkeys(("\u03bcm", "um", "micrometer", "micrometre", "micron", "microns"), 1),
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-3),
    **dict.fromkeys(("\u00c5", "angstrom"), 1e-4),
    **dict.fromkeys(("pm", "picometer", "picometre"), 1e-6),
}
"""Units of pixel sizes in metadata; pixels, inches and others say nothing of the sample."""
TIFF_RESOLUTION_UNITS = {3: "cm", 4: "mm", 5: "um"}
"""Centimetres (TIFF 6.0) and two that tifffile and others write; 1 is none, 2 the inch."""
PRINTED = 40
"""Micrometres from which on the pixels of a resolution are taken for those of a print or a scan.

600 dpi are 42, 72 dpi 353 and the default of libvips, 1 pixel per millimetre, 1000 micrometres.
"""


@dataclass(frozen=True)
class Header:
    """What a file's header, or those of a stack's files, say about its pixels.

    Parameters
    ----------
    planes, height, width : int
        Number of planes, and the size of each in pixels.
    channels : int
        1 for grey, 3 for colour (alpha is not counted), more for TIFF and OME-Zarr.
    dtype : str
        One of `DTYPES`.
    pixel_size : (float or None, float, float) or None
        Of a pixel in z, y and x, in micrometres: z is the distance of planes and may be unknown;
        None if y or x is unknown.
    """

    planes: int
    height: int
    width: int
    channels: int
    dtype: str
    pixel_size: tuple[float | None, float, float] | None = None


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
        is in inches) or a PNG file: which counts only where pixels are finer than `PRINTED`,
        because writers put that of a printer or a screen into every file. JPEG, GIF and BMP files
        have none. Of planes that are points in time, channels or others besides z, no distance
        is known.

    Raises
    ------
    ValueError
        If the file is missing, damaged, of another kind, or has pixels other than `DTYPES`; the
        message names the file.
    """
    reader = _open(path)
    reader.close()
    return reader.header


def parse_pixel_size(value):
    """A pixel size as people write it.

    Parameters
    ----------
    value : str, float or sequence of float
        Micrometres: one number for y and x, two for y and x, or three for z, y and x. In a text,
        spaces or commas separate them.

    Returns
    -------
    (float or None, float, float)
        z, y and x; z is None where it is not given.

    Raises
    ------
    ValueError
        If it is none of these, or a number is not above 0. So is `1,5`, which may be a decimal
        comma.
    """
    parts = re.split(r"[\s,]+", value.strip()) if isinstance(value, str) else value
    parts = parts if isinstance(parts, list | tuple) else [parts]
    try:
        sizes = [float(part) for part in parts]
    except (TypeError, ValueError):
        sizes = []
    is_clear = not isinstance(value, str) or "." in value or not re.search(r"\d,\d", value)
    if not (is_clear and 1 <= len(sizes) <= 3 and all(0 < size < math.inf for size in sizes)):
        raise ValueError(
            f"pixel_size {value!r} is no size: give micrometres above 0 with a decimal point, one "
            "number (y and x), two (y x) or three (z y x), as in `0.6` or `1.0 0.6 0.7`"
        )
    y, x = (2 * sizes)[-2:]
    return (sizes[0] if len(sizes) == 3 else None), y, x


def _micrometers(value, unit):
    """A length of metadata; None where it or its unit is unknown."""
    factor = MICROMETERS.get(unicodedata.normalize("NFKC", str(unit)).strip())
    try:
        size = float(value) * factor
    except (TypeError, ValueError):
        return None
    # 12 digits hide the rounding of the factor
    return float(f"{size:.12g}") if 0 < size < math.inf else None


def _size_of_resolution(pixels, unit):
    """Micrometres of a pixel, of which there are so many in a unit; None where there are none.

    Resolutions are stored as integers or quotients of them: 6 digits hide their rounding.
    """
    size = _micrometers(1 / pixels if pixels > 0 else None, unit)
    return size and float(f"{size:.6g}")


def _pixel_size(z, y, x):
    return None if y is None or x is None else (z, y, x)


def _unless_printed(size):
    return None if size is None or max(size[1:]) >= PRINTED else size


def open_stack(paths, channel="luma"):
    """Open files as one stack of planes.

    Parameters
    ----------
    paths : path or sequence of path
        Files in the order of their planes.
    channel : {"luma", "red", "green", "blue"} or int
        What `Stack.rows` gives of colour images; an int is a channel's number, from 0.

    Returns
    -------
    Stack

    Raises
    ------
    ValueError
        As `read_header`, and if the files' pixels or sizes differ, or have no such channel.
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    return Stack(paths, channel)


class Stack:
    """Planes of one or more files, read row by row.

    Decoding is by plane, and the plane last read is kept: planes that are read in order are decoded
    once. Arrays may be views of the file or of the kept plane: they are not to be written to.
    Decoders use as many threads as OpenCV is set to.
    """

    def __init__(self, paths, channel="luma"):
        self._paths = [str(path) for path in paths]
        if not self._paths:
            raise ValueError("a stack needs at least one file")
        headers = [read_header(path) for path in self._paths]
        first = headers[0]
        for path, header in zip(self._paths, headers, strict=True):
            if (header.height, header.width) != (first.height, first.width):
                raise ValueError(
                    f"{path} is {header.height} x {header.width} px, {self._paths[0]} "
                    f"{first.height} x {first.width}: planes of one stack have one size"
                )
            if (header.channels, header.dtype) != (first.channels, first.dtype):
                raise ValueError(
                    f"{path} has {header.channels} channels of {header.dtype}, {self._paths[0]} "
                    f"{first.channels} of {first.dtype}: convert them to one kind"
                )
        self._ends = np.cumsum([header.planes for header in headers])
        self.header = replace(first, planes=int(self._ends[-1]))
        self._channel = _channel_number(channel, first.channels, self._paths[0])
        self._number = None
        self._reader = None

    def rows(self, z, y0, y1):
        """Grey rows of a plane.

        Parameters
        ----------
        z : int
            The plane.
        y0, y1 : int
            First row and the row after the last.

        Returns
        -------
        (y1 - y0, width) ndarray
            In the file's dtype. Luma is that of Rec. 601: 0.299 red + 0.587 green + 0.114 blue,
            rounded as OpenCV does (16 bits: to within 2 grey levels).

        Raises
        ------
        ValueError
            If the file is damaged or has NaN or infinite pixels in these rows; it is named.
        """
        rows = self._read(z, y0, y1, self._channel)
        return _luma(rows) if self._channel is None else rows

    def color_rows(self, z, y0, y1):
        """Rows of a colour plane: red, green and blue.

        Returns
        -------
        (3, y1 - y0, width) ndarray
            In the file's dtype.

        Raises
        ------
        ValueError
            As `rows`, and if the image has not three channels.
        """
        if self.header.channels != 3:
            raise ValueError(f"{self._paths[0]} has {self.header.channels} channels: it is not RGB")
        return np.moveaxis(self._read(z, y0, y1, None), -1, 0)

    def check(self, height, width, dtype):
        """Make sure that the files are what was known of them before they were opened.

        Raises
        ------
        ValueError
            Names the first file and the setting to correct.
        """
        found = self.header
        if (found.height, found.width, found.dtype) != (height, width, dtype):
            raise ValueError(
                f"{self._paths[0]} is {found.height} x {found.width} px of {found.dtype}, not "
                f"{height} x {width} px of {dtype}: correct `shape` and `dtype` in the "
                "configuration or, if the file was replaced meanwhile, run again"
            )

    def close(self):
        """Close the file that is open."""
        if self._reader is not None:
            self._reader.close()
        self._number = self._reader = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read(self, z, y0, y1, channel):
        if not (0 <= z < self.header.planes and 0 <= y0 <= y1 <= self.header.height):
            raise IndexError(f"plane {z}, rows {y0} to {y1} are outside of {self.header}")
        number = int(np.searchsorted(self._ends, z, side="right"))
        path = self._paths[number]
        if number != self._number:
            self.close()
            self._reader = _open(path)
            self._number = number
        plane = z - int(self._ends[number]) + self._reader.header.planes
        with _naming(path):
            rows = self._reader.read(plane, y0, y1, channel)
        rows = _without_bool(rows).astype(self.header.dtype, copy=False)
        if rows.dtype.kind == "f" and not np.isfinite(rows).all():
            raise ValueError(
                f"{path}: plane {plane} has NaN or infinite pixels in rows {y0} to {y1 - 1}: "
                "replace them by numbers, for instance numpy.nan_to_num(image)"
            )
        return rows


def _channel_number(channel, channels, path):
    """Number of the channel; None stands for luma."""
    if channel not in ("luma", *COLORS) and not isinstance(channel, int):
        raise ValueError(f"channel {channel!r} is none of luma, {', '.join(COLORS)} or a number")
    if isinstance(channel, int):
        if not 0 <= channel < channels:
            raise ValueError(f"channel {channel} does not exist: {path} has {channels}, from 0 on")
        return channel
    if channels == 1:
        return 0
    if channels != 3:
        raise ValueError(
            f"{path} has {channels} channels: set `channel` to the number of one, "
            f"0 to {channels - 1}"
        )
    return COLORS.get(channel)


def _luma(rows):
    """Rec. 601 luma of (rows, width, 3) RGB pixels, in their dtype."""
    if rows.size == 0:
        return rows[..., 0]
    rows = np.ascontiguousarray(rows)
    if rows.dtype != np.int16:
        return cv2.cvtColor(rows, cv2.COLOR_RGB2GRAY)
    luma = cv2.cvtColor(rows.astype(np.float32), cv2.COLOR_RGB2GRAY)
    return np.rint(luma).astype(np.int16)


class _FormatError(ValueError):
    """An error whose message names the file already."""


@contextmanager
def _naming(path):
    """Turn whatever a decoder raises into a ValueError that names the file."""
    try:
        yield
    except (_FormatError, MemoryError):
        raise
    except Exception as error:  # decoders raise exceptions of many classes on damaged files
        raise ValueError(f"{path} cannot be read: {error}; replace it") from error


def _open(path):
    """Reader of a file: `header`, `read(plane, y0, y1, channel)` and `close()`.

    `read` gives (rows, width) pixels of a channel or, if it is None, (rows, width, 3) RGB pixels.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path} does not exist: correct the path")
    with _naming(path):
        return _OmeZarr(path) if path.is_dir() else _open_file(path)


def _open_file(path):
    with open(path, "rb") as file:
        start = file.read(8)
    if start == PNG:
        return _Picture(path, *_read_png_header(path))
    if start[:6] in (b"GIF87a", b"GIF89a"):
        return _Picture(path, _read_gif_header(path))
    if start[:3] == b"\xff\xd8\xff" or start[:2] == b"BM":
        return _Picture(path, _read_pillow_header(path))
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _Tiff(path)
    raise _FormatError(
        f"{path} cannot be read: it is no PNG, JPEG, GIF, BMP or TIFF file"
        f"{'' if start else ' but empty'}; replace it"
    )


def _dtype_name(dtype, path):
    """Name of the dtype in which pixels are given."""
    dtype = np.dtype(dtype)
    name = "uint8" if dtype.kind == "b" else dtype.name
    if name not in DTYPES:
        remedy = "uint8 or uint16" if dtype.kind in "iu" else "float32"
        raise _FormatError(
            f"{path} has pixels of {name}, which are not supported: convert them to {remedy}"
        )
    return name


def _without_bool(pixels):
    return pixels.view(np.uint8) if pixels.dtype == bool else pixels


class _Picture:
    """PNG, JPEG, GIF or BMP."""

    def __init__(self, path, header, decode=None):
        self.header = header
        self._path = path
        self._decode = decode or self._decode_with_pillow
        self._image = None
        self._plane = None
        self._pixels = None

    def read(self, plane, y0, y1, channel):
        if plane != self._plane:
            self._pixels = None
            self._pixels = self._decode(plane)
            self._plane = plane
            if self._pixels.shape[:2] != (self.header.height, self.header.width):
                raise ValueError(
                    f"its pixels are {' x '.join(map(str, self._pixels.shape[:2]))}, its header "
                    f"says {self.header.height} x {self.header.width}"
                )
        rows = self._pixels[y0:y1]
        return rows if rows.ndim == 2 or channel is None else rows[..., channel]

    def close(self):
        if self._image is not None:
            self._image.close()
        self._image = self._pixels = self._plane = None

    def _decode_with_pillow(self, plane):
        if self._image is None:
            self._image = _pillow_open(self._path)
        if self.header.planes > 1:
            self._image.seek(plane)
        image = self._image
        image.load()  # the mode of a GIF's frame is known only then
        if image.mode == "1":
            # Pillow's booleans are 255 in memory
            pixels = np.asarray(image).view(np.uint8) != 0
        elif image.mode in ("L", "I;16", "RGB"):
            pixels = np.asarray(image)
        elif image.mode == "LA":
            pixels = np.asarray(image)[..., 0]
        else:
            # palettes with transparency convert to RGBA without loss, to RGB with a warning
            mode = "RGBA" if image.mode in ("P", "PA", "RGBA") else "RGB"
            pixels = np.asarray(image.convert(mode))[..., :3]
        if self.header.channels == 1:
            return pixels if pixels.ndim == 2 else pixels[..., 0]
        return pixels if pixels.ndim == 3 else np.dstack([pixels] * 3)


def _pillow_open(path):
    from PIL import Image

    # Pillow refuses 180 Mpx as an attack; planes of that size are usual here
    Image.MAX_IMAGE_PIXELS = None
    return Image.open(path)


def _read_pillow_header(path):
    with _pillow_open(path) as image:
        mode, (width, height) = image.mode, image.size
        palette = image.getpalette() if mode == "P" else None
    grey = mode in ("1", "L", "LA") or (palette is not None and _is_grey(palette))
    return Header(1, height, width, 1 if grey else 3, "uint8")


def _is_grey(palette):
    """Whether red, green and blue are equal in all colours; they follow each other."""
    return palette[0::3] == palette[1::3] == palette[2::3]


def _read_png_header(path):
    """Header, and the decoder if it is not Pillow's (PNG specification, 11.2)."""
    with open(path, "rb") as file:
        file.seek(len(PNG))
        size, kind = struct.unpack(">I4s", file.read(8))
        if kind != b"IHDR":
            raise ValueError("its header is missing")
        width, height, depth, color = struct.unpack(">IIBB", file.read(10))
        file.seek(size - 10 + 4, 1)
        chunks = _read_png_chunks(file, (b"PLTE", b"pHYs"))
    channels = 3 if color & 2 else 1
    if color == PNG_PALETTE:
        if b"PLTE" not in chunks:
            raise ValueError("its palette is missing")
        channels = 1 if _is_grey(chunks[b"PLTE"]) else 3
    dtype = "uint16" if depth == 16 else "uint8"
    header = Header(1, height, width, channels, dtype, _png_pixel_size(chunks.get(b"pHYs")))
    if depth != 16 or color == 0:
        return header, None
    return header, lambda plane: _decode_deep_png(path, channels)


def _read_png_chunks(file, wanted):
    """Chunks before the pixels, by their kind."""
    chunks = {}
    while True:
        size, kind = struct.unpack(">I4s", file.read(8))
        if kind in (b"IDAT", b"IEND"):
            return chunks
        if kind in wanted:
            chunks[kind] = file.read(size)
            file.seek(4, 1)
        else:
            file.seek(size + 4, 1)


def _png_pixel_size(chunk):
    """Of a pHYs chunk: pixels along x and y, and 1 if they are per metre."""
    if chunk is None or len(chunk) != 9:
        return None
    along_x, along_y, unit = struct.unpack(">IIB", chunk)
    if unit != 1:
        return None
    size = (_size_of_resolution(pixels, "m") for pixels in (along_y, along_x))
    return _unless_printed(_pixel_size(None, *size))


def _decode_deep_png(path, channels):
    """Pixels of 16-bit PNG with colour or alpha, which Pillow cuts to 8 bits."""
    data = Path(path).read_bytes()
    # OpenCV versions differ in what they make of a partial file
    if PNG_END not in data:
        raise ValueError("the image file is truncated")
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("the image data are damaged")
    return pixels[..., 0] if channels == 1 else pixels[..., 2::-1]


def _read_gif_header(path):
    """Walk over a GIF's blocks (GIF89a specification, 18 to 23) for its frames and palettes."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:

        def palette_at(place, flags):
            size = 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
            return data[place : place + size]

        width, height, flags = struct.unpack_from("<HHB", data, 6)
        shared = palette_at(13, flags)
        place, palettes = 13 + len(shared), []
        try:
            while place < len(data) and data[place] != 0x3B:
                if data[place] == 0x2C:
                    own = palette_at(place + 10, data[place + 9])
                    palettes.append(own or shared)
                    place += 10 + len(own) + 1
                elif data[place] == 0x21:
                    place += 2
                else:
                    raise ValueError("its blocks are damaged")
                while data[place]:
                    place += data[place] + 1
                place += 1
        except IndexError:
            raise ValueError("the image file is truncated") from None
    if not palettes:
        raise ValueError("it has no frame")
    if _is_ramp(palettes[0]) and not all(map(_is_ramp, palettes)):
        # Pillow takes the indices of the later frames for grey levels
        raise _FormatError(f"{path} has grey frames and frames with palettes: save it as TIFF")
    return Header(len(palettes), height, width, 1 if all(map(_is_grey, palettes)) else 3, "uint8")


def _is_ramp(palette):
    """Whether a palette's colours are the grey levels 0, 1, 2, ..."""
    return _is_grey(palette) and palette[0::3] == bytes(range(len(palette) // 3))


class _Tiff:
    """The first series of a TIFF file: planes, and channels within pages or as pages."""

    def __init__(self, path):
        self._path = path
        self._file, series = _open_series(path)
        try:
            self._inspect(series)
        except BaseException:
            self._file.close()
            raise

    def _inspect(self, series):
        page = series.keyframe
        self._series = series
        self._page = page
        self._axes = series.axes
        self._shape = series.shape
        self._lead = len(series.shape) - len(page.shape)
        if series.shape[self._lead :] != page.shape:
            raise ValueError(f"its pages {page.shape} do not make up its series {series.shape}")
        self._plane_axes = [at for at, axis in enumerate(series.axes) if axis not in "YXCS"]
        self._plane_shape = tuple(series.shape[at] for at in self._plane_axes)
        channel_axes = [
            at
            for at, axis in enumerate(series.axes)
            if axis == "S" or (axis == "C" and series.shape[at] > 1)
        ]
        if len(channel_axes) > 1:
            raise _FormatError(
                f"{self._path} has colour in each of several channels (axes {series.axes}): "
                "save one of the channels"
            )
        self._channel_axis = channel_axes[0] if channel_axes else None
        channels = 1 if self._channel_axis is None else series.shape[self._channel_axis]
        if self._channel_axis is not None and series.axes[self._channel_axis] == "S":
            # 1 and 2 are associated and unassociated alpha (TIFF 6.0, ExtraSamples)
            channels -= sum(int(sample) in (1, 2) for sample in page.extrasamples)
        dtype = series.dtype
        self._palette = _tiff_palette(page)
        if self._palette is not None:
            channels, dtype = self._palette.shape[-1], self._palette.dtype
        self.header = Header(
            int(np.prod(self._plane_shape, dtype=int)),
            series.shape[series.axes.index("Y")],
            series.shape[series.axes.index("X")],
            channels,
            _dtype_name(dtype, self._path),
            self._pixel_size(),
        )
        self._check_size(page)
        self._map = None
        self._plane = None
        self._pages = {}

    def _pixel_size(self):
        size = _tiff_pixel_size(self._file, self._page.tags)
        kinds = {self._axes[at] for at in self._plane_axes if self._shape[at] > 1}
        return size if size is None or kinds <= {"Z"} else (None, *size[1:])

    def read(self, plane, y0, y1, channel):
        if plane != self._plane:
            self._pages.clear()
            self._plane = plane
        at = [0] * len(self._axes)
        for axis, place in zip(
            self._plane_axes, np.unravel_index(plane, self._plane_shape), strict=True
        ):
            at[axis] = int(place)
        at[self._axes.index("Y")] = slice(y0, y1)
        at[self._axes.index("X")] = slice(None)
        if self._palette is not None:
            colors = self._palette[_without_bool(self._rows(at))]
            if channel is None:
                return colors
            return np.ascontiguousarray(colors[..., channel])
        if self._channel_axis is None:
            return self._rows(at)
        if channel is not None:
            at[self._channel_axis] = channel
            return self._rows(at)
        if self._channel_axis < self._lead:
            rows = []
            for number in range(3):
                at[self._channel_axis] = number
                rows.append(self._rows(at))
            return np.dstack(rows)
        at[self._channel_axis] = slice(0, 3)
        rows = self._rows(at)
        return rows if self._axes.index("X") < self._channel_axis else np.moveaxis(rows, 0, -1)

    def close(self):
        self._file.close()
        self._map = None
        self._pages = {}

    def _rows(self, at):
        """Part of a page; `at` has an index or a slice for each axis of the series."""
        lead = self._shape[: self._lead]
        number = int(np.ravel_multi_index(at[: self._lead], lead)) if lead else 0
        if number not in self._pages:
            self._pages[number] = self._read_page(number)
        rows = self._pages[number][tuple(at[self._lead :])]
        return np.require(rows, rows.dtype.newbyteorder("="), ["ALIGNED"])

    def _read_page(self, number):
        offset = self._series.dataoffset
        if offset is not None:
            return self._view(offset + number * self._page.nbytes)
        page = self._series.pages[number]
        self._check_size(page)
        if page.is_memmappable:
            return self._view(page.dataoffsets[0])
        return page.asarray(maxworkers=max(1, cv2.getNumThreads()))

    def _view(self, offset):
        if self._map is None:
            self._map = np.memmap(self._path, np.uint8, "r")
        if offset + self._page.nbytes > self._map.size:
            raise ValueError("the image file is truncated")
        dtype = self._page.dtype.newbyteorder(self._file.byteorder)
        return np.ndarray(self._page.shape, dtype, self._map, offset)

    def _check_size(self, page):
        """Refuse a truncated file before its pixels are read."""
        ends = np.add(page.dataoffsets, page.databytecounts, dtype=np.int64)
        if not ends.size or ends.max() > self._file.filehandle.size:
            raise ValueError("the image file is truncated")


def _open_series(path):
    import tifffile

    # a file of an OME set of several files is to give its own pages only
    file = tifffile.TiffFile(path, _multifile=False)
    try:
        first, *others = file.series
        _check_pages(file, first)
        sizes = [
            f"{series.shape}"
            for series in others
            if series.kind in ("generic", "shaped") and not series.keyframe.is_reduced
        ]
        if sizes:
            raise _FormatError(
                f"{path} has pages of different kinds, {first.shape} and {', '.join(sizes)}: "
                "save pages of one size and dtype"
            )
    except BaseException:
        file.close()
        raise
    return file, first


def _check_pages(file, series):
    """Refuse a file with less than it announces: tifffile takes what is left of it.

    A list of pages ends with 0. ImageJ describes all images of a stack in its first page.
    """
    form = file.tiff.offsetformat
    file.filehandle.seek(file.pages.next_page_offset)
    end = file.filehandle.read(struct.calcsize(form))
    if len(end) < struct.calcsize(form) or struct.unpack(form, end)[0]:
        raise ValueError("the list of its pages is damaged or truncated")
    images = (file.imagej_metadata or {}).get("images", 1)
    if series.kind != "imagej" and len(file.pages) < images:
        raise ValueError(f"it should have {images} images; the image file is truncated")
    if any(page is None for page in series.pages):
        raise ValueError("it does not have all the planes that its OME metadata list")


def _tiff_pixel_size(file, tags):
    """Of the OME metadata, of ImageJ's calibration or of the resolution."""
    if file.is_ome:
        return _ome_pixel_size(file.ome_metadata)
    resolutions = [_quotient(tags.valueof(name)) for name in ("YResolution", "XResolution")]
    calibration = file.imagej_metadata or {}
    # ImageJ escapes the micro sign
    unit = re.sub(r"\\u00[Bb]5", "\u00b5", str(calibration.get("unit", "")))
    if unit not in ("", "cm", "inch"):
        size = (_size_of_resolution(pixels, unit) for pixels in resolutions)
        return _pixel_size(_micrometers(calibration.get("spacing"), unit), *size)
    # these two ImageJ takes over from any TIFF file that it opens
    unit = TIFF_RESOLUTION_UNITS.get(tags.valueof("ResolutionUnit"), unit)
    z = _micrometers(calibration.get("spacing"), unit)
    size = (_size_of_resolution(pixels, unit) for pixels in resolutions)
    return _unless_printed(_pixel_size(z, *size))


def _quotient(rational):
    """Value of a tag; 0 if it is missing or damaged."""
    try:
        numerator, denominator = rational
        return numerator / denominator
    except (TypeError, ValueError, ZeroDivisionError):
        return 0


def _ome_pixel_size(xml):
    """Of the first image in OME-XML; micrometres where no unit is given."""
    from xml.etree import ElementTree

    try:
        for _, element in ElementTree.iterparse(io.StringIO(xml), events=("start",)):
            if element.tag.rpartition("}")[2] == "Pixels":
                names = (f"PhysicalSize{axis}" for axis in "ZYX")
                return _pixel_size(
                    *(
                        _micrometers(element.get(name), element.get(f"{name}Unit", "um"))
                        for name in names
                    )
                )
    except ElementTree.ParseError:
        pass
    return None


def _tiff_palette(page):
    """Colours by index, (colours, 1 or 3); None if the page has no palette."""
    if page.photometric != 3 or page.colormap is None:
        return None
    palette = np.asarray(page.colormap).T
    # 8-bit indices point to 16-bit colours; some writers leave them 8-bit
    if page.dtype.itemsize == 1:
        palette = (palette >> 8 if palette.max() > 255 else palette).astype(np.uint8)
    grey = (palette == palette[:, :1]).all()
    return palette[:, :1] if grey else palette


class _OmeZarr:
    """The first resolution of an OME-Zarr image, version 0.4 (Zarr 2) or 0.5 (Zarr 3)."""

    def __init__(self, path):
        self._path = path
        multiscales = _read_multiscales(path)
        if not multiscales:
            raise _FormatError(
                f"{path} is a folder, but no OME-Zarr image (its metadata have no multiscales): "
                "name the folder of an image"
            )
        self._folder = path / multiscales[0]["datasets"][0]["path"]
        shape, dtype = _read_zarr_metadata(self._folder)
        axes = multiscales[0].get("axes", "tczyx")
        self._axes = "".join(axis["name"] if isinstance(axis, dict) else axis for axis in axes)
        if len(self._axes) != len(shape) or not set("yx") <= set(self._axes) <= set("tczyx"):
            raise _FormatError(
                f"{path} has axes {self._axes}: axes may be t, c, z, y and x, one per dimension"
            )
        size = dict(zip(self._axes, shape, strict=True))
        if size.get("t", 1) != 1:
            raise _FormatError(f"{path} has {size['t']} points in time: save one of them")
        self.header = Header(
            size.get("z", 1),
            size["y"],
            size["x"],
            size.get("c", 1),
            _dtype_name(dtype, path),
            _ngff_pixel_size(multiscales[0], self._axes),
        )
        self._array = None
        self._place = None
        self._slab = None

    def read(self, plane, y0, y1, channel):
        import zarr

        if self._array is None:
            self._array = zarr.open_array(self._folder, mode="r")
        place = *self._slab_range(plane, y0, y1), channel
        if place != self._place:
            self._slab = None
            self._slab = self._read_slab(*place)
            self._place = place
        z0, _, top, _, _ = place
        return self._slab[plane - z0, y0 - top : y1 - top]

    def close(self):
        self._array = self._slab = self._place = None

    def _slab_range(self, plane, y0, y1):
        """Planes and rows to read: whole chunks, as many as memory allows."""
        header = self.header
        chunk = dict(zip(self._axes, self._array.chunks, strict=True))
        step = chunk.get("z", 1)
        z0 = plane // step * step
        z1 = min(z0 + step, header.planes)
        plane_bytes = header.height * header.width * self._array.dtype.itemsize
        if (z1 - z0) * plane_bytes * min(header.channels, 3) <= SLAB_BYTES:
            return z0, z1, 0, header.height
        step = chunk["y"]
        return plane, plane + 1, y0 // step * step, min(-(-y1 // step) * step, header.height)

    def _read_slab(self, z0, z1, y0, y1, channel):
        """Pixels (z, y, x) of a channel or, if it is None, (z, y, x, 3)."""
        channels = slice(0, 3) if channel is None else slice(channel, channel + 1)
        part = {"t": slice(0, 1), "c": channels, "z": slice(z0, z1), "y": slice(y0, y1)}
        slab = self._array[tuple(part.get(axis, slice(None)) for axis in self._axes)]
        missing = [axis for axis in "tczyx" if axis not in self._axes]
        slab = slab.reshape((1,) * len(missing) + slab.shape)
        axes = "".join(missing) + self._axes
        slab = slab.transpose([axes.index(axis) for axis in "tzyxc"])[0]
        return slab if channel is None else slab[..., 0]


def _read_json(path):
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def _read_multiscales(path):
    group = _read_json(path / "zarr.json")
    if group is not None:
        return group.get("attributes", {}).get("ome", {}).get("multiscales")
    return (_read_json(path / ".zattrs") or {}).get("multiscales")


def _ngff_pixel_size(multiscale, axes):
    """Of the first resolution: the product of its scales, in the units of the axes."""
    scale = None
    for part in (multiscale["datasets"][0], multiscale):
        for transformation in part.get("coordinateTransformations") or ():
            factors = transformation.get("scale")
            if isinstance(factors, list) and len(factors) == len(axes):
                scale = np.multiply(factors, 1.0 if scale is None else scale)
    if scale is None:
        return None
    units = [
        axis.get("unit") if isinstance(axis, dict) else None
        for axis in multiscale.get("axes", axes)
    ]
    size = dict(zip(axes, map(_micrometers, scale, units), strict=True))
    return _pixel_size(size.get("z"), size["y"], size["x"])


def _read_zarr_metadata(folder):
    """Shape and dtype of an array."""
    array = _read_json(folder / "zarr.json")
    if array is not None:
        return array["shape"], array["data_type"]
    array = _read_json(folder / ".zarray")
    if array is None:
        raise ValueError(f"its array {folder} is missing")
    return array["shape"], array["dtype"]


def distinct(plane):
    """The values that occur in a plane or a part of it.

    Parameters
    ----------
    plane : ndarray

    Returns
    -------
    set of int or float
    """
    if plane.size == 0:
        return set()
    plane = _without_bool(plane)
    if plane.ndim == 2 and plane.dtype in (np.uint8, np.uint16):
        plane = np.ascontiguousarray(plane)
        top, occupied = int(plane.max()), cv2.countNonZero(plane)
        # most planes hold 0 and one more: found by faster passes than a histogram's
        if cv2.sumElems(plane)[0] == top * occupied:
            return {top} if occupied in (0, plane.size) else {0, top}
        levels = np.iinfo(plane.dtype).max + 1
        counts = cv2.calcHist([plane], [0], None, [levels], [0, levels])
        return set(np.flatnonzero(counts).tolist())
    return set(np.unique(plane).tolist())


def truth_foreground_of(values, foreground=None):
    """Decide which of a truth's values is foreground.

    Parameters
    ----------
    values : set of int or float
        All that occur in the truth, as of `distinct`.
    foreground : int or float, optional
        The foreground's value. Without it, values must be 0 and 255, or 0 and 1, or one of them.

    Returns
    -------
    int or float
        The value of foreground pixels; all others are background.

    Raises
    ------
    ValueError
        If there are more than two values, or two of which neither is `foreground`, or others than
        the usual ones without `foreground`. The message names the setting `truth_foreground`.
    """
    values = sorted(values)
    found = ", ".join(f"{value:g}" for value in values[:5]) + (", ..." if len(values) > 5 else "")
    if len(values) > 2:
        raise ValueError(
            f"the truth has {len(values)} values ({found}) where it may have two: save it as 0 and "
            "255 without smoothing or lossy compression, and name a foreground other than 255 or 1 "
            "in `truth_foreground`"
        )
    if foreground is not None:
        if len(values) == 2 and foreground not in values:
            raise ValueError(
                f"the truth has the values {found}, `truth_foreground` is {foreground:g}: "
                "set `truth_foreground` to one of them"
            )
        # comparing integer pixels with a float would convert all of them
        return int(foreground) if float(foreground).is_integer() else foreground
    for usual in (255, 1):
        if set(values) <= {0, usual}:
            return usual
    raise ValueError(
        f"the truth has the values {found}, not 0 and 255 or 0 and 1: "
        "set `truth_foreground` to that of the foreground"
    )


def natural_key(path):
    """Key that sorts file names as people do: plane_2 before plane_10.

    Parameters
    ----------
    path : path

    Returns
    -------
    tuple
    """
    parts = re.split(r"([0-9]+)", str(path))
    return [int(part) if at % 2 else part for at, part in enumerate(parts)], str(path)


def match_planes(image_names, truth_names):
    """Find the image plane of each truth file by the number in the file name.

    The number is the last one in the image names that tells all of them apart. In truth names it is
    the one at the same place, if they have as many numbers; otherwise their only number, or the
    only one that varies among them. Leading zeros do not count. Names that are equal but for the
    folder and the ending match whatever their numbers.

    Parameters
    ----------
    image_names, truth_names : sequence of path
        One file per plane.

    Returns
    -------
    list of int
        For each truth, the index of its image.

    Raises
    ------
    ValueError
        If that is ambiguous; the message names a file and the remedy.
    """
    images = [Path(name).stem for name in image_names]
    truths = [Path(name).stem for name in truth_names]
    if len(images) == len(truths) == 1:
        return [0]
    if len(set(images)) == len(images) and set(truths) <= set(images):
        places = [images.index(truth) for truth in truths]
    else:
        image_numbers = _image_numbers(images, image_names)
        truth_numbers = _truth_numbers(truths, truth_names, *image_numbers)
        index = {number: at for at, number in enumerate(image_numbers[0])}
        for name, number in zip(truth_names, truth_numbers, strict=True):
            if number not in index:
                raise _ambiguous(name, f"no image has the number {number}")
        places = [index[number] for number in truth_numbers]
    for at, place in enumerate(places):
        if place in places[:at]:
            first = truth_names[places.index(place)]
            raise _ambiguous(truth_names[at], f"it and {first} both belong to {image_names[place]}")
    return places


def _numbers(stem):
    return [int(digits) for digits in re.findall("[0-9]+", stem)]


def _ambiguous(name, why):
    return ValueError(
        f"the plane of {name} is not clear: {why}; name each truth after its image's number, "
        "or give a TSV of windows (z, y, x, path)"
    )


def _image_numbers(stems, names):
    """Number of each image, its place among a name's numbers, and how many these are."""
    numbers = [_numbers(stem) for stem in stems]
    count = len(numbers[0])
    for name, found in zip(names, numbers, strict=True):
        if len(found) != count:
            raise _ambiguous(
                name, f"image names have different counts of numbers ({names[0]} has {count})"
            )
    for place in reversed(range(count)):
        column = [found[place] for found in numbers]
        if len(set(column)) == len(column):
            return column, place, count
    raise _ambiguous(names[0], "no number in the image names tells all images apart")


def _truth_numbers(stems, names, _, place, count):
    """Number of each truth that stands for its plane."""
    numbers = [_numbers(stem) for stem in stems]
    counts = {len(found) for found in numbers}
    for name, found in zip(names, numbers, strict=True):
        if not found:
            raise _ambiguous(name, "it has no number in its name")
    if counts == {count}:
        return [found[place] for found in numbers]
    if counts == {1}:
        return [found[0] for found in numbers]
    if len(counts) == 1:
        columns = [column for column in zip(*numbers, strict=True) if len(set(column)) > 1]
        if len(columns) == 1:
            return list(columns[0])
    raise _ambiguous(names[0], "it has several numbers in its name, and the image names others")


def write_png(path, pixels, pixel_size=None):
    """Write a PNG file; the same pixels give the same bytes.

    Parameters
    ----------
    path : path
    pixels : (height, width) or (height, width, 3) ndarray of uint8
        Grey, or red, green and blue.
    pixel_size : (float or None, float, float), optional
        Micrometres in z, y and x; y and x are written as pixels per metre (chunk pHYs), if they
        can be: from 0.0005 micrometres to 2 metres.

    Raises
    ------
    ValueError
        If the pixels are of another shape or dtype.
    OSError
        If the file cannot be written.
    """
    is_color = pixels.ndim == 3 and pixels.shape[2] == 3
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or is_color) or not pixels.size:
        raise ValueError(
            f"{path}: pixels are {pixels.dtype} of shape {pixels.shape}: "
            "give uint8 of (height, width) or (height, width, 3)"
        )
    pixels = np.ascontiguousarray(pixels)
    if is_color:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    encoded, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not encoded:
        raise OSError(f"{path}: the picture cannot be encoded as PNG")
    data, start = data.tobytes(), len(PNG) + 25
    # pHYs has its place between the header (25 bytes) and the pixels
    Path(path).write_bytes(data[:start] + _png_resolution(pixel_size) + data[start:])


def _png_resolution(pixel_size):
    """The chunk pHYs; empty if there is none."""
    if pixel_size is None:
        return b""
    along_y, along_x = (round(1e6 / size) for size in pixel_size[1:])
    if not (0 < along_y < 2**31 and 0 < along_x < 2**31):
        return b""
    content = b"pHYs" + struct.pack(">IIB", along_x, along_y, 1)
    return struct.pack(">I", 9) + content + struct.pack(">I", zlib.crc32(content))
