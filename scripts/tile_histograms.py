"""Count the grey levels of a block's annotated tiles, apart by their truth."""

from itertools import chain

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score.patches import patches
from tilewise.segment.class_histogram import class_histogram
from tilewise.segment.filtered import FilteredBlocks
from tilewise.store.blocks import each_strip, open_blocks
from tilewise.store.class_histograms import pack
from tilewise.store.grid import crop, runs_of
from tilewise.store.parts import each_part, parts_of

job.start(snakemake)
given, params = snakemake.input, snakemake.params
parts = parts_of(params.parts)
grid, block = parts[0].grid, snakemake.wildcards.block
paths = given.pixels, given.rois, params.blocks
kinds = params.codec, given.colors, given.sources, params.arrays
images = FilteredBlocks(*paths, grid, params.dtype, *kinds)
truths = open_blocks([given.truth], [block], grid, "uint8", fill=NOT_ANNOTATED)


def count(part, threads):
    """ClassHistogram of a sample's annotated tiles, each with its place."""
    grid, truth = part.grid, truths.of(part)
    filtered = images.of(part, params.steps)
    annotated = dict.fromkeys(filter(truth.is_stored, grid.tiles(part.block)))

    def work(region):
        pixels, counted = filtered.read(region), []
        for tile in filter(annotated.__contains__, grid.tiles_in(region)):
            inner, known = grid.tile_region(tile), truth.tile(tile)
            cuts = () if params.margin is None else patches(known.shape, params.margin)
            for number, cut in [(-1, np.s_[:, :]), *enumerate(cuts)]:
                levels = class_histogram(crop(pixels, region, inner)[cut], known[cut])
                if levels.values.size:
                    counted.append(((part.sample, tile.z, inner.y0, inner.x0, number), levels))
        return counted

    return chain.from_iterable(each_strip(work, runs_of(annotated, grid, filtered.reach), threads))


tiles = chain.from_iterable(each_part(count, parts, snakemake.threads))
np.savez_compressed(snakemake.output.histograms, **pack(list(tiles)))
