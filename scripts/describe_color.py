"""Write the metadata of a sample's image in colour."""

from tilewise import job
from tilewise.store import ngff
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of

job.start(snakemake)
output, params = snakemake.output, snakemake.params
grid = grid_of(params.grid)
levels = len(output.arrays) - 1
group = ngff.color_group(snakemake.wildcards.sample, levels, params.dtype, params.pixel_size)
ngff.write(output.group, group)
for level, path in enumerate(output.arrays):
    reduced = grid.level(level)
    layout = layout_of(reduced, params.dtype, channels=3)
    ngff.write(path, ngff.array(layout, (3, *reduced.shape), "czyx"))
