"""The job of rules/metadata.smk: every `zarr.json`, so that viewers open the blocks as OME-Zarr."""

import hashlib
from dataclasses import dataclass
from functools import cache

from tilewise.plan import paths, reads
from tilewise.plan.methods import NO_FILTER, SEGMENTATION
from tilewise.plan.study import Study
from tilewise.plan.validate import pixel_size


@dataclass(frozen=True)
class Array:
    """An array for viewers: a group with its reduced levels, and the blocks that it has.

    Parameters
    ----------
    sample : str
    path : str
    kind : {"image", "color", "label", "filtered"}
    name : str
        Of a label.
    blocks : list of str
    """

    sample: str
    path: str
    kind: str
    name: str
    blocks: list[str]

    @property
    def pattern(self) -> str:
        """Path of a block of a level."""
        if self.kind == "filtered":
            return self.path + paths.FILTERED_BLOCK
        return self.path + (paths.COLOR_BLOCK if self.kind == "color" else paths.BLOCK)


@cache
def arrays(study: Study) -> list[Array]:
    """All arrays of a run, in the order of the sheet."""
    found, applied = [], set(study.applied)
    for sample, known in study.samples.items():
        blocks, annotated = study.blocks(sample), study.annotated_blocks(sample)
        found.append(Array(sample, paths.IMAGE.format(sample=sample), "image", sample, blocks))
        if study.is_color(sample):
            path = paths.COLOR.format(sample=sample)
            found.append(Array(sample, path, "color", sample, blocks))
        labels = {"truth": annotated} if known.truth else {}
        labels |= {paths.annotator(i + 1): annotated for i, _ in enumerate(known.annotators)}
        if sample in applied:
            labels[SEGMENTATION] = blocks
        methods = [method for method in study.methods_of(sample) if study.is_run(sample, method)]
        labels |= {method: study.mask_blocks(sample, method) for method in methods}
        if known.truth:
            labels |= {paths.confusion(method): annotated for method in methods}
            if study.has_errors(sample):
                labels["errors"] = annotated
        for label, own in labels.items():
            path = paths.LABEL.format(sample=sample, label=label)
            found.append(Array(sample, path, "label", label, own))
    return found + _filtered_arrays(study)


def _filtered_arrays(study):
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
            sample,
            paths.FILTERED.format(sample=sample, filter=filter),
            "filtered",
            filter,
            study.blocks(sample) if (sample, filter) in asked else [],
        )
        for sample, filter in dict.fromkeys([*tried, *applied])
    ]


def _filters_of(study, runs):
    return list(
        dict.fromkeys(
            (sample, variant.filter)
            for sample, method in runs
            for variant in study.candidates(method)
            if variant.filter != NO_FILTER
        )
    )


@dataclass(frozen=True)
class Metadata:
    """Every `zarr.json` of a run."""

    files: list[str]
    """Group by group: its own, that of `labels` if it is an image, and that of each level."""
    groups: list[dict]
    """What the files say."""
    digest: str
    """Of `groups`, which are too much to be kept with each of the files."""


@cache
def metadata(study: Study) -> Metadata:
    """Of the study."""
    files, groups = [], []
    labels = {}
    for array in arrays(study):
        if array.kind == "label":
            labels.setdefault(array.sample, []).append(array.name)
    for array in arrays(study):
        levels = study.levels if array.kind != "filtered" else []
        files.append(f"{array.path}/zarr.json")
        if array.kind == "image":
            files.append(f"{array.path}/labels/zarr.json")
        files += [f"{array.path}/{level}/zarr.json" for level in levels]
        groups.append(
            {
                "kind": array.kind,
                "name": array.name,
                "levels": len(levels),
                "labels": labels.get(array.sample, []),
                "methods": len(study.methods_of(array.sample)),
                "fill": fill(array.name) if array.kind == "label" else 0,
                "dtype": "uint8" if array.kind == "label" else study.dtype(array.sample),
                "codec": study.config["filtered_codec"] if array.kind == "filtered" else "zstd",
                "pixel_size": pixel_size(study, array.sample),
                "grid": reads.grid_settings(study, array.sample),
            }
        )
    return Metadata(files, groups, hashlib.sha256(repr(groups).encode()).hexdigest())


def fill(label: str) -> int:
    """Value of a label where nothing is stored: truth is not annotated there."""
    return 255 if label == "truth" or label.startswith("annotator-") else 0
