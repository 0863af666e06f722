"""Count the grey levels of a block's annotated tiles, apart by their truth."""

import math
from itertools import chain

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score.patches import patches
from tilewise.segment.filtered import Filtered
from tilewise.segment.level_histograms import levels_of
from tilewise.store.blocks import BlockReader, each_strip, strips
from tilewise.store.grid import crop, grid_of, runs_of
from tilewise.store.layout import layout_of
from tilewise.store.levels import pack

job.start(snakemake)
params = snakemake.params
(part,) = params.parts
grid, block = grid_of(part["grid"]), part["block"]
files = dict(zip(params.blocks, snakemake.input.pixels, strict=True))
reader = BlockReader(files, grid, layout_of(grid, params.dtype, codec=params.codec))
truth = BlockReader({block: snakemake.input.truth}, grid, layout_of(grid, "uint8", NOT_ANNOTATED))
filtered = Filtered(reader, params.steps, grid, params.dtype)


annotated = list(filter(truth.is_stored, grid.tiles(block)))


def count(tile, pixels):
    known, region = truth.tile(tile), grid.tile_region(tile)
    place = tile.z, region.y0, region.x0
    found = [((*place, -1), levels_of(pixels, known))]
    if params.margin is not None:
        for number, patch in enumerate(patches(known.shape, params.margin)):
            found.append(((*place, number), levels_of(pixels[patch], known[patch])))
    return [(where, levels) for where, levels in found if levels.values.size]


def work(region):
    tiles = [tile for tile in annotated if grid.tile_region(tile).intersects(region)]
    if not tiles:
        return []
    pixels = filtered.read(region)
    inside = [(tile, crop(pixels, region, grid.tile_region(tile))) for tile in tiles]
    return [found for tile, own in inside for found in count(tile, own)]


is_whole = filtered.reach == math.inf
regions = list(strips(grid, block, math.inf) if is_whole else runs_of(annotated, grid))
tiles = chain.from_iterable(each_strip(work, regions, snakemake.threads)) if regions else ()
np.savez_compressed(snakemake.output.levels, **pack(list(tiles)))
