"""The jobs of rules/filter.smk and rules/threshold.smk: from the image to masks."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from tilewise.labels import SEGMENTATION
from tilewise.plan import learn, paths, reads, resources
from tilewise.plan.learn import ModelFiles
from tilewise.plan.methods import NO_FILTER, Variant
from tilewise.plan.reads import PartSettings, PixelJob, Pixels
from tilewise.plan.resources import Need
from tilewise.plan.study import Choice, Study


@dataclass(frozen=True)
class Filter(PixelJob):
    """A block of the image after a filter's steps, where it is written."""

    codec: str


@cache
def filtered(study: Study, stack: str, filter: str, block: str) -> Filter:
    """Of one block."""
    places, group = study.places(stack, block), resources.filter_group(study, stack)
    reach = study.reach(stack, filter)
    return Filter(
        parts=reads.parts(study, places),
        pixels=reads.image(study, places, filter, 0),
        dtype=study.dtype(stack),
        codec=study.filtered_codec(stack),
        need=resources.by_strips(study, stack, group, reach=reach, filter=filter),
    )


@dataclass(frozen=True)
class Histogram(PixelJob):
    """Pixels per grey level of a block, of a sample of several blocks."""

    extents: list[str]
    """Least and greatest pixel of every block of the sample, where its pixels are floats."""


@cache
def histogram(study: Study, stack: str, source: str, block: str) -> Histogram:
    """Of one block."""
    places, extents = study.places(stack, block), []
    if study.filtered_dtype(stack, source) == "float32":
        blocks = study.blocks(stack)
        extents = paths.of_blocks(paths.EXTENT, blocks, stack=stack, source=source)
    group = resources.histogram_group(study, stack, source)
    return Histogram(
        parts=reads.parts(study, places),
        pixels=reads.filtered(study, places, source, takes_temporary=True),
        extents=extents,
        dtype=study.dtype(stack),
        need=resources.by_filtered(study, stack, source, group, takes_temporary=True),
    )


@dataclass(frozen=True)
class Threshold:
    """The mask of a block, and each tile's threshold.

    Of each part: `counts`, for whose outcome the sample is gone through first, which are names of
    voters, or an empty one for the method itself; and `tiles`, plane, tile row and tile column of
    those that the mask covers, or None for all of them.
    """

    parts: list[PartSettings]
    pixels: Pixels
    segmenter: dict[str, Any]
    voters: list[dict[str, Any]]
    """Methods whose masks a vote counts, as `voters.voters_of` takes them; else none."""
    own_files: list[str]
    """The user's own files: what makes the mask, and what steps of a filter read."""
    models: ModelFiles
    calibration: dict[str, str] | None
    """The threshold that annotated tiles gave, as a row of a table."""
    dtype: str


@cache
def threshold(study: Study, stack: str, method: str, block: str, choice: Choice) -> Threshold:
    """By what was chosen, of one block."""
    variant = study.methods[choice.method].variant(choice.variant)
    voters = study.voters(choice.method)
    makers = voters or [("", variant)]
    is_all = method == SEGMENTATION or study.apply == "all"
    places = study.mask_places(stack, block, method)
    is_tried = not is_all and all(study.is_tried(s, one) for s, _ in places for _, one in makers)
    if voters:
        reach = max(study.variant_reach(stack, one) for _, one in voters)
        filters = [one.filter for _, one in voters]
        pixels = reads.image(study, places, NO_FILTER, reach, filters, is_tried)
    else:
        reach = variant.segmenter.reach
        pixels = reads.filtered(study, places, variant.filter, reach, True, is_tried)
    own_files = [file for _, one in makers for file in one.own_files]
    return Threshold(
        parts=[
            reads.part(
                study,
                sample,
                own,
                counts=[name for name, one in makers if study.counts_sample(sample, one)],
                tiles=None if is_all else reads.annotated_tiles(study, sample, own),
            )
            for sample, own in places
        ],
        pixels=pixels,
        segmenter=vars(variant.segmenter),
        voters=[
            {
                "name": name,
                "filter": one.filter,
                "steps": study.steps(one.filter, stack),
                "segmenter": vars(one.segmenter),
            }
            for name, one in voters
        ],
        own_files=list(dict.fromkeys(own_files + pixels.own_files)),
        models=learn.models(
            study,
            [(name, name or choice.method, one) for name, one in makers],
            is_tried=method != SEGMENTATION,
        ),
        calibration=dict(choice.calibration) if choice.calibration else None,
        dtype=study.dtype(stack),
    )


@cache
def threshold_need(study: Study, stack: str, method: str, block: str) -> Need:
    """What the job takes, whatever is chosen."""
    return resources.threshold(study, stack, method)


VariantSettings = dict[str, Any]
"""A `Variant` and its segmenter as plain values, for `params`."""


def settings_of(variant: Variant) -> VariantSettings:
    """A set of a method's parameters."""
    return vars(variant) | {"segmenter": vars(variant.segmenter)}


@dataclass(frozen=True)
class Guard:
    """What tiles of a sample of several blocks get that have no clear threshold of their own."""

    histograms: list[str]
    """Of all blocks, filter by filter."""
    filters: list[str]
    blocks: list[str]
    variants: list[VariantSettings]
    """Those of the method that wait for the sample."""


@cache
def guard(study: Study, stack: str, method: str) -> Guard:
    """Of one sample, by all sets of a method's parameters."""
    blocks, variants = study.blocks(stack), waiting(study, stack, study.methods[method].variants)
    filters = list(dict.fromkeys(variant.filter for variant in variants))
    return Guard(
        histograms=[
            path
            for filter in filters
            for path in paths.of_blocks(paths.HISTOGRAM, blocks, stack=stack, source=filter)
        ],
        filters=filters,
        blocks=blocks,
        variants=list(map(settings_of, variants)),
    )


def waiting(study: Study, stack: str, variants: Iterable[Variant]) -> list[Variant]:
    """Those by which a mask waits for all blocks of its sample."""
    return [variant for variant in variants if study.waits_for_sample(stack, variant)]


def outcomes(
    study: Study, stack: str, block: str, variants: Iterable[Variant], known: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """Outcomes that masks of a block use, by the variant's name, of those in the file of a `Guard`.

    None where all tiles have clear thresholds, so that other blocks do not matter.
    """
    (sample,), used = study.stacks[stack].samples, {}
    grid, region = study.grids[sample], study.region(sample, block)
    for variant in waiting(study, stack, variants):
        around = grid.blocks_of(grid.around(region, variant.segmenter.reach))
        if not set(around).isdisjoint(known[variant.name]["blocks"]):
            used[variant.name] = known[variant.name]["outcome"]
    return used


def choice_files(study: Study, method: str, choice: Choice) -> list[str]:
    """Files of the checkpoints that a mask waits for: the method first, then its parameters."""
    files = []
    if method == SEGMENTATION and study.apply == "best" and len(study.methods) > 1:
        files.append(paths.DECIDED)
    if choice.method in study.swept:
        files.append(paths.CHOICE.format(method=choice.method))
    return files
