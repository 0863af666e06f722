"""PNG, JPEG, GIF, BMP, WebP and PNM files: decoded a plane at a time."""

import mmap
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.pixels import PixelSize
from tilewise.read import orientation
from tilewise.read.header import FormatError, Header
from tilewise.read.pixel_size import known_size, size_of_resolution, unless_printed

METERS_PER_INCH = 0.0254
CUT_LAYOUTS = ("RGB;16B", "LA;16B", "RGBA;16B")
"""Pillow's names for the pixels in PNG files of which it cuts 16 bits to 8."""


class Picture:
    """A file that Pillow decodes.

    Parameters
    ----------
    path
        The file.
    header
        Of its pixels as they are stored.
    turn
        Its orientation (EXIF).
    """

    def __init__(self, path: Path, header: Header, turn: int = orientation.UPRIGHT) -> None:
        height, width = orientation.shown_shape(header.height, header.width, turn)
        size = orientation.shown_size(header.pixel_size, turn)
        # with alpha, which is decoded, too
        at_once = height * width * (header.channels + 1) * np.dtype(header.dtype).itemsize
        self.header = replace(header, height=height, width=width, pixel_size=size, at_once=at_once)
        self._path = path
        self._turn = turn
        self._image: Any = None
        self._plane: int | None = None
        self._pixels: NDArray | None = None

    def read(self, plane: int, y0: int, y1: int, channel: int | None) -> NDArray:
        """Rows of a plane, as `files.Reader` says."""
        if self._pixels is None or plane != self._plane:
            self._pixels = None
            self._pixels = orientation.turned(self._with_channels(self._decode(plane)), self._turn)
            self._plane = plane
            if self._pixels.shape[:2] != (self.header.height, self.header.width):
                raise ValueError(
                    f"its pixels are {' x '.join(map(str, self._pixels.shape[:2]))}, its header "
                    f"says {self.header.height} x {self.header.width}"
                )
        rows = self._pixels[y0:y1]
        return rows if rows.ndim == 2 or channel is None else rows[..., channel]

    def spans(self, plane: int, planes: int) -> list[tuple[Path, int, int]]:
        """The whole file, as `files.Reader` says."""
        return [(self._path, 0, self._path.stat().st_size)]

    def close(self) -> None:
        """Close the file that is open."""
        if self._image is not None:
            self._image.close()
        self._image = self._pixels = self._plane = None

    def _with_channels(self, pixels: NDArray) -> NDArray:
        """Pixels with as many channels as the header says: alpha is dropped."""
        if pixels.dtype == bool:
            # Pillow's booleans are 255 in memory
            pixels = pixels.view(np.uint8) != 0
        if self.header.channels == 1:
            return pixels if pixels.ndim == 2 else pixels[..., 0]
        return pixels[..., :3] if pixels.ndim == 3 else np.dstack([pixels] * 3)

    def _decode(self, plane: int) -> NDArray:
        """Pixels of a plane, (height, width) or (height, width, bands)."""
        if self._image is None:
            self._image = _open_with_pillow(self._path)
            if self._image.format == "PNG":
                _check_png(self._path)
        image = self._image
        if self.header.planes > 1:
            image.seek(plane)
        image.load()  # the mode of a GIF's frame is known only then
        if image.mode not in ("1", "L", "LA", "I;16", "RGB", "RGBA"):
            # palettes with transparency convert to RGBA without loss, to RGB with a warning
            image = image.convert("RGBA" if image.mode in ("P", "PA") else "RGB")
        return np.asarray(image)


class DeepPng(Picture):
    """A PNG file whose pixels are in one of `CUT_LAYOUTS`."""

    def _decode(self, plane: int) -> NDArray:
        # OpenCV versions differ in what they make of a partial file
        _check_png(self._path)
        pixels = cv2.imdecode(np.fromfile(self._path, np.uint8), cv2.IMREAD_UNCHANGED)
        if pixels is None:
            raise ValueError("the image data are damaged")
        return pixels[..., 2::-1]


class ImageioPicture(Picture):
    """A file of 8 bits per sample that imageio reads; its frames are planes."""

    def __init__(self, path: Path) -> None:
        with _open_with_imageio(path) as image:
            planes, height, width, *bands = image.properties(index=...).shape
            turn = orientation.of_exif(image.metadata(index=0).get("exif"))
        super().__init__(path, Header(planes, height, width, 3 if bands else 1, "uint8"), turn)

    def _decode(self, plane: int) -> NDArray:
        if self._image is None:
            self._image = _open_with_imageio(self._path)
        return self._image.read(index=plane)


def _open_with_imageio(path: Path) -> Any:
    import imageio.v3
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    return imageio.v3.imopen(path, "r", plugin="pillow")


def _open_with_pillow(path: Path) -> Any:
    from PIL import Image, UnidentifiedImageError

    # Pillow refuses 180 Mpx as an attack; planes of that size are usual here
    Image.MAX_IMAGE_PIXELS = None
    try:
        return Image.open(path, formats=("PNG", "JPEG", "GIF", "BMP"))
    except UnidentifiedImageError:
        raise ValueError("its header is damaged") from None


def open_picture(path: Path) -> Picture:
    """Open a PNG, JPEG or BMP file: each frame of an animated PNG is a plane."""
    from PIL import Image

    with _open_with_pillow(path) as image:
        if not image.tile:
            raise ValueError("it has no pixels")
        layout = image.tile[0].args
        if image.mode == "P":
            if image.palette is None:
                raise ValueError("its palette is missing")
            bands, colors = image.palette.getdata()
            is_grey = _is_grey(colors, len(bands))
        else:
            is_grey = image.mode in ("1", "L", "LA", "I;16") or layout == "LA;16B"
        frames = getattr(image, "n_frames", 1)
        is_deep = layout in CUT_LAYOUTS
        if image.format == "PNG" and frames > 1 and (is_deep or image.default_image):
            raise FormatError(f"{path} is an animated PNG of an odd kind: save it as TIFF")
        # JPEG files with more pictures (MPO) have previews, depth maps or other views in them
        is_mpo = image.format == "MPO" and frames > 1
        header = Header(
            1 if is_mpo else frames,
            image.height,
            image.width,
            1 if is_grey else 3,
            "uint16" if image.mode == "I;16" or is_deep else "uint8",
            _png_pixel_size(*image.info.get("dpi", (0, 0))) if image.format == "PNG" else None,
            left_out=f"of the {frames} pictures in it, only the first is read" if is_mpo else "",
        )
        # of a PNG file, without decoding it to look for EXIF data behind the pixels
        turn = orientation.of_tag(Image.Image.getexif(image).get(orientation.TAG))
    return (DeepPng if is_deep else Picture)(path, header, turn)


def _check_png(path: Path) -> None:
    """Refuse a PNG file of which a chunk is damaged: decoders look at few of the checksums."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        kind, place, has_pixels = b"", 8, False
        while kind != b"IEND":
            if place + 12 > len(data):
                raise ValueError("the image file is truncated")
            size, kind = struct.unpack_from(">I4s", data, place)
            with memoryview(data) as view, view[place + 4 : place + 8 + size] as chunk:
                is_whole = place + 12 + size <= len(data)
                if (
                    is_whole
                    and zlib.crc32(chunk) != struct.unpack_from(">I", data, place + 8 + size)[0]
                ):
                    raise ValueError(f"the checksum of its {kind.decode('latin-1')} data is wrong")
                if has_pixels and kind == b"eXIf" and orientation.of_exif(bytes(chunk[4:])) != 1:
                    raise ValueError(
                        "it is to be turned, as is said behind its pixels; save it turned"
                    )
            has_pixels |= kind == b"IDAT"
            place += 12 + size


def _png_pixel_size(x_dpi: float, y_dpi: float) -> PixelSize | None:
    """Of a pHYs chunk, which has whole pixels per metre."""
    y, x = (size_of_resolution(round(dpi / METERS_PER_INCH), "m") for dpi in (y_dpi, x_dpi))
    return unless_printed(known_size(None, y, x))


def _is_grey(colors: bytes, bands: int = 3) -> bool:
    """Whether red, green and blue are equal in all colours, which follow each other."""
    return colors[0::bands] == colors[1::bands] == colors[2::bands]


def open_gif(path: Path) -> Picture:
    """Open a GIF file: each frame is a plane."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            width, height = struct.unpack_from("<HH", data, 6)
            palettes = _gif_palettes(data)
        except (IndexError, struct.error):
            raise ValueError("the image file is truncated") from None
    if not palettes:
        raise ValueError("it has no frame")
    if _is_ramp(palettes[0]) and not all(map(_is_ramp, palettes)):
        # Pillow takes the indices of the later frames for grey levels
        raise FormatError(f"{path} has grey frames and frames with palettes: save it as TIFF")
    channels = 1 if all(map(_is_grey, palettes)) else 3
    return Picture(path, Header(len(palettes), height, width, channels, "uint8"))


def _gif_palettes(data: mmap.mmap) -> list[bytes]:
    """Colours of each frame (GIF89a specification, 18 to 23).

    Pillow has to decode all frames to find them, and takes a truncated file for one of fewer
    frames.
    """

    def palette_at(place: int, flags: int) -> bytes:
        return data[place : place + (6 << (flags & 7))] if flags & 0x80 else b""

    shared = palette_at(13, data[10])
    palettes = []
    place = 13 + len(shared)
    while place < len(data) and data[place] != ord(";"):
        if data[place] == ord(","):
            own = palette_at(place + 10, data[place + 9])
            palettes.append(own or shared)
            place += 11 + len(own)
        elif data[place] == ord("!"):
            place += 2
        else:
            raise ValueError("its blocks are damaged")
        while data[place]:
            place += data[place] + 1
        place += 1
    return palettes


def _is_ramp(palette: bytes) -> bool:
    """Whether a palette's colours are the grey levels 0, 1, 2, ..."""
    return _is_grey(palette) and palette[0::3] == bytes(range(len(palette) // 3))
