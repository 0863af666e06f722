"""Bring together what kinds of errors methods make, and where they differ."""

from itertools import chain

from tilewise import job
from tilewise.score import error_kinds
from tilewise.score.pixel_metrics import COUNTS, metrics
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
given, output = snakemake.input, snakemake.output
order = {name: i for i, name in enumerate(snakemake.params.order["methods"])}


def added(rows, keys, counts):
    """Rows with the same keys, their counts added up over blocks."""
    totals = {}
    for row in rows:
        total = totals.setdefault(tuple(row[name] for name in keys), dict.fromkeys(counts, 0))
        for name in counts:
            total[name] += int(row[name])
    return [dict(zip(keys, key, strict=True)) | total for key, total in totals.items()]


def by_quality():
    """Rows of tiles as strata: each flag, and the tiles without any."""
    for row in read_rows(given.metrics):
        if row["extent"] == "tile":
            for flag in (row["flags"] or "no flag").split(";"):
                yield row | {"by": "quality", "low": flag, "high": ""}


samples = {name: i for i, name in enumerate(snakemake.params.order["samples"])}
rows = chain(chain.from_iterable(map(read_rows, given.strata)), by_quality())
keys = ("sample", "method", "by", "low", "high")
strata = added(rows, keys, COUNTS)
strata.sort(key=lambda row: (samples[row["sample"]], order[row["method"]]))
shown = ("recall", "precision", "f1", "mcc")
for row in strata:
    found = metrics(**{name: row[name] for name in COUNTS})
    row |= {name: found[name] for name in shown}
    if row["by"] == "calibre":
        # what is not there has no calibre
        row |= dict.fromkeys(("precision", "f1", "mcc"))
write_rows(output.errors, (*keys, *COUNTS, *shown), strata)

alone = chain.from_iterable(map(read_rows, given.differences))
counts = (*error_kinds.PIXELS, *error_kinds.OBJECTS)
differing = added(alone, ("sample", "method"), counts)
differing.sort(key=lambda row: (samples[row["sample"]], order[row["method"]]))
write_rows(output.differences, ("sample", "method", *counts), differing)
