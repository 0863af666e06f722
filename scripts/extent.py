"""Find the least and the greatest pixel of a block."""

from tilewise import job
from tilewise.store.blocks import BlockReader, strips
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.tables import write_rows

job.start(snakemake)
params = snakemake.params
grid, block = grid_of(params.grid), snakemake.wildcards.block
reader = BlockReader(
    {block: snakemake.input.pixels[0]}, grid, layout_of(grid, params.dtype, codec=params.codec)
)
low, high = float("inf"), float("-inf")
for strip in strips(grid, block):
    pixels = reader.read(strip)
    low, high = min(low, float(pixels.min())), max(high, float(pixels.max()))
write_rows(snakemake.output.extent, ("low", "high"), [{"low": low, "high": high}])
