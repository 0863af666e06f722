"""Turn the annotators' votes in a block into one truth."""

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score import annotators
from tilewise.store.blocks import BlockReader, each_strip, strips
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.store.pyramid import LevelsWriter, nearest

job.start(snakemake)
(part,) = snakemake.params.parts
grid, block = grid_of(part["grid"]), part["block"]
layout = layout_of(grid, "uint8", NOT_ANNOTATED)
truths = [BlockReader({block: path}, grid, layout) for path in snakemake.input.annotators]
table = np.load(snakemake.input.table)
paths, threads = snakemake.output.truth, snakemake.threads
with LevelsWriter(paths, block, grid, layout, nearest, threads) as writer:

    def work(strip):
        found = annotators.patterns([truth.read(strip) for truth in truths])
        writer.write(strip, annotators.apply(table, found))

    each_strip(work, strips(grid, block), threads)
