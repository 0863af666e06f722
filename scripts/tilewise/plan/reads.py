"""What a job reads: blocks within its reach, filtered or to be filtered; pieces of truth."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from functools import cache
from itertools import chain
from typing import Any

from tilewise.plan import paths
from tilewise.plan.resources import Need
from tilewise.plan.study import Study
from tilewise.read.annotation import Piece
from tilewise.read.sources import Planes
from tilewise.segment.filters import takes_colors
from tilewise.segment.roi import surroundings
from tilewise.segment.sources import ARRAY, DTYPE, arrays_of, is_channel
from tilewise.store.grid import Grid, GridSettings

PartSettings = dict[str, Any]
"""A sample's region of one block, as a rule's `params.parts` lists it for `store.parts.parts_of`.

`sample`; `block`, of the sample's own grid; `grid`, as `GridSettings`; `offset`, the plane of the
stack that is the sample's first; and what else the job is to know of the sample.
"""


@dataclass(frozen=True)
class Pixels:
    """Where a job's pixels come from, and which steps it applies to them itself."""

    files: list[str]
    blocks: list[str]
    """Of each of the files; of the stack."""
    steps: list[Any]
    codec: str
    rois: list[str]
    """The region of interest in each of the blocks; none where no sample has one."""
    colors: list[str] = field(default_factory=list)
    """Red, green and blue of each of the blocks, for filters that begin with a projection."""
    sources: list[str] = field(default_factory=list)
    """Each of the blocks of all `arrays`, for filters that begin with a source or with channels."""
    arrays: list[str] = field(default_factory=list)
    own_files: list[str] = field(default_factory=list)
    """Files of the user's that steps read which the job applies."""


@dataclass(frozen=True)
class PixelJob:
    """What each job is told that goes through the pixels of a block."""

    parts: list[PartSettings]
    pixels: Pixels
    dtype: str
    need: Need


def part(study: Study, sample: str, own: str, **settings: Any) -> PartSettings:
    """A part of a job, with what the job is to know of its sample."""
    offset = study.stack_of[sample].offsets[sample]
    grid = grid_settings(study.grids[sample])
    return {"sample": sample, "block": own, "grid": grid, "offset": offset, **settings}


def parts(study: Study, places: list[tuple[str, str]]) -> list[PartSettings]:
    """Parts of which the job is to know nothing else."""
    return [part(study, sample, own) for sample, own in places]


def grid_settings(grid: Grid) -> GridSettings:
    """A grid as plain values, for `params`; `store.grid.grid_of` reads it."""
    shape, block = list(grid.shape), list(grid.block)
    return {"shape": shape, "tile": grid.tile, "block": block, "edges": grid.edges}


def image(
    study: Study,
    places: list[tuple[str, str]],
    filter: str,
    reach: float,
    others: Iterable[str] = (),
    is_tried: bool = False,
) -> Pixels:
    """Blocks of the image around parts of a stack, to which the job applies the filter itself.

    It may apply others, too, in which case the reach is for all of them. Where `is_tried`, it needs
    annotated tiles alone, with that reach around them.
    """
    stack = study.stack_of[places[0][0]].name
    own_reach = study.reach(stack, filter)
    own_reach = surroundings(own_reach) if study.has_roi(stack) else own_reach
    blocks = _blocks_around(study, places, reach + own_reach)
    chains = [study.steps(name, stack) for name in (filter, *others)]
    arrays = list(dict.fromkeys(chain.from_iterable(map(arrays_of, chains))))
    taking = {takes_colors(steps) for steps in chains if not arrays_of(steps)}
    grey, color = paths.IMAGE + paths.BLOCK, paths.COLOR + paths.COLOR_BLOCK
    files, colors = (
        paths.of_blocks(pattern, blocks if kind in taking else [], stack=stack, level=0)
        for kind, pattern in ((False, grey), (True, color))
    )
    sources = []
    for block in blocks:
        for name in arrays:
            array = array_of_block(study, stack, name, block, is_tried)
            sources.append(paths.of_array(stack, array) + paths.FILTERED_BLOCK.format(block=block))
    roi = rois(study, stack, blocks)
    own = [file for name in (filter, *others) for file in study.filter_files(stack, name)]
    own_files = list(dict.fromkeys(own))
    return Pixels(files, blocks, chains[0], "zstd", roi, colors, sources, arrays, own_files)


def rois(study: Study, stack: str, blocks: list[str]) -> list[str]:
    """The region of interest in blocks, if a sample of the stack has one."""
    return paths.of_label(stack, paths.ROI, blocks) if study.has_roi(stack) else []


def filtered(
    study: Study,
    places: list[tuple[str, str]],
    filter: str,
    reach: float = 0,
    takes_temporary: bool = False,
    is_tried: bool = False,
) -> Pixels:
    """Filtered blocks, or those of the image or source where no filtered ones are written.

    With `takes_temporary`, files that are deleted again are read too, else the job filters itself.
    """
    if not study.is_written(filter, takes_temporary):
        return image(study, places, filter, reach, is_tried=is_tried)
    stack = study.stack_of[places[0][0]].name
    blocks = _blocks_around(study, places, reach)
    pattern = paths.FILTERED + paths.FILTERED_BLOCK
    files = paths.of_blocks(pattern, blocks, stack=stack, filter=filter)
    codec = study.filtered_codec(stack)
    return Pixels(files, blocks, [], codec, rois(study, stack, blocks))


def shown(pixels: Pixels) -> Pixels:
    """What pictures of filtered pixels are made from: of several channels of an image the first."""
    if len(pixels.arrays) < 2:
        return pixels
    first, number = pixels.arrays[0], len(pixels.arrays)
    steps = [{ARRAY: first}, *pixels.steps[1:]]
    return replace(pixels, sources=pixels.sources[::number], arrays=[first], steps=steps)


def stored_dtype(pixels: Pixels, dtype: str) -> str:
    """Dtype of a job's pixels as they are stored, of an image of a dtype."""
    return dtype if all(map(is_channel, pixels.arrays)) else DTYPE


def array_of_block(study: Study, stack: str, array: str, block: str, is_tried: bool) -> str:
    """The array itself, or that of the tiles that methods are tried on, if there are others."""
    if array not in study.commands or not is_tried or is_whole(study, stack, array, block):
        return array
    return array + paths.NEAR_TRUTH


@cache
def is_whole(study: Study, stack: str, array: str, block: str) -> bool:
    """Whether methods are tried on all tiles of a block that a program segments."""
    places = [place for place in study.places(stack, block) if study.has_array(place[0], array)]
    return all(tried_tiles(study, sample, own, array) is None for sample, own in places)


def tried_tiles(study: Study, sample: str, own: str, array: str) -> list[list[int]] | None:
    """Tiles of a block that masks of annotated ones depend on; None is all of its tiles.

    They are as `annotated_tiles` has them.
    """
    name, _ = study.commands[array]
    stack, grid, region = (
        study.stack_of[sample].name,
        study.grids[sample],
        study.region(sample, own),
    )
    reach = max(
        study.variant_reach(stack, variant)
        for method in study.users(name)
        for variant in method.variants
        if variant.filter == name
    )
    by_plane = pieces_by_plane(study, sample, "truth")
    pieces = [piece for z in range(region.z0, region.z1) for piece in by_plane.get(z, ())]
    annotated = {tile for piece in pieces for tile in grid.tiles_in(piece.region)}
    around = (grid.around(grid.tile_region(tile), reach) for tile in annotated)
    near = {tile for region in around for tile in grid.tiles_in(region)} & set(grid.tiles(own))
    if len(near) == grid.number_of_tiles(region):
        return None
    return sorted([tile.z, tile.row, tile.column] for tile in near)


def _blocks_around(study: Study, places: list[tuple[str, str]], reach: float) -> list[str]:
    blocks: dict[str, None] = {}
    for sample, own in places:
        grid = study.grids[sample]
        around = grid.blocks_of(grid.around(study.region(sample, own), reach))
        blocks |= dict.fromkeys(study.block_of(sample, block) for block in around)
    return list(blocks)


WHOLE_STACK = "stack"
"""The extent that is all blocks of a large sample."""


def extent_of(study: Study, stack: str, block: str) -> str:
    """What a sample in a block lies in: that block of a shared stack, or else all of the stack."""
    return block.split("/")[0] if study.stacks[stack].is_shared else WHOLE_STACK


def extent_blocks(study: Study, stack: str, extent: str) -> list[str]:
    """Annotated blocks of an extent: all, or those with its number along z."""
    return [
        block
        for block in study.annotated_blocks(stack)
        if extent in (WHOLE_STACK, block.split("/")[0])
    ]


@dataclass(frozen=True)
class Pieces:
    """Files of truth, or of a region of interest, in some parts, and where in each they lie."""

    sources: list[Planes]
    places: list[list[dict[str, Any]]]
    """Of each part, fields of `Piece`; the path is the number of the file."""

    @property
    def files(self) -> list[str]:
        """Of the sources."""
        return [planes.path for planes in self.sources]


def pieces(study: Study, places: list[tuple[str, str]], kind: str | int) -> Pieces:
    """Pieces in parts: of the `truth`, the `roi`, an annotator by number, or masks by column."""
    parts = [pieces_of_block(study, sample, own, kind) for sample, own in places]
    pages: dict[str, list[int]] = {}
    for piece in chain.from_iterable(parts):
        pages.setdefault(piece.path, []).append(piece.page)
    number = {path: i for i, path in enumerate(pages)}
    return Pieces(
        [Planes(path, min(own), max(own) - min(own) + 1) for path, own in pages.items()],
        [[_fields(piece, number[piece.path]) for piece in pieces] for pieces in parts],
    )


def _fields(piece: Piece, path: int) -> dict[str, Any]:
    """Those of a piece that say anything: there may be thousands of pieces."""
    defaults = {field.name: field.default for field in fields(piece)}
    own = {name: value for name, value in vars(piece).items() if value != defaults[name]}
    return own | {"path": path}


def pieces_of_block(study: Study, sample: str, own: str, kind: str | int) -> list[Piece]:
    """Pieces in a sample's own block, as they stand in the sheet."""
    region = study.region(sample, own)
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
    by_plane: dict[int, list[Piece]] = {}
    if isinstance(kind, int):
        own = known.annotators[kind - 1]
    elif kind in known.external:
        own = known.external[kind].pieces
    else:
        own = getattr(known, kind)
    for piece in own:
        by_plane.setdefault(piece.z, []).append(piece)
    return by_plane


def annotated_tiles(study: Study, sample: str, own: str) -> list[list[int]] | None:
    """Annotated tiles of a block as plane, tile row and tile column; None is all of its tiles."""
    grid, region = study.grids[sample], study.region(sample, own)
    pieces = pieces_of_block(study, sample, own, "truth")
    # by plane, since several annotators may have traced the same
    whole = {piece.z for piece in pieces if piece.region.shape == (1, *grid.shape[1:])}
    if len(whole) == region.shape[0]:
        return None
    tiles = {tile for piece in pieces for tile in grid.tiles_in(piece.region)}
    inside = (tile for tile in tiles if grid.tile_region(tile).intersects(region))
    return sorted([tile.z, tile.row, tile.column] for tile in inside)
