"""Measure the quality of every tile of a block."""

from itertools import chain

from tilewise import job
from tilewise.quality.feature_names import FEATURES, PLACE
from tilewise.quality.features import features
from tilewise.store.blocks import each_strip, open_blocks, strips
from tilewise.store.parts import each_part, parts_of
from tilewise.tables import SLIVER, write_rows

job.start(snakemake)
params, block = snakemake.params, snakemake.wildcards.block
parts = parts_of(params.parts)
images = open_blocks(snakemake.input.image[:1], [block], parts[0].grid, params.dtype)


def measure(part, threads):
    """Rows of a sample's tiles."""
    grid, image = part.grid, images.of(part)

    def work(strip):
        return [
            {
                **{"sample": part.sample, **grid.place(tile)},
                **{"edge": SLIVER if grid.is_sliver(tile) else "", **features(image.tile(tile))},
            }
            for tile in grid.tiles_in(strip)
        ]

    return chain.from_iterable(each_strip(work, strips(grid, part.block), threads))


rows = each_part(measure, parts, snakemake.threads)
columns = (*PLACE, *FEATURES)
write_rows(snakemake.output.features, columns, chain.from_iterable(rows))
