"""Count a block's errors by method and kind, and draw how many methods are wrong where."""

from itertools import chain

import numpy as np

from tilewise import job
from tilewise.labels import FN, TP
from tilewise.score import error_kinds
from tilewise.score.error_table import DIFFERENCE_COLUMNS
from tilewise.score.skeleton import skeleton
from tilewise.store.blocks import BlockReader, each_strip, strips
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.store.pyramid import LevelsWriter, nearest
from tilewise.tables import write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
threads = snakemake.threads
(part,) = params.parts
grid, block = grid_of(part["grid"]), part["block"]
layout = layout_of(grid, "uint8")
confusions = [BlockReader({block: path}, grid, layout) for path in given.confusions]
names = {"sample": part["sample"]}


def rows_of(codes):
    """Rows of one tile: by stratum, and of what methods differ in."""
    is_true = ((codes[0] == TP) | (codes[0] == FN)).view(np.uint8)
    values = {
        "calibre": (error_kinds.calibre(is_true, skeleton(is_true)), error_kinds.CALIBRES),
        "distance": (error_kinds.boundary_distance(is_true, codes[0] > 0), error_kinds.DISTANCES),
    }
    strata = [
        {"method": method, "by": kind, **counts}
        for method, own in zip(params.methods, codes, strict=True)
        for kind, (value, edges) in values.items()
        for counts in error_kinds.strata(own, value, edges)
    ]
    pixels = error_kinds.differences(codes)
    objects = error_kinds.object_differences(codes, connectivity=params.connectivity)
    return strata, [
        {"method": method, **of_pixels, **of_objects}
        for method, of_pixels, of_objects in zip(params.methods, pixels, objects, strict=True)
    ]


def added(rows, keys):
    """Rows with the same keys, their counts added up."""
    totals = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        total = totals.setdefault(key, dict.fromkeys(set(row) - set(keys), 0))
        for name in total:
            total[name] += row[name]
    return [
        {**names, **dict(zip(keys, key, strict=True)), **total} for key, total in totals.items()
    ]


with LevelsWriter(output.errors, block, grid, layout, nearest, threads) as writer:

    def work(strip):
        found = []
        for tile in filter(confusions[0].is_stored, grid.tiles_in(strip)):
            codes = np.stack([confusion.tile(tile) for confusion in confusions])
            writer.write(grid.tile_region(tile), error_kinds.error_map(codes))
            found.append(rows_of(codes))
        return found

    tiles = list(chain.from_iterable(each_strip(work, strips(grid, block), threads)))
keys = ("method", "by", "low", "high")
strata = added(chain.from_iterable(rows for rows, _ in tiles), keys)
write_rows(output.strata, ("sample", *keys, "tp", "fp", "fn", "tn"), strata)
alone = added(chain.from_iterable(rows for _, rows in tiles), ("method",))
write_rows(output.differences, DIFFERENCE_COLUMNS, alone)
