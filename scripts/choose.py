"""Choose a method's parameters on the annotated tiles, and again without those of each fold."""

import json
from itertools import chain

import numpy as np

from tilewise import job
from tilewise.decide import inference, units
from tilewise.decide.counts import Counts, place_of
from tilewise.quality.flags import flags_of_tiles
from tilewise.tables import read_all, read_rows, write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
rule, merit = params.decision, Counts(params.metrics)
metric = merit.metric(rule["metric"])
features = chain.from_iterable(map(read_rows, given.features))
flags = flags_of_tiles(features, params.limits)
excluded = {place for place, found in flags.items() if set(found.split(";")) & set(params.exclude)}
rows = [
    ((row["variant"], row["fold"]), place_of(row), merit.of(row))
    for row in read_all(given.scores, params.groups)
    if (row["sample"], row["tile"]) not in excluded
]
if not rows:
    raise ValueError(
        f"method {snakemake.wildcards.method}: no annotated tile is left to choose its parameters "
        "on: truth and region of interest annotate nothing, or `exclude` under `quality` leaves "
        "all tiles out"
    )
places = dict.fromkeys(place for _, place, _ in rows)
level, unit_of = units.assign(places, params.groups, rule["unit"], rule["plane_gap"])
pooled, names = units.pool(rows, unit_of, len(merit.fields))
empty = np.zeros((len(names), len(merit.fields)))


def counts_of(fold):
    """Counts of every variant, with the threshold that was calibrated without a fold."""
    found = [pooled.get((variant, ""), pooled.get((variant, fold), empty)) for variant in order]
    return np.stack(found)


order = params.variants
everything = counts_of("all")
values = inference.estimate(everything, metric, rule["average"])
best = inference.best_of(values)
records = [("resubstitution", "", order[best], everything[best])]
choices = dict.fromkeys(order, 0)
if len(names) > 1:
    fold_of = inference.folds(names, rule["folds"])
    by_fold = np.stack([counts_of(str(fold)) for fold in range(fold_of.max() + 1)])
    nested = inference.nested(by_fold, fold_of, metric, rule["average"])
    records.append(("held out", "", "", nested.held_out))
    for fold, chosen in enumerate(nested.chosen):
        choices[order[chosen]] += 1
        # what other folds' units give, on which a decision between methods may be made
        training = np.where((fold_of != fold)[:, None], by_fold[fold, chosen], 0)
        records.append(("training", fold, order[chosen], training))

write_rows(
    output.units,
    ("estimate", "fold", "variant", "level", "unit", *merit.fields),
    (
        {
            **{"estimate": estimate, "fold": fold, "variant": variant, "level": level},
            **{"unit": unit, **dict(zip(merit.fields, map(float, counts), strict=True))},
        }
        for estimate, fold, variant, table in records
        for unit, counts in zip(names, table, strict=True)
    ),
)
write_rows(
    output.sweep,
    ("method", "variant", "estimate", "chosen", "folds", *merit.metrics),
    (
        {
            **{"method": snakemake.wildcards.method, "variant": variant},
            **{"estimate": "resubstitution", "chosen": "yes" if number == best else ""},
            "folds": choices[variant],
            **{
                name: float(
                    inference.estimate(everything, merit.metric(name), rule["average"])[number]
                )
                for name in merit.metrics
            },
        }
        for number, variant in enumerate(order)
    ),
)
chosen = {"variant": order[best]}
for row in chain.from_iterable(map(read_rows, given.calibration)):
    if (row["variant"], row["fold"]) == (order[best], "all"):
        chosen["calibration"] = row
with open(output.choice, "w", encoding="utf-8") as file:
    json.dump(chosen, file, indent=1)
    file.write("\n")
