"""Count the grey levels of a block's annotated tiles, apart by their truth."""

import math
from itertools import chain

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score.patches import patches
from tilewise.segment.class_histogram import class_histogram
from tilewise.segment.filtered import Filtered
from tilewise.store.blocks import each_strip, open_blocks, strips
from tilewise.store.class_histograms import pack
from tilewise.store.grid import crop, runs_of
from tilewise.store.parts import each_part, parts_of

job.start(snakemake)
given, params = snakemake.input, snakemake.params
parts = parts_of(params.parts)
grid, block = parts[0].grid, snakemake.wildcards.block
images = open_blocks(given.pixels, params.blocks, grid, params.dtype, codec=params.codec)
truths = open_blocks([given.truth], [block], grid, "uint8", fill=NOT_ANNOTATED)


def count(part, threads):
    """ClassHistogram of a sample's annotated tiles, each with its place."""
    grid, truth = part.grid, truths.of(part)
    filtered = Filtered(images.of(part), params.steps, grid, params.dtype)
    annotated = list(filter(truth.is_stored, grid.tiles(part.block)))

    def levels_in(tile, pixels):
        known, region = truth.tile(tile), grid.tile_region(tile)
        place = part.sample, tile.z, region.y0, region.x0
        found = [((*place, -1), class_histogram(pixels, known))]
        if params.margin is not None:
            for number, patch in enumerate(patches(known.shape, params.margin)):
                found.append(((*place, number), class_histogram(pixels[patch], known[patch])))
        return [(where, levels) for where, levels in found if levels.values.size]

    def work(region):
        tiles = [tile for tile in annotated if grid.tile_region(tile).intersects(region)]
        if not tiles:
            return []
        pixels = filtered.read(region)
        inside = [(tile, crop(pixels, region, grid.tile_region(tile))) for tile in tiles]
        return [found for tile, own in inside for found in levels_in(tile, own)]

    is_whole = filtered.reach == math.inf
    regions = list(strips(grid, part.block, math.inf) if is_whole else runs_of(annotated, grid))
    return chain.from_iterable(each_strip(work, regions, threads)) if regions else ()


tiles = chain.from_iterable(each_part(count, parts, snakemake.threads))
np.savez_compressed(snakemake.output.histograms, **pack(list(tiles)))
