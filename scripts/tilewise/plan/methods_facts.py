"""What the methods text of a paper says of the configuration: numbers and settings, no paths."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import product
from math import prod
from pathlib import PurePath
from typing import Any

from tilewise.plan.definitions import TOLD
from tilewise.plan.methods import NO_FILTER, Method, Variant
from tilewise.plan.study import Choice, Study
from tilewise.score.formulas import METRICS, PIXEL_METRICS, metrics_of
from tilewise.segment.cleanup import parse_steps
from tilewise.segment.filters import parse_chain
from tilewise.segment.sources import MASKS, source_of

FILES = ("file", "model", "psf")
"""Settings of which the name of the file alone is told."""


@cache
def facts(study: Study, choices: tuple[Choice, ...] = ()) -> dict[str, Any]:
    """Of the study: counts in place of lists of samples, so that it is small for any number.

    Parameters
    ----------
    choices : tuple of Choice
        What annotated tiles have chosen, of the methods of which that is known.

    Returns
    -------
    dict
        Of numbers, texts, lists and dicts, as JSON has them. `methods_text.write` says what of it
        it uses.
    """
    config, samples = study.config, list(study.samples.values())
    chosen = {choice.method: choice for choice in choices}
    shapes = sorted({sample.shape[1:] for sample in samples}, key=prod)
    sizes = {sample.pixel_size for sample in samples}
    return {
        "description": " ".join(config["description"].split()),
        "samples": len(samples),
        "planes": sum(sample.shape[0] for sample in samples),
        "sizes": [list(shapes[0]), list(shapes[-1])],
        "dtypes": sorted({sample.header.dtype for sample in samples}),
        "colored": sum(sample.header.channels == 3 for sample in samples),
        "channels": sorted(
            {str(sample.channel) for sample in samples if sample.header.channels > 1}
        ),
        "pixel_size": list(next(iter(sizes)) or ()) if len(sizes) == 1 else [],
        "pixel_sizes": len(sizes - {None}),
        "groups": len({sample.group for sample in samples if sample.group}),
        "tile": config["tile"],
        "tiles": sum(grid.shape[0] * prod(grid.tiles_along) for grid in study.grids.values()),
        "rois": sum(sample.has_roi for sample in samples),
        "annotated": len(study.annotated),
        "annotated_tiles": sum(_annotated_tiles(study, name) for name in study.annotated),
        "annotators": max((len(sample.annotators) for sample in samples), default=0),
        "has_pi": _has_pi(study),
        "methods": [_method(study, one, chosen.get(name)) for name, one in study.methods.items()],
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


def _method(study: Study, method: Method, choice: Choice | None) -> dict[str, Any]:
    """A method as it segments: with the parameters that were chosen, or those that are sure."""
    variants = [_variant(study, variant) for variant in method.variants]
    if choice is None:
        own = _common(variants)
    else:
        own = variants[method.variants.index(method.variant(choice.variant))]
    return {
        "name": method.name,
        **own,
        "grid": {key: [_told(key, value) for value in values] for key, values in method.grid},
        "chosen": {} if choice is None else _chosen(method, choice),
        "calibrated": dict((choice and choice.calibration) or ()).get("threshold", ""),
        "samples": len(dict.fromkeys(method.samples)),
        "is_learned": method.is_learned,
        "uses": _uses(step for one in variants for step in (*one["filter"], one["threshold"])),
    }


def _chosen(method: Method, choice: Choice) -> dict[str, Any]:
    """The values of its grid that were chosen."""
    sets = product(*(values for _, values in method.grid))
    number = method.variants.index(method.variant(choice.variant))
    values = next(one for i, one in enumerate(sets) if i == number)
    return {key: _told(key, value) for (key, _), value in zip(method.grid, values, strict=True)}


def _common(variants: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What all sets of parameters have: without steps and settings in which they differ."""
    first, *others = variants
    own = {key: value for key, value in first.items() if all(one[key] == value for one in others)}
    own |= {key: _shared([one[key] for one in variants]) for key in ("filter", "cleanup")}
    (threshold,) = _shared([[one["threshold"]] for one in variants]) or [["", {}]]
    return {**dict.fromkeys(first, ""), **own, "threshold": threshold}


def _shared(chains: Sequence[list[Any]]) -> list[Any]:
    """Steps that all chains have, with the settings that they share; none if names differ."""
    if len({tuple(name for name, _ in chain) for chain in chains}) > 1:
        return []
    return [
        [name, {key: own[key] for key in own if all(one.get(key) == own[key] for _, one in steps)}]
        for steps in zip(*chains, strict=True)
        for name, own in steps[:1]
    ]


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
        "threshold": _step(threshold[0], _told_of(*threshold)),
        "scope": segmenter.scope,
        "foreground": segmenter.foreground,
        "is_local": segmenter.is_local,
        "fallback": segmenter.fallback if segmenter.is_guarded else "",
        "cleanup": [_step(*step) for step in parse_steps(segmenter.cleanup)],
    }


def _told_of(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are told of a threshold."""
    return {key: value for key, value in settings.items() if key in TOLD.get(name, settings)}


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
