"""Measure the quality of every tile of a block."""

from itertools import chain

from tilewise import job
from tilewise.quality.feature_names import FEATURES
from tilewise.quality.features import features
from tilewise.store.blocks import Blocks, each_strip, strips
from tilewise.store.layout import layout_of
from tilewise.store.parts import each_part, parts_of
from tilewise.tables import write_rows

job.start(snakemake)
params = snakemake.params
parts = parts_of(params.parts)
files = {snakemake.wildcards.block: snakemake.input.image[0]}
images = Blocks(files, layout_of(parts[0].grid, params.dtype))


def measure(part, threads):
    """Rows of a sample's tiles."""
    grid, image = part.grid, images.of(part)

    def work(strip):
        rows = []
        for tile in grid.tiles_in(strip):
            region = grid.tile_region(tile)
            place = {"tile": tile.name, "z": tile.z, "y": region.y0, "x": region.x0}
            rows.append({"sample": part.sample, **place, **features(image.tile(tile))})
        return rows

    return chain.from_iterable(each_strip(work, strips(grid, part.block), threads))


rows = each_part(measure, parts, snakemake.threads)
columns = ("sample", "tile", "z", "y", "x", *FEATURES)
write_rows(snakemake.output.features, columns, chain.from_iterable(rows))
