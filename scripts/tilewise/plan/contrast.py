"""The job of rules/contrast.smk: between which grey levels a stack's images are shown."""

from dataclasses import dataclass
from functools import cache
from math import ceil, prod, sqrt

from tilewise.plan import paths, reads, resources
from tilewise.plan.reads import PartSettings
from tilewise.plan.resources import Need
from tilewise.plan.study import Study

MOST_TILES = 64
"""Of a stack."""
MOST_PIXELS = 2**22
"""Of all of these tiles together."""


@dataclass(frozen=True)
class Contrast:
    """Some tiles of a stack, spread over its samples.

    Of each part: `tiles`, plane, tile row and tile column.
    """

    parts: list[PartSettings]
    images: list[str]
    colors: list[str]
    """Of integers of 8 bits there are none: their colours are shown as they are."""
    rois: list[str]
    blocks: list[str]
    """Those that hold a tile: of each, a file of the image, of its colours and its region."""
    step: int
    """Every so many-th row and column of a tile counts."""
    dtype: str
    need: Need


@cache
def contrast(study: Study, stack: str) -> Contrast:
    """Of a stack."""
    known = study.stacks[stack]
    names = known.samples[:: ceil(len(known.samples) / MOST_TILES)]
    parts, blocks, pixels = [], set(), 0
    for sample in names:
        grid = study.grids[sample]
        tiles = grid.scattered(max(MOST_TILES // len(names), 1))
        own = {block for tile in tiles for block in grid.blocks_of(grid.tile_region(tile))}
        blocks |= {study.block_of(sample, block) for block in own}
        pixels += len(tiles) * prod(grid.sides)
        places = [[tile.z, tile.row, tile.column] for tile in tiles]
        parts.append(reads.part(study, sample, "0/0/0", tiles=places))
    needed = [block for block in study.blocks(stack) if block in blocks]
    has_colors = study.is_color(stack) and study.dtype(stack) != "uint8"
    grey, color = paths.IMAGE + paths.BLOCK, paths.COLOR + paths.COLOR_BLOCK
    return Contrast(
        parts=parts,
        images=paths.of_blocks(grey, needed, stack=stack, level=0),
        colors=paths.of_blocks(color, needed if has_colors else [], stack=stack, level=0),
        rois=reads.rois(study, stack, needed),
        blocks=needed,
        step=ceil(sqrt(pixels / MOST_PIXELS)),
        dtype=study.dtype(stack),
        need=resources.by_strips(study, stack, workers=1),
    )


def files(study: Study) -> list[str]:
    """What the jobs write, stack by stack."""
    return [paths.CONTRAST.format(stack=stack) for stack in study.stacks]
