"""Bring regions of interest into a block: 1 inside, 0 outside; 1 in samples without one."""

import numpy as np

from tilewise import job
from tilewise.read.annotation import Piece, PieceReader
from tilewise.read.sources import Planes, record, write
from tilewise.segment.roi import border_region
from tilewise.store.blocks import each_strip, open_blocks, strips
from tilewise.store.layout import layout_of
from tilewise.store.parts import each_part, parts_of
from tilewise.store.pyramid import LevelsWriter, nearest

job.start(snakemake)
job.limit_memory(snakemake)
given, params, threads = snakemake.input, snakemake.params, snakemake.threads
parts, block = parts_of(params.parts), snakemake.wildcards.block
grid = parts[0].grid
images = open_blocks(given.image, [block] * len(given.image), grid, params.dtype)


def store(part, threads):
    """Bring the region of a sample in."""
    settings, image = part.settings, images.of(part) if given.image else None
    pieces = [Piece(**piece | {"path": given.roi[piece["path"]]}) for piece in settings["roi"]]
    with PieceReader(pieces) as reader:

        def work(strip):
            if settings["is_framed"]:
                inside = border_region(image.read(strip)).view(np.uint8)
            elif settings["has_roi"]:
                inside = reader.read(strip)
            else:
                inside = np.ones(strip.shape[1:], np.uint8)
            writer.write(part, strip, inside)

        reach = np.inf if settings["is_framed"] else 0
        each_strip(work, strips(part.grid, part.block, reach), threads)


records = record(Planes(path, *place) for path, place in zip(given.roi, params.planes, strict=True))
layout, paths = layout_of(grid, "uint8"), snakemake.output.roi
with LevelsWriter(paths, block, layout, parts, nearest, threads) as writer:
    each_part(store, parts, threads)
write(snakemake.output.made_from, records, params.revision)
