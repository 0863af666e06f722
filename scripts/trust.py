"""Bring together what is known of every tile, and find those most worth annotating."""

from itertools import chain
from statistics import median

from tilewise import job
from tilewise.quality import flags, trust
from tilewise.quality.feature_names import FEATURES
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
agreement = {
    (row["sample"], row["tile"]): row["agreement"]
    for row in chain.from_iterable(map(read_rows, given.agreement))
}
fractions = {}
for row in chain.from_iterable(map(read_rows, given.thresholds)):
    fractions.setdefault((row["sample"], row["tile"]), []).append(float(row["foreground"]))
annotated = {
    (row["sample"], row["tile"]) for row in chain.from_iterable(map(read_rows, given.metrics))
}

every, trusted, following = [], [], []
by_sample = flags.by_sample(chain.from_iterable(map(read_rows, given.features)))
for sample in params.samples:
    rows = by_sample[sample]
    for row in rows:
        key = sample, row["tile"]
        found = fractions.get(key)
        row["foreground"] = median(found) if found else None
        row["agreement"] = agreement.get(key) or None
    for row, found in zip(rows, flags.flag(rows, params.limits), strict=True):
        row["flags"] = found
    is_annotated = [(sample, row["tile"]) in annotated for row in rows]
    trusts = trust.trust(rows, is_annotated)
    chosen = trust.most_worth(rows, trusts, params.number) if params.number else []
    for row, marks in zip(rows, trusts, strict=True):
        row |= marks
        row["excluded"] = "yes" if set(row["flags"]) & set(params.exclude) else ""
        row["annotated"] = "yes" if marks["annotated"] else ""
        row["flags"] = ";".join(row["flags"])
    every += rows
    following += [{"rank": rank, **rows[i]} for rank, i in enumerate(chosen, 1)]


def write(path, columns, rows):
    """Write some fields of the rows."""
    write_rows(path, columns, ({name: row.get(name) for name in columns} for row in rows))


place = ("sample", "tile", "z", "y", "x")
write(output.quality, (*place, *FEATURES, "foreground", "flags", "excluded"), every)
columns = (*place, "agreement", "foreground", *trust.COLUMNS, "flags")
write(output.trust, columns, every)
write(output.next, ("rank", *columns), following)
