"""Come to one truth from several annotators, and see how far they agree."""

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score import annotators, consensus, score_table, votes
from tilewise.store.blocks import each_strip, open_blocks, strips
from tilewise.store.parts import parts_of
from tilewise.tables import write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
kind, parts = params.settings["consensus"], parts_of(params.parts)
grid, paths, number = parts[0].grid, given.annotators, len(params.blocks)
traced = [
    open_blocks(paths[i : i + number], params.blocks, grid, "uint8", fill=NOT_ANNOTATED)
    for i in range(0, len(paths), number)
]


def count_votes(part):
    """How often each pattern of votes occurs in a part of a sample."""
    truths = [blocks.of(part) for blocks in traced[: part.settings["annotators"]]]

    def count(strip):
        patterns = votes.patterns([truth.read(strip) for truth in truths])
        return votes.count_patterns(patterns, len(truths))

    return sum(each_strip(count, strips(part.grid, part.block), snakemake.threads))


counts = {}
for part in parts:
    counts[part.sample] = counts.get(part.sample, 0) + count_votes(part)
number_of = {part.sample: part.settings["annotators"] for part in parts}
tables, agreements, scores = {}, [], []
for sample, own in counts.items():
    number = number_of[sample]
    estimates = consensus.staple(own, number)
    if kind == "staple":
        table = consensus.staple_table(estimates)
    else:
        table = consensus.majority(number, params.settings["tie"])
    # a suffix, since numpy takes `.npy` off names, and has parameters of its own, such as `file`
    tables[f"{sample}.table"] = table
    agreements += annotators.agreement_rows(sample, own, number, estimates)
    scores += annotators.score_rows(sample, own, number, table, kind)
with open(output.tables, "wb") as file:
    np.savez(file, **tables)
write_rows(output.agreement, score_table.AGREEMENT, agreements)
write_rows(output.annotators, score_table.ANNOTATORS, scores)
