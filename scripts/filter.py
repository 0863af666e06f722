"""Apply a filter's steps to a block, strip by strip with what they reach around it."""

from math import prod

from tilewise import costs, job
from tilewise.segment.filtered import FilteredBlocks
from tilewise.store.blocks import BlockWriter, each_strip, strips
from tilewise.store.layout import layout_of
from tilewise.store.parts import each_part, parts_of

began = job.start(snakemake)
given, params = snakemake.input, snakemake.params
parts = parts_of(params.parts)
grid, paths = parts[0].grid, (given.image, given.rois)
kinds = {"colors": given.colors, "sources": given.sources, "arrays": params.arrays}
images = FilteredBlocks(*paths, params.blocks, grid, params.dtype, **kinds)


def store(part, threads):
    """Filter the planes of a sample."""
    filtered = images.of(part, params.steps)

    def work(strip):
        writer.write(part, strip, filtered.read(strip))

    each_strip(work, strips(part.grid, part.block, filtered.reach), threads)


layout = layout_of(parts[0].grid, params.dtype, codec=params.codec)
path, block, threads = snakemake.output.filtered, snakemake.wildcards.block, snakemake.threads
with BlockWriter(path, block, layout, threads) as writer:
    each_part(store, parts, threads)
pixels = sum(prod(part.grid.region(part.block).shape) for part in parts)
costs.write(snakemake.output.cost, began, pixels)
