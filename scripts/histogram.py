"""Count the grey levels of a block."""

import numpy as np

from tilewise import job
from tilewise.segment import sample_histogram
from tilewise.segment.filtered import Filtered
from tilewise.store.blocks import open_blocks
from tilewise.store.parts import parts_of
from tilewise.tables import read_each

job.start(snakemake)
params = snakemake.params
(part,) = parts_of(params.parts)
given = snakemake.input.pixels, params.blocks
pixels = open_blocks(*given, part.grid, params.dtype, codec=params.codec)
filtered = Filtered(pixels.of(part), params.steps, part.grid, params.dtype)
extents = list(read_each(snakemake.input.extents))
lows, highs = ([float(extent[end]) for extent in extents] for end in ("low", "high"))
bounds = (min(lows), max(highs)) if extents else None
counts, centers = sample_histogram.count(filtered, part, snakemake.threads, bounds)
np.savez(snakemake.output.histogram, counts=counts, centers=centers)
