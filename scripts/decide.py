"""Rank the methods on the annotated tiles and decide on one."""

import json
from pathlib import Path

import numpy as np

from tilewise import frames, job
from tilewise.decide import guarded
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.decision import Tried, decide
from tilewise.decide.folds import Folds
from tilewise.decide.places import histograms_of
from tilewise.decide.ranking import RANKING, SCORES
from tilewise.decide.selection import Trials
from tilewise.decide.verdict import describe
from tilewise.doubts import Doubt
from tilewise.quality import feature_names
from tilewise.quality.flags import excluded_tiles, flags_of_table
from tilewise.read import image_check
from tilewise.score import score_table
from tilewise.tables import read_all, read_each, read_rows, write_rows

NOT_READ = {"height", "width", "annotated"}
job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
flags = flags_of_table(frames.read(given.features, *feature_names.OF_FLAGS), params.limits)
excluded = excluded_tiles(flags, params.exclude)
# blocks with annotated samples may hold others, too
thresholds = [
    row for row in read_each(given.thresholds) if row["guard"] and row["sample"] in params.groups
]
guard = guarded.by_tile(thresholds)
columns = [name for name in score_table.columns(params.metrics) if name not in NOT_READ]
tiles = frames.read(given.metrics, columns, score_table.kinds(params.metrics))
tiles = frames.in_order(tiles, params.groups)
names = [tiles[name].tolist() for name in ("sample", "method", "tile")]
places = list(zip(names[0], names[2], strict=True))
kept = np.array([place not in excluded for place in places], bool)
left_out = len(excluded.intersection(places))
guards = [guard.get(place, "") for place in zip(*names, strict=True)]
tiles = tiles.assign(guard=frames.texts(guards))[kept]
del names, places, guards
folds = Folds.from_rows(read_rows(given.folds))
columns = CountColumns(params.metrics, folds.is_weighted)
tried = {
    method: Tried(Trials.from_rows(read_rows(path), folds, columns), **chosen)
    for (method, chosen), path in zip(params.swept.items(), given.units, strict=True)
}
checks = [row for row in read_each(given.checks) if row["sample"] in params.groups]
decision = decide(
    {method: tiles[tiles["method"] == method] for method in params.methods},
    tried,
    params.decision,
    folds=folds,
    samples=list(params.groups),
    choices=params.metrics,
    histograms=histograms_of(given.histograms, params.filters),
    annotators=read_all(given.annotators, params.groups),
    flags=flags,
    left_out=params.left_out,
    excluded=left_out,
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
