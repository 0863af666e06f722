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
    part, *others = own
    settings = params.scoring | {"spacing": part.settings["spacing"]}
    regions = [one.grid.region(one.block) for one in (part, *others)]
    planes = sorted({z for region in regions for z in range(region.z0, region.z1)})
    truth, mask = (blocks.of(part).plane for blocks in (truths, masks))
    names = {"sample": sample, "method": snakemake.wildcards.method, "y": 0, "x": 0, "patch": ""}
    for name, z, known, predicted in extents_of(planes, truth, mask):
        if fields := count_extent(known, predicted, settings):
            height, width = known.shape[-2:]
            place = {"tile": name, "z": z, "height": height, "width": width}
            rows.append({**names, **place, **fields})
score_table.write_scores(snakemake.output.metrics, rows, params.scoring["metrics"])
