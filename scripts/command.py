"""Let a program segment the tiles of a block, and store what it wrote, as float32."""

import sys
from itertools import starmap
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory

import tifffile

from tilewise import costs, job, program
from tilewise.read.program_masks import read_mask
from tilewise.segment.filtered import FilteredBlocks
from tilewise.segment.sources import DTYPE
from tilewise.store.blocks import BlockWriter
from tilewise.store.grid import Tile, crop
from tilewise.store.layout import layout_of
from tilewise.store.parts import parts_of

began = job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
resources, threads, limits = snakemake.resources, snakemake.threads, snakemake.params.limits
parts, block = parts_of(params.parts), snakemake.wildcards.block
paths = given.pixels, given.rois, params.blocks
kinds = params.codec, given.colors, given.sources, params.arrays
images = FilteredBlocks(*paths, parts[0].grid, params.dtype, *kinds)
megabytes = resources.mem_mb if limits["memory"] else None


def tiles_of(part):
    """Each tile of a part that is segmented: the name of its file, and its pixels and the halo."""
    grid, tiles = part.grid, part.settings["tiles"]
    for tile in grid.tiles(part.block) if tiles is None else starmap(Tile, tiles):
        own = grid.tile_region(tile)
        yield f"{part.sample}_{tile.name}", own, grid.around(own, params.halo)


pixels, done = 0, program.Done(0, 0, [])
layout = layout_of(parts[0].grid, DTYPE)
with (
    TemporaryDirectory(dir=resources.tmpdir) as folder,
    BlockWriter(output.masks, block, layout) as writer,
):
    places = {name: Path(folder, name) for name in ("input", "output")}
    for place in places.values():
        place.mkdir()
    for part in parts:
        filtered = images.of(part, params.steps)
        for name, _, around in tiles_of(part):
            tile = filtered.read(around)
            tifffile.imwrite(places["input"] / f"{name}.tif", tile, photometric="minisblack")
    arguments = program.fill_in(params.run, {**places, "threads": threads})
    if any(places["input"].iterdir()):
        done = program.call(arguments, sys.stderr, limits["timeout"], threads, megabytes)
    for part in parts:
        for name, own, around in tiles_of(part):
            try:
                mask = read_mask(places["output"], name, around.shape[1:])
            except ValueError as error:
                words = program.last_words(done.words)
                raise ValueError(f"tile {name}: {arguments[0]}: {error}{words}") from error
            writer.write(part, own, crop(mask, around, own))
            pixels += prod(own.shape)
costs.write(output.cost, began, pixels, (done.seconds, done.peak))
