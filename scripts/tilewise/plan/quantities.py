"""The job of rules/quantities.smk: the fraction of foreground over all tiles."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from tilewise.labels import SEGMENTATION
from tilewise.plan import paths
from tilewise.plan.study import Study

TABLES = ["results/quantities.tsv", "results/quantities_groups.tsv"]


@dataclass(frozen=True)
class Quantities:
    """The fraction of foreground of samples and groups by the method that was decided on."""

    decided: list[str]
    """The file that names the method; none where only one can be."""
    methods: list[str]
    """Those that can be."""
    label: str
    """Of its masks; empty where they have the method's own name."""
    thresholds: list[str]
    metrics: list[str]
    """Of methods whose parameters nothing chooses."""
    sweeps: list[str]
    choices: list[str]
    """Of each method in `swept`; of each, in `tried_folds`, what is chosen without each fold."""
    tried_folds: list[str]
    swept: list[str]
    folds: list[str]
    samples: list[dict[str, Any]]
    """Name, group and area of a pixel (`pixel`, square micrometres) of each."""
    settings: dict[str, Any]


@cache
def quantities(study: Study) -> Quantities:
    """Of the study; only where something `is_segmented`."""
    methods = candidates(study)
    label = "" if study.apply == "all" else SEGMENTATION
    names = [label] if label else methods
    tried = [pair for pair in study.validated if pair[1] in methods]
    swept = [method for method in methods if method in study.swept]
    decision = study.config["decision"]
    blocks = study.annotated_blocks
    return Quantities(
        decided=[paths.DECIDED] if len(methods) > 1 else [],
        methods=methods,
        label=label,
        thresholds=paths.of_masks(
            paths.THRESHOLDS,
            [(stack, name) for stack in study.stacks for name in names],
            study.mask_blocks,
        ),
        metrics=paths.of_masks(
            paths.METRICS, [one for one in tried if one[1] not in swept], blocks
        ),
        sweeps=paths.of_masks(paths.SWEEP, [one for one in tried if one[1] in swept], blocks),
        choices=[paths.CHOICE.format(method=method) for method in swept],
        tried_folds=[paths.TRIED_FOLDS.format(method=method) for method in swept],
        swept=swept,
        folds=[paths.FOLDS] if study.annotated else [],
        samples=[
            {"name": name, "group": sample.group, "pixel": _pixel(study, name)}
            for name, sample in study.samples.items()
        ],
        settings={
            **study.config["quantities"],
            **{name: decision[name] for name in ("confidence", "min_units", "resamples", "seed")},
        },
    )


def candidates(study: Study) -> list[str]:
    """Methods of which one segments all tiles; none where nothing does, or nothing decides."""
    if study.apply == "none":
        return []
    if study.apply in study.methods:
        return [study.apply]
    if len(study.methods) == 1:
        return list(study.methods)
    return study.ranked if study.decides else []


def _pixel(study: Study, sample: str) -> float | None:
    size = study.samples[sample].pixel_size
    return None if size is None else size[1] * size[2]


def tables(study: Study) -> list[str]:
    """Its tables, where a method segments all tiles."""
    return TABLES if candidates(study) else []
