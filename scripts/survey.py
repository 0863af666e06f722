"""Run all methods on a few tiles of a block, and see how far they agree."""

from itertools import chain, starmap

from tilewise import job
from tilewise.score.agreement import mean_dice
from tilewise.segment.filtered import FilteredBlocks
from tilewise.segment.guard import Outcome
from tilewise.segment.learned import read_models
from tilewise.segment.outcomes import outcomes_of
from tilewise.segment.thresholds import Threshold
from tilewise.segment.trials import trial_masks, trials_of
from tilewise.store.grid import Tile
from tilewise.store.parts import each_part, parts_of
from tilewise.tables import write_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params
parts = parts_of(params.parts)
paths = given.image, given.rois, params.blocks
kinds = {"colors": given.colors, "sources": given.sources, "arrays": params.arrays}
images = FilteredBlocks(*paths, parts[0].grid, params.dtype, **kinds)
rows_of = {name: variant["calibration"] for name, variant in params.variants.items()}
known = {name: Outcome.from_json(outcome) for name, outcome in params.outcomes.items()}
calibrated = {name: [("", Threshold.from_row(row))] for name, row in rows_of.items() if row}

models = read_models(params.models, given.models, given.assigned)


def survey(part, threads):
    """Rows of a sample's tiles."""
    grid, settings, image = part.grid, part.settings, images.of(part, [])
    variants = [params.variants[name] | {"name": name} for name in settings["methods"]]
    steps = {variant["filter"]: variant["steps"] for variant in variants}
    filters = {name: images.of(part, own) for name, own in steps.items()}
    counting = [one for one in variants if one["name"] in settings["counts"]]
    outcomes = known | outcomes_of(counting, filters, part, threads)
    trained = {name: one.of(part.sample) for name, one in models.items()}
    groups = trials_of(variants, calibrated, outcomes, trained)

    def agreement(tile):
        """Of all methods, filter by filter: what is read lasts until the next is read."""
        masks, region = {}, grid.tile_region(tile)
        for (name, _), trials in groups.items():
            for trial, mask in trial_masks(trials, region, filters[name]):
                masks[trial.variant] = mask
        return mean_dice([masks[name] for name in settings["methods"]])

    return [
        {"sample": part.sample, "tile": tile.name, "agreement": agreement(tile)}
        for tile in starmap(Tile, settings["tiles"])
        if (inside := image.inside(grid.tile_region(tile))) is None or inside.any()
    ]


rows = each_part(survey, parts, snakemake.threads)
columns = ("sample", "tile", "agreement")
write_rows(snakemake.output.agreement, columns, chain.from_iterable(rows))
