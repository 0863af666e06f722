"""Bring together what is known of every tile, and find those most worth annotating."""

from tilewise import job
from tilewise.quality import random_tiles, tile_table
from tilewise.tables import read_each, write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params

tiles = tile_table.join(
    read_each(given.features),
    read_each(given.thresholds),
    read_each(given.agreement),
    {(row["sample"], row["tile"]) for row in read_each(given.metrics)},
)
every, following, drawn = [], [], []
for sample in params.samples:
    rows, most_worth = tile_table.judge(tiles[sample], params.limits, params.exclude, params.number)
    every += rows
    following += most_worth
    drawn += random_tiles.draw(rows, params.number, params.seed)
for path, columns, rows in (
    (output.quality, tile_table.QUALITY, every),
    (output.trust, tile_table.TRUST, every),
    (output.next, tile_table.NEXT, following),
    (output.random, random_tiles.RANDOM, drawn),
):
    write_rows(path, columns, ({name: row.get(name) for name in columns} for row in rows))
