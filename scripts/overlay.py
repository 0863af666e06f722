"""Draw a block's confusion maps over the image, a PNG per annotated tile."""

from pathlib import Path

import numpy as np

from tilewise import job
from tilewise.store.blocks import open_blocks
from tilewise.store.parts import each_part, parts_of
from tilewise.view.overlay import blend, display, draw_scale_bar, hatch_period
from tilewise.view.png import write_png

job.start(snakemake)
given, params = snakemake.input, snakemake.params
parts, block = parts_of(params.parts), snakemake.wildcards.block
grid, channels = parts[0].grid, params.channels
pictures = open_blocks([given.picture], [block], grid, params.dtype, channels=channels)
confusions = open_blocks([given.confusion], [block], grid, "uint8")
folder = Path(snakemake.output.folder)
folder.mkdir(parents=True)


def draw(part, _threads):
    """Draw a sample's tiles."""
    picture, confusion = pictures.of(part), confusions.of(part)
    chosen, pixel_size = part.settings["tiles"], part.settings["pixel_size"]
    for tile in part.grid.tiles(part.block):
        if (chosen is None or tile.name in chosen) and confusion.is_stored(tile):
            pixels = display(picture.tile(tile))
            if channels == 3:
                pixels = np.moveaxis(pixels, 0, -1)
            region = part.grid.tile_region(tile)
            place = (region.y0, region.x0), hatch_period(part.grid.sides)
            overlaid = blend(pixels, confusion.tile(tile), params.colors, params.alpha, *place)
            if params.scale_bar and pixel_size:
                overlaid = draw_scale_bar(overlaid, pixel_size[-1])
            write_png(folder / f"{part.sample}_{tile.name}.png", overlaid, pixel_size)


each_part(draw, parts, snakemake.threads)
