"""PNG, JPEG, GIF and BMP: decoded a plane at a time."""

import mmap
import struct
from pathlib import Path

import cv2
import numpy as np

from tilewise.read.header import FormatError, Header
from tilewise.read.pixel_size import known_size, size_of_resolution, unless_printed

PNG = b"\x89PNG\r\n\x1a\n"
PNG_END = b"IEND\xaeB`\x82"
PNG_PALETTE = 3


class Picture:
    """A PNG, JPEG, GIF or BMP file.

    Parameters
    ----------
    path : Path
    header : Header
    decode : callable, optional
        From the number of a plane to its pixels; Pillow does it by default.
    """

    def __init__(self, path, header, decode=None):
        self.header = header
        self._path = path
        self._decode = decode or self._decode_with_pillow
        self._image = None
        self._plane = None
        self._pixels = None

    def read(self, plane, y0, y1, channel):
        """Rows of a plane, as `files.open_file` says."""
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
        """Close the file that is open."""
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


def read_pillow_header(path):
    """Header of a JPEG or BMP file, or of another that Pillow opens and that has one plane."""
    with _pillow_open(path) as image:
        mode, (width, height) = image.mode, image.size
        palette = image.getpalette() if mode == "P" else None
    grey = mode in ("1", "L", "LA") or (palette is not None and _is_grey(palette))
    return Header(1, height, width, 1 if grey else 3, "uint8")


def _is_grey(palette):
    """Whether red, green and blue are equal in all colours; they follow each other."""
    return palette[0::3] == palette[1::3] == palette[2::3]


def read_png_header(path):
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
    size = (size_of_resolution(pixels, "m") for pixels in (along_y, along_x))
    return unless_printed(known_size(None, *size))


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


def read_gif_header(path):
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
        raise FormatError(f"{path} has grey frames and frames with palettes: save it as TIFF")
    return Header(len(palettes), height, width, 1 if all(map(_is_grey, palettes)) else 3, "uint8")


def _is_ramp(palette):
    """Whether a palette's colours are the grey levels 0, 1, 2, ..."""
    return _is_grey(palette) and palette[0::3] == bytes(range(len(palette) // 3))
