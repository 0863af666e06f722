"""Halve a block of an array, level by level."""

from tilewise import job
from tilewise.store import pyramid
from tilewise.store.blocks import BlockReader, BlockWriter, each_strip, strips
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of

job.start(snakemake)
params = snakemake.params
block = "/".join(snakemake.wildcards.place.split("/")[-3:])
grid = grid_of(params.grid)
settings = {"dtype": params.dtype, "fill": params.fill, "channels": params.channels}
halve = pyramid.nearest if params.is_label else pyramid.mean

source = snakemake.input.block
for level, path in enumerate(snakemake.output.levels, 1):
    finer, coarser = grid.level(level - 1), grid.level(level)
    reader = BlockReader({block: source}, finer, layout_of(finer, **settings))
    with BlockWriter(path, block, coarser, layout_of(coarser, **settings)) as writer:

        def work(strip, reader=reader, writer=writer, finer=finer):
            writer.write(strip, halve(reader.read(finer.doubled(strip))))

        each_strip(work, strips(coarser, block), snakemake.threads)
    source = path
