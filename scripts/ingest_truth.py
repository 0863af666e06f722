"""Bring truth from its files into a block: 0 background, 1 foreground, 255 not annotated."""

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.read.annotation import Piece, PieceReader, TruthReader
from tilewise.read.sources import Planes, record, write
from tilewise.store.blocks import each_strip, strips
from tilewise.store.layout import layout_of
from tilewise.store.parts import each_part, parts_of
from tilewise.store.pyramid import LevelsWriter, nearest

job.start(snakemake)
given, threads = snakemake.input, snakemake.threads
parts = parts_of(snakemake.params.parts)
layout = layout_of(parts[0].grid, "uint8", NOT_ANNOTATED)


def pieces(places, files):
    return [Piece(**place | {"path": files[place["path"]]}) for place in places]


def store(part, threads):
    """Bring the truth of a sample in."""
    settings = part.settings
    with (
        TruthReader(pieces(settings["truth"], given.truth), settings["foreground"]) as truth,
        PieceReader(pieces(settings["roi"], given.roi)) as roi,
    ):

        def work(strip):
            pixels = truth.read(strip)
            if settings["has_roi"]:
                pixels[roi.read(strip) == 0] = NOT_ANNOTATED
            writer.write(part, strip, pixels)

        each_strip(work, strips(part.grid, part.block), threads)


files = [*given.truth, *given.roi]
records = record(
    Planes(path, *place) for path, place in zip(files, snakemake.params.planes, strict=True)
)
paths, block = snakemake.output.truth, snakemake.wildcards.block
with LevelsWriter(paths, block, layout, parts, nearest, threads) as writer:
    each_part(store, parts, threads)
write(snakemake.output.made_from, records, snakemake.params.revision)
