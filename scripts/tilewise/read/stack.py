"""One or more files as one stack of planes, read row by row."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.read.files import Reader, naming, open_file, read_header
from tilewise.read.header import without_bool

COLOR_CHANNELS = {"red": 0, "green": 1, "blue": 2}


def open_stack(
    paths: str | Path | Sequence[str | Path],
    channel: str | int = "luma",
    as_stored: bool = False,
    allows_any: bool = False,
) -> "Stack":
    """Open files as one stack of planes.

    Parameters
    ----------
    paths
        Files in the order of their planes.
    channel
        What `Stack.rows` gives of colour images: "luma", "red", "green", "blue" or the number of
        a channel, from 0.
    as_stored
        Give the values that are stored, as labels need it, where 0 is white, too; else 0 is black.
    allows_any
        As for `read_header`.

    Raises
    ------
    ValueError
        As `read_header`, and if the files' pixels or sizes differ, or have no such channel.
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    return Stack(paths, channel, as_stored, allows_any)


class Stack:
    """Planes of one or more files, read row by row.

    Decoding is by plane, and the plane last read is kept: planes that are read in order are decoded
    once. Arrays may be views of the file or of the kept plane: they are not to be written to.
    Decoders use as many threads as OpenCV is set to.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        channel: str | int = "luma",
        as_stored: bool = False,
        allows_any: bool = False,
    ) -> None:
        self._paths = [str(path) for path in paths]
        if not self._paths:
            raise ValueError("a stack needs at least one file")
        headers = [read_header(path, allows_any) for path in self._paths]
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
        self._as_stored = as_stored
        self._number: int | None = None
        self._reader: Reader | None = None

    def rows(self, z: int, y0: int, y1: int) -> NDArray:
        """Grey rows of a plane.

        Parameters
        ----------
        z
            The plane.
        y0, y1
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

    def color_rows(self, z: int, y0: int, y1: int) -> NDArray:
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

    def check(self, height: int, width: int, dtype: str) -> None:
        """Make sure that the files are what was known of them before they were opened.

        Raises
        ------
        ValueError
            Names the first file and the setting to correct.
        """
        header = self.header
        if (header.height, header.width, header.dtype) != (height, width, dtype):
            raise ValueError(
                f"{self._paths[0]} is {header.height} x {header.width} px of {header.dtype}, not "
                f"{height} x {width} px of {dtype}: correct `shape` and `dtype` in the "
                "configuration or, if the file was replaced meanwhile, run again"
            )

    def close(self) -> None:
        """Close the file that is open."""
        if self._reader is not None:
            self._reader.close()
        self._number = self._reader = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, z: int, y0: int, y1: int, channel: int | None) -> NDArray:
        if not (0 <= z < self.header.planes and 0 <= y0 <= y1 <= self.header.height):
            raise IndexError(f"plane {z}, rows {y0} to {y1} are outside of {self.header}")
        number = int(np.searchsorted(self._ends, z, side="right"))
        path = self._paths[number]
        if self._reader is None or number != self._number:
            self.close()
            self._reader = open_file(path)
            self._number = number
        plane = z - int(self._ends[number]) + self._reader.header.planes
        with naming(path):
            rows = self._reader.read(plane, y0, y1, channel)
        rows = without_bool(rows).astype(self.header.dtype, copy=False)
        if self._reader.header.black is not None and not self._as_stored:
            rows = self._reader.header.black - rows
        if rows.dtype.kind == "f" and not np.isfinite(rows).all():
            raise ValueError(
                f"{path}: plane {plane} has NaN or infinite pixels in rows {y0} to {y1 - 1}: "
                "replace them by numbers, for instance numpy.nan_to_num(image)"
            )
        return rows


def _channel_number(channel: str | int, channels: int, path: str) -> int | None:
    """Number of the channel; None stands for luma."""
    if isinstance(channel, int):
        if not 0 <= channel < channels:
            raise ValueError(f"channel {channel} does not exist: {path} has {channels}, from 0 on")
        return channel
    if channel not in ("luma", *COLOR_CHANNELS):
        names = ", ".join(COLOR_CHANNELS)
        raise ValueError(f"channel {channel!r} is none of luma, {names} or a number")
    if channels == 1:
        return 0
    if channels != 3:
        raise ValueError(
            f"{path} has {channels} channels: set `channel` to the number of one, "
            f"0 to {channels - 1}"
        )
    return COLOR_CHANNELS.get(channel)


def _luma(rows: NDArray) -> NDArray:
    """Rec. 601 luma of (rows, width, 3) RGB pixels, in their dtype."""
    if rows.size == 0:
        return rows[..., 0]
    rows = np.ascontiguousarray(rows)
    if rows.dtype != np.int16:
        return cv2.cvtColor(rows, cv2.COLOR_RGB2GRAY)
    luma = cv2.cvtColor(rows.astype(np.float32), cv2.COLOR_RGB2GRAY)
    return np.rint(luma).astype(np.int16)
