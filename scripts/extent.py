"""Find the least and the greatest pixel of a block."""

from tilewise import job
from tilewise.segment import sample_histogram
from tilewise.segment.filtered import Filtered
from tilewise.store.blocks import open_blocks
from tilewise.store.parts import parts_of
from tilewise.tables import write_rows

job.start(snakemake)
params = snakemake.params
(part,) = parts_of(params.parts)
given = snakemake.input.pixels, params.blocks
pixels = open_blocks(*given, part.grid, params.dtype, codec=params.codec)
filtered = Filtered(pixels.of(part), params.steps, part.grid, params.dtype)
low, high = sample_histogram.extent(filtered, part, snakemake.threads)
write_rows(snakemake.output.extent, ("low", "high"), [{"low": low, "high": high}])
