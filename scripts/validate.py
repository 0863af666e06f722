"""Compare a block's mask with its truth, tile by tile."""

from itertools import chain

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score import score_table, scoring
from tilewise.score.confusion import confusion_map
from tilewise.store.blocks import BlockReader, each_strip, strips
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.store.pyramid import LevelsWriter, nearest
from tilewise.tables import write_rows

job.start(snakemake)
params, threads = snakemake.params, snakemake.threads
(part,) = params.parts
grid, block = grid_of(part["grid"]), part["block"]
masks = layout_of(grid, "uint8")
truth = BlockReader({block: snakemake.input.truth}, grid, layout_of(grid, "uint8", NOT_ANNOTATED))
mask = BlockReader({block: snakemake.input.mask}, grid, masks)
names = {"sample": part["sample"], "method": snakemake.wildcards.method}
with LevelsWriter(snakemake.output.confusion, block, grid, masks, nearest, threads) as writer:

    def work(strip):
        rows = []
        for tile in filter(truth.is_stored, grid.tiles_in(strip)):
            region = grid.tile_region(tile)
            known, found = truth.tile(tile), mask.tile(tile)
            place = {"tile": tile.name, "z": tile.z, "y": region.y0, "x": region.x0}
            codes = confusion_map(known, found)
            scores = scoring.score_tile(known, found, params.scoring, codes)
            if scores:
                writer.write(region, codes)
                rows += [{**names, **place, **fields} for fields in scores]
        return rows

    rows = each_strip(work, strips(grid, block), threads)
columns = score_table.columns(params.scoring["metrics"])
write_rows(snakemake.output.metrics, columns, chain.from_iterable(rows))
