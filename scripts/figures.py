"""Draw a few tiles of a sample through a method's steps, their histograms, and what came of it."""

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score.confusion import confusion_map
from tilewise.score.pixel_metrics import COUNTS
from tilewise.score.score_table import whole_tiles
from tilewise.segment.filters import apply_chain, chain_reach
from tilewise.segment.segmenters import from_row
from tilewise.store.blocks import BlockReader
from tilewise.store.grid import Tile, crop, grid_of
from tilewise.store.layout import layout_of
from tilewise.tables import read_rows
from tilewise.view import figures
from tilewise.view.overlay import blend, display

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
grid = grid_of(params.grid)
reach = chain_reach(params.steps, params.dtype)


def reader(paths, blocks=params.blocks, dtype=params.dtype, **layout):
    files = dict(zip(blocks, paths, strict=True))
    return BlockReader(files, grid, layout_of(grid, dtype, **layout))


image = reader(given.image, params.image_blocks)
mask = reader(given.mask, dtype="uint8")
truth = reader(given.truth, dtype="uint8", fill=NOT_ANNOTATED)
color = reader(given.color, channels=3) if given.color else None
decisions = {
    fields["tile"]: from_row(fields) for path in given.thresholds for fields in read_rows(path)
}

pictures, histograms = {}, {}
for tile in (Tile(*place) for place in params.tiles):
    region = grid.tile_region(tile)
    outer = grid.around(region, reach)
    surroundings = image.read(outer)
    filtered = crop(apply_chain(surroundings, params.steps), outer, region)
    grey = display(crop(surroundings, outer, region))
    picture = np.moveaxis(display(color.tile(tile)), 0, -1) if color else grey
    masked, known = mask.tile(tile), truth.tile(tile)
    overlaid = blend(picture, confusion_map(known, masked), params.colors, params.alpha)
    steps = (picture, display(filtered), masked, known, overlaid)
    pictures[tile.name] = dict(zip(figures.STEPS, steps, strict=True))
    decision = decisions[tile.name]
    histograms[tile.name] = filtered, decision.values, decision.note

rows = whole_tiles(row for path in given.metrics for row in read_rows(path))
counts = {name: sum(int(row[name]) for row in rows) for name in COUNTS}
title = "{sample}: {method}".format(**snakemake.wildcards)
if params.tuned:
    title += " (tuned on these tiles)"
width = params.pixel_size[-1] if params.pixel_size else None
figures.save(figures.side_by_side(pictures, title, width), output.tiles)
figures.save(figures.histograms(histograms, title), output.histogram)
figures.save(figures.confusion_matrix(counts, title), output.confusion)
