"""Choose a method's parameters on the annotated tiles, and again without those of each fold."""

import json
from pathlib import Path

from tilewise import frames, job
from tilewise.decide import selection
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.folds import Folds
from tilewise.decide.selection import Trials
from tilewise.score import score_table
from tilewise.tables import read_each, read_rows, write_rows

PLACE = "sample", "z", "y", "x", "patch"
job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
folds = Folds.from_rows(read_rows(given.folds))
columns = CountColumns(params.metrics, folds.is_weighted)
names = "variant", "fold", *PLACE, *columns.names
read = [name for name in score_table.columns(params.metrics) if name in names]
table = frames.read(given.scores, [*names[:2], *read], score_table.kinds(params.metrics))
trials = Trials.of(params.variants, frames.in_order(table, params.samples), folds, columns)
by = columns.merit(params.decision["metric"]), params.decision["average"]
method, is_trained = snakemake.wildcards.method, params.is_trained
chosen = selection.select(method, trials, columns, *by, is_trained=is_trained)
write_rows(output.units, selection.unit_columns(columns), trials.to_rows(columns))
write_rows(output.folds, selection.FOLD_COLUMNS, chosen.fold_rows)
write_rows(output.sweep, selection.sweep_columns(columns), chosen.sweep_rows)
choice = {"variant": chosen.variant}
for row in read_each(given.calibration):
    if (row["variant"], row["fold"]) == (chosen.variant, selection.ALL):
        choice["calibration"] = row
Path(output.choice).write_text(json.dumps(choice, indent=1) + "\n", encoding="utf-8")
