"""Come to one truth from several annotators, and see how far they agree."""

from itertools import groupby
from operator import attrgetter

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score import annotators, consensus, score_table, votes
from tilewise.store.blocks import Blocks, each_strip, strips
from tilewise.store.layout import layout_of
from tilewise.store.parts import parts_of
from tilewise.tables import write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
settings, parts = params.settings, parts_of(params.parts)
layout = layout_of(parts[0].grid, "uint8", NOT_ANNOTATED)
paths, blocks = given.annotators, len(params.blocks)
traced = [
    Blocks(dict(zip(params.blocks, paths[i : i + blocks], strict=True)), layout)
    for i in range(0, len(paths), blocks)
]


def count_votes(own, number):
    """How often each pattern of votes occurs in the parts of a sample."""
    counts = 0
    for part in own:
        truths = [truth.of(part) for truth in traced[:number]]

        def count(strip, truths=truths):
            patterns = votes.patterns([truth.read(strip) for truth in truths])
            return votes.count_patterns(patterns, number)

        counts += sum(each_strip(count, strips(part.grid, part.block), snakemake.threads))
    return counts


tables, agreements, scores = {}, [], []
for sample, own in groupby(parts, attrgetter("sample")):
    own = list(own)
    number = own[0].settings["annotators"]
    counts = count_votes(own, number)
    estimates = consensus.staple(counts, number)
    if settings["consensus"] == "staple":
        table = consensus.staple_table(estimates)
    else:
        table = consensus.majority(number, settings["tie"])
    tables[sample] = table
    agreements += annotators.agreement_rows(sample, counts, number, estimates)
    scores += annotators.score_rows(sample, counts, number, table, settings["consensus"])
# a suffix, since numpy takes `.npy` off names, and has parameters of its own, such as `file`
with open(output.tables, "wb") as file:
    np.savez(file, **{f"{sample}.table": table for sample, table in tables.items()})
write_rows(output.agreement, score_table.AGREEMENT, agreements)
write_rows(output.annotators, score_table.ANNOTATORS, scores)
