"""Count the grey levels of a block."""

import numpy as np

from tilewise import job
from tilewise.segment import sample_histogram
from tilewise.segment.filtered import Filtered
from tilewise.store.blocks import BlockReader
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.tables import read_rows

job.start(snakemake)
params = snakemake.params
(part,) = params.parts
grid, block = grid_of(part["grid"]), part["block"]
files = dict(zip(params.blocks, snakemake.input.pixels, strict=True))
reader = BlockReader(files, grid, layout_of(grid, params.dtype, codec=params.codec))
filtered = Filtered(reader, params.steps, grid, params.dtype)
extents = [read_rows(path)[0] for path in snakemake.input.extents]
bounds = None
if extents:
    bounds = (
        min(float(extent["low"]) for extent in extents),
        max(float(extent["high"]) for extent in extents),
    )
counts, centers = sample_histogram.count(filtered, grid, block, snakemake.threads, bounds)
np.savez(snakemake.output.histogram, counts=counts, centers=centers)
