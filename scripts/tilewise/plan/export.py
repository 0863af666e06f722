"""The jobs of rules/export.smk: masks as image files, for other programs."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from tilewise.labels import SEGMENTATION
from tilewise.plan import metadata, paths, reads, resources
from tilewise.plan.resources import Need
from tilewise.plan.study import Study
from tilewise.plan.validate import pixel_size

PIXELS_PER_GIGAPIXEL = 10**9


@dataclass(frozen=True)
class Export:
    """Labels of samples become image files.

    Of each array: `files`, the first of `blocks` that is its own and the one after the last;
    `blocks`, the places of these in the stack; `fill` where there is none; `factor` for its
    values; and `parts`, each with `mask`, the number of its image file, and its `pixel_size`.
    """

    blocks: list[str]
    """Of all arrays, one after the other."""
    masks: list[str]
    """The image files."""
    arrays: list[dict[str, Any]]
    need: Need


@cache
def collected(study: Study) -> Export:
    """Of all samples that share a stack."""
    wanted = [one for one in _wanted(study) if study.stack_of[one[1]].is_shared]
    return _export(study, wanted)


@cache
def single(study: Study, file: str) -> Export:
    """Of a sample that is a stack of its own: one file."""
    return _export(study, [one for one in _large(study) if _name(study, *one) == file])


@cache
def single_files(study: Study) -> list[str]:
    """Names of the files of such samples, within the folder of masks."""
    return [_name(study, *one) for one in _large(study)]


def files(study: Study) -> list[str]:
    """All image files."""
    return [paths.MASKS.format(file=_name(study, *one)) for one in _wanted(study)]


def check(study: Study) -> None:
    """Check that every label to be exported exists and is whole; ValueError names the label."""
    known = dict.fromkeys(
        label for stack in study.stacks for label in metadata.labels(study, stack)
    )
    for label in study.config["export_labels"]:
        if study.config["export"] == "none" or label == SEGMENTATION:
            continue
        if label not in known:
            names = ", ".join(dict.fromkeys([SEGMENTATION, *known]))
            raise ValueError(f"export_labels: {label} is no label of this study: it has {names}")
        if not _samples(study, label):
            raise ValueError(
                f"export_labels: the masks of {label} hold annotated tiles only: set `apply` to "
                f"`all`, or to {label} and export {SEGMENTATION}, or export "
                f"{paths.confusion(label)}"
            )


@cache
def _wanted(study: Study) -> list[tuple[str, str]]:
    """Pairs of label and sample."""
    if study.config["export"] == "none":
        return []
    return [
        (label, sample)
        for label in study.config["export_labels"]
        for sample in _samples(study, label)
        if study.config["export"] != "auto" or _is_small(study, sample)
    ]


@cache
def _large(study: Study) -> list[tuple[str, str]]:
    return [one for one in _wanted(study) if not study.stack_of[one[1]].is_shared]


def _is_small(study: Study, sample: str) -> bool:
    planes, rows, columns = study.grids[sample].shape
    limit: float = study.config["export_limit"]
    return planes * rows * columns <= limit * PIXELS_PER_GIGAPIXEL


def _samples(study: Study, label: str) -> list[str]:
    """Samples that have a label; of a method, those of which all tiles are segmented."""
    return [
        sample
        for sample in study.samples
        if metadata.has_label(study, sample, label)
        and (label not in study.methods or _is_whole(study, sample))
    ]


def _is_whole(study: Study, sample: str) -> bool:
    return study.apply == "all" or all(
        reads.annotated_tiles(study, sample, own) is None for own in study.grids[sample].blocks()
    )


def _name(study: Study, label: str, sample: str) -> str:
    is_png = study.config["export"] != "tiff" and study.grids[sample].shape[0] == 1
    name = f"{sample}.{'png' if is_png else 'tif'}"
    return name if label == SEGMENTATION else f"{label}/{name}"


def _export(study: Study, wanted: list[tuple[str, str]]) -> Export:
    blocks: list[str] = []
    masks: list[str] = []
    arrays: dict[tuple[str, str], dict[str, Any]] = {}
    for label, sample in wanted:
        stack = study.stack_of[sample].name
        if (label, stack) not in arrays:
            own = metadata.labels(study, stack)[label]
            arrays[label, stack] = {
                "files": [len(blocks), len(blocks) + len(own)],
                "blocks": own,
                "fill": metadata.fill(label),
                "factor": 255 if label in (SEGMENTATION, *study.methods) else 1,
                "parts": [],
            }
            blocks += paths.of_label(stack, label, own)
        settings = {"mask": len(masks), "pixel_size": pixel_size(study, sample)}
        arrays[label, stack]["parts"].append(reads.part(study, sample, "0/0/0", **settings))
        masks.append(paths.MASKS.format(file=_name(study, label, sample)))
    stacks = {stack for _, stack in arrays}
    return Export(blocks, masks, list(arrays.values()), resources.export(study, stacks))
