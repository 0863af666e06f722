"""Rank the methods on the annotated tiles and decide on one."""

import json
from itertools import chain
from pathlib import Path

import numpy as np

from tilewise import job
from tilewise.decide import inference, ranking, reference_scores, units
from tilewise.decide.counts import Counts, place_of
from tilewise.quality.flags import flags_of_tiles
from tilewise.score import pixel_metrics, score_table
from tilewise.store.class_histograms import unpack
from tilewise.tables import read_all, read_rows, write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
rule, merit = params.decision, Counts(params.metrics)
features = chain.from_iterable(map(read_rows, given.features))
flags = flags_of_tiles(features, params.limits)


def is_scored(sample, tile):
    return not set(flags.get((sample, tile), "").split(";")) & set(params.exclude)


by_method = {name: [] for name in params.methods}
excluded = set()
for row in read_all(given.metrics, params.groups):
    if not is_scored(row["sample"], row["tile"]):
        excluded.add((row["sample"], row["tile"]))
    elif row["method"] in by_method:
        by_method[row["method"]].append(row)

every_row = chain.from_iterable(by_method.values())
places = dict.fromkeys(map(place_of, every_row))
level, unit_of = units.assign(places, params.groups, rule["unit"], rule["plane_gap"])
names = sorted(set(unit_of.values()))
number = units.independent(level, len(names))
rules = ranking.Rules(
    **{key: rule[key] for key in ("average", "level", "min_units", "resamples", "seed", "test")},
    unit={"block": "spatial blocks of one tile"}.get(level, level),
    units=number,
)
tables = dict(zip(params.swept, given.units, strict=True))

evidence = {}
for name, rows in by_method.items():
    if name not in tables:
        located = ((name, place_of(row), merit.of(row)) for row in rows)
        pooled, _ = units.pool(located, unit_of, len(merit.fields))
        evidence[name] = ranking.Evidence(
            "fixed", pooled.get(name, np.zeros((len(names), len(merit.fields))))
        )
        continue
    found = {}
    for row in read_rows(tables[name]):
        key = row["estimate"], row["fold"]
        counts = [float(row[field]) for field in merit.fields]
        found.setdefault(key, (row["variant"], []))[1].append(counts)
    variant, counts = found["resubstitution", ""]
    held_out = found.get(("held out", ""))
    evidence[name] = ranking.Evidence(
        "held out" if held_out else "resubstitution",
        np.array(held_out[1] if held_out else counts),
        variant,
        {
            int(fold): np.array(rows)
            for (kind, fold), (_, rows) in found.items()
            if kind == "training"
        },
        np.array(counts),
    )

ranked = [row for name in merit.metrics for row in ranking.rank(evidence, merit, name, rules)]
decisive = [row for row in ranked if row["metric"] == rule["metric"]]
others = [row for row in ranked if row["metric"] != rule["metric"]]
write_rows(output.ranking, ranking.RANKING, [*decisive, *others])

scores = []
for name, known in evidence.items():
    scores += ranking.score(name, known.estimate, known.counts, merit, rules, known.variant)
    if known.estimate == "held out":
        scores += ranking.score(
            name, "resubstitution", known.resubstitution, merit, rules, known.variant
        )
anew = None
if len(names) > 1 and len(evidence) > 1:
    fold_of = inference.folds(names, rule["folds"])
    counts, chosen = ranking.chosen_anew(evidence, merit, rule["metric"], fold_of, rules)
    scores += ranking.score(ranking.ANEW, "held out", counts, merit, rules)
    metric = merit.metric(rule["metric"])
    value = float(inference.estimate(counts[None], metric, rule["average"])[0])
    anew = {"value": value if np.isfinite(value) else None, "chosen": chosen}

# what puts a score in its place: methods that know the truth, and methods that know nothing
pixels = Counts(())
pixel_metric = rule["metric"] if rule["metric"] in pixels.metrics else "mcc"
levels = {}
for source, path in zip(params.filters, given.histograms, strict=True):
    with np.load(path) as packed:
        for (sample, z, y, x, patch), found in unpack(packed):
            place = units.Place(sample, z, y, x, "" if patch < 0 else str(patch))
            if place in unit_of:
                levels.setdefault(source, {})[place] = found
for source, parts in levels.items():
    best = reference_scores.best_shared(parts, unit_of, names, pixel_metric)
    each = [
        (
            source,
            place,
            [reference_scores.best(found, pixel_metric)[name] for name in pixels.fields],
        )
        for place, found in parts.items()
    ]
    pooled, _ = units.pool(each, unit_of, len(pixels.fields))
    for title, counts in (
        ("one threshold for all", best),
        (f"a threshold per {'block' if level == 'block' else 'tile'}", pooled[source]),
    ):
        method = f"oracle: {title}, {source}"
        scores += ranking.score(
            method, f"best {pixel_metric} given the truth", counts, pixels, rules
        )
counts = next(iter(evidence.values())).counts
truth = counts[:, pixels.fields.index("tp")] + counts[:, pixels.fields.index("fn")]
for name, found in reference_scores.trivial(truth, counts[:, :4].sum(axis=1)).items():
    table = np.stack([found[field] for field in pixel_metrics.COUNTS], axis=-1)
    scores += ranking.score(name, "trivial", table, pixels, rules)
for row in read_all(given.annotators, params.groups):
    table = np.array([[float(row[field]) for field in pixel_metrics.COUNTS]])
    one = ranking.Rules(**{**vars(rules), "units": 1, "unit": "sample"})
    method = f"annotator {row['annotator']}, {row['sample']}"
    scores += ranking.score(method, row["estimate"], table, pixels, one)
write_rows(output.scores, ranking.SCORES, scores)

first = decisive[0]
best = evidence[first["method"]]
tiles = score_table.whole_tiles(by_method[first["method"]])
curve = []
if rules.has_intervals:
    curve = inference.learning_curve(
        best.counts,
        merit.metric(rule["metric"]),
        rule["average"],
        rule["seed"],
        rule["resamples"],
        level=rule["level"],
    )
result = {
    "verdict": ranking.verdict(decisive, rules),
    "method": first["method"],
    "variant": best.variant,
    **{key: first[key] for key in ("metric", "estimate", "value", "low", "high", "note")},
    **{key: rule[key] for key in ("average", "level")},
    "units": {"unit": rules.unit, "number": len(names), "independent": number},
    "anew": anew,
    "runners_up": [row for row in decisive[1:] if row["indistinguishable"]],
    "left_out": params.left_out,
    "excluded": len(excluded),
    "learning_curve": [{"units": size, "width": width} for size, width in curve],
    "worst": ranking.worst_tiles(tiles, flags, rule["metric"]),
}
Path(output.decision).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
Path(output.text).write_text(ranking.describe(result), encoding="utf-8")
# by itself, so that another score of the same method runs nothing again
Path(output.choice).write_text(json.dumps({"method": first["method"]}) + "\n", encoding="utf-8")
