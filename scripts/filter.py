"""Apply a filter's steps to a block, strip by strip with what they reach around it."""

import math

from tilewise import job
from tilewise.segment.filtered import Filtered
from tilewise.store.blocks import BlockReader, BlockWriter, each_strip, strips
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of

job.start(snakemake)
params = snakemake.params
(part,) = params.parts
grid, block = grid_of(part["grid"]), part["block"]
files = dict(zip(params.blocks, snakemake.input.image, strict=True))
image = BlockReader(files, grid, layout_of(grid, params.dtype))
filtered = Filtered(image, params.steps, grid, params.dtype)
layout = layout_of(grid, params.dtype, codec=params.codec)
with BlockWriter(snakemake.output.filtered, block, grid, layout) as writer:
    whole = math.inf if filtered.reach == math.inf else None
    each_strip(
        lambda strip: writer.write(strip, filtered.read(strip)),
        strips(grid, block, whole),
        snakemake.threads,
    )
