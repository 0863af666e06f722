"""Count the grey levels of a block."""

import numpy as np

from tilewise import job
from tilewise.segment.global_thresholds import histogram
from tilewise.store.blocks import BlockReader, each_strip, strips
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.tables import read_rows

job.start(snakemake)
params = snakemake.params
grid, block = grid_of(params.grid), snakemake.wildcards.block
extents = [read_rows(path)[0] for path in snakemake.input.extents]
bounds = {}
if extents:
    bounds["low"] = min(float(extent["low"]) for extent in extents)
    bounds["high"] = max(float(extent["high"]) for extent in extents)

reader = BlockReader(
    {block: snakemake.input.pixels[0]}, grid, layout_of(grid, params.dtype, codec=params.codec)
)
parts = each_strip(
    lambda strip: histogram(reader.read(strip), **bounds), strips(grid, block), snakemake.threads
)
np.savez(snakemake.output.histogram, counts=sum(counts for counts, _ in parts), centers=parts[0][1])
