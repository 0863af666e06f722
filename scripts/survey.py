"""Run all methods on a few tiles of a block, and see how far they agree."""

from itertools import chain

from tilewise import job
from tilewise.score.agreement import mean_dice
from tilewise.segment.filtered import Filtered
from tilewise.segment.sample_histogram import of_filters
from tilewise.segment.segmenters import Segmenter
from tilewise.segment.thresholds import Threshold
from tilewise.segment.trials import Trial, trial_masks
from tilewise.store.blocks import open_blocks
from tilewise.store.grid import Tile
from tilewise.store.parts import each_part, parts_of
from tilewise.tables import write_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params
parts = parts_of(params.parts)
images = open_blocks(given.image, params.blocks, parts[0].grid, params.dtype)
segmenters = {name: Segmenter(**one["segmenter"]) for name, one in params.variants.items()}
calibrated = {
    name: Threshold.from_row(one["calibration"]) if one["calibration"] else None
    for name, one in params.variants.items()
}


def survey(part, threads):
    """Rows of a sample's tiles."""
    grid, image, settings = part.grid, images.of(part), part.settings
    filter_of = {name: params.variants[name]["filter"] for name in settings["methods"]}
    steps = {filter_of[name]: params.variants[name]["steps"] for name in settings["methods"]}
    filters = {source: Filtered(image, own, grid, params.dtype) for source, own in steps.items()}
    histograms = of_filters(given.histograms, settings["counted"], filters, part, threads)
    trials = {source: [] for source in filters}
    for name in settings["methods"]:
        threshold = calibrated[name]
        if name in settings["needs_sample"]:
            threshold = segmenters[name].find_threshold(*histograms[filter_of[name]])
        trials[filter_of[name]].append(Trial(segmenters[name], threshold, name))

    def agreement(tile):
        """Of all methods, filter by filter: what is read lasts until the next is read."""
        masks, region = {}, grid.tile_region(tile)
        for source, filtered in filters.items():
            for trial, mask in trial_masks(trials[source], region, filtered, grid):
                masks[trial.variant] = mask
        return mean_dice([masks[name] for name in settings["methods"]])

    return [
        {"sample": part.sample, "tile": tile.name, "agreement": agreement(tile)}
        for tile in (Tile(*place) for place in settings["tiles"])
    ]


rows = each_part(survey, parts, snakemake.threads)
columns = ("sample", "tile", "agreement")
write_rows(snakemake.output.agreement, columns, chain.from_iterable(rows))
