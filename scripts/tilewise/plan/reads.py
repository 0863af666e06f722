"""What a job reads: blocks within its reach, filtered or to be filtered; pieces of truth."""

from dataclasses import dataclass
from functools import cache
from typing import TypedDict

from tilewise.plan import paths
from tilewise.plan.methods import NO_FILTER
from tilewise.plan.study import Study
from tilewise.read.annotation import Piece
from tilewise.store.grid import Region


class Part(TypedDict):
    """A sample's region of one block: what a script's `params.parts` lists."""

    sample: str
    block: str
    grid: dict


@dataclass(frozen=True)
class Pixels:
    """Where a job's pixels come from, and which steps it applies to them itself."""

    files: list[str]
    blocks: list[str]
    """Of each of the files."""
    steps: list
    codec: str


def part(study: Study, sample: str, block: str) -> Part:
    """The part of a job."""
    return {"sample": sample, "block": block, "grid": grid_settings(study, sample)}


def grid_settings(study: Study, sample: str) -> dict:
    """A grid as numbers, for `params`; `store.grid.grid_of` reads it."""
    grid = study.grids[sample]
    return {"shape": list(grid.shape), "tile": grid.tile, "block": list(grid.block)}


def image(study: Study, sample: str, filter: str, regions: list[Region], reach: float) -> Pixels:
    """Blocks of the image, to which the job applies the filter itself."""
    blocks = _blocks_around(study, sample, regions, reach + study.reach(sample, filter))
    files = paths.of_blocks(paths.IMAGE + paths.BLOCK, blocks, sample=sample, level=0)
    return Pixels(files, blocks, study.steps(filter), "zstd")


def filtered(
    study: Study,
    sample: str,
    filter: str,
    regions: list[Region],
    reach: float = 0,
    takes_temporary: bool = False,
) -> Pixels:
    """Filtered blocks, or those of the image where no filtered ones are written.

    Parameters
    ----------
    takes_temporary : bool
        Whether files that are deleted again are read too; otherwise the job filters by itself.
    """
    is_written = study.filtered == "kept" or (takes_temporary and study.filtered == "temporary")
    if filter == NO_FILTER or not is_written:
        return image(study, sample, filter, regions, reach)
    blocks = _blocks_around(study, sample, regions, reach)
    pattern = paths.FILTERED + paths.FILTERED_BLOCK
    files = paths.of_blocks(pattern, blocks, sample=sample, filter=filter)
    return Pixels(files, blocks, [], study.config["filtered_codec"])


def _blocks_around(study, sample, regions, reach):
    grid = study.grids[sample]
    return list(
        dict.fromkeys(
            block for region in regions for block in grid.blocks_of(grid.around(region, reach))
        )
    )


@dataclass(frozen=True)
class Pieces:
    """Files of truth, or of a region of interest, in a block, and where in it each lies."""

    files: list[str]
    places: list[dict]
    """Fields of `Piece`; the path is the number of the file."""


def pieces(study: Study, sample: str, block: str, kind: str | int) -> Pieces:
    """Pieces in a block: of the `truth`, of the `roi`, or of an annotator by number."""
    found = pieces_of_block(study, sample, block, kind)
    files = list(dict.fromkeys(piece.path for piece in found))
    number = {path: i for i, path in enumerate(files)}
    return Pieces(files, [vars(piece) | {"path": number[piece.path]} for piece in found])


def pieces_of_block(study: Study, sample: str, block: str, kind: str | int) -> list[Piece]:
    """As `pieces`, as they stand in the sheet."""
    region = study.region(sample, block)
    by_plane = pieces_by_plane(study, sample, kind)
    return [
        piece
        for z in range(region.z0, region.z1)
        for piece in by_plane.get(z, ())
        if piece.region.intersects(region)
    ]


@cache
def pieces_by_plane(study: Study, sample: str, kind: str | int) -> dict[int, list[Piece]]:
    """Pieces of a sample by their plane."""
    known = study.samples[sample]
    found = known.annotators[kind - 1] if isinstance(kind, int) else getattr(known, kind)
    by_plane: dict[int, list[Piece]] = {}
    for piece in found:
        by_plane.setdefault(piece.z, []).append(piece)
    return by_plane


def annotated_tiles(study: Study, sample: str, block: str) -> list | None:
    """Annotated tiles of a block as plane, tile row and tile column; None is all of its tiles."""
    grid, region = study.grids[sample], study.region(sample, block)
    found = pieces_of_block(study, sample, block, "truth")
    if sum(piece.region.shape == (1, *grid.shape[1:]) for piece in found) == region.shape[0]:
        return None
    tiles = {tile for piece in found for tile in grid.tiles_in(piece.region)}
    inside = (tile for tile in tiles if grid.tile_region(tile).intersects(region))
    return sorted([tile.z, tile.row, tile.column] for tile in inside)
