"""The job of rules/report.smk that gathers what could mislead."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from tilewise.doubts import Doubt
from tilewise.plan import paths
from tilewise.plan.study import Study


@dataclass(frozen=True)
class Warnings:
    """What files, pixels, thresholds and scores leave in doubt."""

    doubts: list[Doubt]
    """Of the files, by their headers."""
    checks: list[str]
    has_roi: list[str]
    """Samples with a region of interest."""


@cache
def warnings(study: Study) -> Warnings:
    """Of all samples."""
    return _of(study, tuple(study.samples))


@cache
def of_decision(study: Study) -> Warnings:
    """Of annotated samples."""
    return _of(study, tuple(study.annotated))


def _of(study: Study, samples: Iterable[str]) -> Warnings:
    known = [study.samples[sample] for sample in samples]
    stacks = dict.fromkeys(study.stack_of[sample.name].name for sample in known)
    return Warnings(
        doubts=[doubt for sample in known for doubt in sample.doubts],
        checks=[
            path
            for stack in stacks
            for path in paths.of_blocks(paths.CHECKS, study.blocks(stack), stack=stack)
        ],
        has_roi=[sample.name for sample in known if sample.has_roi],
    )
