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

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
parts, threads, wildcards = parts_of(params.parts), snakemake.threads, snakemake.wildcards
grid, block = parts[0].grid, wildcards.block
layout = layout_of(grid, "uint8")
truths = Blocks({block: given.truth}, layout_of(grid, "uint8", NOT_ANNOTATED))
masks = Blocks({block: given.mask}, layout)


def compare(part, threads):
    """Draw a sample's confusion maps, and count those of its tiles."""
    grid, truth, mask = part.grid, truths.of(part), masks.of(part)
    settings = params.scoring | {"spacing": part.settings["spacing"]}

    def work(strip):
        rows = []
        for tile in filter(truth.is_stored, grid.tiles_in(strip)):
            known, predicted = truth.tile(tile), mask.tile(tile)
            codes = confusion_map(known, predicted)
            counts = scoring.count_tile(known, predicted, settings, codes, grid.is_sliver(tile))
            if counts:
                writer.write(part, grid.tile_region(tile), codes)
            names = {"sample": part.sample, "method": wildcards.method, **grid.place(tile)}
            rows += [names | fields for fields in counts]
        return rows

    return chain.from_iterable(each_strip(work, strips(grid, part.block), threads))


with LevelsWriter(output.confusion, block, layout, parts, nearest, threads) as writer:
    rows = chain.from_iterable(each_part(compare, parts, threads))
score_table.write_scores(output.metrics, rows, params.scoring["metrics"])
