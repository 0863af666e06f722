"""Come to one truth from several annotators, and see how far they agree."""

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score import annotators
from tilewise.score.pixel_metrics import COUNTS, metrics
from tilewise.store.blocks import BlockReader, each_strip, strips
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.tables import write_rows

job.start(snakemake)
output, params = snakemake.output, snakemake.params
settings, number, sample = params.settings, params.annotators, snakemake.wildcards.sample
blocks, grid = [part["block"] for part in params.parts], grid_of(params.parts[0]["grid"])
layout = layout_of(grid, "uint8", NOT_ANNOTATED)
paths = snakemake.input.annotators
truths = [
    BlockReader(dict(zip(blocks, paths[i : i + len(blocks)], strict=True)), grid, layout)
    for i in range(0, len(paths), len(blocks))
]


def count(strip):
    found = annotators.patterns([truth.read(strip) for truth in truths])
    return annotators.count_patterns(found, number)


every_strip = [strip for block in blocks for strip in strips(grid, block)]
counts = sum(each_strip(count, every_strip, snakemake.threads))
found = annotators.staple(counts, number)
if settings["consensus"] == "staple":
    table = annotators.staple_table(found)
else:
    table = annotators.majority(number, settings["tie"])
with open(output.table, "wb") as file:
    np.save(file, table)

rows = [
    {
        "sample": sample,
        "measure": measure,
        "annotators": f"{pair['first'] + 1},{pair['second'] + 1}",
    }
    | {"value": pair[measure], "pixels": pair["pixels"]}
    for measure in ("dice", "cohen_kappa")
    for pair in annotators.pairwise(counts, number)
]
rows.append(
    {"sample": sample, "measure": "fleiss_kappa", "annotators": "all"}
    | {"value": annotators.fleiss_kappa(counts, number)}
)
for measure in ("sensitivity", "specificity"):
    for annotator, value in enumerate(getattr(found, measure), 1):
        rows.append(
            {"sample": sample, "measure": f"staple_{measure}", "annotators": annotator}
            | {"value": float(value)}
        )
write_rows(output.agreement, ("sample", "measure", "annotators", "value", "pixels"), rows)

scores = [
    {"sample": sample, "annotator": annotator, "estimate": estimate, **tally, **metrics(**tally)}
    for estimate, tallies in (
        (
            "against the consensus, his own vote included",
            annotators.scores_against(counts, number, table),
        ),
        (
            "against the consensus of the others",
            annotators.scores_against_others(counts, number, settings["consensus"]),
        ),
    )
    for annotator, tally in enumerate(tallies, 1)
]
write_rows(
    output.annotators,
    ("sample", "annotator", "estimate", *COUNTS, *list(metrics(1, 0, 0, 1))),
    scores,
)
