"""Write the metadata of a filtered image."""

from tilewise import job, ngff
from tilewise.grid import grid_of
from tilewise.layouts import layout_of

job.start(snakemake)
params = snakemake.params
grid = grid_of(params.grid)
layout = layout_of(grid, params.dtype, codec=params.codec)
ngff.write(snakemake.output.array, ngff.array(layout, grid.shape, "zyx"))
