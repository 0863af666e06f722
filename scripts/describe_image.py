"""Write the metadata of a sample's image."""

from tilewise import job
from tilewise.store import ngff
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of

job.start(snakemake)
output, params = snakemake.output, snakemake.params
grid = grid_of(params.grid)
levels = len(output.arrays) - 1
group = ngff.image_group(snakemake.wildcards.sample, "zyx", levels, params.pixel_size)
ngff.write(output.group, group)
ngff.write(output.labels, ngff.labels_group(params.labels))
for level, path in enumerate(output.arrays):
    reduced = grid.level(level)
    ngff.write(path, ngff.array(layout_of(reduced, params.dtype), reduced.shape, "zyx"))
