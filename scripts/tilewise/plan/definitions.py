"""Methods in words, and what else the report is told of a study."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import yaml

from tilewise.plan.methods import NO_FILTER, Method, Variant
from tilewise.plan.study import Choice, Study
from tilewise.score.formulas import PIXEL_METRICS, metrics_of
from tilewise.segment.segmenters import Segmenter

NAMES = {
    **{name: name.capitalize() for name in ("otsu", "li", "yen", "niblack", "sauvola", "gaussian")},
    **{"isodata": "ISODATA", "multiotsu": "multi-Otsu", "clahe": "CLAHE", "dog": "DoG"},
    **{"tophat": "top-hat", "onnx": "network"},
}
"""Steps that are written in another way than they are called."""
TOLD = {
    "pixel_classifier": ("trees", "depth"),
    "unet": ("width", "levels", "steps"),
    "vote": ("methods", "least"),
}
"""Settings that are told of a threshold, where it has too many to read."""
SCOPES = {
    "tile": "a threshold per tile",
    "plane": "a threshold per plane",
    "sample": "a threshold per sample",
    "calibrated": "one threshold, from annotated tiles",
}


@cache
def facts(study: Study, choices: tuple[Choice, ...]) -> dict[str, Any]:
    """What the report is told, by what was chosen for each method that is compared."""
    overlay, chosen = study.config["overlay"], {choice.method: choice for choice in choices}
    words = study.config["validate"]["metrics"]
    return {
        "title": study.config["title"].strip(),
        "description": " ".join(study.config["description"].split()),
        "metric": study.config["decision"]["metric"],
        "metrics": [*PIXEL_METRICS, *(metric.name for metric in metrics_of(words))],
        "samples": [_sample(study, name) for name in study.samples],
        "methods": [_method(study, one, chosen.get(name)) for name, one in study.methods.items()],
        "colors": {name: list(overlay[name]) for name in ("tp", "fp", "fn", "tn")},
        "alpha": overlay["alpha"],
    }


def _sample(study: Study, name: str) -> dict[str, Any]:
    sample, grid = study.samples[name], study.grids[name]
    planes, height, width = grid.shape
    size = sample.pixel_size
    return {
        **{"name": name, "planes": planes, "height": height, "width": width},
        "tile": list(grid.sides),
        # of a plane alone, the distance to the next is not known
        "pixel_size": None if size is None else [size[0] or 1.0, size[1], size[2]],
        "is_color": study.is_color(study.stack_of[name].name),
        "metadata": dict(sample.metadata),
    }


def _method(study: Study, method: Method, choice: Choice | None) -> dict[str, Any]:
    variant = method.variant(choice.variant) if choice else method.variants[0]
    keys = [key for key, _ in method.grid]
    return {
        "name": method.name,
        "definition": {
            "filter": in_words(study.config["filters"].get(variant.filter, [])),
            "threshold": threshold_in_words(variant.segmenter),
            "parameters": _parameters(method, variant, choice),
            "roi": _roi(study, method),
        },
        "yaml": as_yaml(study, method),
        "is_tuned": method.name in study.tuned,
        "settings": {
            own.name: {key: _value(own, key) for key in keys} for own in method.variants if keys
        },
    }


def in_words(steps: Iterable[Any]) -> str:
    """Steps as a configuration has them, in words: `invert, median (size 3)`."""
    return ", ".join(map(_step, steps))


def _step(step: Any) -> str:
    if isinstance(step, str):
        return _name(step)
    name, settings = next(iter(step.items()))
    if not isinstance(settings, dict):
        return f"{_name(name)} ({settings})"
    given = ", ".join(
        f"{key.replace('_', ' ')} {_written(value)}" for key, value in settings.items()
    )
    return f"{_name(name)} ({given})" if given else _name(name)


def _written(value: Any) -> str:
    """A setting as one reads it: `2 and 3` for `[2, 3]`, `yes` for `True`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        *some, last = map(_written, value) if value else [""]
        return f"{', '.join(some)} and {last}" if some else last
    return str(value)


def _name(step: str) -> str:
    return NAMES.get(step, step.replace("_", " "))


def threshold_in_words(segmenter: Segmenter) -> str:
    """How a mask is made of filtered pixels: `Otsu, a threshold per tile`."""
    given = {
        name: value
        for name, value in segmenter.settings.items()
        if value is not None
        and not isinstance(value, dict)
        and name in TOLD.get(segmenter.threshold, segmenter.settings)
    }
    words = [_step({segmenter.threshold: given})]
    if not segmenter.is_local and segmenter.threshold != "manual":
        words.append(SCOPES[segmenter.scope])
    if segmenter.foreground == "dark":
        words.append("foreground is dark")
    if segmenter.cleanup:
        words.append(f"then {in_words(segmenter.cleanup)}")
    return ", ".join(words)


def _parameters(method: Method, variant: Variant, choice: Choice | None) -> str:
    if method.is_learned and len(method.variants) == 1:
        return "trained on annotated tiles"
    if not method.is_swept or choice is None:
        return ""
    words = [variant.name.replace(",", ", ")] * bool(variant.name)
    known = dict(choice.calibration or ())
    words += [f"threshold {known['threshold']}"] if known.get("threshold") else []
    number = len(method.variants)
    return f"{', '.join(words)} (chosen on annotated tiles{f', of {number}' if number > 1 else ''})"


def _roi(study: Study, method: Method) -> str:
    number = sum(study.samples[name].has_roi for name in method.samples)
    if not number:
        return ""
    all_of = "" if number == len(method.samples) else f" of {number} samples"
    return f"within the region of interest{all_of}"


def as_yaml(study: Study, method: Method) -> str:
    """A method and its filters as a configuration has them, with all defaults."""
    own = {
        name: study.config["filters"][name]
        for name in method.filters
        # what a threshold stands for has no name in a configuration
        if name != NO_FILTER and name in study.config["filters"] and "-" not in name
    }
    entry = {
        key: value
        for key, value in study.config["methods"][method.name].items()
        if value not in (None, [], {})
    }
    known = {"filters": own} if own else {}
    text = yaml.safe_dump(
        {**known, "methods": {method.name: entry}}, sort_keys=False, default_flow_style=None
    )
    return str(text)


def _value(variant: Variant, key: str) -> int | float | str:
    """What a set of parameters has for a key of the grid."""
    names = dict(part.partition("=")[::2] for part in _split(variant.name))
    value = names[key]
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return value


def _split(name: str) -> list[str]:
    """The parts of a variant's name, which may have commas within brackets."""
    parts, depth = [""], 0
    for letter in name:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
