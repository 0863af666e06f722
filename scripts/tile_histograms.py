"""Count the grey levels of a block's annotated tiles, apart by their truth."""

from itertools import chain
from math import prod

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score.patches import patches
from tilewise.segment.class_histogram import class_histogram
from tilewise.segment.filtered import FilteredBlocks
from tilewise.store import class_histograms
from tilewise.store.blocks import open_blocks, strips
from tilewise.store.grid import crop, runs_of
from tilewise.store.parts import each_strip_of, parts_of

job.start(snakemake)
given, params = snakemake.input, snakemake.params
parts = parts_of(params.parts)
grid, block = parts[0].grid, snakemake.wildcards.block
paths = given.pixels, given.rois, params.blocks
kinds = params.codec, given.colors, given.sources, params.arrays
images = FilteredBlocks(*paths, grid, params.dtype, *kinds)
truths = open_blocks([given.truth], [block], grid, "uint8", fill=NOT_ANNOTATED)


def open_part(part):
    """What counts the annotated tiles of a region of a sample, each with its place; the regions."""
    grid, truth = part.grid, truths.of(part)
    filtered = images.of(part, params.steps)
    annotated = dict.fromkeys(filter(truth.is_stored, grid.tiles(part.block)))

    def count(region):
        pixels, counted = filtered.read(region), []
        for tile in filter(annotated.__contains__, grid.tiles_in(region)):
            inner, known = grid.tile_region(tile), truth.tile(tile)
            cuts = () if params.margin is None else patches(known.shape, params.margin)
            for number, cut in [(-1, np.s_[:, :]), *enumerate(cuts)]:
                levels = class_histogram(crop(pixels, region, inner)[cut], known[cut])
                if levels.values.size:
                    counted.append(((part.sample, tile.z, inner.y0, inner.x0, number), levels))
        return counted

    return count, runs_of(annotated, grid, filtered.reach)


reach = images.of(parts[0], params.steps).reach
largest = [part.grid.around(next(strips(part.grid, part.block)), reach) for part in parts]
pixels = max(prod(region.shape) for region in largest)
with class_histograms.Writer(snakemake.output.histograms) as file:
    for place, levels in chain.from_iterable(
        each_strip_of(open_part, parts, pixels, snakemake.threads)
    ):
        file.add(place, levels)
