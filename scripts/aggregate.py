"""Bring the rows of all blocks into one table and sum them up."""

from tilewise import job
from tilewise.decide import guarded
from tilewise.decide.summary import COLUMNS, sort_rows, summarize
from tilewise.learn.assignment import Assignment
from tilewise.quality.flags import excluded_tiles, flags_of_tiles
from tilewise.score import error_table, score_table
from tilewise.tables import read_all, read_each, read_rows, write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
samples, methods = params.order["samples"], params.order["methods"]
flags = flags_of_tiles(read_each(given.features), params.limits)
excluded = excluded_tiles(flags, params.exclude)
resubstituted = {
    method: Assignment.from_rows(read_rows(path)).resubstituted
    for method, path in zip(params.trained, given.places, strict=True)
}
guard = guarded.by_tile(read_each(given.thresholds))
# spatial blocks of a tile are for choosing parameters only
rows = [
    {**params.metadata[row["sample"]], **row, "extent": extent}
    for extent, paths in (("tile", given.metrics), (params.extent, given.structures))
    for row in score_table.whole_tiles(read_each(paths))
]
rows = sort_rows(rows, samples, methods)
for row in rows:
    tile = row["sample"], row["tile"]
    row["estimate"] = "resubstitution" if row["method"] in params.tuned else "fixed"
    if row["method"] in resubstituted:
        is_own = row["sample"] in resubstituted[row["method"]]
        row["estimate"] = "resubstitution" if is_own else "held out"
    row |= {"flags": flags.get(tile, ""), "excluded": "yes" if tile in excluded else ""}
    row["guard"] = guard.get((row["sample"], row["method"], row["tile"]), "")
    del row["patch"]
columns = [name for name in score_table.columns(params.chosen) if name != "patch"]
further = dict.fromkeys(column for columns in params.metadata.values() for column in columns)
columns += [*score_table.ADDED, *further]
write_rows(output.metrics, columns, rows)

write_rows(output.summary, COLUMNS, summarize(rows, params.chosen))

strata = error_table.sum_strata(read_each(given.strata), rows) if given.strata else ()
differences = error_table.sum_differences(read_each(given.differences))
differences = sort_rows(differences, samples, methods)
write_rows(output.errors, error_table.STRATA_COLUMNS, sort_rows(strata, samples, methods))
write_rows(output.differences, error_table.DIFFERENCE_COLUMNS, differences)
write_rows(output.agreement, score_table.AGREEMENT, read_all(given.agreements, samples))
write_rows(output.annotators, score_table.ANNOTATORS, read_all(given.annotators, samples))
