"""Pieces of truth, of regions of interest and of masks made elsewhere, brought into the grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tilewise.labels import NOT_ANNOTATED
from tilewise.read.stack import Stack, open_stack
from tilewise.read.truth_values import distinct, truth_foreground_of
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

    def _stack(self, piece: Piece) -> Stack:
        if piece not in self._stacks:
            stack = self.open(piece)
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
                rows = self._stack(piece).rows(piece.page, y0 - piece.y, y1 - piece.y)
                rows = rows[:, x0 - piece.x : x1 - piece.x]
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
        The value that is foreground; None where the files have 0 and 1, or 0 and 255.
    """

    outside = NOT_ANNOTATED

    def __init__(self, pieces: Sequence[Piece], foreground: float | None = None) -> None:
        super().__init__(pieces)
        self._foreground = foreground
        self._foreground_of: dict[Piece, float] = {}

    def start(self, stack: Stack, piece: Piece) -> None:
        """Find the value of the foreground: all values of the piece decide together.

        Raises
        ------
        ValueError
            Names the file, if its values are not those of a truth.
        """
        values: set[float] = set()
        for y in range(0, piece.height, BAND_ROWS):
            values |= distinct(stack.rows(piece.page, y, min(y + BAND_ROWS, piece.height)))
        try:
            self._foreground_of[piece] = truth_foreground_of(values, self._foreground)
        except ValueError as error:
            raise ValueError(f"truth {piece.path}: {error}") from error

    def convert(self, rows: NDArray, piece: Piece, out: NDArray) -> None:
        """See `PieceReader`."""
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
