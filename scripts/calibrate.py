"""Take a method's threshold from annotated tiles: from all, and without those of each fold."""

from tilewise import job
from tilewise.decide import cross_validation, places, units
from tilewise.segment.class_histogram import histogram
from tilewise.segment.segmenters import Segmenter
from tilewise.segment.thresholds import COLUMNS
from tilewise.store.class_histograms import merge
from tilewise.tables import write_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params
settings = params.decision
histograms = places.read_histograms(given.histograms, params.filters)
rows = []
for variant in params.variants:
    segmenter = Segmenter(**variant["segmenter"])
    every = histograms[variant["filter"]].items()
    tiles = {place: counts for place, counts in every if place.sample in params.samples}
    _, unit_of = units.assign(tiles, params.groups, settings["unit"], settings["plane_gap"])
    trainings = {"all": [place for place in tiles if not place.patch]}
    trainings |= cross_validation.training_places(unit_of, settings["folds"])
    for fold, training in trainings.items():
        counts = histogram(merge([tiles[place] for place in training]), params.dtype)
        threshold = segmenter.find_threshold(*counts)
        rows.append({"variant": variant["name"], "fold": fold, **threshold.to_row()})
write_rows(snakemake.output.calibration, ("variant", "fold", *COLUMNS), rows)
