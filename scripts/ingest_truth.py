"""Bring truth from its files into a block: 0 background, 1 foreground, 255 not annotated."""

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.read.annotation import Piece, PieceReader, TruthReader
from tilewise.store.blocks import each_strip, strips
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.store.pyramid import LevelsWriter, nearest

job.start(snakemake)
params = snakemake.params
(part,) = params.parts
grid, block = grid_of(part["grid"]), part["block"]
layout = layout_of(grid, "uint8", NOT_ANNOTATED)


def pieces(places, files):
    return [Piece(**place | {"path": files[place["path"]]}) for place in places]


with (
    TruthReader(pieces(params.truth, snakemake.input.truth), params.foreground) as truth,
    PieceReader(pieces(params.roi, snakemake.input.roi)) as roi,
    LevelsWriter(snakemake.output.truth, block, grid, layout, nearest, snakemake.threads) as writer,
):

    def work(strip):
        pixels = truth.read(strip)
        if params.has_roi:
            pixels[roi.read(strip) == 0] = NOT_ANNOTATED
        writer.write(strip, pixels)

    each_strip(work, strips(grid, block), snakemake.threads)
