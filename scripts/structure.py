"""Compare masks with the truth of whole planes, or of a whole stack in 3-D."""

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score import score_table, scoring
from tilewise.store.blocks import BlockReader
from tilewise.store.grid import Region, grid_of
from tilewise.store.layout import layout_of
from tilewise.tables import write_rows

job.start(snakemake)
params, wildcards = snakemake.params, snakemake.wildcards
grid = grid_of(params.parts[0]["grid"])
blocks = [part["block"] for part in params.parts]


def reader(paths, fill):
    files = dict(zip(blocks, paths, strict=True))
    return BlockReader(files, grid, layout_of(grid, "uint8", fill))


def plane(z):
    region = Region(z, z + 1, 0, grid.shape[1], 0, grid.shape[2])
    return truth.read(region).copy(), mask.read(region).copy()


truth, mask = reader(snakemake.input.truth, NOT_ANNOTATED), reader(snakemake.input.mask, 0)
planes = sorted(
    {z for block in blocks for z in range(grid.region(block).z0, grid.region(block).z1)}
)
if wildcards.extent == "stack":
    planes = range(planes[0], planes[-1] + 1)
    pairs = [plane(z) for z in planes]
    extents = [("stack", planes[0], *map(np.stack, zip(*pairs, strict=True)))]
else:
    extents = ((f"z{z:04d}", z, *plane(z)) for z in planes)

names = {"sample": wildcards.sample, "method": wildcards.method}
rows = []
for name, z, known, found in extents:
    fields = scoring.score(known, found, params.scoring)
    if fields:
        rows.append({**names, "tile": name, "z": z, "y": 0, "x": 0, "patch": "", **fields})
write_rows(snakemake.output.metrics, score_table.columns(params.scoring["metrics"]), rows)
