"""Count the grey levels of a block, and split each of its tiles."""

from tilewise import job
from tilewise.segment import sample_histogram
from tilewise.segment.filtered import FilteredBlocks
from tilewise.store.parts import parts_of
from tilewise.tables import read_each

job.start(snakemake)
given, params = snakemake.input, snakemake.params
(part,) = parts_of(params.parts)
paths = given.pixels, given.rois, params.blocks
kinds = params.codec, given.colors, given.sources, params.arrays
pixels = FilteredBlocks(*paths, part.grid, params.dtype, *kinds)
filtered = pixels.of(part, params.steps)
extents = list(read_each(given.extents))
lows, highs = ([float(extent[end]) for extent in extents] for end in ("low", "high"))
bounds = (min(lows), max(highs)) if extents else None
counted = sample_histogram.count(filtered, part, snakemake.threads, bounds)
counted.write(snakemake.output.histogram)
