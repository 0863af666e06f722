"""Rank the methods on the annotated tiles and decide on one."""

import json
from pathlib import Path

from tilewise import job
from tilewise.decide import guarded
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.decision import Tried, decide
from tilewise.decide.folds import Folds
from tilewise.decide.places import read_histograms
from tilewise.decide.ranking import RANKING, SCORES
from tilewise.decide.selection import Trials
from tilewise.decide.verdict import describe
from tilewise.doubts import Doubt
from tilewise.quality.flags import excluded_tiles, flags_of_tiles
from tilewise.read import image_check
from tilewise.tables import read_all, read_each, read_rows, write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
flags = flags_of_tiles(read_each(given.features), params.limits)
excluded = excluded_tiles(flags, params.exclude)
tiles, scored = {method: [] for method in params.methods}, set()
# blocks with annotated samples may hold others, too
thresholds = [row for row in read_each(given.thresholds) if row["sample"] in params.groups]
guard = guarded.by_tile(thresholds)
for row in read_all(given.metrics, params.groups):
    place = row["sample"], row["tile"]
    scored.add(place)
    if row["method"] in tiles and place not in excluded:
        own = guard.get((row["sample"], row["method"], row["tile"]), "")
        tiles[row["method"]].append(row | {"guard": own})
folds = Folds.from_rows(read_rows(given.folds))
columns = CountColumns(params.metrics, folds.is_weighted)
tried = {
    method: Tried(Trials.from_rows(read_rows(path), folds, columns), **chosen)
    for (method, chosen), path in zip(params.swept.items(), given.units, strict=True)
}
checks = [row for row in read_each(given.checks) if row["sample"] in params.groups]
decision = decide(
    tiles,
    tried,
    params.decision,
    folds=folds,
    samples=list(params.groups),
    choices=params.metrics,
    histograms=read_histograms(given.histograms, params.filters),
    annotators=read_all(given.annotators, params.groups),
    flags=flags,
    left_out=params.left_out,
    excluded=len(scored & excluded),
    known_doubts=[
        *(Doubt(*fields) for fields in params.doubts),
        *image_check.doubts_of(checks, params.has_roi),
        *guarded.threshold_doubts(thresholds),
    ],
)
record = decision.record
write_rows(output.ranking, RANKING, decision.ranking)
write_rows(output.scores, SCORES, decision.scores)
write_rows(output.units, ("unit", "method", *columns.metrics), decision.units)
Path(output.decision).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
Path(output.text).write_text(describe(record), encoding="utf-8")
# by itself, so that another score of the same method runs nothing again
choice = json.dumps({"method": record["method"]})
Path(output.choice).write_text(f"{choice}\n", encoding="utf-8")
