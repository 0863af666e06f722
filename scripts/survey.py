"""Run all methods on a few tiles of a block, and see how far they agree."""

from itertools import combinations

import numpy as np

from tilewise import job
from tilewise.score import formulas
from tilewise.segment import trials
from tilewise.segment.segmenters import Segmenter, from_row
from tilewise.store.blocks import BlockReader
from tilewise.store.grid import Tile, grid_of
from tilewise.store.layout import layout_of
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
given, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
grid = grid_of(params.grid)
files = dict(zip(params.blocks, given.image, strict=True))
image = BlockReader(files, grid, layout_of(grid, params.dtype))
thresholds = iter(given.thresholds)
methods = []
for variant in params.variants:
    filtered = trials.Filtered(image, variant["steps"], grid, params.dtype)
    sample = None
    if variant["needs_sample"]:
        sample = from_row(read_rows(next(thresholds))[0])
    elif variant["calibration"]:
        sample = from_row(variant["calibration"])
    methods.append((filtered, Segmenter(**variant["segmenter"]), sample))


def mask_of(region, filtered, segmenter, sample):
    outer = grid.around(region, segmenter.reach)
    pixels = filtered.read(outer)
    return trials.segment_region(pixels, outer, region, grid, segmenter, sample)[0]


def agreement(masks):
    """Mean Dice of all pairs; 1 of two empty masks."""
    sizes = [int(np.count_nonzero(mask)) for mask in masks]
    pairs = list(combinations(range(len(masks)), 2))
    common = np.array([np.count_nonzero(masks[a] & masks[b]) for a, b in pairs], float)
    totals = np.array([sizes[a] + sizes[b] for a, b in pairs], float)
    pixels = float(masks[0].size)
    dice = formulas.evaluate(
        "f1",
        {
            "tp": common,
            "fp": totals - 2 * common,
            "fn": np.zeros_like(common),
            "tn": pixels - (totals - common),
        },
    )
    return float(dice.mean())


rows = []
for place in params.tiles:
    tile = Tile(*place)
    masks = [mask_of(grid.tile_region(tile), *method) for method in methods]
    row = {"sample": wildcards.sample, "tile": tile.name}
    rows.append({**row, "agreement": agreement(masks) if len(masks) > 1 else None})
write_rows(snakemake.output.agreement, ("sample", "tile", "agreement"), rows)
