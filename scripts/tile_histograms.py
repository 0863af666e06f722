"""Count the grey levels of a block's annotated tiles, apart by their truth."""

from itertools import chain

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score.patches import patches
from tilewise.segment.level_histograms import levels_of
from tilewise.segment.trials import Filtered, runs_of
from tilewise.store.blocks import BlockReader, each_strip
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.store.levels import pack

job.start(snakemake)
params = snakemake.params
grid, block = grid_of(params.grid), snakemake.wildcards.block
files = dict(zip(params.blocks, snakemake.input.image, strict=True))
image = BlockReader(files, grid, layout_of(grid, params.dtype))
truth = BlockReader({block: snakemake.input.truth}, grid, layout_of(grid, "uint8", NOT_ANNOTATED))
filtered = Filtered(image, params.steps, grid, params.dtype)


def count(tile):
    region = grid.tile_region(tile)
    pixels, known = filtered.read(region), truth.tile(tile)
    place = tile.z, region.y0, region.x0
    found = [((*place, -1), levels_of(pixels, known))]
    if params.margin is not None:
        for number, part in enumerate(patches(known.shape, params.margin)):
            found.append(((*place, number), levels_of(pixels[part], known[part])))
    return [(where, levels) for where, levels in found if levels.values.size]


def work(strip):
    return [found for tile in grid.tiles_in(strip) for found in count(tile)]


regions = runs_of(filter(truth.is_stored, grid.tiles(block)), grid)
tiles = chain.from_iterable(each_strip(work, regions, snakemake.threads)) if regions else ()
np.savez_compressed(snakemake.output.levels, **pack(list(tiles)))
