"""TIFF, with the metadata of OME and ImageJ; contiguous, uncompressed pages are memory-mapped."""

import io
import math
import re
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.pixels import PixelSize
from tilewise.read import orientation
from tilewise.read.header import FormatError, Header, dtype_name, without_bool
from tilewise.read.pixel_size import known_size, micrometers, size_of_resolution, unless_printed

TIFF_RESOLUTION_UNITS = {3: "cm", 4: "mm", 5: "um"}
"""Centimetres (TIFF 6.0) and two that tifffile and others write; 1 is none, 2 the inch."""
WHITE_IS_ZERO, PALETTE, YCBCR = 0, 3, 6
PHOTOMETRICS = (0, 1, 2, 3, 4, 6, 34892)
"""What pixels may mean: grey, red-green-blue, a palette, a mask, YCbCr in JPEG, linear raw."""
JPEG_COMPRESSIONS = (6, 7, 34892)
"""In which YCbCr is decoded to red, green and blue."""


MOST_METADATA = 2**26
"""Characters of OME-XML: some 100,000 planes take as many, each with all that is known of it."""
MOST_PLANES = 10_000_000
"""That OME-XML may announce: tifffile makes a list of them."""


class Tiff:
    """The first series of a TIFF file: planes, and channels within pages or as pages."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file, series = _open_series(path)
        try:
            self._inspect(series)
        except BaseException:
            self._file.close()
            raise

    def _inspect(self, series: Any) -> None:
        page = series.keyframe
        self._series = series
        self._page = page
        self._axes = series.axes
        self._shape = series.shape
        self._page_axis = len(series.shape) - len(page.shape)
        if series.shape[self._page_axis :] != page.shape:
            raise ValueError(f"its pages {page.shape} do not make up its series {series.shape}")
        self._plane_axes = [at for at, axis in enumerate(series.axes) if axis not in "YXCS"]
        self._plane_shape = tuple(series.shape[at] for at in self._plane_axes)
        channel_axes = [
            at
            for at, axis in enumerate(series.axes)
            if axis == "S" or (axis == "C" and series.shape[at] > 1)
        ]
        if len(channel_axes) > 1:
            raise FormatError(
                f"{self._path} has colour in each of several channels (axes {series.axes}): "
                "save one of the channels"
            )
        self._channel_axis = channel_axes[0] if channel_axes else None
        channels = 1 if self._channel_axis is None else series.shape[self._channel_axis]
        if self._channel_axis is not None and series.axes[self._channel_axis] == "S":
            # 1 and 2 are associated and unassociated alpha (TIFF 6.0, ExtraSamples)
            channels -= sum(int(sample) in (1, 2) for sample in page.extrasamples)
        dtype = series.dtype
        self._turn = orientation.of_tag(page.tags.valueof(orientation.TAG))
        self._palette = _tiff_palette(page)
        if self._palette is not None:
            channels, dtype = self._palette.shape[-1], self._palette.dtype
        height, width = (series.shape[series.axes.index(axis)] for axis in "YX")
        self.header = Header(
            int(np.prod(self._plane_shape, dtype=int)),
            *orientation.shown_shape(height, width, self._turn),
            channels,
            dtype_name(dtype),
            orientation.shown_size(self._pixel_size(), self._turn),
            _black(page, self._path),
            channel_names=_ome_channel_names(self._file, channels),
            at_once=0 if page.is_memmappable else page.nbytes,
        )
        self._check_size(page)
        self._map: NDArray[np.uint8] | None = None
        self._plane: int | None = None
        self._pages: dict[int, NDArray] = {}

    def _pixel_size(self) -> PixelSize | None:
        size = _tiff_pixel_size(self._file, self._page.tags)
        kinds = {self._axes[at] for at in self._plane_axes if self._shape[at] > 1}
        return size if size is None or kinds <= {"Z"} else (None, *size[1:])

    def read(self, plane: int, y0: int, y1: int, channel: int | None) -> NDArray:
        """Rows of a plane, as `files.Reader` says."""
        if plane != self._plane:
            self._pages.clear()
            self._plane = plane
        at: list[Any] = [0] * len(self._axes)
        places = np.unravel_index(plane, self._plane_shape)
        for axis, place in zip(self._plane_axes, places, strict=True):
            at[axis] = int(place)
        range_axis, whole_axis = "XY" if orientation.is_transposed(self._turn) else "YX"
        at[self._axes.index(range_axis)] = orientation.stored_range(
            y0, y1, self.header.height, self._turn
        )
        at[self._axes.index(whole_axis)] = slice(None)
        return orientation.turned(self._channels(at, channel), self._turn)

    def _channels(self, at: list[Any], channel: int | None) -> NDArray:
        """Part of a plane as it is stored: (height, width) or (height, width, 3)."""
        if self._palette is not None:
            colors = self._palette[without_bool(self._rows(at))]
            return colors if channel is None else np.ascontiguousarray(colors[..., channel])
        if self._channel_axis is None:
            return self._rows(at)
        if channel is not None:
            at[self._channel_axis] = channel
            return self._rows(at)
        if self._channel_axis < self._page_axis:
            return np.dstack([self._channels(list(at), number) for number in range(3)])
        at[self._channel_axis] = slice(0, 3)
        rows = self._rows(at)
        return rows if self._axes.index("X") < self._channel_axis else np.moveaxis(rows, 0, -1)

    def spans(self, plane: int, planes: int) -> list[tuple[Path, int, int]]:
        """Tags of the first page and segments of pixels, as `files.Reader` says."""
        tags = [(tag.valueoffset, tag.valuebytecount) for tag in self._page.tags]
        lead = self._shape[: self._page_axis]
        of_page = np.arange(np.prod(lead, dtype=int)).reshape(lead)
        axes = [axis for axis in self._plane_axes if axis < self._page_axis]
        numbers = set()
        for number in range(plane, plane + planes):
            at: list[Any] = [slice(None)] * self._page_axis
            places = np.unravel_index(number, self._plane_shape)
            for axis, place in zip(self._plane_axes, places, strict=True):
                if axis in axes:
                    at[axis] = int(place)
            numbers.update(np.ravel(of_page[tuple(at)]).tolist())
        segments = [span for number in sorted(numbers) for span in self._segments(number)]
        return [(self._path, offset, size) for offset, size in (*tags, *segments)]

    def _segments(self, number: int) -> Iterable[tuple[int, int]]:
        if self._series.dataoffset is not None:
            size = self._page.nbytes
            return [(self._series.dataoffset + number * size, size)]
        page = self._series.pages[number]
        return zip(page.dataoffsets, page.databytecounts, strict=True)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._map = None
        self._pages = {}

    def _rows(self, at: list[Any]) -> NDArray:
        """Part of a page; `at` has an index or a slice for each axis of the series."""
        lead = self._shape[: self._page_axis]
        number = int(np.ravel_multi_index(at[: self._page_axis], lead)) if lead else 0
        if number not in self._pages:
            self._pages[number] = self._read_page(number)
        rows = self._pages[number][tuple(at[self._page_axis :])]
        return np.require(rows, rows.dtype.newbyteorder("="), ["ALIGNED"])

    def _read_page(self, number: int) -> NDArray:
        offset = self._series.dataoffset
        if offset is not None:
            return self._view(offset + number * self._page.nbytes)
        page = self._series.pages[number]
        self._check_size(page)
        if page.is_memmappable:
            return self._view(page.dataoffsets[0])
        return page.asarray(maxworkers=max(1, cv2.getNumThreads()))

    def _view(self, offset: int) -> NDArray:
        if self._map is None:
            self._map = np.memmap(self._path, np.uint8, "r")
        if offset + self._page.nbytes > self._map.size:
            raise ValueError("the image file is truncated")
        dtype = self._page.dtype.newbyteorder(self._file.byteorder)
        return np.ndarray(self._page.shape, dtype, self._map, offset)

    def _check_size(self, page: Any) -> None:
        """Refuse a file that has not all of its pixels, before any is read.

        Where a strip or a tile is not listed, tifffile makes its pixels up.
        """
        ends = np.add(page.dataoffsets, page.databytecounts, dtype=np.int64)
        if not ends.size or ends.max() > self._file.filehandle.size:
            raise ValueError("the image file is truncated")
        listed, needed = len(page.dataoffsets), math.prod(page.chunked)
        if listed < needed and not page.is_contiguous:
            raise ValueError(f"it lists {listed} strips or tiles of pixels, and needs {needed}")


def _open_series(path: Path) -> tuple[Any, Any]:
    import tifffile

    # a file of an OME set of several files is to give its own pages only
    file = tifffile.TiffFile(path, _multifile=False)
    try:
        _check_tags(file, file.pages.first)
        _check_ome(file, file.pages.first)
        first, *others = file.series
        _check_pages(file, first)
        sizes = [
            f"{series.shape}"
            for series in others
            if series.kind in ("generic", "shaped") and not series.keyframe.is_reduced
        ]
        if sizes:
            raise FormatError(
                f"{path} has pages of different kinds, {first.shape} and {', '.join(sizes)}: "
                "save pages of one size and dtype"
            )
    except BaseException:
        file.close()
        raise
    return file, first


def _check_tags(file: Any, page: Any) -> None:
    """Refuse a file whose first page has no pixels, or values that lie beyond its end.

    tifffile passes over the latter.
    """
    import tifffile

    if page.imagelength < 1 or page.imagewidth < 1:
        raise ValueError(f"it says that it is {page.imagelength} x {page.imagewidth} px")
    tiff, handle = file.tiff, file.filehandle
    handle.seek(page.offset)
    (number,) = struct.unpack(tiff.tagnoformat, handle.read(tiff.tagnosize))
    for tag in range(number):
        handle.seek(page.offset + tiff.tagnosize + tag * tiff.tagsize)
        head = handle.read(tiff.tagsize)
        if len(head) < tiff.tagsize:
            raise ValueError("the image file is truncated")
        code, kind, count, value = struct.unpack(tiff.tagheaderformat, head)
        # types that are not known are to be passed over (TIFF 6.0, section 2)
        size = count * struct.calcsize(tifffile.TIFF.DATA_FORMATS.get(kind, "0s"))
        if size > tiff.tagoffsetthreshold:
            (place,) = struct.unpack(tiff.offsetformat, value)
            if place + size > handle.size:
                raise ValueError(f"its tag {code} is damaged, or the image file is truncated")


def _check_ome(file: Any, page: Any) -> None:
    """Refuse a file whose OME metadata are damaged: tifffile would take its pages as they come.

    So is one that announces more planes than it could have.
    """
    from xml.etree import ElementTree

    if not file.is_ome:
        return
    xml, sizes, listed = file.ome_metadata, 0, 0
    if len(xml) > MOST_METADATA:
        raise ValueError(f"its OME metadata have {len(xml):,} characters, above {MOST_METADATA:,}")
    try:
        for _, element in ElementTree.iterparse(io.StringIO(xml), events=("start",)):
            kind = element.tag.rpartition("}")[2]
            if kind == "Pixels":
                size = math.prod(int(element.get(f"Size{axis}", 1)) for axis in "XYZCT")
                sizes += size // (page.imagelength * page.imagewidth)
            if kind == "TiffData":
                listed += int(element.get("PlaneCount", 1))
    except (ElementTree.ParseError, ValueError) as error:
        raise ValueError(f"its OME metadata are damaged ({error})") from None
    if max(sizes, listed) > MOST_PLANES:
        raise ValueError(f"its OME metadata announce {max(sizes, listed):,} planes")


def _check_pages(file: Any, series: Any) -> None:
    """Refuse a file with less than it announces: tifffile takes what is left of it.

    A list of pages ends with 0. ImageJ describes all images of a stack in its first page.
    """
    file.filehandle.seek(file.pages.next_page_offset)
    end = file.filehandle.read(file.tiff.offsetsize)
    if len(end) < file.tiff.offsetsize or any(end):
        raise ValueError("the list of its pages is damaged or truncated")
    images = (file.imagej_metadata or {}).get("images", 1)
    if series.kind != "imagej" and len(file.pages) < images:
        raise ValueError(f"it should have {images} images; the image file is truncated")
    if any(page is None for page in series.pages):
        raise ValueError("it does not have all the planes that its OME metadata list")


def _tiff_pixel_size(file: Any, tags: Any) -> PixelSize | None:
    """Of the OME metadata, of ImageJ's calibration or of the resolution."""
    if file.is_ome:
        return _ome_pixel_size(file.ome_metadata)
    calibration = file.imagej_metadata or {}
    # ImageJ escapes the micro sign
    unit = re.sub(r"\\u00[Bb]5", "\u00b5", str(calibration.get("unit", "")))
    # centimetres and inches ImageJ takes over from any TIFF file that it opens
    is_calibrated = unit not in ("", "cm", "inch")
    if not is_calibrated:
        unit = TIFF_RESOLUTION_UNITS.get(tags.valueof("ResolutionUnit"), unit)
    z = micrometers(calibration.get("spacing"), unit)
    resolutions = (_quotient(tags.valueof(name)) for name in ("YResolution", "XResolution"))
    size = known_size(z, *(size_of_resolution(pixels, unit) for pixels in resolutions))
    return size if is_calibrated else unless_printed(size)


def _quotient(rational: Any) -> float:
    """Value of a tag; 0 if it is missing or damaged."""
    try:
        numerator, denominator = rational
        return numerator / denominator
    except (TypeError, ValueError, ZeroDivisionError):
        return 0


def _ome_pixel_size(xml: str) -> PixelSize | None:
    """Of the first image in OME-XML; micrometres where no unit is given."""
    from xml.etree import ElementTree

    try:
        for _, element in ElementTree.iterparse(io.StringIO(xml), events=("start",)):
            if element.tag.rpartition("}")[2] == "Pixels":
                names = (f"PhysicalSize{axis}" for axis in "ZYX")
                return known_size(
                    *(
                        micrometers(element.get(name), element.get(f"{name}Unit", "um"))
                        for name in names
                    )
                )
    except ElementTree.ParseError:
        pass
    return None


def _ome_channel_names(file: Any, channels: int) -> tuple[str, ...]:
    """Those of the first image in OME-XML, if it names each channel or none of them."""
    from xml.etree import ElementTree

    if not file.is_ome or channels < 2:
        return ()
    names = []
    try:
        for event, element in ElementTree.iterparse(
            io.StringIO(file.ome_metadata), events=("start", "end")
        ):
            kind = element.tag.rpartition("}")[2]
            if event == "start" and kind == "Channel":
                names.append(element.get("Name", ""))
            if event == "end" and kind == "Pixels":
                break
    except ElementTree.ParseError:
        return ()
    return tuple(names) if len(names) == channels else ()


def _tiff_palette(page: Any) -> NDArray | None:
    """Colours by index, (colours, 1 or 3); None if the page has no palette."""
    if page.photometric != PALETTE or page.colormap is None:
        return None
    palette = np.asarray(page.colormap).T
    # 8-bit indices point to 16-bit colours; some writers leave them 8-bit
    if page.dtype.itemsize == 1:
        palette = (palette >> 8 if palette.max() > 255 else palette).astype(np.uint8)
    grey = (palette == palette[:, :1]).all()
    return palette[:, :1] if grey else palette


def _black(page: Any, path: Path) -> int | None:
    """The stored value of black, if 0 is white.

    Raises
    ------
    FormatError
        If pixels mean what is not understood; the message names the file.
    """
    kind = page.photometric
    if kind not in PHOTOMETRICS or (kind == YCBCR and page.compression not in JPEG_COMPRESSIONS):
        name = getattr(kind, "name", kind)
        raise FormatError(f"{path} has pixels of the kind {name}: save it as grey or RGB")
    if kind != WHITE_IS_ZERO:
        return None
    if page.dtype.kind not in "ub":
        raise FormatError(
            f"{path} has {page.dtype} pixels of which 0 is said to be white (WhiteIsZero): "
            "save it with BlackIsZero"
        )
    return 2**page.bitspersample - 1
