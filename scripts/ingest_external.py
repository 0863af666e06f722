"""Bring masks made elsewhere into a block, with the values of their files, as float32."""

from tilewise import job
from tilewise.read.annotation import Piece, PixelReader
from tilewise.read.sources import Planes, record, write
from tilewise.store.blocks import BlockWriter, each_strip, strips
from tilewise.store.layout import layout_of
from tilewise.store.parts import each_part, parts_of

job.start(snakemake)
job.limit_memory(snakemake)
output, params, threads = snakemake.output, snakemake.params, snakemake.threads
given, block = snakemake.input.masks, snakemake.wildcards.block
parts = parts_of(params.parts)


def store(part, threads):
    """Bring the masks of a sample in."""
    pieces = [Piece(**one | {"path": given[one["path"]]}) for one in part.settings["pieces"]]
    with PixelReader(pieces, params.channel) as masks:

        def work(strip):
            writer.write(part, strip, masks.read(strip))

        each_strip(work, strips(part.grid, part.block), threads)


records = record(Planes(path, *place) for path, place in zip(given, params.planes, strict=True))
layout = layout_of(parts[0].grid, PixelReader.dtype)
with BlockWriter(output.external, block, layout, threads) as writer:
    each_part(store, parts, threads)
write(output.made_from, records, params.revision)
