"""Count the grey levels of a block."""

import numpy as np

from tilewise import job
from tilewise.segment import sample_histogram
from tilewise.segment.filtered import Filtered
from tilewise.store.blocks import open_blocks
from tilewise.store.parts import parts_of
from tilewise.tables import read_rows

job.start(snakemake)
params = snakemake.params
(part,) = parts_of(params.parts)
given = snakemake.input.pixels, params.blocks
pixels = open_blocks(*given, part.grid, params.dtype, codec=params.codec)
filtered = Filtered(pixels.of(part), params.steps, part.grid, params.dtype)
extents = [read_rows(path)[0] for path in snakemake.input.extents]
bounds = None
if extents:
    bounds = (
        min(float(extent["low"]) for extent in extents),
        max(float(extent["high"]) for extent in extents),
    )
counts, centers = sample_histogram.count(filtered, part, snakemake.threads, bounds)
np.savez(snakemake.output.histogram, counts=counts, centers=centers)
