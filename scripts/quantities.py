"""Estimate the fraction of foreground of samples and groups over all of their tiles."""

import json
from pathlib import Path

from tilewise import job
from tilewise.decide.drawn_tiles import Sample, held_out, read_samples
from tilewise.decide.quantities import COLUMNS, GROUP_COLUMNS, Settings, quantities
from tilewise.tables import read_each, read_rows, write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params


def read_json(path):
    """What a checkpoint chose."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


method = read_json(given.decided[0])["method"] if given.decided else params.methods[0]
folds = list(read_each(given.folds))
if method in params.swept:
    number = params.swept.index(method)
    variants = {row["fold"]: row["variant"] for row in read_rows(given.tried_folds[number])}
    tried = (row for row in read_each(given.sweeps) if row["method"] == method)
    annotated = held_out(tried, folds, variants, read_json(given.choices[number])["variant"])
else:
    annotated = ((row, True) for row in read_each(given.metrics) if row["method"] == method)
label = params.label or method
segmented = (row for row in read_each(given.thresholds) if row["method"] == label)
known = (Sample(**sample) for sample in params.samples)
samples = read_samples(known, segmented, annotated, folds)
rows, differences = quantities(samples, method, Settings(**params.settings))
write_rows(output.quantities, COLUMNS, rows)
write_rows(output.groups, GROUP_COLUMNS, differences)
