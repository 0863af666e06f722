"""Add up the histograms of a sample's blocks and decide on the threshold of the whole."""

import numpy as np

from tilewise import job
from tilewise.segment.segmenters import Segmenter, decide, row
from tilewise.tables import write_rows

job.start(snakemake)
segmenter = Segmenter(**snakemake.params.segmenter)
total = 0
for path in snakemake.input.histograms:
    with np.load(path) as part:
        total, centers = total + part["counts"], part["centers"]
decision = decide(total, centers, segmenter.threshold, segmenter.settings, segmenter.foreground)
fields = row(decision)
write_rows(snakemake.output.threshold, fields, [fields])
