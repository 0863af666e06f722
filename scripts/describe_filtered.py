"""Write the metadata of a filtered image."""

from tilewise import job, ngff
from tilewise.blocks import grid_of, layout_of

job.start(snakemake)
params = snakemake.params
grid = grid_of(params.grid)
layout = layout_of(grid, params.dtype, codec=params.codec)
ngff.write(snakemake.output.array, ngff.array(layout, grid.shape, "zyx"))
