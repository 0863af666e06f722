"""Find the least and the greatest pixel of a block."""

from tilewise import job
from tilewise.segment import sample_histogram
from tilewise.segment.filtered import Filtered
from tilewise.store.blocks import Blocks
from tilewise.store.layout import layout_of
from tilewise.store.parts import parts_of
from tilewise.tables import write_rows

job.start(snakemake)
params = snakemake.params
(part,) = parts_of(params.parts)
files = dict(zip(params.blocks, snakemake.input.pixels, strict=True))
pixels = Blocks(files, layout_of(part.grid, params.dtype, codec=params.codec)).of(part)
filtered = Filtered(pixels, params.steps, part.grid, params.dtype)
low, high = sample_histogram.extent(filtered, part, snakemake.threads)
write_rows(snakemake.output.extent, ("low", "high"), [{"low": low, "high": high}])
