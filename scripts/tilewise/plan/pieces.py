"""Where pieces of truth lie in the grid of a sample."""

from collections.abc import Collection, Sequence
from typing import TypeVar

from tilewise.read.annotation import Piece
from tilewise.store.grid import Grid, Tile

Item = TypeVar("Item")


def blocks_of(pieces: Collection[Piece], grid: Grid) -> list[str]:
    """Blocks of a grid that the pieces touch, in the grid's order."""
    touched = {block for piece in pieces for block in grid.blocks_of(piece.region)}
    return sorted(touched, key=lambda block: tuple(map(int, block.split("/"))))


def choose_tiles(pieces: Sequence[Piece], grid: Grid, number: int) -> list[Tile]:
    """At most so many tiles that the pieces touch, spread evenly over them."""
    if len(pieces) > number:
        pieces = _spread(pieces, number)
        return [_spread(grid.tiles_in(piece.region), 1)[0] for piece in pieces]
    tiles = dict.fromkeys(tile for piece in pieces for tile in grid.tiles_in(piece.region))
    return _spread(list(tiles), number)


def _spread(items: Sequence[Item], number: int) -> list[Item]:
    """At most so many items, at equal distances: one is the middle one."""
    number = min(number, len(items))
    return [items[(2 * i + 1) * len(items) // (2 * number)] for i in range(number)]
