"""Read a block's planes, strip by strip, and store them as tiles; a colour image twice."""

from contextlib import ExitStack
from threading import Lock

from tilewise import job
from tilewise.read.stack import open_stack
from tilewise.store.blocks import each_strip, strips
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.store.pyramid import LevelsWriter, mean

job.start(snakemake)
output, params, threads = snakemake.output, snakemake.params, snakemake.threads
(part,) = params.parts
grid, block = grid_of(part["grid"]), part["block"]
color_paths = output.get("color")
first = grid.region(block).z0 - params.first_plane

with ExitStack() as files:
    stack = files.enter_context(open_stack(snakemake.input.images, params.channel))
    stack.check(*grid.shape[1:], params.dtype)
    layout = layout_of(grid, params.dtype)
    image = files.enter_context(LevelsWriter(output.image, block, grid, layout, mean, threads))
    if color_paths:
        layout = layout_of(grid, params.dtype, channels=3)
        color = files.enter_context(LevelsWriter(color_paths, block, grid, layout, mean, threads))
    reading = Lock()

    def work(strip):
        z, columns = strip.z0 - first, slice(strip.x0, strip.x1)
        # decoders keep a plane; compressing takes longer than reading
        with reading:
            rows = stack.rows(z, strip.y0, strip.y1)[:, columns]
            colors = stack.color_rows(z, strip.y0, strip.y1)[..., columns] if color_paths else None
        image.write(strip, rows)
        if color_paths:
            color.write(strip, colors)

    each_strip(work, strips(grid, block), threads)
