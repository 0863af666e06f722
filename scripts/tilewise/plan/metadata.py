"""The job of rules/metadata.smk: every `zarr.json`, so that viewers open the blocks as OME-Zarr."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from tilewise.labels import SEGMENTATION
from tilewise.plan import ingest, paths, reads, validate
from tilewise.plan.stacks import Stack
from tilewise.plan.study import Study
from tilewise.plan.validate import pixel_size
from tilewise.segment.sources import DTYPE, channel_folder

WITHOUT_LEVELS = ("filtered", "external", "channel")
"""Kinds of arrays that viewers do not need to zoom in."""


@dataclass(frozen=True)
class Array:
    """An array for viewers: a group with its reduced levels, and the blocks that it has."""

    stack: str
    path: str
    kind: Literal["image", "color", "label", "probability", "filtered", "external", "channel"]
    name: str
    blocks: list[str]

    @property
    def pattern(self) -> str:
        """Path of a block of a level."""
        if self.kind in WITHOUT_LEVELS:
            return self.path + paths.FILTERED_BLOCK
        return self.path + (paths.COLOR_BLOCK if self.kind == "color" else paths.BLOCK)


@cache
def arrays(study: Study) -> list[Array]:
    """All arrays of a run, stack by stack."""
    stored = []
    for stack in study.stacks:
        blocks = study.blocks(stack)
        stored.append(Array(stack, paths.IMAGE.format(stack=stack), "image", stack, blocks))
        if study.is_color(stack):
            stored.append(Array(stack, paths.COLOR.format(stack=stack), "color", stack, blocks))
        for label, own in labels(study, stack).items():
            path = paths.LABEL.format(stack=stack, label=label)
            stored.append(Array(stack, path, "label", label, own))
        for method in study.with_probability:
            path = paths.PROBABILITY.format(stack=stack, method=method)
            if own := study.mask_blocks(stack, method):
                stored.append(Array(stack, path, "probability", method, own))
    return stored + _filtered_arrays(study) + _external_arrays(study) + _channel_arrays(study)


@cache
def labels(study: Study, stack: str) -> dict[str, list[str]]:
    """Labels of a stack, and the blocks of each; without those that have none."""
    annotated = study.annotated_blocks(stack)
    votes = {block: ingest.annotators(study, stack, block) for block in annotated}
    blocks = {"truth": annotated}
    blocks[paths.ROI] = study.blocks(stack) if study.has_roi(stack) else []
    for number in range(1, max(votes.values(), default=0) + 1):
        traced = [block for block in annotated if votes[block] >= number]
        blocks[paths.annotator(number)] = traced
    blocks[SEGMENTATION] = study.mask_blocks(stack, SEGMENTATION)
    blocks |= {method: study.mask_blocks(stack, method) for method in study.methods}
    for method in study.methods:
        blocks[paths.confusion(method)] = study.annotated_blocks(stack, method)
    blocks["errors"] = validate.error_blocks(study, stack)
    return {label: own for label, own in blocks.items() if own}


def has_label(study: Study, sample: str, label: str) -> bool:
    """Whether a sample has a label itself, whatever others of its stack have."""
    known = study.samples[sample]
    if label in (SEGMENTATION, *study.methods):
        return study.is_run(sample, label)
    if label == paths.ROI:
        return known.has_roi
    if label == "errors":
        return bool(known.truth) and study.has_errors(sample)
    if label.startswith("annotator-"):
        return label in map(paths.annotator, range(1, len(known.annotators) + 1))
    tried = study.methods_of(sample)
    return bool(known.truth) and (label == "truth" or label in map(paths.confusion, tried))


def _filtered_arrays(study: Study) -> list[Array]:
    """Filtered images that are kept, of the filters of all methods that may run.

    Where the configuration says so, all blocks are asked for that methods are tried on; of the
    others those are there that a mask has needed.
    """
    if study.filtered != "kept":
        return []
    tried = _filters_of(study, study.runs)
    applied = _filters_of(study, [(sample, SEGMENTATION) for sample in study.applied])
    asked = tried if study.config["keep_filtered"] is True else []
    return [
        Array(
            stack,
            paths.FILTERED.format(stack=stack, filter=filter),
            "filtered",
            filter,
            study.blocks(stack) if (stack, filter) in asked else [],
        )
        for stack, filter in dict.fromkeys([*tried, *applied])
    ]


def _external_arrays(study: Study) -> list[Array]:
    """Masks made elsewhere or by a program, of the blocks that a mask has needed."""
    return [
        Array(stack, paths.of_array(stack, array), "external", array, [])
        for stack in study.stacks
        for array in (*study.arrays, *study.commands)
        if any(study.has_array(sample, array) for sample in study.stacks[stack].samples)
    ]


def _channel_arrays(study: Study) -> list[Array]:
    """Channels of images, of the blocks that a mask has needed."""
    return [
        Array(stack, paths.of_array(stack, array), "channel", channel_folder(array), [])
        for stack in study.stacks
        for array, channel in study.arrays_of_channels(stack).items()
        if any(study.has_channel(sample, channel) for sample in study.stacks[stack].samples)
    ]


def _filters_of(study: Study, runs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Pairs of stack and filter."""
    return list(
        dict.fromkeys(
            (study.stack_of[sample].name, name)
            for sample, method in runs
            for variant in study.candidates(method)
            for name in (variant.filter, study.given_filter(variant.filter))
            if study.may_be_written(name)
        )
    )


@dataclass(frozen=True)
class Metadata:
    """Every `zarr.json` of a run."""

    files: list[str]
    """Group by group: its own, that of `labels` if it is an image, and that of each level."""
    groups: list[dict[str, Any]]
    """What the files say."""
    stacks: list[dict[str, Any]]
    """Where each sample is: rows of a table."""
    digest: str
    """Of both, which are too much to be kept with each of the files."""


@cache
def metadata(study: Study) -> Metadata:
    """Of the study."""
    files, groups = [], []
    for array in arrays(study):
        has_levels = array.kind not in WITHOUT_LEVELS
        levels = study.levels_of(array.stack) if has_levels else []
        files.append(f"{array.path}/zarr.json")
        if array.kind == "image":
            files.append(f"{array.path}/labels/zarr.json")
        files += [f"{array.path}/{level}/zarr.json" for level in levels]
        stack = study.stacks[array.stack]
        groups.append(
            {
                "kind": array.kind,
                "name": array.name,
                "levels": len(levels),
                "labels": list(labels(study, array.stack)),
                "methods": max(len(study.methods_of(sample)) for sample in stack.samples),
                "fill": fill(array.name) if array.kind == "label" else 0,
                "dtype": _dtype(study, array),
                "codec": _codec(study, array),
                "pixel_size": _pixel_size(study, stack),
                "grid": reads.grid_settings(stack.grid),
                "samples": _views(study, stack) if stack.is_shared else [],
            }
        )
    # a collected sample has one block, any other all blocks of its stack
    stacks = [
        {
            "stack": stack.name,
            "block": stack.block(view["sample"], "0/0/0") if stack.is_shared else "",
            **view,
            **dict(
                zip(("tile_height", "tile_width"), study.grids[view["sample"]].sides, strict=True)
            ),
        }
        for stack in study.stacks.values()
        for view in _views(study, stack)
    ]
    digest = hashlib.sha256(repr((groups, stacks)).encode()).hexdigest()
    return Metadata(files, groups, stacks, digest)


def _codec(study: Study, array: Array) -> str:
    return study.filtered_codec(array.stack) if array.kind == "filtered" else "zstd"


def _dtype(study: Study, array: Array) -> str:
    known = {"label": "uint8", "probability": "uint8", "external": DTYPE}
    return known.get(array.kind) or study.dtype(array.stack)


def _views(study: Study, stack: Stack) -> list[dict[str, Any]]:
    """Where the samples of a stack lie: planes of the array, the size of each."""
    return [
        {
            "sample": sample,
            "first_plane": first,
            **dict(zip(("planes", "height", "width"), study.grids[sample].shape, strict=True)),
        }
        for sample, first in stack.offsets.items()
    ]


def _pixel_size(study: Study, stack: Stack) -> list[float | None] | None:
    """That of the samples of a stack, where it is the same for all."""
    first, *others = (pixel_size(study, sample) for sample in stack.samples)
    return first if all(size == first for size in others) else None


def fill(label: str) -> int:
    """Value of a label where nothing is stored: truth is not annotated there."""
    return 255 if label == "truth" or label.startswith("annotator-") else 0
