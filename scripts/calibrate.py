"""Take a method's threshold from annotated tiles: from all, and without those of each fold."""

from tilewise import job
from tilewise.decide import places
from tilewise.decide.folds import Folds
from tilewise.segment.class_histogram import histogram
from tilewise.segment.segmenters import Segmenter
from tilewise.segment.thresholds import COLUMNS
from tilewise.store.class_histograms import merge
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params
folds = Folds.from_rows(read_rows(given.folds))
histograms = places.read_histograms(given.histograms, params.filters)
rows = []
for variant in params.variants:
    segmenter, dtype = Segmenter(**variant["segmenter"]), params.dtypes[variant["filter"]]
    every = histograms[variant["filter"]].items()
    tiles = {place: counts for place, counts in every if place.sample in params.samples}
    own = folds.within(tiles)
    trainings = {"all": [place for place in own.places if not place.patch], **own.training()}
    for fold, training in trainings.items():
        counts = histogram(merge([tiles[place] for place in training]), dtype)
        threshold = segmenter.find_threshold(*counts)
        rows.append({"variant": variant["name"], "fold": fold, **threshold.to_row()})
write_rows(snakemake.output.calibration, ("variant", "fold", *COLUMNS), rows)
