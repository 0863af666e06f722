"""Count a block's errors by method and kind, and draw how many methods are wrong where."""

from itertools import chain

import numpy as np

from tilewise import job
from tilewise.labels import FN, TP
from tilewise.score import error_kinds
from tilewise.score.error_table import DIFFERENCE_COLUMNS
from tilewise.score.skeleton import skeleton
from tilewise.store.blocks import Blocks, each_strip, strips
from tilewise.store.layout import layout_of
from tilewise.store.parts import each_part, parts_of
from tilewise.store.pyramid import LevelsWriter, nearest
from tilewise.tables import write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
parts, threads, block = parts_of(params.parts), snakemake.threads, snakemake.wildcards.block
layout = layout_of(parts[0].grid, "uint8")
maps = {
    method: Blocks({block: path}, layout)
    for method, path in zip(params.methods, given.confusions, strict=True)
}


def rows_of(codes, methods):
    """Rows of one tile: by stratum, and of what methods differ in."""
    is_true = ((codes[0] == TP) | (codes[0] == FN)).view(np.uint8)
    values = {
        "calibre": (error_kinds.calibre(is_true, skeleton(is_true)), error_kinds.CALIBRES),
        "distance": (error_kinds.boundary_distance(is_true, codes[0] > 0), error_kinds.DISTANCES),
    }
    strata = [
        {"method": method, "by": kind, **counts}
        for method, own in zip(methods, codes, strict=True)
        for kind, (value, edges) in values.items()
        for counts in error_kinds.strata(own, value, edges)
    ]
    pixels = error_kinds.differences(codes)
    objects = error_kinds.object_differences(codes, connectivity=params.connectivity)
    return strata, [
        {"method": method, **of_pixels, **of_objects}
        for method, of_pixels, of_objects in zip(methods, pixels, objects, strict=True)
    ]


def added(sample, rows, keys):
    """Rows with the same keys, their counts added up."""
    totals = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        total = totals.setdefault(key, dict.fromkeys(set(row) - set(keys), 0))
        for name in total:
            total[name] += row[name]
    return [
        {"sample": sample, **dict(zip(keys, key, strict=True)), **total}
        for key, total in totals.items()
    ]


KEYS = ("method", "by", "low", "high")


def compare(part, threads):
    """Draw where a sample's methods are wrong, and give its rows: of strata, of differences."""
    grid, methods = part.grid, part.settings["methods"]
    confusions = [maps[method].of(part) for method in methods]

    def work(strip):
        found = []
        for tile in filter(confusions[0].is_stored, grid.tiles_in(strip)):
            codes = np.stack([confusion.tile(tile) for confusion in confusions])
            writer.write(part, grid.tile_region(tile), error_kinds.error_map(codes))
            found.append(rows_of(codes, methods))
        return found

    tiles = list(chain.from_iterable(each_strip(work, strips(grid, part.block), threads)))
    strata = added(part.sample, chain.from_iterable(rows for rows, _ in tiles), KEYS)
    return strata, added(part.sample, chain.from_iterable(rows for _, rows in tiles), ("method",))


with LevelsWriter(output.errors, block, layout, parts, nearest, threads) as writer:
    found = each_part(compare, parts, threads)
strata = chain.from_iterable(rows for rows, _ in found)
write_rows(output.strata, ("sample", *KEYS, "tp", "fp", "fn", "tn"), strata)
write_rows(output.differences, DIFFERENCE_COLUMNS, chain.from_iterable(rows for _, rows in found))
