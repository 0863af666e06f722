"""Bring the rows of all blocks into one table and sum them up."""

import logging
from itertools import chain

from tilewise import job
from tilewise.decide.summary import COLUMNS, sort_rows, summarize, warnings_of
from tilewise.quality.flags import flags_of_tiles
from tilewise.score import error_table, score_table
from tilewise.tables import read_all, read_rows, write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
order, metadata = params.order, params.metadata


def all_rows(paths):
    """Rows of several tables, one after the other."""
    return chain.from_iterable(map(read_rows, paths))


def in_order(rows):
    """Rows in the order of the sheet and the configuration, the rest as they come."""
    rank = {kind: {name: i for i, name in enumerate(names)} for kind, names in order.items()}
    return sorted(
        rows, key=lambda row: (rank["samples"][row["sample"]], rank["methods"][row["method"]])
    )


flags = flags_of_tiles(all_rows(given.features), params.limits)
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
write_rows(output.metrics, [*columns, *further], rows)

summary = summarize(rows, params.chosen)
write_rows(output.summary, COLUMNS, summary)
for warning in warnings_of(summary):
    logging.warning(warning)

strata = in_order(error_table.sum_strata(all_rows(given.strata), rows) if given.strata else ())
write_rows(output.errors, error_table.STRATA_COLUMNS, strata)
differences = in_order(error_table.sum_differences(all_rows(given.differences)))
write_rows(output.differences, error_table.DIFFERENCE_COLUMNS, differences)

for path, columns, tables in (
    (output.agreement, score_table.AGREEMENT, given.agreements),
    (output.annotators, score_table.ANNOTATORS, given.annotators),
):
    write_rows(path, columns, read_all(tables, order["samples"]))
