"""Come to one truth from several annotators, and see how far they agree."""

import numpy as np

from tilewise import job
from tilewise.score import annotators
from tilewise.score.pixel_metrics import COUNTS, metrics
from tilewise.tables import write_rows

job.start(snakemake)
output, settings, number = snakemake.output, snakemake.params.settings, snakemake.params.annotators
counts = sum(np.load(path) for path in snakemake.input.votes)
sample = snakemake.wildcards.sample
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
