"""Bring together what each method costs."""

from tilewise import costs, job
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params


def rows_by_method(paths, methods):
    """Rows of the jobs of each method, of files that are in the order of the methods given."""
    rows = {}
    for path, method in zip(paths, methods, strict=True):
        rows.setdefault(method, []).extend(read_rows(path))
    return rows


masks = rows_by_method(given.masks, params.masks)
filtered = rows_by_method(given.filtered, params.filtered)
rows = [costs.of_method(name, own, filtered.get(name, ())) for name, own in masks.items()]
write_rows(snakemake.output.costs, costs.COLUMNS, rows)
