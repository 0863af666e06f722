"""Compare a block's mask with its truth, tile by tile."""

from itertools import chain

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score import score_table, scoring
from tilewise.score.confusion import confusion_map
from tilewise.store.blocks import Blocks, each_strip, strips
from tilewise.store.layout import layout_of
from tilewise.store.parts import each_part, parts_of
from tilewise.store.pyramid import LevelsWriter, nearest
from tilewise.tables import write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
parts, threads, wildcards = parts_of(params.parts), snakemake.threads, snakemake.wildcards
grid, block = parts[0].grid, wildcards.block
layout = layout_of(grid, "uint8")
truths = Blocks({block: given.truth}, layout_of(grid, "uint8", NOT_ANNOTATED))
masks = Blocks({block: given.mask}, layout)


def score(part, threads):
    """Draw a sample's confusion maps, and give the rows of its tiles."""
    grid, truth, mask = part.grid, truths.of(part), masks.of(part)
    settings = params.scoring | {"spacing": part.settings["spacing"]}
    names = {"sample": part.sample, "method": wildcards.method}

    def work(strip):
        rows = []
        for tile in filter(truth.is_stored, grid.tiles_in(strip)):
            region = grid.tile_region(tile)
            known, found = truth.tile(tile), mask.tile(tile)
            place = {"tile": tile.name, "z": tile.z, "y": region.y0, "x": region.x0}
            codes = confusion_map(known, found)
            scores = scoring.score_tile(known, found, settings, codes)
            if scores:
                writer.write(part, region, codes)
                rows += [{**names, **place, **fields} for fields in scores]
        return rows

    return chain.from_iterable(each_strip(work, strips(grid, part.block), threads))


with LevelsWriter(output.confusion, block, layout, parts, nearest, threads) as writer:
    rows = each_part(score, parts, threads)
columns = score_table.columns(params.scoring["metrics"])
write_rows(output.metrics, columns, chain.from_iterable(rows))
