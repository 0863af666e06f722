"""Decide on each tile's threshold and write the mask of a block."""

import math
from dataclasses import replace
from itertools import chain

from tilewise import job
from tilewise.segment.filtered import Filtered
from tilewise.segment.sample_histogram import of_sample
from tilewise.segment.segmenters import (
    COLUMNS,
    Segmenter,
    decide,
    fraction,
    from_row,
    row,
    segment_region,
)
from tilewise.store.blocks import BlockReader, each_strip, strips
from tilewise.store.grid import Tile, crop, grid_of, runs_of
from tilewise.store.layout import layout_of
from tilewise.store.pyramid import LevelsWriter, nearest
from tilewise.tables import write_rows

job.start(snakemake)
params, wildcards, threads = snakemake.params, snakemake.wildcards, snakemake.threads
(part,) = params.parts
grid, block = grid_of(part["grid"]), part["block"]
segmenter = Segmenter(**params.segmenter)
files = dict(zip(params.blocks, snakemake.input.pixels, strict=True))
reader = BlockReader(files, grid, layout_of(grid, params.dtype, codec=params.codec))
filtered = Filtered(reader, params.steps, grid, params.dtype)

sample = from_row(params.calibration) if params.calibration else None
if params.needs_sample:
    histogram = of_sample(snakemake.input.histograms, filtered, grid, block, threads)
    sample = decide(*histogram, segmenter.threshold, segmenter.settings, segmenter.foreground)
is_whole = segmenter.reach == math.inf
tiles = None if params.tiles is None else [Tile(*place) for place in params.tiles]
if tiles is None or is_whole:
    height = math.inf if is_whole or filtered.reach == math.inf else None
    regions = strips(grid, block, height)
else:
    regions = runs_of(tiles, grid)
chosen = None if tiles is None else set(tiles)
layout = layout_of(grid, "uint8")


def bands(region):
    """What is segmented at once: tile rows, or the whole plane where the method needs it."""
    step = region.shape[1] if is_whole else grid.tile
    for y in range(region.y0, region.y1, step):
        yield replace(region, y0=y, y1=min(y + step, region.y1))


with LevelsWriter(snakemake.output.mask, block, grid, layout, nearest, threads) as writer:

    def rows_of(region):
        inside = [tile for tile in grid.tiles_in(region) if chosen is None or tile in chosen]
        if not inside:
            return []
        outer = grid.around(region, segmenter.reach)
        pixels = filtered.read(outer)
        mask, decisions = segment_region(pixels, outer, region, grid, segmenter, sample)
        names = {"sample": part["sample"], "method": wildcards.method}
        scope = "pixel" if segmenter.is_local else segmenter.scope
        rows = []
        for tile in inside:
            inner = grid.tile_region(tile)
            found = crop(mask, region, inner)
            writer.write(inner, found)
            place = {"tile": tile.name, "scope": scope, "foreground": fraction(found)}
            rows.append({**names, **place, **row(decisions[tile])})
        return rows

    def work(region):
        return [row for band in bands(region) for row in rows_of(band)]

    rows = each_strip(work, regions, threads)
write_rows(snakemake.output.thresholds, COLUMNS, chain.from_iterable(rows))
