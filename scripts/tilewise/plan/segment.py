"""The jobs of rules/filter.smk and rules/threshold.smk: from the image to masks."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from tilewise.plan import paths, reads, resources
from tilewise.plan.methods import SEGMENTATION, Variant
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
    return Filter(
        parts=reads.parts(study, places),
        pixels=reads.image(study, places, filter, 0),
        dtype=study.dtype(stack),
        codec=study.config["filtered_codec"],
        need=resources.by_strips(study, stack, group, reach=study.reach(stack, filter)),
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
    if study.dtype(stack) == "float32":
        blocks = study.blocks(stack)
        extents = paths.of_blocks(paths.EXTENT, blocks, stack=stack, source=source)
    reach, group = study.reach(stack, source), resources.histogram_group(study, stack)
    return Histogram(
        parts=reads.parts(study, places),
        pixels=reads.filtered(study, places, source, takes_temporary=True),
        extents=extents,
        dtype=study.dtype(stack),
        need=resources.by_strips(study, stack, group, reach=reach, buffers=20),
    )


@dataclass(frozen=True)
class Threshold:
    """The mask of a block, and each tile's threshold.

    Of each part: `needs_sample`, whether a threshold of the whole sample is used; and `tiles`,
    plane, tile row and tile column of those that the mask covers, or None for all of them.
    """

    parts: list[PartSettings]
    pixels: Pixels
    histograms: list[str]
    """Of every block of a sample of several blocks, where its threshold is used; other jobs count
    the histograms of their samples themselves."""
    segmenter: dict[str, Any]
    calibration: dict[str, str] | None
    """The threshold that annotated tiles gave, as a row of a table."""
    dtype: str


@cache
def threshold(study: Study, stack: str, method: str, block: str, choice: Choice) -> Threshold:
    """By what was chosen, of one block."""
    variant = study.methods[choice.method].variant(choice.variant)
    reach = variant.segmenter.reach
    is_all = method == SEGMENTATION or study.apply == "all"
    places = study.mask_places(stack, block, method)
    return Threshold(
        parts=[
            reads.part(
                study,
                sample,
                own,
                needs_sample=study.needs_sample(sample, variant),
                tiles=None if is_all else reads.annotated_tiles(study, sample, own),
            )
            for sample, own in places
        ],
        pixels=reads.filtered(study, places, variant.filter, reach, takes_temporary=True),
        histograms=histograms(study, stack, [variant]),
        segmenter=vars(variant.segmenter),
        calibration=dict(choice.calibration) if choice.calibration else None,
        dtype=study.dtype(stack),
    )


@cache
def threshold_need(study: Study, stack: str, method: str, block: str) -> Need:
    """What the job takes, whatever is chosen."""
    return resources.threshold(study, stack, method)


def counted_filters(study: Study, sample: str, variants: Iterable[Variant]) -> list[str]:
    """Filters whose histogram of the whole sample some variants need."""
    return list(
        dict.fromkeys(variant.filter for variant in variants if study.needs_sample(sample, variant))
    )


def histograms(study: Study, stack: str, variants: Iterable[Variant]) -> list[str]:
    """Histograms of all blocks of a sample that variants need; none of samples of a single block.

    They come filter by filter of `counted_filters`.
    """
    blocks = study.blocks(stack)
    if study.stacks[stack].is_shared or len(blocks) == 1:
        return []
    return [
        path
        for filter in counted_filters(study, stack, variants)
        for path in paths.of_blocks(paths.HISTOGRAM, blocks, stack=stack, source=filter)
    ]


def choice_files(study: Study, method: str, choice: Choice) -> list[str]:
    """Files of the checkpoints that a mask waits for: the method first, then its parameters."""
    files = []
    if method == SEGMENTATION and study.apply == "best" and len(study.methods) > 1:
        files.append(paths.DECIDED)
    if choice.method in study.swept:
        files.append(paths.CHOICE.format(method=choice.method))
    return files
