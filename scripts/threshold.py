"""Decide on each tile's threshold and write the mask of a block."""

import math
from dataclasses import replace
from itertools import chain

from tilewise import job
from tilewise.segment.filtered import Filtered
from tilewise.segment.sample_histogram import of_sample
from tilewise.segment.segmenters import COLUMNS, Segmenter, fraction, segment_region
from tilewise.segment.thresholds import Threshold
from tilewise.store.blocks import each_strip, open_blocks, strips
from tilewise.store.grid import Tile, crop, runs_of
from tilewise.store.layout import layout_of
from tilewise.store.parts import each_part, parts_of
from tilewise.store.pyramid import LevelsWriter, nearest
from tilewise.tables import write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
wildcards, threads = snakemake.wildcards, snakemake.threads
parts, segmenter = parts_of(params.parts), Segmenter(**params.segmenter)
pixels = open_blocks(given.pixels, params.blocks, parts[0].grid, params.dtype, codec=params.codec)
calibrated = Threshold.from_row(params.calibration) if params.calibration else None
scope = "pixel" if segmenter.is_local else segmenter.scope
is_whole = segmenter.reach == math.inf


def segment(part, threads):
    """Write a sample's part of the mask, and give the rows of its tiles."""
    grid, names = part.grid, {"sample": part.sample, "method": wildcards.method}
    filtered = Filtered(pixels.of(part), params.steps, grid, params.dtype)
    sample = calibrated
    if part.settings["needs_sample"]:
        histogram = of_sample(given.histograms, filtered, part, threads)
        sample = segmenter.find_threshold(*histogram)
    tiles = part.settings["tiles"]
    chosen = None if tiles is None else dict.fromkeys(Tile(*place) for place in tiles)
    if chosen is None or is_whole:
        height = math.inf if is_whole or filtered.reach == math.inf else None
        regions = strips(grid, part.block, height)
    else:
        regions = runs_of(chosen, grid)

    def bands(region):
        """What is segmented at once: tile rows, or the whole plane where the method needs it."""
        step = region.shape[1] if is_whole else grid.tile
        for y in range(region.y0, region.y1, step):
            yield replace(region, y0=y, y1=min(y + step, region.y1))

    def rows_of(region):
        inside = [tile for tile in grid.tiles_in(region) if chosen is None or tile in chosen]
        if not inside:
            return []
        outer = grid.around(region, segmenter.reach)
        mask, thresholds = segment_region(
            filtered.read(outer), outer, region, grid, segmenter, sample
        )
        rows = []
        for tile in inside:
            inner = grid.tile_region(tile)
            found = crop(mask, region, inner)
            writer.write(part, inner, found)
            place = {"tile": tile.name, "scope": scope, "foreground": fraction(found)}
            rows.append({**names, **place, **thresholds[tile].to_row()})
        return rows

    rows = each_strip(
        lambda region: [row for band in bands(region) for row in rows_of(band)], regions, threads
    )
    return chain.from_iterable(rows)


layout = layout_of(parts[0].grid, "uint8")
with LevelsWriter(output.mask, wildcards.block, layout, parts, nearest, threads) as writer:
    rows = each_part(segment, parts, threads)
write_rows(output.thresholds, COLUMNS, chain.from_iterable(rows))
