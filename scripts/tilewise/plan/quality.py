"""The jobs of rules/quality.smk: what every tile is worth, and how far its mask may be trusted."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from tilewise.labels import SEGMENTATION
from tilewise.plan import learn, paths, reads, resources, segment, validate
from tilewise.plan.learn import ModelFiles
from tilewise.plan.methods import NO_FILTER
from tilewise.plan.reads import PartSettings, PixelJob, Pixels
from tilewise.plan.resources import Need
from tilewise.plan.study import Choice, Study


@cache
def quality(study: Study, stack: str, block: str) -> PixelJob:
    """Features of every tile of a block."""
    group = resources.ingest_group(study, stack)
    places = study.places(stack, block)
    return PixelJob(
        parts=reads.parts(study, places),
        pixels=reads.image(study, places, NO_FILTER, 0),
        dtype=study.dtype(stack),
        need=resources.by_strips(study, stack, group),
    )


def features(study: Study, samples: Iterable[str]) -> list[str]:
    """Tables with the features of samples, and of those beside them, where quality is measured."""
    if not study.config["quality"]["measure"]:
        return []
    blocks = dict.fromkeys(
        (study.stack_of[sample].name, study.block_of(sample, own))
        for sample in samples
        for own in study.grids[sample].blocks()
    )
    return [paths.QUALITY.format(stack=stack, block=block) for stack, block in blocks]


@dataclass(frozen=True)
class Survey:
    """How far methods agree on a few tiles of a block.

    Of each part: `tiles`, plane, tile row and tile column; `methods`, those that are compared; and
    `counts`, those for whose outcome the sample is gone through first.
    """

    parts: list[PartSettings]
    pixels: Pixels
    """Of the image, from which any method gives those tiles."""
    variants: dict[str, dict[str, Any]]
    """By method."""
    own_files: list[str]
    """The user's own files: what makes masks, and what steps of filters read."""
    models: ModelFiles
    dtype: str


@cache
def survey(study: Study, stack: str, block: str, choices: tuple[Choice, ...]) -> Survey:
    """Of one block, by what was chosen for each of `survey_methods`."""
    variants = {one.method: study.methods[one.method].variant(one.variant) for one in choices}
    parts, places = [], _survey_places(study, stack, block)
    for sample, own in places:
        methods = _survey_methods_of(study, sample)
        parts.append(
            reads.part(
                study,
                sample,
                own,
                tiles=_surveyed(study, sample)[own],
                methods=methods,
                counts=[m for m in methods if study.counts_sample(sample, variants[m])],
            )
        )
    reach = _survey_reach(study, stack, block)
    tried = [variant.filter for variant in variants.values()]
    pixels = reads.image(study, places, NO_FILTER, reach, tried)
    own_files = [file for variant in variants.values() for file in variant.own_files]
    return Survey(
        parts=parts,
        pixels=pixels,
        variants={
            choice.method: {
                "filter": variant.filter,
                "steps": study.steps(variant.filter, stack),
                "segmenter": vars(variant.segmenter),
                "calibration": dict(choice.calibration) if choice.calibration else None,
            }
            for choice, variant in zip(choices, variants.values(), strict=True)
        },
        own_files=[*own_files, *pixels.own_files],
        models=learn.models(
            study, [(name, name, variant) for name, variant in variants.items()], is_tried=True
        ),
        dtype=study.dtype(stack),
    )


@cache
def survey_need(study: Study, stack: str, block: str) -> Need:
    """What the job takes, whatever is chosen."""
    compared = (study.methods[name] for name in survey_methods(study, stack, block))
    variants = [variant for method in compared for variant in method.variants]
    filters = {variant.filter for variant in variants}
    size = resources.trials(study, stack, variants, workers=1)
    return Need(size, resources.runtime(study, stack, filters))


@cache
def survey_methods(study: Study, stack: str, block: str) -> list[str]:
    """Methods that are compared on the samples of a block."""
    places = _survey_places(study, stack, block)
    compared = {name for sample, _ in places for name in _survey_methods_of(study, sample)}
    return [name for name in study.methods if name in compared]


@cache
def _survey_methods_of(study: Study, sample: str) -> list[str]:
    """Methods that are compared: those for which nothing large is done that is not done anyway.

    That is to count a large sample, or to let a program segment all tiles of a block.
    """
    stack = study.stack_of[sample].name
    return [
        name
        for name in study.methods_of(sample)
        # a vote agrees with what it counts
        if not study.methods[name].voters
        and (
            study.is_run(sample, name)
            or not segment.waiting(study, stack, study.methods[name].variants)
        )
        and (study.apply in ("all", name) or not study.has_program(name))
    ]


def _survey_reach(study: Study, stack: str, block: str) -> float:
    """Pixels around a tile that any method, with any of its parameters, needs."""
    return max(
        study.variant_reach(stack, variant)
        for name in survey_methods(study, stack, block)
        for variant in study.methods[name].variants
    )


def _survey_places(study: Study, stack: str, block: str) -> list[tuple[str, str]]:
    """Samples with several methods to compare, and tiles to compare them on."""
    return [
        (sample, own)
        for sample, own in study.places(stack, block)
        if len(_survey_methods_of(study, sample)) > 1 and own in _surveyed(study, sample)
    ]


@cache
def _surveyed(study: Study, sample: str) -> dict[str, list[list[int]]]:
    """Tiles of a sample that are surveyed, by block; evenly spread."""
    grid = study.grids[sample]
    tiles: dict[str, list[list[int]]] = {}
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


def _agreement_tables(study: Study) -> list[str]:
    if len(study.methods) < 2 or not study.config["quality"]["survey"]:
        return []
    return [
        paths.SURVEY.format(stack=stack, block=block)
        for stack in study.stacks
        for block in study.blocks(stack)
        if _survey_places(study, stack, block)
    ]


def _fraction_tables(study: Study) -> list[str]:
    """Tables with the fraction of foreground of all tiles, where anything segments all of them."""
    applied = [(sample, SEGMENTATION) for sample in study.applied]
    runs = study.runs if study.apply == "all" else applied
    pairs = dict.fromkeys((study.stack_of[sample].name, method) for sample, method in runs)
    return paths.of_masks(paths.THRESHOLDS, pairs, study.mask_blocks)
