"""Bring together what is known of every tile, and find those most worth annotating."""

from itertools import chain

from tilewise import job
from tilewise.quality import tile_table
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params


def all_rows(paths):
    """Rows of several tables, one after the other."""
    return chain.from_iterable(map(read_rows, paths))


tiles = tile_table.join(
    all_rows(given.features),
    all_rows(given.thresholds),
    all_rows(given.agreement),
    {(row["sample"], row["tile"]) for row in all_rows(given.metrics)},
)
every, following = [], []
for sample in params.samples:
    rows, most_worth = tile_table.judge(tiles[sample], params.limits, params.exclude, params.number)
    every += rows
    following += most_worth
for path, columns, rows in (
    (output.quality, tile_table.QUALITY, every),
    (output.trust, tile_table.TRUST, every),
    (output.next, tile_table.NEXT, following),
):
    write_rows(path, columns, ({name: row.get(name) for name in columns} for row in rows))
