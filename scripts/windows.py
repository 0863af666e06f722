"""Take annotated tiles of a block, filtered, to train a U-Net on."""

from itertools import chain

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.learn import windows
from tilewise.learn.windows import Window
from tilewise.segment.filtered import FilteredBlocks
from tilewise.store.blocks import each_strip, open_blocks
from tilewise.store.grid import crop, runs_of
from tilewise.store.parts import each_part, parts_of

job.start(snakemake)
given, params = snakemake.input, snakemake.params
parts, block = parts_of(params.parts), snakemake.wildcards.block
grid, paths = parts[0].grid, (given.pixels, given.rois, params.blocks)
kinds = params.codec, given.colors, given.sources, params.arrays
images = FilteredBlocks(*paths, grid, params.dtype, *kinds)
truths = open_blocks([given.truth], [block], grid, "uint8", fill=NOT_ANNOTATED)


def cut(part, threads):
    """Windows of a sample's annotated tiles."""
    grid, truth = part.grid, truths.of(part)
    filtered = images.of(part, params.steps)
    annotated = dict.fromkeys(filter(truth.is_stored, grid.tiles(part.block)))

    def work(region):
        pixels = filtered.read(region)
        for tile in filter(annotated.__contains__, grid.tiles_in(region)):
            inner = grid.tile_region(tile)
            corner = (part.sample, tile.z, inner.y0, inner.x0)
            yield Window(corner, crop(pixels, region, inner).copy(), truth.tile(tile))

    regions = runs_of(annotated, grid, filtered.reach)
    return chain.from_iterable(each_strip(lambda region: list(work(region)), regions, threads))


tiles = list(chain.from_iterable(each_part(cut, parts, snakemake.threads)))
windows.write(snakemake.output.windows, tiles)
