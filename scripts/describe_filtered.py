"""Write the metadata of a filtered image."""

from tilewise import job
from tilewise.store import ngff
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of

job.start(snakemake)
params = snakemake.params
grid = grid_of(params.grid)
layout = layout_of(grid, params.dtype, codec=params.codec)
ngff.write(snakemake.output.array, ngff.array(layout, grid.shape, "zyx"))
