"""Find the least and the greatest pixel of a block."""

from tilewise import job
from tilewise.segment.extent import extent
from tilewise.segment.filtered import FilteredBlocks
from tilewise.store.parts import parts_of
from tilewise.tables import write_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params
(part,) = parts_of(params.parts)
paths = given.pixels, given.rois, params.blocks
kinds = params.codec, given.colors, given.sources, params.arrays
pixels = FilteredBlocks(*paths, part.grid, params.dtype, *kinds)
filtered = pixels.of(part, params.steps)
low, high = extent(filtered, part, snakemake.threads)
write_rows(snakemake.output.extent, ("low", "high"), [{"low": low, "high": high}])
