"""What is known of a sample: pieces of truth and of regions of interest, brought into the grid."""

from dataclasses import dataclass

import numpy as np

from tilewise.formats import binarize_roi, binarize_truth, open_stack
from tilewise.grid import Region
from tilewise.labels import NOT_ANNOTATED


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
    def region(self):
        """Its pixels in the sample."""
        return Region(self.z, self.z + 1, self.y, self.y + self.height, self.x, self.x + self.width)


class PieceReader:
    """Reads regions that pieces cover in part: 1 where a piece is not 0, 0 elsewhere.

    Parameters
    ----------
    pieces : sequence of Piece
    """

    outside = 0
    """Value where no piece is."""

    def __init__(self, pieces):
        self._pieces = pieces
        self._planes = {}

    def convert(self, plane, piece):
        """A piece's pixels as they are to be read."""
        return binarize_roi(plane)

    def _plane(self, piece):
        if piece not in self._planes:
            with open_stack([piece.path]) as stack:
                plane = stack.rows(piece.page, 0, piece.height)
                self._planes[piece] = self.convert(plane, piece)
        return self._planes[piece]

    def read(self, region):
        """Pixels of a region of one plane; regions come plane by plane.

        Returns
        -------
        (rows, columns) uint8 ndarray
        """
        pixels = np.full(region.shape[1:], self.outside, np.uint8)
        for piece in list(self._planes):
            if piece.z < region.z0:
                del self._planes[piece]
        for piece in self._pieces:
            if not piece.region.intersects(region):
                continue
            y0, y1 = max(piece.y, region.y0), min(piece.y + piece.height, region.y1)
            x0, x1 = max(piece.x, region.x0), min(piece.x + piece.width, region.x1)
            pixels[y0 - region.y0 : y1 - region.y0, x0 - region.x0 : x1 - region.x0] = self._plane(
                piece
            )[y0 - piece.y : y1 - piece.y, x0 - piece.x : x1 - piece.x]
        return pixels


class TruthReader(PieceReader):
    """0 background, 1 foreground, 255 not annotated.

    Parameters
    ----------
    pieces : sequence of Piece
    foreground : float or None
        The value that is foreground; None where the files have 0 and 1, or 0 and 255.
    """

    outside = NOT_ANNOTATED

    def __init__(self, pieces, foreground=None):
        super().__init__(pieces)
        self._foreground = foreground

    def convert(self, plane, piece):
        """See `PieceReader`.

        Raises
        ------
        ValueError
            Names the file, if its values are not those of a truth.
        """
        try:
            return binarize_truth(plane, self._foreground)
        except ValueError as error:
            raise ValueError(f"truth {piece.path}: {error}") from error
