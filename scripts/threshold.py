"""Decide on each tile's threshold and write the mask of a block."""

import math

import numpy as np

from tilewise import job
from tilewise.blocks import BlockReader, BlockWriter, crop, strips
from tilewise.grid import grid_of
from tilewise.layouts import layout_of
from tilewise.segmentation import COLUMNS, Segmenter, decide_tiles, from_row, row, segment
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
rows = []
with BlockWriter(snakemake.output.mask, block, grid, layout_of(grid, "uint8")) as writer:
    for strip in strips(grid, block, math.inf if segmenter.reach == math.inf else None):
        outer = grid.around(strip, segmenter.reach)
        pixels = reader.read(outer)
        decisions = decide_tiles(pixels, outer, grid, segmenter, sample)
        mask = crop(segment(pixels, outer, grid, segmenter, decisions), outer, strip)
        writer.write(strip, mask)
        for tile in grid.tiles_in(strip):
            of_tile = crop(mask, strip, grid.tile_region(tile))
            rows.append(
                {
                    "sample": wildcards.sample,
                    "method": wildcards.method,
                    "tile": tile.name,
                    "scope": "pixel" if segmenter.is_local else segmenter.scope,
                    "foreground": np.count_nonzero(of_tile.view(bool)) / of_tile.size,
                    **row(decisions[tile]),
                }
            )
write_rows(snakemake.output.thresholds, COLUMNS, rows)
