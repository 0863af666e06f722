"""Pieces of truth, of regions of interest and of masks made elsewhere, brought into the grid."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import gt
from threading import Lock
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tilewise.labels import NOT_ANNOTATED
from tilewise.read.painted import check_values, labels_of, pixel_checksum
from tilewise.read.stack import Stack, open_stack
from tilewise.read.truth_values import LABELS, Foreground, distinct, truth_foreground_of
from tilewise.store.grid import Region

BAND_ROWS = 512
"""Rows of a piece of which the values are collected at a time."""


@dataclass(frozen=True)
class Piece:
    """A plane of a file and where it lies in the sample, in planes and pixels."""

    path: str
    page: int
    z: int
    y: int
    x: int
    height: int
    width: int
    top: int = 0
    left: int = 0
    """Row and column of the file that are its first."""
    is_painted: bool = False
    """Whether it has the values of `painted`, whatever those of other truth are."""
    start: int | None = None
    """Checksum of the pixels of a starting point that is no truth; else None."""

    @property
    def region(self) -> Region:
        """Its pixels in the sample."""
        return Region(self.z, self.z + 1, self.y, self.y + self.height, self.x, self.x + self.width)


class PieceReader:
    """Reads regions that pieces cover in part: 1 where a piece is not 0, 0 elsewhere.

    Several threads may read at once; regions come plane by plane.
    """

    outside = 0
    """Value where no piece is."""
    dtype = "uint8"
    """Of what is read."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._stacks: dict[Piece, Stack] = {}
        self._lock = Lock()

    def start(self, stack: Stack, piece: Piece) -> None:
        """What `convert` needs to know of a whole piece."""

    def open(self, piece: Piece) -> Stack:
        """The file of a piece, whose stored values count."""
        return open_stack([piece.path], as_stored=True)

    def convert(self, rows: NDArray, piece: Piece, out: NDArray) -> None:
        """Write what the pixels of a piece are."""
        np.not_equal(rows, 0, out=out.view(bool))

    @staticmethod
    def bands(stack: Stack, piece: Piece) -> Iterator[NDArray]:
        """The pixels of a piece, some rows at a time."""
        for y in range(piece.top, piece.top + piece.height, BAND_ROWS):
            rows = stack.rows(piece.page, y, min(y + BAND_ROWS, piece.top + piece.height))
            yield rows[:, piece.left : piece.left + piece.width]

    def _stack(self, piece: Piece) -> Stack:
        if piece not in self._stacks:
            stack = self.open(piece)
            header = stack.header
            ends = piece.page + 1, piece.top + piece.height, piece.left + piece.width
            if any(map(gt, ends, (header.planes, header.height, header.width))):
                raise ValueError(
                    f"{piece.path} has {header.planes} planes of {header.height} x {header.width} "
                    "px, and is smaller than it was when the run began: run again"
                )
            # a piece that is refused is refused to every thread
            self.start(stack, piece)
            self._stacks[piece] = stack
        return self._stacks[piece]

    def read(self, region: Region) -> NDArray:
        """Pixels of a region of one plane.

        Returns
        -------
        (rows, columns) ndarray of `dtype`
        """
        pixels = np.full(region.shape[1:], self.outside, self.dtype)
        with self._lock:
            # another thread may still be at the plane before
            for piece in [piece for piece in self._stacks if piece.z < region.z0 - 1]:
                self._stacks.pop(piece).close()
            for piece in self._pieces:
                if not piece.region.intersects(region):
                    continue
                y0, y1 = max(piece.y, region.y0), min(piece.y + piece.height, region.y1)
                x0, x1 = max(piece.x, region.x0), min(piece.x + piece.width, region.x1)
                y, x = y0 - piece.y + piece.top, x0 - piece.x + piece.left
                rows = self._stack(piece).rows(piece.page, y, y + y1 - y0)[:, x : x + x1 - x0]
                inside = pixels[y0 - region.y0 : y1 - region.y0, x0 - region.x0 : x1 - region.x0]
                self.convert(rows, piece, inside)
        return pixels

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stack in self._stacks.values():
            stack.close()


class TruthReader(PieceReader):
    """0 background, 1 foreground, 255 not annotated.

    Parameters
    ----------
    pieces
        Where there is truth.
    foreground
        The value that is foreground, or `LABELS`; None where the files have 0 and 1, or 0 and 255.
        Painted pieces have those of `painted`.
    """

    outside = NOT_ANNOTATED

    def __init__(self, pieces: Sequence[Piece], foreground: Foreground | None = None) -> None:
        super().__init__(pieces)
        self._foreground = foreground
        self._foreground_of: dict[Piece, Foreground] = {}
        self.unpainted: set[Piece] = set()
        """Starting points among the pieces read so far that nobody has painted in."""

    def open(self, piece: Piece) -> Stack:
        """See `PieceReader`; viewers of labels save them in 32 bits."""
        is_of_labels = piece.is_painted or self._foreground == LABELS
        return open_stack([piece.path], as_stored=True, allows_any=is_of_labels)

    def start(self, stack: Stack, piece: Piece) -> None:
        """Find the value of the foreground: all values of the piece decide together.

        Raises
        ------
        ValueError
            Names the file, if its values are not those of a truth.
        """
        values: set[float] = set().union(*map(distinct, self.bands(stack, piece)))
        try:
            if piece.is_painted:
                check_values(values)
            else:
                self._foreground_of[piece] = truth_foreground_of(values, self._foreground)
        except ValueError as error:
            raise ValueError(f"truth {piece.path}: {error}") from error
        if piece.start is not None:
            labels = np.vstack(list(map(labels_of, self.bands(stack, piece))))
            if pixel_checksum(labels) == piece.start:
                self.unpainted.add(piece)

    def convert(self, rows: NDArray, piece: Piece, out: NDArray) -> None:
        """See `PieceReader`."""
        if piece in self.unpainted:
            out[:] = NOT_ANNOTATED
        elif piece.is_painted:
            out[:] = labels_of(rows)
        elif self._foreground_of[piece] == LABELS:
            np.not_equal(rows, 0, out=out.view(bool))
        else:
            np.equal(rows, self._foreground_of[piece], out=out.view(bool))


class PixelReader(PieceReader):
    """The pixels themselves, of any numbers, as float32: what is not 0 stays so, if it is a label.

    Parameters
    ----------
    pieces
        Masks made elsewhere.
    channel
        Number of the channel that counts, from 0; None where there is one.
    """

    dtype = "float32"

    def __init__(self, pieces: Sequence[Piece], channel: int | None = None) -> None:
        super().__init__(pieces)
        self._channel = channel or 0

    def open(self, piece: Piece) -> Stack:
        """See `PieceReader`."""
        return open_stack([piece.path], self._channel, as_stored=True, allows_any=True)

    def convert(self, rows: NDArray, piece: Piece, out: NDArray) -> None:
        """See `PieceReader`."""
        out[:] = rows
