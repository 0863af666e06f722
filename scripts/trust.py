"""Bring together what is known of every tile, and find those most worth annotating."""

from itertools import chain
from statistics import median

from tilewise import job, quality, trust
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
    (row["sample"], row["tile"])
    for row in chain.from_iterable(map(read_rows, given.metrics))
}

every, trusted, following = [], [], []
for sample, path in zip(params.samples, given.quality, strict=True):
    rows = read_rows(path)
    for row in rows:
        key = sample, row["tile"]
        found = fractions.get(key)
        row["foreground"] = median(found) if found else None
        row["agreement"] = agreement.get(key) or None
    for row, flags in zip(rows, quality.flag(rows, params.thresholds), strict=True):
        row["flags"] = flags
    is_annotated = [(sample, row["tile"]) in annotated for row in rows]
    trusts = trust.trust(rows, is_annotated)
    chosen = [] if not params.number else trust.most_worth(rows, trusts, params.number, is_annotated)
    for row, known, marks in zip(rows, is_annotated, trusts, strict=True):
        row["flags"] = ";".join(row["flags"])
        is_excluded = set(row["flags"].split(";")) & set(params.exclude)
        row |= {"annotated": "yes" if known else "", "excluded": "yes" if is_excluded else ""}
        row |= marks
    every += rows
    following += [{"rank": rank, **rows[i]} for rank, i in enumerate(chosen, 1)]

place = ("sample", "tile", "z", "y", "x")
write_rows(
    output.quality,
    (*place, *quality.FEATURES, "foreground", "flags", "excluded"),
    ({key: row.get(key) for key in (*place, *quality.FEATURES, "foreground", "flags", "excluded")} for row in every),
)
columns = (*place, "annotated", "agreement", "foreground", *trust.COLUMNS, "flags")
write_rows(output.trust, columns, ({key: row.get(key) for key in columns} for row in every))
write_rows(
    output.next,
    ("rank", *columns),
    ({key: row.get(key) for key in ("rank", *columns)} for row in following),
)
