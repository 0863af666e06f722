"""Choose a method's parameters on the annotated tiles, and again without those of each fold."""

import json
from pathlib import Path

from tilewise import job
from tilewise.decide import selection
from tilewise.decide.count_columns import CountColumns
from tilewise.quality.flags import excluded_tiles, flags_of_tiles
from tilewise.tables import read_all, read_each, write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
flags = flags_of_tiles(read_each(given.features), params.limits)
excluded = excluded_tiles(flags, params.exclude)
scores = read_all(given.scores, params.groups)
rows = [row for row in scores if (row["sample"], row["tile"]) not in excluded]
columns, method = CountColumns(params.metrics), snakemake.wildcards.method
chosen = selection.select(method, params.variants, rows, params.groups, columns, params.decision)
write_rows(output.units, selection.unit_columns(columns), chosen.unit_rows)
write_rows(output.sweep, selection.sweep_columns(columns), chosen.sweep_rows)
choice = {"variant": chosen.variant}
for row in read_each(given.calibration):
    if (row["variant"], row["fold"]) == (chosen.variant, "all"):
        choice["calibration"] = row
Path(output.choice).write_text(json.dumps(choice, indent=1) + "\n", encoding="utf-8")
