"""Compare the tiles of a sample with each other, and flag what stands out."""

from tilewise import job
from tilewise.quality.flags import flag
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
rows = [row for path in snakemake.input.features for row in read_rows(path)]
rows.sort(key=lambda row: tuple(int(row[axis]) for axis in "zyx"))
for row, flags in zip(rows, flag(rows, snakemake.params.thresholds), strict=True):
    row["flags"] = ";".join(flags)
write_rows(snakemake.output.quality, list(rows[0]), rows)
