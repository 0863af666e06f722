"""Say which model of a method is trained without which annotated tile."""

from tilewise import job
from tilewise.decide import model_folds
from tilewise.decide.folds import Folds
from tilewise.learn.assignment import COLUMNS
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params
folds = Folds.from_rows(read_rows(given.folds))
rows = model_folds.assign(folds, params.samples, params.number)
write_rows(snakemake.output.places, COLUMNS, rows)
