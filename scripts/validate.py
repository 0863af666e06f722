"""Compare a block's mask with its truth, tile by tile."""

from tilewise import job
from tilewise.blocks import BlockReader, BlockWriter
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
rows = []
with BlockWriter(snakemake.output.confusion, block, grid, masks) as writer:
    for tile in grid.tiles(block):
        if not truth.is_stored(tile):
            continue
        region = grid.tile_region(tile)
        codes = confusion_map(truth.tile(tile), mask.tile(tile))
        counts = count(codes)
        if not any(counts.values()):
            continue
        writer.write(region, codes)
        place = {"tile": tile.name, "z": tile.z, "y": region.y0, "x": region.x0}
        names = {"sample": wildcards.sample, "method": wildcards.method}
        rows.append({**names, **place, **score(counts)})
write_rows(snakemake.output.metrics, COLUMNS, rows)
