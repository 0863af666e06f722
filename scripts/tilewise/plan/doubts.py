"""The job of rules/report.smk that gathers what could mislead."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from tilewise.doubts import Doubt
from tilewise.labels import SEGMENTATION
from tilewise.plan import paths
from tilewise.plan.pieces import blocks_of
from tilewise.plan.sheet import Sample
from tilewise.plan.study import Study
from tilewise.segment.trained import KINDS


@dataclass(frozen=True)
class Warnings:
    """What files, pixels, thresholds and scores leave in doubt."""

    doubts: list[Doubt]
    """Of the files, by their headers."""
    checks: list[str]
    """Of blocks with these samples, and perhaps others."""
    has_roi: list[str]
    """Samples with a region of interest."""
    thresholds: list[str]
    """Of all masks."""
    made_from: list[str]
    """What was read of masks that somebody may have saved without painting in them."""
    images: list[str]
    """What was read of the first planes of the annotated samples."""
    traced: list[tuple[str, str, str]]
    """Of each annotated sample: its name, the first file of its image, and its group."""


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
    blocks = dict.fromkeys(
        (study.stack_of[sample.name].name, study.block_of(sample.name, own))
        for sample in known
        for own in study.grids[sample.name].blocks()
    )
    runs = [*study.runs, *((sample, SEGMENTATION) for sample in study.applied)]
    masks = ((study.stack_of[sample].name, method) for sample, method in runs)
    return Warnings(
        doubts=[
            *(
                doubt
                for sample in known
                for doubt in (*sample.doubts, *_of_masks(study, sample), *_of_models(study, sample))
            ),
            *_of_pairs(study, known),
        ],
        checks=[paths.CHECKS.format(stack=stack, block=block) for stack, block in blocks],
        has_roi=[sample.name for sample in known if sample.has_roi],
        thresholds=paths.of_masks(paths.THRESHOLDS, dict.fromkeys(masks), study.mask_blocks),
        made_from=list(
            dict.fromkeys(path for sample in known for path in _paintings(study, sample))
        ),
        images=list(dict.fromkeys(_first_record(study, one) for one in known if one.truth)),
        traced=[(one.name, one.images[0], one.group) for one in known if one.truth],
    )


def _first_record(study: Study, sample: Sample) -> str:
    """The record of the block of the image that has its first plane."""
    stack = study.stack_of[sample.name].name
    block = study.block_of(sample.name, next(iter(study.grids[sample.name].blocks())))
    return paths.MADE_FROM.format(stack=stack, label="image", block=block)


def _paintings(study: Study, sample: Sample) -> Iterator[str]:
    """Records of blocks of truth with masks that may be starting points still."""
    stack = study.stack_of[sample.name].name
    traced = {paths.annotator(i): own for i, own in enumerate(sample.annotators, 1)}
    for label, pieces in (traced or {"truth": sample.truth}).items():
        masks = [piece for piece in pieces if piece.start is not None]
        for own in blocks_of(masks, study.grids[sample.name]):
            block = study.block_of(sample.name, own)
            yield paths.MADE_FROM.format(stack=stack, label=label, block=block)


def _of_pairs(study: Study, samples: Iterable[Sample]) -> Iterator[Doubt]:
    """Samples of two annotators, between whom STAPLE cannot decide."""
    pairs = [sample.name for sample in samples if len(sample.annotators) == 2]
    if pairs and study.config["truth"]["consensus"] == "staple":
        yield Doubt(
            "two_annotators",
            f"two annotators traced {', '.join(pairs[:3])}{', ...' if len(pairs) > 3 else ''}, and "
            "STAPLE needs three: where two disagree, one of them may be right everywhere",
            "see who, in `annotators.tsv`; with `truth: {consensus: majority}`, pixels on which "
            "two disagree are not scored",
            pairs[0] if len(pairs) == 1 else "",
        )


def _of_models(study: Study, sample: Sample) -> Iterator[Doubt]:
    """Models that were trained on pixels of another size, which scales of features are in."""
    for name in study.methods_of(sample.name):
        for variant in study.methods[name].variants:
            path = variant.segmenter.settings.get("model")
            if path is None or not variant.segmenter.is_classifier or not sample.pixel_size:
                continue
            sizes, own = (
                KINDS[variant.segmenter.threshold].read(path).pixel_sizes,
                sample.pixel_size[1:],
            )
            if sizes and not any(_is_like(size[1:], own) for size in sizes):
                yield Doubt(
                    "pixel_size_of_model",
                    f"pixels of sample {sample.name} have {_written(own)}, and {path} of {name} "
                    f"was trained on pixels of {_written(sizes[0][1:])}",
                    "train a model on such pixels, or resample the images",
                    sample.name,
                    name,
                )


def _written(size: Sequence[float | None]) -> str:
    return " x ".join(f"{one:g}" for one in size if one) + " um"


def _is_like(size: Sequence[float | None], other: Sequence[float | None]) -> bool:
    """Whether sizes differ by less than a hundredth; those that are unknown do not differ."""
    pairs = zip(size, other, strict=True)
    return all(math.isclose(a, b, rel_tol=0.01) for a, b in pairs if a and b)


def _of_masks(study: Study, sample: Sample) -> Iterator[Doubt]:
    """Masks made elsewhere that may be probabilities, of which all above 0 is foreground."""
    for name in study.methods_of(sample.name):
        for variant in study.methods[name].variants:
            array, segmenter = study.array(variant.filter), variant.segmenter
            if array not in study.arrays or segmenter.settings != {"value": 0}:
                continue
            column = study.arrays[array]["column"]
            if sample.external[column].is_float:
                yield Doubt(
                    "float_masks",
                    f"{column} of sample {sample.name} is of floats, and {name} takes all that is "
                    "above 0 for foreground",
                    "if it has probabilities, give the threshold `above`, such as {external: "
                    f"{{column: {column}, above: 0.5}}}}",
                    sample.name,
                    name,
                )
