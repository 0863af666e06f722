"""Measure the quality of every tile of a block."""

from itertools import chain

from tilewise import job
from tilewise.quality.feature_names import FEATURES
from tilewise.quality.features import features
from tilewise.store.blocks import BlockReader, each_strip, strips
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.tables import write_rows

job.start(snakemake)
params = snakemake.params
(part,) = params.parts
grid, block = grid_of(part["grid"]), part["block"]
image = BlockReader({block: snakemake.input.image[0]}, grid, layout_of(grid, params.dtype))


def work(strip):
    rows = []
    for tile in grid.tiles_in(strip):
        region = grid.tile_region(tile)
        place = {"tile": tile.name, "z": tile.z, "y": region.y0, "x": region.x0}
        rows.append({"sample": part["sample"], **place, **features(image.tile(tile))})
    return rows


rows = each_strip(work, strips(grid, block), snakemake.threads)
columns = ("sample", "tile", "z", "y", "x", *FEATURES)
write_rows(snakemake.output.features, columns, chain.from_iterable(rows))
