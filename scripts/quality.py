"""Measure the quality of every tile of a block."""

from itertools import chain

from tilewise import job
from tilewise.quality.feature_names import FEATURES, PLACE
from tilewise.quality.features import features
from tilewise.segment.filtered import FilteredBlocks
from tilewise.store.blocks import each_strip, strips
from tilewise.store.parts import each_part, parts_of
from tilewise.tables import SLIVER, write_rows

job.start(snakemake)
given, params, block = snakemake.input, snakemake.params, snakemake.wildcards.block
parts = parts_of(params.parts)
images = FilteredBlocks(given.image, given.rois, [block], parts[0].grid, params.dtype)


def measure(part, threads):
    """Rows of a sample's tiles."""
    grid, image = part.grid, images.of(part, [])

    def work(strip):
        rows = []
        for tile in grid.tiles_in(strip):
            own = grid.tile_region(tile)
            inside = image.inside(own)
            if inside is None or inside.any():
                names = {"sample": part.sample, **grid.place(tile)}
                names["edge"] = SLIVER if grid.is_sliver(tile) else ""
                rows.append(names | features(image.read(own), inside))
        return rows

    return chain.from_iterable(each_strip(work, strips(grid, part.block), threads))


rows = each_part(measure, parts, snakemake.threads)
columns = (*PLACE, *FEATURES)
write_rows(snakemake.output.features, columns, chain.from_iterable(rows))
