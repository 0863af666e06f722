"""Run all methods on a few tiles of a block, and see how far they agree."""

from tilewise import job
from tilewise.score.agreement import mean_dice
from tilewise.segment import trials
from tilewise.segment.filtered import Filtered
from tilewise.segment.sample_histogram import of_filters
from tilewise.segment.segmenters import Segmenter, decide, from_row, segment_region
from tilewise.store.blocks import BlockReader
from tilewise.store.grid import Tile, grid_of
from tilewise.store.layout import layout_of
from tilewise.tables import write_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params
(part,) = params.parts
grid, block = grid_of(part["grid"]), part["block"]
files = dict(zip(params.blocks, given.image, strict=True))
image = BlockReader(files, grid, layout_of(grid, params.dtype))


def prepared(variant):
    """What segments, and the decision of the whole sample where that is used."""
    segmenter, calibration = Segmenter(**variant["segmenter"]), variant["calibration"]
    if variant["needs_sample"]:
        settings = segmenter.threshold, segmenter.settings, segmenter.foreground
        return segmenter, decide(*histograms[variant["filter"]], *settings)
    return segmenter, from_row(calibration) if calibration else None


filters = {
    variant["filter"]: Filtered(image, variant["steps"], grid, params.dtype)
    for variant in params.variants
}
histograms = of_filters(given.histograms, params.counted, filters, grid, block, snakemake.threads)
chosen = [(variant["filter"], *prepared(variant)) for variant in params.variants]


def masks_of(region):
    """The mask of each method, filter by filter: what is read lasts until the next is read."""
    masks = {}
    for name, filtered in filters.items():
        own = {i: rest for i, (filter, *rest) in enumerate(chosen) if filter == name}
        outer = trials.trials_of([segmenter for segmenter, _ in own.values()], region, grid)
        pixels = filtered.read(outer)
        for i, (segmenter, sample) in own.items():
            masks[i] = segment_region(pixels, outer, region, grid, segmenter, sample)[0]
    return [masks[i] for i in range(len(chosen))]


rows = []
for place in params.tiles:
    tile = Tile(*place)
    masks = masks_of(grid.tile_region(tile))
    rows.append({"sample": part["sample"], "tile": tile.name, "agreement": mean_dice(masks)})
write_rows(snakemake.output.agreement, ("sample", "tile", "agreement"), rows)
