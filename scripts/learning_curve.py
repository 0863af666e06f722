"""Score models that are trained on few units and on many."""

from tilewise import job
from tilewise.learn import drawn, learning_curve
from tilewise.learn.assignment import Assignment
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params
rows = learning_curve.curve(
    drawn.read(given.drawn),
    Assignment.from_rows(read_rows(given.places)),
    *(params.names, params.dtype, params.settings, params.margin, params.metric),
)
write_rows(snakemake.output.curve, learning_curve.COLUMNS, rows)
