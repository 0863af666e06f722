"""Decide on each tile's threshold and write the mask of a block."""

from contextlib import nullcontext
from dataclasses import replace
from itertools import chain, starmap

from tilewise import costs, job
from tilewise.segment.filtered import FilteredBlocks
from tilewise.segment.guard import Outcome
from tilewise.segment.learned import Kept, Models, read_models
from tilewise.segment.outcomes import outcome_of
from tilewise.segment.sample_histogram import of_sample
from tilewise.segment.segmenters import COLUMNS, Segmenter, segment_tiles
from tilewise.segment.thresholds import Threshold
from tilewise.segment.voters import Voter, vote_tiles, voters_of
from tilewise.store.blocks import each_strip
from tilewise.store.grid import Tile, runs_of
from tilewise.store.layout import layout_of
from tilewise.store.parts import each_part, parts_of
from tilewise.store.pyramid import LevelsWriter, mean, nearest
from tilewise.tables import SAMPLE, write_rows

began = job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
wildcards, threads = snakemake.wildcards, snakemake.threads
parts, segmenter = parts_of(params.parts), Segmenter(**params.segmenter)
paths = given.pixels, given.rois, params.blocks
kinds = params.codec, given.colors, given.sources, params.arrays
pixels = FilteredBlocks(*paths, parts[0].grid, params.dtype, *kinds)
known = Outcome.from_json(params.outcome) if params.outcome else None
if params.calibration:
    known = Outcome(SAMPLE, Threshold.from_row(params.calibration))
models = read_models(params.models, given.models, given.assigned)
outcomes = {name: Outcome.from_json(outcome) for name, outcome in params.outcomes.items()}
scope = "pixel" if segmenter.is_local else segmenter.scope


def segment(part, threads):
    """Write a sample's part of the mask, and give the rows of its tiles."""
    grid, tiles, outcome = part.grid, part.settings["tiles"], known
    if segmenter.is_vote:
        voters = voters_of(params.voters, part, pixels, outcomes, models, threads)
    else:
        filtered = pixels.of(part, params.steps)
        trained = [one.of(part.sample) for one in models.values()]
        if maps:
            trained = trained or [Models(segmenter.settings["model"])]
        own_segmenter = replace(segmenter, models=trained[0]) if trained else segmenter
        if part.settings["counts"]:
            outcome = outcome_of(of_sample(filtered, part, threads), segmenter)
        voters = [Voter(filtered, own_segmenter, outcome)]
    chosen = dict.fromkeys(grid.tiles(part.block) if tiles is None else starmap(Tile, tiles))

    def rows_of(region):
        rows, kept = [], Kept()
        if segmenter.is_vote:
            segmented = vote_tiles(voters, segmenter, region, chosen)
        else:
            makes = own_segmenter
            if maps:
                makes = replace(makes, models=replace(makes.models, kept=kept))
            segmented = segment_tiles(filtered, region, chosen, makes, outcome)
        for tile, mask, own, inside, share in segmented:
            writer.write(part, grid.tile_region(tile), mask)
            if maps:
                place = grid.tile_region(tile)
                maps.write(part, place, kept.of(place, filtered.inside(place)))
            names = {"sample": part.sample, "method": wildcards.method, **grid.place(tile)}
            names |= {"inside": inside, "scope": scope, "foreground": share}
            rows.append(names | own.to_row())
        return rows

    regions = runs_of(chosen, grid, max(voter.reach for voter in voters))
    return chain.from_iterable(each_strip(rows_of, regions, threads))


kept_at = output.get("probability")
layout = layout_of(parts[0].grid, "uint8")
where = wildcards.block, layout, parts
with (
    LevelsWriter(output.mask, *where, nearest, threads) as writer,
    LevelsWriter(kept_at, *where, mean, threads) if kept_at else nullcontext() as maps,
):
    rows = list(chain.from_iterable(each_part(segment, parts, threads)))
write_rows(output.thresholds, COLUMNS, rows)
costs.write(output.cost, began, sum(row["height"] * row["width"] for row in rows))
