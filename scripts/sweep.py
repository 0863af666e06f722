"""Score every set of a method's parameters on a block's annotated tiles."""

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
from tilewise.segment.segmenters import Segmenter, segment_region
from tilewise.segment.thresholds import Threshold
from tilewise.store.blocks import each_strip, open_blocks, strips
from tilewise.store.grid import crop, runs_of
from tilewise.store.parts import each_part, parts_of
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
given, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
parts = parts_of(params.parts)
grid = parts[0].grid
images = open_blocks(given.image, params.blocks, grid, params.dtype)
truths = open_blocks([given.truth], [wildcards.block], grid, "uint8", fill=NOT_ANNOTATED)
order = {variant["name"]: number for number, variant in enumerate(params.variants)}
by_filter = itemgetter("filter")
calibration = {}
for fields in (fields for path in given.calibration for fields in read_rows(path)):
    threshold = Threshold.from_row(fields)
    calibration.setdefault(fields["variant"], []).append((fields["fold"], threshold))


def sweep(part, threads):
    """Rows of a sample's annotated tiles, for all variants."""
    grid, image, truth = part.grid, images.of(part), truths.of(part)
    names = {"sample": part.sample, "method": wildcards.method}
    settings = params.scoring | {"spacing": part.settings["spacing"]}
    annotated = list(filter(truth.is_stored, grid.tiles(part.block)))
    filters = {
        name: Filtered(image, steps, grid, params.dtype) for name, steps in params.steps.items()
    }
    histograms = of_filters(given.histograms, part.settings["counted"], filters, part, threads)

    def trials_of(variant):
        """Each threshold that a variant is tried with: its segmenter, name, fold and threshold."""
        segmenter = Segmenter(**variant["segmenter"])
        if segmenter.scope == "calibrated":
            return [
                (segmenter, variant["name"], fold, threshold)
                for fold, threshold in calibration[variant["name"]]
            ]
        sample = None
        if variant["name"] in part.settings["needs_sample"]:
            known = histograms[variant["filter"]]
            sample = segmenter.find_threshold(*known)
        return [(segmenter, variant["name"], "", sample)]

    def rows_of(region, filtered, chosen):
        """Rows of the annotated tiles of a region, for all variants."""
        tiles = [tile for tile in annotated if grid.tile_region(tile).intersects(region)]
        if not tiles:
            return []
        outer = trials.surroundings([segmenter for segmenter, *_ in chosen], region, grid)
        pixels = filtered.read(outer)
        surfaces = trials.Surfaces(pixels, outer)
        known = {tile: truth.tile(tile) for tile in tiles}
        rows = []
        for segmenter, variant, fold, sample in chosen:
            mask, _ = segment_region(pixels, outer, region, grid, segmenter, sample, surfaces)
            for tile in tiles:
                inner = grid.tile_region(tile)
                place = {"tile": tile.name, "z": tile.z, "y": inner.y0, "x": inner.x0}
                trial = {**names, **place, "variant": variant, "fold": fold}
                found = np.ascontiguousarray(crop(mask, region, inner))
                scores = scoring.score_tile(known[tile], found, settings)
                rows += [{**trial, **fields} for fields in scores]
        return rows

    rows = []
    for name, variants in groupby(sorted(params.variants, key=by_filter), by_filter):
        chosen = [trial for variant in variants for trial in trials_of(variant)]
        for is_whole, some in trials.by_reach(chosen):
            regions = strips(grid, part.block, math.inf) if is_whole else runs_of(annotated, grid)
            regions = list(regions)

            def work(region, filtered=filters[name], some=some):
                return rows_of(region, filtered, some)

            if regions:
                rows += chain.from_iterable(each_strip(work, regions, threads))
    rows.sort(key=lambda row: (row["z"], row["y"], row["x"], order[row["variant"]], row["fold"]))
    return rows


rows = each_part(sweep, parts, snakemake.threads)
columns = ("variant", "fold", *score_table.columns(params.scoring["metrics"]))
write_rows(snakemake.output.scores, columns, chain.from_iterable(rows))
