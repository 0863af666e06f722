"""Find the least and the greatest pixel of a block."""

from tilewise import job
from tilewise.segment import sample_histogram
from tilewise.segment.filtered import Filtered
from tilewise.store.blocks import BlockReader
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.tables import write_rows

job.start(snakemake)
params = snakemake.params
(part,) = params.parts
grid, block = grid_of(part["grid"]), part["block"]
files = dict(zip(params.blocks, snakemake.input.pixels, strict=True))
reader = BlockReader(files, grid, layout_of(grid, params.dtype, codec=params.codec))
filtered = Filtered(reader, params.steps, grid, params.dtype)
low, high = sample_histogram.extent(filtered, grid, block, snakemake.threads)
write_rows(snakemake.output.extent, ("low", "high"), [{"low": low, "high": high}])
