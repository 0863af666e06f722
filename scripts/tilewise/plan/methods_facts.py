"""What the methods text of a paper says of the configuration: numbers and settings, no paths."""

from collections.abc import Iterable, Mapping
from functools import cache
from math import prod
from pathlib import PurePath
from typing import Any

from tilewise.plan.methods import NO_FILTER, Method, Variant
from tilewise.plan.study import Study
from tilewise.score.formulas import METRICS, PIXEL_METRICS, metrics_of
from tilewise.segment.cleanup import parse_steps
from tilewise.segment.filters import parse_chain
from tilewise.segment.sources import MASKS, source_of

FILES = ("file", "model", "psf")
"""Settings of which the name of the file alone is told."""


@cache
def facts(study: Study) -> dict[str, Any]:
    """Of the study: counts in place of lists of samples, so that it is small for any number.

    Returns
    -------
    dict
        Of numbers, texts, lists and dicts, as JSON has them. `methods_text.write` says what of it
        it uses.
    """
    config, samples = study.config, list(study.samples.values())
    shapes = sorted({sample.shape[1:] for sample in samples}, key=prod)
    sizes = {sample.pixel_size for sample in samples}
    return {
        "samples": len(samples),
        "planes": sum(sample.shape[0] for sample in samples),
        "sizes": [list(shapes[0]), list(shapes[-1])],
        "dtypes": sorted({sample.header.dtype for sample in samples}),
        "colored": sum(sample.header.channels == 3 for sample in samples),
        "pixel_size": list(next(iter(sizes)) or ()) if len(sizes) == 1 else [],
        "groups": len({sample.group for sample in samples if sample.group}),
        "tile": config["tile"],
        "tiles": sum(grid.shape[0] * prod(grid.tiles_along) for grid in study.grids.values()),
        "rois": sum(sample.has_roi for sample in samples),
        "annotated": len(study.annotated),
        "annotated_tiles": sum(_annotated_tiles(study, name) for name in study.annotated),
        "annotators": max((len(sample.annotators) for sample in samples), default=0),
        "has_pi": _has_pi(study),
        "methods": [_method(study, one) for one in study.methods.values()],
        "ranked": len(study.ranked) if study.annotated else 0,
        "apply": study.apply,
        "truth": config["truth"],
        "metrics": _metrics(study),
        "validate": config["validate"],
        "decision": config["decision"],
        "sampling": config["quantities"]["sampling"],
        "exclude": list(config["quality"]["exclude"]),
    }


def _metrics(study: Study) -> list[str]:
    """Names of all metrics that are computed, in the order of tables."""
    chosen = {one.name for one in metrics_of(study.config["validate"]["metrics"])}
    return [name for name in METRICS if name in PIXEL_METRICS or name in chosen]


def _annotated_tiles(study: Study, sample: str) -> int:
    grid = study.grids[sample]
    regions = (piece.region for piece in study.samples[sample].truth)
    return len({tile for region in regions for tile in grid.tiles_in(region)})


def _has_pi(study: Study) -> bool:
    drawn = (
        one
        for name in study.annotated
        for one in (
            *study.drawn_tiles[name].values(),
            study.samples[name].sampling.all_tiles,
        )
    )
    return any(one.pi is not None for one in drawn)


def _method(study: Study, method: Method) -> dict[str, Any]:
    variants = [_variant(study, variant) for variant in method.variants]
    return {
        "name": method.name,
        **variants[0],
        "grid": {key: [_told(key, value) for value in values] for key, values in method.grid},
        "samples": len(dict.fromkeys(method.samples)),
        "is_learned": method.is_learned,
        "uses": _uses(step for own in variants for step in (*own["filter"], own["threshold"])),
    }


def _variant(study: Study, variant: Variant) -> dict[str, Any]:
    """How a set of parameters segments: each step as its name and its settings."""
    segmenter = variant.segmenter
    steps = study.config["filters"].get(variant.filter, [])
    chain = [] if variant.filter == NO_FILTER else parse_chain(steps)
    source = source_of(steps)
    threshold = (segmenter.threshold, dict(segmenter.settings))
    if source and "-" in variant.filter:
        # masks made elsewhere, which the configuration has as a threshold
        name, settings = source
        above = segmenter.settings["value"]
        threshold, chain = (name, settings | {"above": above}), []
        if given := settings.get("filter"):
            chain = parse_chain(study.config["filters"].get(given, []))
    return {
        "filter": [_step(*step) for step in chain],
        "threshold": _step(*threshold),
        "scope": segmenter.scope,
        "foreground": segmenter.foreground,
        "is_local": segmenter.is_local,
        "fallback": segmenter.fallback if segmenter.is_guarded else "",
        "cleanup": [_step(*step) for step in parse_steps(segmenter.cleanup)],
    }


def _step(name: str, settings: Mapping[str, Any]) -> list[Any]:
    if name in MASKS and "run" in settings:
        program = PurePath(str(settings["run"][0])).name
        settings = {"program": program, "version": settings["version"], **settings}
        settings.pop("run")
    known = {key: _told(key, value) for key, value in settings.items() if value is not None}
    return [name, known]


def _told(key: str, value: Any) -> Any:
    """A value as JSON has it, and of a file the name alone."""
    if key in FILES and isinstance(value, str):
        return PurePath(value).name
    if isinstance(value, dict):
        return {name: _told(name, own) for name, own in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _uses(steps: Iterable[list[Any]]) -> list[str]:
    """Each filter and threshold once, and what their settings name: measures, other thresholds."""
    names: dict[str, None] = {}
    for name, settings in steps:
        named = (settings.get(key) for key in ("measure", "low", "high"))
        names |= dict.fromkeys([name, *(one for one in named if isinstance(one, str))])
    return list(names)
