"""The jobs of rules/filter.smk and rules/threshold.smk: from the image to masks."""

from dataclasses import dataclass
from functools import cache

from tilewise.plan import paths, reads, resources
from tilewise.plan.methods import SEGMENTATION, Variant
from tilewise.plan.reads import Part, Pixels
from tilewise.plan.resources import Need
from tilewise.plan.study import Choice, Study


@dataclass(frozen=True)
class Filter:
    """A block of the image after a filter's steps, where it is written."""

    parts: list[Part]
    pixels: Pixels
    dtype: str
    codec: str
    need: Need


@cache
def filtered(study: Study, sample: str, filter: str, block: str) -> Filter:
    """Of one block."""
    regions = [study.region(sample, block)]
    return Filter(
        parts=[reads.part(study, sample, block)],
        pixels=reads.image(study, sample, filter, regions, 0),
        dtype=study.dtype(sample),
        codec=study.config["filtered_codec"],
        need=resources.filtering(study, sample, filter),
    )


@dataclass(frozen=True)
class Histogram:
    """Pixels per grey level of a block, of a sample of several blocks."""

    parts: list[Part]
    pixels: Pixels
    extents: list[str]
    """Least and greatest pixel of every block of the sample, where its pixels are floats."""
    dtype: str
    need: Need


@cache
def histogram(study: Study, sample: str, source: str, block: str) -> Histogram:
    """Of one block."""
    regions = [study.region(sample, block)]
    extents = []
    if study.dtype(sample) == "float32":
        blocks = study.blocks(sample)
        extents = paths.of_blocks(paths.EXTENT, blocks, sample=sample, source=source)
    group = resources.histogram_group(study, sample)
    return Histogram(
        parts=[reads.part(study, sample, block)],
        pixels=reads.filtered(study, sample, source, regions, takes_temporary=True),
        extents=extents,
        dtype=study.dtype(sample),
        need=resources.counting(study, sample, study.reach(sample, source), group),
    )


@dataclass(frozen=True)
class Threshold:
    """The mask of a block, and each tile's threshold."""

    parts: list[Part]
    pixels: Pixels
    histograms: list[str]
    """Of every block of the sample, where its threshold is used; none of a single block, whose
    histogram the job counts itself."""
    needs_sample: bool
    segmenter: dict
    calibration: dict[str, str] | None
    """The threshold that annotated tiles gave, as a row of a table."""
    tiles: list | None
    """Plane, tile row and tile column of those that the mask covers; None is all of them."""
    dtype: str


@cache
def threshold(study: Study, sample: str, method: str, block: str, choice: Choice) -> Threshold:
    """By what was chosen, of one block."""
    variant = study.methods[choice.method].variant(choice.variant)
    regions, reach = [study.region(sample, block)], variant.segmenter.reach
    is_all = method == SEGMENTATION or study.apply == "all"
    return Threshold(
        parts=[reads.part(study, sample, block)],
        pixels=reads.filtered(study, sample, variant.filter, regions, reach, takes_temporary=True),
        histograms=histograms(study, sample, [variant]),
        needs_sample=study.needs_sample(sample, variant),
        segmenter=vars(variant.segmenter),
        calibration=dict(choice.calibration) if choice.calibration else None,
        tiles=None if is_all else reads.annotated_tiles(study, sample, block),
        dtype=study.dtype(sample),
    )


@cache
def threshold_need(study: Study, sample: str, method: str, block: str) -> Need:
    """What the job takes, whatever is chosen."""
    return resources.threshold(study, sample, method)


def counted_filters(study: Study, sample: str, variants: list[Variant]) -> list[str]:
    """Filters whose histogram of the whole sample some variants need."""
    return list(
        dict.fromkeys(variant.filter for variant in variants if study.needs_sample(sample, variant))
    )


def histograms(study: Study, sample: str, variants: list[Variant]) -> list[str]:
    """Histograms of all blocks that variants need, filter by filter; none of a single block."""
    blocks = study.blocks(sample)
    if len(blocks) == 1:
        return []
    return [
        path
        for filter in counted_filters(study, sample, variants)
        for path in paths.of_blocks(paths.HISTOGRAM, blocks, sample=sample, source=filter)
    ]


def choice_files(study: Study, method: str, choice: Choice) -> list[str]:
    """Files of the checkpoints that a mask waits for: the method first, then its parameters."""
    files = []
    if method == SEGMENTATION and study.apply == "best" and len(study.methods) > 1:
        files.append(paths.DECIDED)
    if choice.method in study.swept:
        files.append(paths.CHOICE.format(method=choice.method))
    return files
