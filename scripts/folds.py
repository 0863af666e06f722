"""Assign annotated tiles to units and folds, for all methods at once."""

from itertools import islice

from tilewise import job
from tilewise.decide.folds import COLUMNS, Folds
from tilewise.decide.places import Place
from tilewise.decide.sampling import Sampling
from tilewise.labels import NOT_ANNOTATED
from tilewise.quality.flags import excluded_tiles, flags_of_tiles
from tilewise.score.patches import patches
from tilewise.store.blocks import open_blocks
from tilewise.store.parts import parts_of
from tilewise.tables import read_each, write_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params
flags = flags_of_tiles(read_each(given.features), params.limits)
excluded = excluded_tiles(flags, params.exclude)
files, tiles = iter(given.truths), {}
for stack in params.stacks:
    parts, blocks = parts_of(stack["parts"]), stack["blocks"]
    own = islice(files, len(blocks))
    truths = open_blocks(own, blocks, parts[0].grid, "uint8", fill=NOT_ANNOTATED)
    for part in parts:
        truth = truths.of(part)
        for tile in filter(truth.is_stored, part.grid.tiles(part.block)):
            if (part.sample, tile.name) in excluded:
                continue
            region, known = part.grid.tile_region(tile), truth.tile(tile) != NOT_ANNOTATED
            cuts = () if params.margin is None else patches(known.shape, params.margin)
            own_places = [
                Place(part.sample, tile.z, region.y0, region.x0, patch)
                for patch, cut in [("", ...), *((str(i), cut) for i, cut in enumerate(cuts))]
                if known[cut].any()
            ]
            tiles |= dict.fromkeys(own_places, (tile.row, tile.column))
picked = Sampling.of(tiles, params.sampling), params.sampling
folds = Folds.of(list(tiles), params.groups, params.decision, tiles, picked)
write_rows(snakemake.output.folds, COLUMNS, folds.to_rows())
