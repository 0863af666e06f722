"""Bring the rows of all blocks into one table and sum them up."""

from tilewise import frames, job
from tilewise.decide import guarded
from tilewise.decide.summary import COLUMNS, sort_rows, sort_table, summarize
from tilewise.learn.assignment import Assignment
from tilewise.quality import feature_names
from tilewise.quality.flags import excluded_tiles, flags_of_table
from tilewise.score import error_table, score_table
from tilewise.tables import read_all, read_each, read_rows, write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
samples, methods = params.order["samples"], params.order["methods"]
flags = flags_of_table(frames.read(given.features, *feature_names.OF_FLAGS), params.limits)
excluded = excluded_tiles(flags, params.exclude)
resubstituted = {
    method: Assignment.from_rows(read_rows(path)).resubstituted
    for method, path in zip(params.trained, given.places, strict=True)
}
guard = guarded.by_tile(read_each(given.thresholds))


def estimate_of(sample, method):
    """What scores of a method on a sample are."""
    if method in resubstituted:
        return "resubstitution" if sample in resubstituted[method] else "held out"
    return "resubstitution" if method in params.tuned else "fixed"


kinds, columns = score_table.kinds(params.chosen), score_table.columns(params.chosen)
tables = []
for extent, paths in (("tile", given.metrics), (params.extent, given.structures)):
    rows = frames.read(paths, columns, kinds)
    # spatial blocks of a tile are for choosing parameters only
    rows = rows[rows["patch"] == ""]
    tables.append(rows.assign(extent=frames.texts([extent] * len(rows))))
tiles = sort_table(frames.together(tables, [*columns, "extent"], kinds), samples, methods)
names = [tiles[name].tolist() for name in ("sample", "method", "tile")]
places = list(zip(names[0], names[2], strict=True))
further = dict.fromkeys(column for columns in params.metadata.values() for column in columns)
added = {
    "estimate": list(map(estimate_of, *names[:2])),
    "flags": [flags.get(place, "") for place in places],
    "excluded": ["yes" if place in excluded else "" for place in places],
    "guard": [guard.get(place, "") for place in zip(*names, strict=True)],
    **{name: [params.metadata[sample].get(name, "") for sample in names[0]] for name in further},
}
tiles = tiles.assign(**{name: frames.texts(values) for name, values in added.items()})
columns = [name for name in columns if name != "patch"]
frames.write(output.metrics, [*columns, *score_table.ADDED, *further], tiles)

write_rows(output.summary, COLUMNS, summarize(tiles, params.chosen))

strata = error_table.sum_strata(read_each(given.strata), tiles) if given.strata else ()
differences = error_table.sum_differences(read_each(given.differences))
differences = sort_rows(differences, samples, methods)
write_rows(output.errors, error_table.STRATA_COLUMNS, sort_rows(strata, samples, methods))
write_rows(output.differences, error_table.DIFFERENCE_COLUMNS, differences)
write_rows(output.agreement, score_table.AGREEMENT, read_all(given.agreements, samples))
write_rows(output.annotators, score_table.ANNOTATORS, read_all(given.annotators, samples))
