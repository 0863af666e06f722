"""What a file's header says about its pixels, and which pixels the pipeline works on."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tilewise.pixels import DTYPES, PixelSize

MOST_NAMES, LONGEST_NAME = 20, 40
"""Of an image's channels that a message has, and letters of each."""


@dataclass(frozen=True)
class Header:
    """What a file's header, or those of a stack's files, say about its pixels.

    Parameters
    ----------
    planes, height, width
        Number of planes, and the size of each in pixels.
    channels
        1 for grey, 3 for colour (alpha is not counted), more for TIFF and OME-Zarr.
    dtype
        One of `DTYPES`, or of other numbers where these were asked for.
    pixel_size
        None if y or x is unknown.
    black
        Where 0 is white (TIFF's WhiteIsZero), the stored value that is black; else None.
    left_out
        What of the file does not count, as a sentence; empty if all of it does.
    channel_names
        Of each channel, as OME metadata have them; empty where they are not known. They do not
        tell headers apart.
    at_once
        Bytes of pixels that are decoded at once, to read one row or more: those of a plane where
        its file is compressed, 0 where rows are read alone. How a file is stored does not tell
        headers apart.
    """

    planes: int
    height: int
    width: int
    channels: int
    dtype: str
    pixel_size: PixelSize | None = None
    black: int | None = None
    left_out: str = ""
    channel_names: tuple[str, ...] = field(default=(), compare=False)
    at_once: int = field(default=0, compare=False)


class FormatError(ValueError):
    """An error whose message names the file already."""


def dtype_name(dtype: DTypeLike) -> str:
    """Name of the dtype in which a file's pixels are given: its own, but uint8 for bool."""
    dtype = np.dtype(dtype)
    return "uint8" if dtype.kind == "b" else dtype.name


def check_dtype(name: str, path: str | Path, allows_any: bool = False) -> None:
    """Make sure that a file's pixels are of `DTYPES`, or any real numbers of up to 64 bits.

    Raises
    ------
    FormatError
        If they are not; the message names the file.
    """
    dtype = np.dtype(name)
    if name in DTYPES or (allows_any and dtype.kind in "iuf" and dtype.itemsize <= 8):
        return
    remedy = "float32"
    if dtype.kind in "iu":
        remedy = "uint8 or uint16; for a truth of labels, set `truth_foreground: labels`"
    raise FormatError(
        f"{path} has pixels of {name}, which are not supported: convert them to {remedy}"
    )


def find_channel(header: Header, channel: int | str) -> int | None:
    """Number of a channel of an image, from 0, by its number or its name; None if it has none.

    What is no number of a channel may be the name of one, as wavelengths are.
    """
    if isinstance(channel, int) and channel < header.channels:
        return channel
    names = header.channel_names
    return names.index(str(channel)) if names.count(str(channel)) == 1 else None


def channel_number(header: Header, channel: int | str) -> int:
    """The same.

    Raises
    ------
    ValueError
        If the image has no such channel, or several of that name; the message says which it has.
    """
    number = find_channel(header, channel)
    if number is not None:
        return number
    if str(channel) in header.channel_names:
        raise ValueError(f"several of the image's channels are called {channel}: give a number")
    raise ValueError(f"channel {channel} does not exist: {channels_of(header)}")


def channels_of(header: Header) -> str:
    """The channels of an image in words, with what can be given for each."""
    own = [name for name in dict.fromkeys(header.channel_names) if name]
    shown = ", ".join(map(_shown, own[:MOST_NAMES])) + ", ..." * (len(own) > MOST_NAMES)
    return f"the image has {header.channels}, from 0 on{f', called {shown}' if own else ''}"


def _shown(name: str) -> str:
    """A name of a file's metadata, of which a message shows what fits on a line."""
    text = "".join(letter if letter.isprintable() else "?" for letter in name)
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}..."


def check_size(header: Header, path: str | Path, most_gb: float) -> None:
    """Make sure that a plane does not take too much memory: damaged headers can ask for terabytes.

    Raises
    ------
    FormatError
        If a plane takes more than `most_gb` (1,000,000,000 bytes) when it is decoded; the message
        names the file.
    """
    size = header.at_once / 1e9
    if size > most_gb:
        raise FormatError(
            f"{path} says that it has {header.height} x {header.width} px, {size:,.0f} GB to be "
            f"decoded at once, and `largest_plane_gb` is {most_gb:g}: if it has, raise that, or "
            "save it as uncompressed TIFF or OME-Zarr; else replace it"
        )


def without_bool(pixels: NDArray) -> NDArray:
    """Pixels as they are, but bool as uint8, 0 or 1."""
    return pixels.view(np.uint8) if pixels.dtype == bool else pixels
