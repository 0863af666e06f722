"""Compare masks with the truth of whole planes, or of all planes of a sample in 3-D."""

from itertools import groupby
from operator import attrgetter

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score import score_table, scoring
from tilewise.store.blocks import open_blocks
from tilewise.store.grid import Region
from tilewise.store.parts import parts_of
from tilewise.tables import write_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params
parts = parts_of(params.parts)


def blocks_of(paths, fill):
    return open_blocks(paths, params.blocks, parts[0].grid, "uint8", fill=fill)


truths, masks = blocks_of(given.truth, NOT_ANNOTATED), blocks_of(given.mask, 0)


def extents_of(own):
    """Truth and mask of each plane of a sample's parts, or of all planes together."""
    grid = own[0].grid
    truth, mask = truths.of(own[0]), masks.of(own[0])
    regions = [grid.region(part.block) for part in own]
    planes = sorted({z for region in regions for z in range(region.z0, region.z1)})

    def plane(z):
        region = Region(z, z + 1, 0, grid.shape[1], 0, grid.shape[2])
        return truth.read(region).copy(), mask.read(region).copy()

    if params.is_plane:
        yield from ((f"z{z:04d}", z, *plane(z)) for z in planes)
    else:
        pairs = [plane(z) for z in range(planes[0], planes[-1] + 1)]
        yield "stack", planes[0], *map(np.stack, zip(*pairs, strict=True))


rows = []
for sample, own in groupby(parts, attrgetter("sample")):
    own = list(own)
    names = {"sample": sample, "method": snakemake.wildcards.method}
    settings = params.scoring | {"spacing": own[0].settings["spacing"]}
    for name, z, known, found in extents_of(own):
        fields = scoring.score(known, found, settings)
        if fields:
            rows.append({**names, "tile": name, "z": z, "y": 0, "x": 0, "patch": "", **fields})
write_rows(snakemake.output.metrics, score_table.columns(params.scoring["metrics"]), rows)
