"""Draw a block's confusion maps over the image, a PNG per annotated tile."""

from pathlib import Path

import numpy as np

from tilewise import job
from tilewise.store.blocks import BlockReader
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.view.overlay import blend, display, draw_scale_bar
from tilewise.view.png import write_png

job.start(snakemake)
params = snakemake.params
(part,) = params.parts
grid, block = grid_of(part["grid"]), part["block"]
layout = layout_of(grid, params.dtype, channels=params.channels)
picture = BlockReader({block: snakemake.input.picture}, grid, layout)
confusion = BlockReader({block: snakemake.input.confusion}, grid, layout_of(grid, "uint8"))

folder = Path(snakemake.output.folder)
folder.mkdir(parents=True)
for tile in grid.tiles(block):
    is_chosen = params.tiles is None or tile.name in params.tiles
    if is_chosen and confusion.is_stored(tile):
        pixels = display(picture.tile(tile))
        if params.channels == 3:
            pixels = np.moveaxis(pixels, 0, -1)
        overlaid = blend(pixels, confusion.tile(tile), params.colors, params.alpha)
        if params.scale_bar and params.pixel_size:
            overlaid = draw_scale_bar(overlaid, params.pixel_size[-1])
        write_png(folder / f"{tile.name}.png", overlaid, params.pixel_size)
