"""Filtered pixels of any region of a block, read with what the filter reaches around it."""

from tilewise.segment.filters import apply_chain, chain_reach, parse_chain
from tilewise.store.grid import crop


class Filtered:
    """Filtered pixels of any region, computed from the image around it.

    Parameters
    ----------
    reader : BlockReader
        Of the image, or of pixels that are filtered already.
    steps : list
        Of the filter; none leaves the pixels as they are.
    grid : Grid
    dtype : str
    """

    def __init__(self, reader, steps, grid, dtype):
        self._reader = reader
        self._steps = parse_chain(steps)
        self._grid = grid
        self.dtype = dtype
        self.reach = chain_reach(self._steps, dtype)

    def read(self, region):
        """Filtered pixels of a region of one plane: (rows, columns) ndarray."""
        surroundings = self._grid.around(region, self.reach)
        pixels = apply_chain(self._reader.read(surroundings), self._steps)
        return crop(pixels, surroundings, region)
