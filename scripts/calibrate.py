"""Take a method's threshold from annotated tiles: from all, and without those of each fold."""

import numpy as np

from tilewise import job
from tilewise.decide import inference, units
from tilewise.segment.class_histogram import histogram
from tilewise.segment.segmenters import Segmenter
from tilewise.store.class_histograms import merge, unpack
from tilewise.tables import write_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params
rule = params.decision
found = {}
for source, path in zip(params.filters, given.histograms, strict=True):
    with np.load(path) as packed:
        for (sample, z, y, x, patch), levels in unpack(packed):
            if sample in params.samples:
                place = units.Place(sample, z, y, x, "" if patch < 0 else str(patch))
                found.setdefault(source, {})[place] = levels

rows = []
for variant in params.variants:
    segmenter = Segmenter(**variant["segmenter"])
    tiles = found[variant["filter"]]
    _, unit_of = units.assign(tiles, params.groups, rule["unit"], rule["plane_gap"])
    names = sorted(set(unit_of.values()))
    folds = dict(zip(names, inference.folds(names, rule["folds"]), strict=True))
    trainings = {"all": [levels for place, levels in tiles.items() if not place.patch]}
    if len(names) > 1:
        for fold in sorted(set(folds.values())):
            training = [tiles[place] for place, unit in unit_of.items() if folds[unit] != fold]
            trainings[str(fold)] = training
    for fold, parts in trainings.items():
        threshold = segmenter.find_threshold(*histogram(merge(parts), params.dtype))
        rows.append({"variant": variant["name"], "fold": fold, **threshold.to_row()})
columns = ("variant", "fold", "threshold", "separability", "contrast", "note")
write_rows(snakemake.output.calibration, columns, rows)
