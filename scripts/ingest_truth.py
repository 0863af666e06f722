"""Bring truth from its files into a block: 0 background, 1 foreground, 255 not annotated."""

from itertools import chain

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.read.annotation import Piece, TruthReader
from tilewise.read.sources import Planes, record, write
from tilewise.store.blocks import each_strip, open_blocks, strips
from tilewise.store.layout import layout_of
from tilewise.store.parts import each_part, parts_of
from tilewise.store.pyramid import LevelsWriter, nearest

job.start(snakemake)
job.limit_memory(snakemake)
given, threads = snakemake.input, snakemake.threads
parts = parts_of(snakemake.params.parts)
layout, block = layout_of(parts[0].grid, "uint8", NOT_ANNOTATED), snakemake.wildcards.block
rois = open_blocks(given.roi, [block] * len(given.roi), parts[0].grid, "uint8")


def store(part, threads):
    """Bring the truth of a sample in; starting points that nobody has painted in are none."""
    settings, roi = part.settings, rois.of(part) if given.roi else None
    pieces = [Piece(**piece | {"path": given.truth[piece["path"]]}) for piece in settings["truth"]]
    with TruthReader(pieces, settings["foreground"]) as truth:

        def work(strip):
            pixels = truth.read(strip)
            if roi:
                pixels[roi.read(strip) == 0] = NOT_ANNOTATED
            writer.write(part, strip, pixels)

        each_strip(work, strips(part.grid, part.block), threads)
        return sorted((part.sample, piece.path) for piece in truth.unpainted)


places = zip(given.truth, snakemake.params.planes, strict=True)
records = record(Planes(path, *place) for path, place in places)
with LevelsWriter(snakemake.output.truth, block, layout, parts, nearest, threads) as writer:
    unpainted = list(chain.from_iterable(each_part(store, parts, threads)))
write(snakemake.output.made_from, records, snakemake.params.revision, unpainted)
