"""Count the patterns of the annotators' votes in a block."""

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score import annotators
from tilewise.store.blocks import BlockReader, each_strip, strips
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of

job.start(snakemake)
grid, block = grid_of(snakemake.params.grid), snakemake.wildcards.block
layout = layout_of(grid, "uint8", NOT_ANNOTATED)
truths = [BlockReader({block: path}, grid, layout) for path in snakemake.input.annotators]


def work(strip):
    found = annotators.patterns([truth.read(strip) for truth in truths])
    return annotators.count_patterns(found, len(truths))


np.save(snakemake.output.votes, sum(each_strip(work, strips(grid, block), snakemake.threads)))
