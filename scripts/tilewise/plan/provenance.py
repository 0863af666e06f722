"""The job of rules/provenance.smk: what the results were made from."""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

from tilewise.labels import SEGMENTATION
from tilewise.plan import metadata, paths
from tilewise.plan.methods import Variant
from tilewise.plan.study import Choice, Study


@dataclass(frozen=True)
class Provenance:
    """Records of what was read, and files of the user's that methods go by."""

    images: list[str]
    truths: list[str]
    rois: list[str]
    externals: list[str]
    """Of masks made elsewhere: on annotated tiles, and where the decided method has segmented."""
    files: list[str]
    """Models, networks, functions and images of a point that the configuration names."""
    users: list[list[str]]
    """Of each file: methods that use it."""
    programs: dict[str, str]
    """Version of each program that makes masks, as the configuration has it, by its array."""


@cache
def provenance(study: Study, decided: Choice | None) -> Provenance:
    """Of the study; what was decided on and is applied counts where masks were made elsewhere."""
    own = [(stack, metadata.labels(study, stack)) for stack in study.stacks]
    traced = [
        (stack, label, blocks)
        for stack, labels in own
        for label, blocks in labels.items()
        if label.startswith("annotator-") or (label == "truth" and stack not in study.voted)
    ]
    rois = [(stack, paths.ROI, labels[paths.ROI]) for stack, labels in own if paths.ROI in labels]
    files = _files(study)
    return Provenance(
        images=_records((stack, "image", study.blocks(stack)) for stack in study.stacks),
        truths=_records(traced),
        rois=_records(rois),
        externals=_externals(study, decided),
        files=list(files),
        users=list(files.values()),
        programs={name: str(own["version"]) for name, (_, own) in study.commands.items()},
    )


def _records(arrays: Iterable[tuple[str, str, list[str]]]) -> list[str]:
    """Of blocks of arrays, each its stack, its label and its blocks."""
    return [
        path
        for stack, label, blocks in arrays
        for path in paths.of_blocks(paths.MADE_FROM, blocks, stack=stack, label=label)
    ]


def _files(study: Study) -> dict[str, list[str]]:
    """Files of the user's that methods go by, and the methods."""
    found: dict[str, list[str]] = {}
    for name, method in study.methods.items():
        stacks = dict.fromkeys(study.stack_of[sample].name for sample in method.samples)
        for variant in method.variants:
            names = (variant.filter, study.given_filter(variant.filter))
            read = [study.filter_files(stack, one) for one in names for stack in stacks]
            for file in dict.fromkeys([*variant.own_files, *chain.from_iterable(read)]):
                users = found.setdefault(file, [])
                users += [name] if name not in users else []
    return found


def _externals(study: Study, decided: Choice | None) -> list[str]:
    """Records of masks made elsewhere that the run reads whatever else it does."""
    needed: dict[tuple[str, str], dict[str, None]] = {}

    def need(method: str, variants: Iterable[Variant], stack: str, blocks: list[str]) -> None:
        makers = [one for _, one in study.voters(method)] or variants
        for variant in makers:
            array = study.array(variant.filter)
            if array in study.arrays:
                needed.setdefault((stack, array), {}).update(dict.fromkeys(blocks))

    for stack, name in study.validated:
        need(name, study.methods[name].variants, stack, study.annotated_blocks(stack, name))
    for stack in study.stacks:
        if decided:
            variant = study.methods[decided.method].variant(decided.variant)
            need(decided.method, [variant], stack, study.mask_blocks(stack, SEGMENTATION))
        for name, method in study.methods.items():
            if study.apply == "all" and not method.is_swept:
                need(name, method.variants, stack, study.mask_blocks(stack, name))
    records = ((stack, f"external-{array}", list(own)) for (stack, array), own in needed.items())
    return _records(records)


def configuration(config: dict[str, Any]) -> str:
    """SHA-256 of a configuration with all defaults, wherever its files are.

    Of absolute paths only the names count, and the path of the sample sheet does not: its content
    has a checksum of its own.
    """
    settings = {key: value for key, value in config.items() if key != "samples"}
    text = json.dumps(_without_folders(settings), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _without_folders(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_folders(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return list(map(_without_folders, value))
    is_path = isinstance(value, str) and os.path.isabs(value)
    return os.path.basename(value) if is_path else value
