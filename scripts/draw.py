"""Draw pixels of a block's annotated tiles, with their features, to train a classifier on."""

from itertools import chain

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.learn import drawn, features
from tilewise.learn.drawn import Drawn
from tilewise.segment.filtered import FilteredBlocks
from tilewise.store.blocks import each_strip, open_blocks
from tilewise.store.grid import runs_of
from tilewise.store.parts import each_part, parts_of

job.start(snakemake)
given, params = snakemake.input, snakemake.params
parts, names = parts_of(params.parts), params.names
grid, block = parts[0].grid, snakemake.wildcards.block
paths = given.pixels, given.rois, params.blocks
kinds = params.codec, given.colors, given.sources, params.arrays
images = FilteredBlocks(*paths, grid, params.dtype, *kinds)
truths = open_blocks([given.truth], [block], grid, "uint8", fill=NOT_ANNOTATED)
reach = features.reach(names)


def draw(part, threads):
    """Drawn pixels of a sample's annotated tiles."""
    grid, truth = part.grid, truths.of(part)
    filtered = images.of(part, params.steps)
    annotated = dict.fromkeys(filter(truth.is_stored, grid.tiles(part.block)))

    def work(region):
        for tile in filter(annotated.__contains__, grid.tiles_in(region)):
            inner = grid.tile_region(tile)
            outer, known = grid.around(inner, reach), truth.tile(tile)
            pixels, corner = filtered.read(outer), (part.sample, tile.z, inner.y0, inner.x0)
            place = drawn.draw(known, params.number, params.seed, corner)
            channels = pixels if pixels.ndim == 3 else [pixels]
            levels = tuple((float(own.min()), float(own.max())) for own in channels)
            y, x = inner.y0 - outer.y0, inner.x0 - outer.x0
            values = features.compute(
                pixels,
                names,
                features.scales_of(pixels.dtype, names, levels),
                origin=(outer.y0, outer.x0),
                window=(y, y + inner.shape[1], x, x + inner.shape[2]),
            )
            totals = np.array([np.count_nonzero(known == kind) for kind in (0, 1)])
            rows, columns = (axis.astype(np.int32) for axis in place)
            yield Drawn(
                *(corner, known.shape, totals, levels, rows, columns),
                *(known[place], values[:, rows, columns]),
            )

    regions = runs_of(annotated, grid, max(reach, filtered.reach))
    return chain.from_iterable(each_strip(lambda region: list(work(region)), regions, threads))


tiles = chain.from_iterable(each_part(draw, parts, snakemake.threads))
drawn.write(snakemake.output.drawn, list(tiles), len(names))
