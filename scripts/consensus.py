"""Come to one truth from several annotators, and see how far they agree."""

from itertools import groupby
from operator import attrgetter

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score import annotators, score_table
from tilewise.score.pixel_metrics import metrics
from tilewise.store.blocks import Blocks, each_strip, strips
from tilewise.store.layout import layout_of
from tilewise.store.parts import parts_of
from tilewise.tables import write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
settings, parts = params.settings, parts_of(params.parts)
layout = layout_of(parts[0].grid, "uint8", NOT_ANNOTATED)
paths, number = given.annotators, len(params.blocks)
traced = [
    Blocks(dict(zip(params.blocks, paths[i : i + number], strict=True)), layout)
    for i in range(0, len(paths), number)
]


def votes(own, number):
    """How often each pattern of votes occurs in the parts of a sample."""
    counts = 0
    for part in own:
        truths = [blocks.of(part) for blocks in traced[:number]]

        def count(strip, truths=truths):
            found = annotators.patterns([truth.read(strip) for truth in truths])
            return annotators.count_patterns(found, number)

        counts += sum(each_strip(count, strips(part.grid, part.block), snakemake.threads))
    return counts


def agreement(sample, counts, number, found):
    """Rows of how far annotators agree with each other."""
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
    return rows + [
        {"sample": sample, "measure": f"staple_{measure}", "annotators": annotator}
        | {"value": float(value)}
        for measure in ("sensitivity", "specificity")
        for annotator, value in enumerate(getattr(found, measure), 1)
    ]


def scores(sample, counts, number, table):
    """Rows of how far each of them agrees with the consensus."""
    own = annotators.scores_against(counts, number, table)
    others = annotators.scores_against_others(counts, number, settings["consensus"])
    return [
        {
            "sample": sample,
            "annotator": annotator,
            "estimate": estimate,
            **tally,
            **metrics(**tally),
        }
        for estimate, tallies in (
            ("against the consensus, his own vote included", own),
            ("against the consensus of the others", others),
        )
        for annotator, tally in enumerate(tallies, 1)
    ]


tables, agreements, scored = {}, [], []
for sample, own in groupby(parts, attrgetter("sample")):
    own = list(own)
    number = own[0].settings["annotators"]
    counts = votes(own, number)
    found = annotators.staple(counts, number)
    if settings["consensus"] == "staple":
        table = annotators.staple_table(found)
    else:
        table = annotators.majority(number, settings["tie"])
    tables[sample] = table
    agreements += agreement(sample, counts, number, found)
    scored += scores(sample, counts, number, table)
# a suffix, since numpy takes `.npy` off names, and has parameters of its own, such as `file`
with open(output.tables, "wb") as file:
    np.savez(file, **{f"{sample}.table": table for sample, table in tables.items()})
write_rows(output.agreement, score_table.AGREEMENT, agreements)
write_rows(output.annotators, score_table.ANNOTATORS, scored)
