"""Bring the rows of all blocks into one table and sum them up."""

import logging
from itertools import chain

from tilewise import job
from tilewise.decide.summary import COLUMNS, sort_rows, summarize
from tilewise.score import score_table
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params
order, metadata = params.order, params.metadata
flags = {
    (row["sample"], row["tile"]): row["flags"]
    for row in chain.from_iterable(map(read_rows, given.quality))
}
# spatial blocks of a tile are for choosing parameters only
rows = [
    row | {"extent": extent}
    for extent, paths in (("tile", given.metrics), (params.extent, given.structures))
    for path in paths
    for row in score_table.whole_tiles(read_rows(path))
]
rows = sort_rows(rows, order["samples"], order["methods"])
further = dict.fromkeys(column for columns in metadata.values() for column in columns)
for row in rows:
    del row["patch"]
    row.update(metadata[row["sample"]])
    row["estimate"] = "resubstitution" if row["method"] in params.tuned else "fixed"
    row["flags"] = flags.get((row["sample"], row["tile"]), "")
    is_excluded = set(row["flags"].split(";")) & set(params.exclude)
    row["excluded"] = "yes" if is_excluded else ""
columns = [name for name in score_table.columns(params.chosen) if name != "patch"]
columns += ["extent", "estimate", "flags", "excluded"]
write_rows(snakemake.output.metrics, [*columns, *further], rows)

summary = summarize(rows, params.chosen)
write_rows(snakemake.output.summary, COLUMNS, summary)
for warning in dict.fromkeys(row["warning"] for row in summary if row["warning"]):
    logging.warning(warning)
