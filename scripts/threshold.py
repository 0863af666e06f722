"""Decide on each tile's threshold and write the mask of a block."""

import math
from itertools import chain

from tilewise import job
from tilewise.blocks import BlockReader, BlockWriter, crop, each_strip, strips
from tilewise.filters import apply_chain, chain_reach, parse_chain
from tilewise.grid import grid_of
from tilewise.layouts import layout_of
from tilewise.segmentation import COLUMNS, Segmenter, decide_tiles, fraction, from_row, row, segment
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
params, wildcards = snakemake.params, snakemake.wildcards
grid, block = grid_of(params.grid), wildcards.block
segmenter = Segmenter(**params.segmenter)
sample = None
if snakemake.input.sample_threshold:
    sample = from_row(read_rows(snakemake.input.sample_threshold[0])[0])

files = dict(zip(params.blocks, snakemake.input.pixels, strict=True))
reader = BlockReader(files, grid, layout_of(grid, params.dtype, codec=params.codec))
steps = parse_chain(params.steps)
reach = chain_reach(steps, params.dtype)
whole = math.inf if segmenter.reach + reach == math.inf else None
with BlockWriter(snakemake.output.mask, block, grid, layout_of(grid, "uint8")) as writer:

    def work(strip):
        outer = grid.around(strip, segmenter.reach)
        surroundings = grid.around(outer, reach)
        pixels = crop(apply_chain(reader.read(surroundings), steps), surroundings, outer)
        decisions = decide_tiles(pixels, outer, grid, segmenter, sample)
        mask = crop(segment(pixels, outer, grid, segmenter, decisions), outer, strip)
        writer.write(strip, mask)
        names = {"sample": wildcards.sample, "method": wildcards.method}
        scope = "pixel" if segmenter.is_local else segmenter.scope
        return [
            {
                **names,
                "tile": tile.name,
                "scope": scope,
                "foreground": fraction(crop(mask, strip, grid.tile_region(tile))),
                **row(decisions[tile]),
            }
            for tile in grid.tiles_in(strip)
        ]

    rows = each_strip(work, strips(grid, block, whole), snakemake.threads)
write_rows(snakemake.output.thresholds, COLUMNS, chain.from_iterable(rows))
