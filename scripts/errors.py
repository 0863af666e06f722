"""Count a block's errors by method and kind, and draw how many methods are wrong where."""

from itertools import chain

import numpy as np

from tilewise import job
from tilewise.score import error_kinds, error_table
from tilewise.score.formulas import COUNTS
from tilewise.store.blocks import Blocks, each_strip, strips
from tilewise.store.layout import layout_of
from tilewise.store.parts import each_part, parts_of
from tilewise.store.pyramid import LevelsWriter, nearest
from tilewise.tables import write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
parts, threads, block = parts_of(params.parts), snakemake.threads, snakemake.wildcards.block
layout = layout_of(parts[0].grid, "uint8")
paths = zip(params.methods, given.confusions, strict=True)
maps = {method: Blocks({block: path}, layout) for method, path in paths}


def compare(part, threads):
    """Draw where a sample's methods are wrong; rows of each tile, of strata and of differences."""
    grid, methods = part.grid, part.settings["methods"]
    confusions = [maps[method].of(part) for method in methods]

    def work(strip):
        tables = []
        for tile in filter(confusions[0].is_stored, grid.tiles_in(strip)):
            codes = np.stack([confusion.tile(tile) for confusion in confusions])
            writer.write(part, grid.tile_region(tile), error_kinds.error_map(codes))
            both = error_kinds.tile_rows(codes, methods, params.connectivity)
            tables.append([[row | {"sample": part.sample} for row in rows] for rows in both])
        return tables

    return chain.from_iterable(each_strip(work, strips(grid, part.block), threads))


with LevelsWriter(output.errors, block, layout, parts, nearest, threads) as writer:
    tables = list(chain.from_iterable(each_part(compare, parts, threads)))
strata = chain.from_iterable(rows for rows, _ in tables)
strata = error_table.add_up(strata, error_table.STRATUM, COUNTS)
write_rows(output.strata, (*error_table.STRATUM, *COUNTS), strata)
differences = chain.from_iterable(rows for _, rows in tables)
differences = error_table.sum_differences(differences)
write_rows(output.differences, error_table.DIFFERENCE_COLUMNS, differences)
