"""Turn the annotators' votes in a block into one truth."""

from tilewise import job
from tilewise.arrays import read_arrays
from tilewise.labels import NOT_ANNOTATED
from tilewise.score import votes
from tilewise.store.blocks import Blocks, each_strip, strips
from tilewise.store.layout import layout_of
from tilewise.store.parts import each_part, parts_of
from tilewise.store.pyramid import LevelsWriter, nearest

job.start(snakemake)
parts, block = parts_of(snakemake.params.parts), snakemake.wildcards.block
layout = layout_of(parts[0].grid, "uint8", NOT_ANNOTATED)
traced = [Blocks({block: path}, layout) for path in snakemake.input.annotators]
names = [f"{part.sample}.table" for part in parts]
tables = read_arrays(snakemake.input.tables, names)


def store(part, threads):
    """Bring the consensus on a sample in."""
    truths = [blocks.of(part) for blocks in traced[: part.settings["annotators"]]]
    table = tables[f"{part.sample}.table"]

    def work(strip):
        patterns = votes.patterns([truth.read(strip) for truth in truths])
        writer.write(part, strip, votes.apply(table, patterns))

    each_strip(work, strips(part.grid, part.block), threads)


paths, threads = snakemake.output.truth, snakemake.threads
with LevelsWriter(paths, block, layout, parts, nearest, threads) as writer:
    each_part(store, parts, threads)
