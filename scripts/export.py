"""Write labels of samples as image files of the samples' own sizes."""

import numpy as np

from tilewise import job
from tilewise.store.blocks import open_blocks
from tilewise.store.parts import each_part, parts_of
from tilewise.view.png import write_png
from tilewise.view.tiff import write_tiff

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params

for array in params.arrays:
    parts = parts_of(array["parts"])
    paths = given.blocks[slice(*array["files"])]
    blocks = open_blocks(paths, array["blocks"], parts[0].grid, "uint8", fill=array["fill"])

    def write(part, _threads, blocks=blocks, factor=array["factor"]):
        """Write a sample's file."""
        reader = blocks.of(part)
        path, size = output.masks[part.settings["mask"]], part.settings["pixel_size"]
        pixels = (reader.plane(z) * np.uint8(factor) for z in range(part.grid.shape[0]))
        if path.endswith(".png"):
            write_png(path, next(pixels), size)
        else:
            write_tiff(path, pixels, part.grid.shape, size)

    each_part(write, parts, snakemake.threads)
