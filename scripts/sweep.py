"""Score every set of a method's parameters on the annotated tiles of a block."""

from functools import partial
from itertools import chain

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score import score_table, scoring
from tilewise.segment.filtered import FilteredBlocks
from tilewise.segment.guard import Outcome
from tilewise.segment.learned import read_models
from tilewise.segment.outcomes import outcomes_of
from tilewise.segment.thresholds import Threshold
from tilewise.segment.trials import trial_masks, trials_of
from tilewise.store.blocks import each_strip, open_blocks
from tilewise.store.grid import crop, runs_of
from tilewise.store.parts import each_part, parts_of
from tilewise.tables import read_each

job.start(snakemake)
given, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
parts = parts_of(params.parts)
grid = parts[0].grid
paths = given.image, given.rois, params.blocks
kinds = {"colors": given.colors, "sources": given.sources, "arrays": params.arrays}
images = FilteredBlocks(*paths, grid, params.dtype, **kinds)
truths = open_blocks([given.truth], [wildcards.block], grid, "uint8", fill=NOT_ANNOTATED)
order = {variant["name"]: number for number, variant in enumerate(params.variants)}
known = {name: Outcome.from_json(outcome) for name, outcome in params.outcomes.items()}
models = read_models(params.models, given.models, given.assigned)
calibrated = {}
for row in read_each(given.calibration):
    calibrated.setdefault(row["variant"], []).append((row["fold"], Threshold.from_row(row)))


def sweep(part, threads):
    """Rows of a sample's annotated tiles, for all variants."""
    grid, truth, own = part.grid, truths.of(part), part.settings
    settings = params.scoring | {"spacing": own["spacing"]}
    annotated = dict.fromkeys(filter(truth.is_stored, grid.tiles(part.block)))
    filters = {name: images.of(part, steps) for name, steps in params.steps.items()}
    counting = [one for one in params.variants if one["name"] in own["counts"]]
    outcomes = known | outcomes_of(counting, filters, part, threads)

    def rows_of(region, filtered, trials):
        known = {tile: truth.tile(tile) for tile in grid.tiles_in(region) if tile in annotated}
        rows = []
        for trial, mask in trial_masks(trials, region, filtered):
            for tile, own_truth in known.items():
                own_mask = np.ascontiguousarray(crop(mask, region, grid.tile_region(tile)))
                names = {"sample": part.sample, "method": wildcards.method, **grid.place(tile)}
                names |= {"variant": trial.variant}
                is_sliver = grid.is_sliver(tile)
                counts = scoring.count_tile(own_truth, own_mask, settings, is_sliver=is_sliver)
                rows += [
                    {**names, "fold": fold, **fields} for fields in counts for fold in trial.folds
                ]
        return rows

    rows = []
    trained = {name: one.of(part.sample) for name, one in models.items()}
    nested = {name: one.by_fold(part.sample) for name, one in models.items()}
    groups = trials_of(params.variants, calibrated, outcomes, trained, nested)
    for (name, reach), trials in groups.items():
        work = partial(rows_of, filtered=filters[name], trials=trials)
        rows += chain.from_iterable(each_strip(work, runs_of(annotated, grid, reach), threads))
    rows.sort(key=lambda row: (row["z"], row["y"], row["x"], order[row["variant"]], row["fold"]))
    return rows


rows = chain.from_iterable(each_part(sweep, parts, snakemake.threads))
path, choices = snakemake.output.scores, params.scoring["metrics"]
score_table.write_scores(path, rows, choices, leading=("variant", "fold"))
