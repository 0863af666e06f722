"""Score every set of a method's parameters on the annotated tiles of a block."""

import math
from itertools import chain, groupby
from operator import itemgetter

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score import score_table, scoring
from tilewise.segment import trials
from tilewise.segment.filtered import Filtered
from tilewise.segment.sample_histogram import of_filters
from tilewise.segment.thresholds import Threshold
from tilewise.store.blocks import each_strip, open_blocks, strips
from tilewise.store.grid import crop, runs_of
from tilewise.store.parts import each_part, parts_of
from tilewise.tables import read_each

job.start(snakemake)
given, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
parts = parts_of(params.parts)
grid = parts[0].grid
images = open_blocks(given.image, params.blocks, grid, params.dtype)
truths = open_blocks([given.truth], [wildcards.block], grid, "uint8", fill=NOT_ANNOTATED)
order = {variant["name"]: number for number, variant in enumerate(params.variants)}
by_filter = itemgetter("filter")
calibrated = {}
for row in read_each(given.calibration):
    calibrated.setdefault(row["variant"], []).append((row["fold"], Threshold.from_row(row)))


def sweep(part, threads):
    """Rows of a sample's annotated tiles, for all variants."""
    grid, image, truth = part.grid, images.of(part), truths.of(part)
    settings = params.scoring | {"spacing": part.settings["spacing"]}
    annotated = list(filter(truth.is_stored, grid.tiles(part.block)))
    filters = {
        name: Filtered(image, steps, grid, params.dtype) for name, steps in params.steps.items()
    }
    histograms = of_filters(given.histograms, part.settings["counted"], filters, part, threads)

    def trials_of(variant):
        is_of_sample = variant["name"] in part.settings["needs_sample"]
        histogram = histograms[variant["filter"]] if is_of_sample else None
        return trials.trials_of(variant, calibrated, histogram)

    def rows_of(region, filtered, tried):
        """Rows of the annotated tiles of a region, for all variants."""
        inner = {tile: grid.tile_region(tile) for tile in annotated}
        known = {tile: truth.tile(tile) for tile, own in inner.items() if own.intersects(region)}
        rows = []
        for trial, mask in trials.trial_masks(tried, region, filtered, grid) if known else ():
            for tile, own_truth in known.items():
                own = inner[tile]
                names = {"sample": part.sample, "method": wildcards.method, "tile": tile.name}
                names |= {"z": tile.z, "y": own.y0, "x": own.x0}
                names |= {"variant": trial.variant, "fold": trial.fold}
                own_mask = np.ascontiguousarray(crop(mask, region, own))
                counts = scoring.count_tile(own_truth, own_mask, settings)
                rows += [{**names, **fields} for fields in counts]
        return rows

    rows = []
    for name, variants in groupby(sorted(params.variants, key=by_filter), by_filter):
        tried = chain.from_iterable(map(trials_of, variants))
        for is_whole, some in trials.by_reach(tried):
            regions = strips(grid, part.block, math.inf) if is_whole else runs_of(annotated, grid)

            def work(region, filtered=filters[name], some=some):
                return rows_of(region, filtered, some)

            if annotated:
                rows += chain.from_iterable(each_strip(work, list(regions), threads))
    rows.sort(key=lambda row: (row["z"], row["y"], row["x"], order[row["variant"]], row["fold"]))
    return rows


rows = chain.from_iterable(each_part(sweep, parts, snakemake.threads))
path, choices = snakemake.output.scores, params.scoring["metrics"]
score_table.write_scores(path, rows, choices, leading=("variant", "fold"))
