"""Compare a block's mask with its truth, tile by tile."""

from itertools import chain

from tilewise import job
from tilewise.blocks import BlockReader, BlockWriter, each_strip, strips
from tilewise.grid import grid_of
from tilewise.labels import NOT_ANNOTATED
from tilewise.layouts import layout_of
from tilewise.tables import write_rows
from tilewise.validation import COLUMNS, confusion_map, count, score

job.start(snakemake)
wildcards = snakemake.wildcards
grid, block = grid_of(snakemake.params.grid), wildcards.block
masks = layout_of(grid, "uint8")
truth = BlockReader({block: snakemake.input.truth}, grid, layout_of(grid, "uint8", NOT_ANNOTATED))
mask = BlockReader({block: snakemake.input.mask}, grid, masks)
names = {"sample": wildcards.sample, "method": wildcards.method}
with BlockWriter(snakemake.output.confusion, block, grid, masks) as writer:

    def work(strip):
        rows = []
        for tile in filter(truth.is_stored, grid.tiles_in(strip)):
            region = grid.tile_region(tile)
            codes = confusion_map(truth.tile(tile), mask.tile(tile))
            counts = count(codes)
            if any(counts.values()):
                writer.write(region, codes)
                place = {"tile": tile.name, "z": tile.z, "y": region.y0, "x": region.x0}
                rows.append({**names, **place, **score(counts)})
        return rows

    rows = each_strip(work, strips(grid, block), snakemake.threads)
write_rows(snakemake.output.metrics, COLUMNS, chain.from_iterable(rows))
