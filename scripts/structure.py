"""Compare masks with the truth of whole planes, or of all planes of a sample in 3-D."""

from itertools import groupby
from operator import attrgetter

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score import score_table
from tilewise.score.scoring import count_extent, planes_of, volume_of
from tilewise.store.blocks import open_blocks
from tilewise.store.parts import parts_of

job.start(snakemake)
given, params = snakemake.input, snakemake.params
parts = parts_of(params.parts)
grid = parts[0].grid
truths = open_blocks(given.truth, params.blocks, grid, "uint8", fill=NOT_ANNOTATED)
masks = open_blocks(given.mask, params.blocks, grid, "uint8")
extents_of = planes_of if params.is_plane else volume_of
rows = []
for sample, own in groupby(parts, attrgetter("sample")):
    own = list(own)
    settings = params.scoring | {"spacing": own[0].settings["spacing"]}
    regions = [part.grid.region(part.block) for part in own]
    planes = sorted({z for region in regions for z in range(region.z0, region.z1)})
    truth, mask = (blocks.of(own[0]).plane for blocks in (truths, masks))
    for name, z, known, predicted in extents_of(planes, truth, mask):
        fields = count_extent(known, predicted, settings)
        if fields:
            place = {"sample": sample, "method": snakemake.wildcards.method, "tile": name}
            rows.append({**place, "z": z, "y": 0, "x": 0, "patch": "", **fields})
score_table.write_scores(snakemake.output.metrics, rows, params.scoring["metrics"])
