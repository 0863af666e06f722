"""Read a block's planes in one channel, strip by strip, and store them as tiles."""

from threading import Lock

from tilewise import job
from tilewise.read.sources import Planes, record, write
from tilewise.read.stack import open_stack
from tilewise.store.blocks import BlockWriter, each_strip, strips
from tilewise.store.layout import layout_of
from tilewise.store.parts import each_part, parts_of

job.start(snakemake)
job.limit_memory(snakemake)
output, params, threads = snakemake.output, snakemake.params, snakemake.threads
given, block = snakemake.input.images, snakemake.wildcards.block
parts = parts_of(params.parts)


def store(part, threads):
    """Bring the planes of a sample in."""
    settings, reading = part.settings, Lock()
    paths = given[slice(*settings["files"])]
    first = part.grid.region(part.block).z0 - settings["first_plane"]
    with open_stack(paths, settings["channel"]) as planes:
        planes.check(*part.grid.shape[1:], params.dtype)

        def work(strip):
            with reading:
                rows = planes.rows(strip.z0 - first, strip.y0, strip.y1)
            writer.write(part, strip, rows[..., slice(strip.x0, strip.x1)])

        each_strip(work, strips(part.grid, part.block), threads)


sources = [Planes(path, *place) for path, place in zip(given, params.planes, strict=True)]
records = record(sources)
layout = layout_of(parts[0].grid, params.dtype)
with BlockWriter(output.channel, block, layout, threads) as writer:
    each_part(store, parts, threads)
write(output.made_from, records, params.revision)
