"""The jobs of rules/quality.smk: what every tile is worth, and how far its mask may be trusted."""

from dataclasses import dataclass
from functools import cache

from tilewise.plan import paths, reads, resources, segment, validate
from tilewise.plan.methods import NO_FILTER, SEGMENTATION
from tilewise.plan.reads import Part, Pixels
from tilewise.plan.resources import Need
from tilewise.plan.study import Choice, Study


@dataclass(frozen=True)
class Quality:
    """Features of every tile of a block."""

    parts: list[Part]
    pixels: Pixels
    dtype: str
    need: Need


@cache
def quality(study: Study, sample: str, block: str) -> Quality:
    """Of one block."""
    group = resources.ingest_group(study, sample)
    return Quality(
        parts=[reads.part(study, sample, block)],
        pixels=reads.image(study, sample, NO_FILTER, [study.region(sample, block)], 0),
        dtype=study.dtype(sample),
        need=resources.by_strips(study, sample, group),
    )


def features(study: Study, samples) -> list[str]:
    """Tables of features of samples, where quality is measured."""
    if not study.config["quality"]["measure"]:
        return []
    return [
        path
        for sample in samples
        for path in paths.of_blocks(paths.QUALITY, study.blocks(sample), sample=sample)
    ]


def annotated_features(study: Study) -> list[str]:
    """Tables of features of the samples that have truth."""
    return features(study, study.annotated)


@dataclass(frozen=True)
class Survey:
    """How far methods agree on a few tiles of a block."""

    parts: list[Part]
    pixels: Pixels
    """Of the image, from which any method gives those tiles."""
    histograms: list[str]
    """Of the whole sample, filter by filter of `counted`; none of a single block, as for a mask."""
    counted: list[str]
    """Filters whose histogram of the whole sample some method needs."""
    tiles: list
    """Plane, tile row and tile column."""
    variants: list[dict]
    dtype: str


@cache
def survey(study: Study, sample: str, block: str, choices: tuple[Choice, ...]) -> Survey:
    """Of one block, by what was chosen for each of `survey_methods`."""
    chosen = [(study.methods[choice.method].variant(choice.variant), choice) for choice in choices]
    variants = [variant for variant, _ in chosen]
    regions, reach = [study.region(sample, block)], _survey_reach(study, sample)
    return Survey(
        parts=[reads.part(study, sample, block)],
        pixels=reads.image(study, sample, NO_FILTER, regions, reach),
        histograms=segment.histograms(study, sample, variants),
        counted=segment.counted_filters(study, sample, variants),
        tiles=_surveyed(study, sample)[block],
        variants=[
            {
                "filter": variant.filter,
                "steps": study.steps(variant.filter),
                "segmenter": vars(variant.segmenter),
                "needs_sample": study.needs_sample(sample, variant),
                "calibration": dict(choice.calibration) if choice.calibration else None,
            }
            for variant, choice in chosen
        ],
        dtype=study.dtype(sample),
    )


@cache
def survey_need(study: Study, sample: str, block: str) -> Need:
    """What the job takes, whatever is chosen."""
    size = resources.memory(study, sample, _survey_reach(study, sample), 40)
    return Need(size, resources.runtime(study, sample))


@cache
def survey_methods(study: Study, sample: str) -> list[str]:
    """Methods that are compared: those that need no pass over all of a sample for themselves."""
    return [
        name
        for name in study.methods_of(sample)
        if study.is_run(sample, name)
        or not any(study.needs_sample(sample, one) for one in study.methods[name].variants)
    ]


def _survey_reach(study, sample):
    """Pixels around a tile that any method, with any of its parameters, needs."""
    return max(
        study.variant_reach(sample, variant)
        for name in survey_methods(study, sample)
        for variant in study.methods[name].variants
    )


@cache
def _surveyed(study, sample):
    """Tiles of a sample that are surveyed, by block; evenly spread."""
    grid, tiles = study.grids[sample], {}
    for tile in grid.spread(study.config["quality"]["survey"]):
        (block,) = grid.blocks_of(grid.tile_region(tile))
        tiles.setdefault(block, []).append([tile.z, tile.row, tile.column])
    return tiles


@dataclass(frozen=True)
class Trust:
    """What is known of every tile, and those most worth annotating."""

    features: list[str]
    agreement: list[str]
    thresholds: list[str]
    metrics: list[str]


@cache
def trust(study: Study) -> Trust:
    """Of the study."""
    return Trust(
        features=features(study, study.samples),
        agreement=_agreement_tables(study),
        thresholds=_fraction_tables(study),
        metrics=validate.tables(study),
    )


def _agreement_tables(study):
    if len(study.methods) < 2 or not study.config["quality"]["survey"]:
        return []
    return [
        path
        for sample in study.samples
        if len(survey_methods(study, sample)) > 1
        for path in paths.of_blocks(paths.SURVEY, _surveyed(study, sample), sample=sample)
    ]


def _fraction_tables(study):
    """Tables with the fraction of foreground of all tiles, where anything segments all of them."""
    runs = (
        study.runs if study.apply == "all" else [(sample, SEGMENTATION) for sample in study.applied]
    )
    return [
        path
        for sample, method in runs
        for path in paths.of_blocks(
            paths.THRESHOLDS, study.blocks(sample), sample=sample, method=method
        )
    ]
