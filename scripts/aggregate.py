"""Bring the rows of all blocks into one table and sum them up."""

import logging

from tilewise import aggregation, job, validation
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
order, metadata = snakemake.params.order, snakemake.params.metadata
rows = (row for path in snakemake.input.metrics for row in read_rows(path))
rows = aggregation.sort_rows(rows, order["samples"], order["methods"])
further = dict.fromkeys(column for columns in metadata.values() for column in columns)
for row in rows:
    row.update(metadata[row["sample"]])
write_rows(snakemake.output.metrics, [*validation.COLUMNS, *further], rows)

summary = aggregation.summarize(rows)
write_rows(snakemake.output.summary, aggregation.COLUMNS, summary)
for warning in dict.fromkeys(row["warning"] for row in summary if row["warning"]):
    logging.warning(warning)
