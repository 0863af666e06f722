"""Take a method's threshold from annotated tiles: from all, and without those of each fold."""

from tilewise import job
from tilewise.decide import places
from tilewise.decide.folds import Folds
from tilewise.segment.class_histogram import histograms_of_sets
from tilewise.segment.segmenters import Segmenter
from tilewise.segment.thresholds import COLUMNS
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params
folds = Folds.from_rows(read_rows(given.folds))
own = folds.within({place for place in folds.places if place.sample in params.samples})
whole = [place for place in own.places if not place.patch]
trainings = {name: frozenset(known) for name, known in {"all": whole, **own.training()}.items()}
tiles = places.histograms_of(given.histograms, params.filters)
counts = {
    source: histograms_of_sets(tiles[source], trainings, params.dtypes[source])
    for source in dict.fromkeys(variant["filter"] for variant in params.variants)
}
rows = []
for variant in params.variants:
    segmenter = Segmenter(**variant["segmenter"])
    for fold in trainings:
        threshold = segmenter.find_threshold(*counts[variant["filter"]][fold])
        rows.append({"variant": variant["name"], "fold": fold, **threshold.to_row()})
write_rows(snakemake.output.calibration, ("variant", "fold", *COLUMNS), rows)
