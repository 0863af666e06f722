"""What the guard makes of a sample: from its histogram to what its doubtful tiles get."""

from collections.abc import Iterable, Mapping
from typing import Any

from tilewise.segment.filtered import Filtered
from tilewise.segment.guard import Outcome, least_difference
from tilewise.segment.sample_histogram import SampleHistogram, of_sample
from tilewise.segment.segmenters import Segmenter
from tilewise.segment.thresholds import Threshold
from tilewise.store.parts import Part
from tilewise.tables import OWN, SAMPLE


def outcome_of(sample: SampleHistogram, segmenter: Segmenter) -> Outcome:
    """What tiles of a sample get that have no clear threshold of their own."""
    own, limits = segmenter.find_threshold(sample.counts, sample.centers), segmenter.limits
    if segmenter.scope == "sample":
        return Outcome(SAMPLE, own)
    is_clear = not limits.shortfall(own.contrast, own.separability)
    # alone, so that masks stay where it stays
    own = Threshold(own.values)
    if is_clear:
        return Outcome(SAMPLE, own)
    if segmenter.weak != "auto":
        return Outcome(segmenter.weak, own, is_weak=True)
    least = least_difference(sample.splits, limits, segmenter.foreground)
    return Outcome(OWN, own, is_weak=True, least_difference=least)


def asks_sample(block: SampleHistogram, segmenter: Segmenter) -> bool:
    """Whether a tile of a block uses the outcome of its sample."""
    limits, foreground = segmenter.limits, segmenter.foreground
    return segmenter.scope != "tile" or any(
        limits.shortfall(split.contrast(foreground), split.separability)
        for split in block.splits
        if split
    )


def outcomes_of(
    variants: Iterable[Mapping[str, Any]],
    filters: Mapping[str, Filtered],
    part: Part,
    threads: int,
) -> dict[str, Outcome]:
    """Outcomes of a sample of a single block for sets of parameters, by their `name`.

    Each also has the name of its `filter`, which is applied once, and fields of its `segmenter`.
    """
    histograms: dict[str, SampleHistogram] = {}
    outcomes = {}
    for variant in variants:
        source = variant["filter"]
        if source not in histograms:
            histograms[source] = of_sample(filters[source], part, threads)
        segmenter = Segmenter(**variant["segmenter"])
        outcomes[variant["name"]] = outcome_of(histograms[source], segmenter)
    return outcomes
