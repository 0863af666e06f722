"""Decide on each tile's threshold and write the mask of a block."""

from itertools import chain, starmap

from tilewise import job
from tilewise.segment.filtered import Filtered
from tilewise.segment.sample_histogram import of_sample
from tilewise.segment.segmenters import COLUMNS, Segmenter, fraction, segment_region
from tilewise.segment.thresholds import Threshold
from tilewise.store.blocks import each_strip, open_blocks
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


def segment(part, threads):
    """Write a sample's part of the mask, and give the rows of its tiles."""
    grid, tiles, sample = part.grid, part.settings["tiles"], calibrated
    filtered = Filtered(pixels.of(part), params.steps, grid, params.dtype)
    if part.settings["needs_sample"]:
        sample = segmenter.find_threshold(*of_sample(given.histograms, filtered, part, threads))
    chosen = dict.fromkeys(grid.tiles(part.block) if tiles is None else starmap(Tile, tiles))

    def chosen_in(region):
        return [tile for tile in grid.tiles_in(region) if tile in chosen]

    def rows_of(region):
        rows = []
        for run in runs_of(chosen_in(region), grid, segmenter.reach):
            outer = grid.around(run, segmenter.reach)
            read = filtered.read(outer), outer
            mask, thresholds = segment_region(*read, run, grid, segmenter, sample)
            for tile in chosen_in(run):
                inner = grid.tile_region(tile)
                own = crop(mask, run, inner)
                writer.write(part, inner, own)
                names = {"sample": part.sample, "method": wildcards.method, "tile": tile.name}
                names |= dict(zip(("height", "width"), own.shape, strict=True))
                names |= {"scope": scope, "foreground": fraction(own)}
                rows.append(names | thresholds[tile].to_row())
        return rows

    regions = runs_of(chosen, grid, max(filtered.reach, segmenter.reach))
    return chain.from_iterable(each_strip(rows_of, regions, threads))


layout = layout_of(parts[0].grid, "uint8")
with LevelsWriter(output.mask, wildcards.block, layout, parts, nearest, threads) as writer:
    rows = each_part(segment, parts, threads)
write_rows(output.thresholds, COLUMNS, chain.from_iterable(rows))
