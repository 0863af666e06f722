"""Apply a filter's steps to a block, strip by strip with what they reach around it."""

import math

from tilewise import job
from tilewise.segment.filters import apply_chain, chain_reach, parse_chain
from tilewise.store.blocks import BlockReader, BlockWriter, each_strip, strips
from tilewise.store.grid import crop, grid_of
from tilewise.store.layout import layout_of

job.start(snakemake)
params = snakemake.params
grid, block = grid_of(params.grid), snakemake.wildcards.block
steps = parse_chain(params.steps)
reach = chain_reach(steps, params.dtype)
files = dict(zip(params.blocks, snakemake.input.image, strict=True))

image = BlockReader(files, grid, layout_of(grid, params.dtype))
layout = layout_of(grid, params.dtype, codec=params.codec)
with BlockWriter(snakemake.output.filtered, block, grid, layout) as writer:

    def work(strip):
        outer = grid.around(strip, reach)
        writer.write(strip, crop(apply_chain(image.read(outer), steps), outer, strip))

    whole = math.inf if reach == math.inf else None
    each_strip(work, strips(grid, block, whole), snakemake.threads)
