"""The methods of a configuration, checked before any work starts."""

import functools
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from tilewise.labels import SEGMENTATION
from tilewise.plan.file_names import check_path
from tilewise.plan.sheet import Sample
from tilewise.read.header import Header, channel_number
from tilewise.segment import (
    cleanup,
    filters,
    masks,
    own_function,
    own_model,
    sources,
    steps,
    trained,
    vote,
)
from tilewise.segment.global_thresholds import GLOBAL
from tilewise.segment.local_thresholds import LOCAL
from tilewise.segment.projections import CHANNEL, PROJECTIONS
from tilewise.segment.segmenters import Segmenter
from tilewise.segment.steps import WHOLE_PLANE, hint, is_number, is_whole

NO_FILTER = "image"
"""What stands for the image itself where a method has no filter."""
RESERVED_NAMES = ("truth", "roi", "filtered", "histograms", "errors", "quality", SEGMENTATION)
"""Those of labels and folders of a stack."""
RESERVED_ENDINGS = (".zarr", ".json")
"""Of the names of files and folders beside them."""
MOST_VARIANTS = 10_000
"""Combinations of a grid: each is tried on all annotated tiles."""
LEAST_REACH = 1024
"""Pixels that a step may reach in any image: in a small one, too, a background is smooth."""
APPLY_WORDS = ("best", "all", "none")
"""What `apply` may be besides the name of a method; no method has these names."""
STEP_KIND = "threshold method"
"""What a threshold is called in messages."""
OWN_FILES = {
    **{own_function.NAME: "file", own_model.NAME: "file"},
    **dict.fromkeys(trained.KINDS, "model"),
}
"""Settings that name a file of the user's, by threshold method."""
OF_CHANNELS = (*trained.KINDS, own_model.NAME)
"""Thresholds that take several channels."""
SEGMENTER_KEYS = (
    *("scope", "foreground", "min_contrast", "min_separability", "fallback", "weak"),
    "cleanup",
)
"""Keys of a method that its segmenter has too."""


@dataclass(frozen=True)
class Variant:
    """One set of parameters of a method: how the image is filtered, and then segmented."""

    name: str
    """The parameters that the grid gives, as in `offset=-25,size=51`; empty without one."""
    filter: str
    """Name of a filter, or `image`."""
    segmenter: Segmenter

    @property
    def own_files(self) -> list[str]:
        """The user's own file that makes the mask, if any: of Python, or a model."""
        settings = self.segmenter.settings
        if self.segmenter.is_classifier:
            return [] if self.is_learned else [settings["model"]]
        is_own = self.segmenter.is_own or self.segmenter.is_network
        return [settings["file"]] if is_own else []

    @property
    def is_learned(self) -> bool:
        """Whether annotated tiles train what makes the mask."""
        return self.segmenter.is_learned

    @property
    def is_nested(self) -> bool:
        """Whether models are trained without each pair of folds, too."""
        return self.is_learned and bool(self.segmenter.settings["nested"])


@dataclass(frozen=True)
class Method:
    """A way to segment the samples, with one or several sets of parameters."""

    name: str
    variants: tuple[Variant, ...]
    """The first is the default."""
    samples: tuple[str, ...]
    grid: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    """Each key of its grid, and its values; variants are in the order of their product."""

    @property
    def parameters(self) -> int:
        """How many parameters annotated tiles choose.

        A calibrated threshold is one; of trees, each leaf is one, and of a network each weight.
        """
        learned = (
            trained.KINDS[variant.segmenter.threshold].parameters(variant.segmenter.settings)
            for variant in self.variants
            if variant.is_learned
        )
        chosen = sum(len(values) > 1 for _, values in self.grid)
        return chosen + self.is_calibrated + max(learned, default=0)

    @property
    def is_calibrated(self) -> bool:
        """Whether any variant has a threshold that annotated tiles give."""
        return any(variant.segmenter.scope == "calibrated" for variant in self.variants)

    @property
    def is_learned(self) -> bool:
        """Whether any variant learns from annotated tiles."""
        return any(variant.is_learned for variant in self.variants)

    @property
    def keeps_probability(self) -> bool:
        """Whether the probability of foreground is kept beside its masks, by all parameters."""
        segmenters = [variant.segmenter for variant in self.variants]
        return all(one.is_classifier and one.settings["keep_probability"] for one in segmenters)

    @property
    def voters(self) -> tuple[str, ...]:
        """Methods whose masks it counts, if it is a vote."""
        segmenter = self.variants[0].segmenter
        return tuple(segmenter.settings["methods"]) if segmenter.is_vote else ()

    @property
    def is_swept(self) -> bool:
        """Whether annotated tiles choose its parameters or its threshold, or train it."""
        return len(self.variants) > 1 or self.is_calibrated or self.is_learned

    def variant(self, name: str) -> Variant:
        """The variant of a name."""
        return next(variant for variant in self.variants if variant.name == name)

    @property
    def filters(self) -> list[str]:
        """Names of the filters of its variants."""
        return list(dict.fromkeys(variant.filter for variant in self.variants))


def locate_filters(chains: dict[str, Any], folder: str | Path) -> dict[str, Any]:
    """Filters whose own files, given relative to a folder, are named as jobs find them."""
    return {
        name: _checked(f"filters.{name}", filters.locate, chain, folder)
        for name, chain in chains.items()
    }


def read_methods(
    config: dict[str, Any], samples: dict[str, Sample], folder: str | Path = ""
) -> dict[str, Method]:
    """The methods of a configuration with all defaults, by name and in its order.

    Files that they name are relative to `folder`, that of the configuration file.
    ValueError names the filter or the method, what is wrong and what is known.
    """
    dtypes = {sample.header.dtype for sample in samples.values()} or {"uint8"}
    sides = (max(sample.header.height, sample.header.width) for sample in samples.values())
    longest = max(sides, default=0)
    for name, chain in config["filters"].items():
        if name == NO_FILTER:
            raise ValueError(f"filters.{NO_FILTER} stands for no filter: give it another name")
        for dtype in sorted(dtypes):
            _checked(f"filters.{name}", filters.check_chain, chain, dtype, _most_reach(longest))
        _checked(f"filters.{name}", _check_program, chain, config["filters"])
    methods = {
        name: _read_method(name, _located(name, entry, folder), config["filters"], samples)
        for name, entry in config["methods"].items()
    }
    for name, method in methods.items():
        _checked(f"methods.{name}", _check_reach, method, longest)
        _checked(f"methods.{name}", _check_vote, method, config["methods"][name], methods)
    return methods


def _most_reach(longest: int) -> int:
    """How far a step may reach around a pixel where images have sides of up to `longest` px."""
    return max(longest, LEAST_REACH)


def _check_reach(method: Method, longest: int) -> None:
    """Check that local thresholds and clean-up do not look further than any image reaches."""
    most = _most_reach(longest)
    for variant in method.variants:
        segmenter = variant.segmenter
        reach = cleanup.steps_reach(segmenter.cleanup)
        if segmenter.threshold in LOCAL:
            reach = max(reach, LOCAL[segmenter.threshold].reach(**segmenter.settings))
        if most < reach < WHOLE_PLANE:
            raise ValueError(
                f"its threshold or its clean-up looks {reach:.0f} px around each pixel, and the "
                f"largest image has a side of {longest} px: give smaller sizes, for up to {most} px"
            )


def _check_vote(method: Method, entry: dict[str, Any], methods: dict[str, Method]) -> None:
    """Check that a vote has nothing of its own, and counts methods that it may count."""
    if not any(variant.segmenter.is_vote for variant in method.variants):
        return
    for key, alone in (("grid", {}), ("filter", None), ("cleanup", []), ("foreground", "bright")):
        if entry[key] != alone:
            raise ValueError(f"a vote has no {key}, the methods that it counts have: leave it out")
    for name in method.voters:
        if name not in methods:
            raise ValueError(f"vote counts {name}, which is no method{hint(name, methods)}")
        one = methods[name]
        if one.voters:
            raise ValueError(f"vote counts {name}, which is a vote itself: name its methods")
        if len(one.variants) > 1 or one.is_calibrated:
            raise ValueError(
                f"vote counts {name}, whose parameters annotated tiles choose: they would score "
                "the vote too high: count a method with fixed ones"
            )
        if missing := sorted({*method.samples} - {*one.samples}):
            raise ValueError(
                f"vote counts {name}, which is not tried on sample {missing[0]}: leave that out of "
                "`samples` of the vote"
            )


def with_sources(config: dict[str, Any], folder: str | Path = "") -> dict[str, Any]:
    """A configuration with a filter for each source that thresholds of its methods name.

    Their names have a `-`, which no filter of a configuration can have. Programs are told the
    folder of the configuration file.
    """
    placed = _placed([config["filters"], config["methods"]], os.path.relpath(Path(folder)))
    known, methods = placed
    for name, entry in methods.items():
        for number, chain in enumerate(_source_chains(f"methods.{name}", entry), 1):
            if _implied_filter(known, chain) is None:
                known[_implied_name(name, number, chain)] = chain
    return {**config, "filters": known, "methods": methods}


def _source_chains(what: str, entry: dict[str, Any]) -> list[list[Any]]:
    """Filters that give the masks of other programs that a method has as thresholds."""
    functions = _threshold_functions()
    given = entry["grid"].get("threshold", [entry["threshold"]])
    names = {_checked(what, steps.given, step, functions, STEP_KIND)[0] for step in given}
    if not names & {*sources.MASKS}:
        return []
    chains: list[list[Any]] = []
    for _, own in _expand(what, entry):
        threshold, settings = _checked(what, parse_threshold, own["threshold"])
        if threshold in sources.MASKS:
            _checked(what, check_threshold, threshold, settings)
            chain = sources.chain_of(threshold, settings, own["filter"])
            chains += [chain] if chain not in chains else []
    return chains


def _placed(value: Any, place: str) -> Any:
    """A part of a configuration in which `{folder}` is the path of its own."""
    if isinstance(value, str):
        return value.replace("{folder}", place)
    if isinstance(value, dict):
        return {key: _placed(own, place) for key, own in value.items()}
    return [_placed(own, place) for own in value] if isinstance(value, list) else value


def _implied_name(method: str, number: int, chain: list[Any]) -> str:
    source, settings = next(iter(chain[0].items()))
    if source == sources.EXTERNAL:
        return f"external-{sources.array_name(**settings)}"
    return f"{sources.COMMAND}-{method}" + (f"-{number}" if number > 1 else "")


def _implied_filter(known: dict[str, Any], chain: list[Any]) -> str | None:
    """The name of a filter that a threshold stands for, if it is known."""
    return next((name for name, own in known.items() if "-" in name and own == chain), None)


def external_columns(config: dict[str, Any]) -> list[str]:
    """Columns of the sample sheet whose masks the filters of a configuration begin with."""
    columns: dict[str, None] = {}
    for name, chain in config["filters"].items():
        source = _checked(f"filters.{name}", sources.source_of, chain)
        if source is not None and source[0] == sources.EXTERNAL:
            _checked(f"filters.{name}", sources.check_external, **source[1])
            columns[source[1]["column"]] = None
    return list(columns)


def _check_program(chain: list[Any], known: dict[str, Any]) -> None:
    """Check that a program is given the image after a filter that is known."""
    name = sources.given_filter(chain)
    if name is None:
        return
    if name not in known:
        raise ValueError(f"filter {name} is not configured{hint(name, known)}")
    if filters.channels_of(known[name]):
        raise ValueError(f"filter {name} gives several channels: let a program be given one")
    before = sources.source_of(known[name])
    if before is not None and before[0] == sources.COMMAND:
        raise ValueError(f"filter {name} begins with a program: let one program call the other")


def _located(name: str, entry: dict[str, Any], folder: str | Path) -> dict[str, Any]:
    """A method whose own files are named as jobs find them, in its grid as well."""
    functions = _threshold_functions()

    def threshold_of(step: Any) -> Any:
        kind, settings = _checked(f"methods.{name}", steps.given, step, functions, STEP_KIND)
        file = OWN_FILES.get(kind, "")
        if file not in settings:
            return step
        return {kind: {**settings, file: file_of(settings[file])}}

    def file_of(file: Any) -> Any:
        if not isinstance(file, str):
            return file
        path = os.path.relpath(Path(folder, file))
        _checked(f"methods.{name}", check_path, path)
        return path

    grid = dict(entry["grid"])
    if "threshold" in grid:
        grid["threshold"] = list(map(threshold_of, grid["threshold"]))
    for key in {"file", "model"} & {*grid}:
        grid[key] = list(map(file_of, grid[key]))
    return {**entry, "threshold": threshold_of(entry["threshold"]), "grid": grid}


def _read_method(
    name: str, entry: dict[str, Any], known_filters: dict[str, Any], samples: dict[str, Sample]
) -> Method:
    if name in RESERVED_NAMES or name.endswith(RESERVED_ENDINGS):
        raise ValueError(f"methods.{name}: the name is taken by the workflow: choose another")
    if name in APPLY_WORDS:
        raise ValueError(
            f"methods.{name}: `apply: {name}` has another meaning: choose another name"
        )
    chosen_samples = tuple(samples) if entry["samples"] is None else tuple(entry["samples"])
    for sample in chosen_samples:
        if sample not in samples:
            raise ValueError(
                f"methods.{name}: sample {sample} is not in the sheet{hint(sample, samples)}"
            )
    variants = tuple(
        _read_variant(f"methods.{name}", variant, parameters, known_filters)
        for variant, parameters in _expand(f"methods.{name}", entry)
    )
    for variant in variants:
        given = sources.given_filter(known_filters.get(variant.filter, []))
        for sample, used in product(chosen_samples, filter(None, (variant.filter, given))):
            chain, what = known_filters.get(used, []), f"methods.{name}: sample {sample}"
            _checked(f"{what}: filter {used}", check_colors, chain, samples[sample].header)
            _checked(what, _check_source, chain, samples[sample])
    grid = tuple((key, tuple(values)) for key, values in entry["grid"].items())
    method = Method(name, variants, chosen_samples, grid)
    if method.is_calibrated and not any(samples[sample].truth for sample in chosen_samples):
        raise ValueError(
            f"methods.{name}: scope calibrated takes the threshold from annotated tiles, and no "
            "sample has truth: give truth, or choose the scope tile, plane or sample"
        )
    return method


def check_colors(chain: list[Any], header: Header) -> None:
    """Check that an image has the channels or colours that a filter begins with.

    A grey one is its own channels.
    """
    projection, _ = filters.split_chain(chain)
    if projection is None:
        return
    found = filters.projections_of(chain)
    chosen = [settings["which"] for name, settings in found if name == CHANNEL]
    remedy = "leave the sample out of `samples` of the method, or choose another filter"
    for which in chosen:
        try:
            channel_number(header, which)
        except ValueError as error:
            raise ValueError(f"{error}: {remedy}") from error
    colors = [name for name, _ in found if name != CHANNEL]
    if header.channels == 1 and not PROJECTIONS[projection[0]].is_grey:
        raise ValueError(f"{projection[0]} takes colours, and the image is grey: {remedy}")
    if header.channels not in (1, 3) and colors:
        raise ValueError(
            f"{colors[0]} takes red, green and blue, and the image has {header.channels} "
            f"channels: {remedy}, such as {{channel: 0}}"
        )
    named = [which for which in chosen if which not in range(3)]
    if colors and named:
        raise ValueError(
            f"{colors[0]} is one of the image's colours, and {named[0]} the name of a channel: "
            "beside colours, give channels by their numbers"
        )


def _check_source(chain: list[Any], sample: Sample) -> None:
    """Check that a sample has the masks that a filter begins with."""
    source = sources.source_of(chain)
    if source is None or source[0] != sources.EXTERNAL:
        return
    column, channel = source[1]["column"], source[1]["channel"]
    if column not in sample.external:
        raise ValueError(
            f"the column `{column}` is empty or missing: name its masks there, or leave the sample "
            "out of `samples` of the method"
        )
    channels = sample.external[column].channels
    if channel is None and channels > 1:
        raise ValueError(
            f"`{column}` has {channels} channels: name the one that counts, {{external: "
            f"{{column: {column}, channel: 0}}}}"
        )
    if channel is not None and channel >= channels:
        raise ValueError(f"`{column}` has no channel {channel}: it has {channels}, from 0 on")


def _expand(what: str, entry: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each combination of a grid: its name, and the method's keys with it."""
    grid = entry["grid"]
    keys = ("filter", "threshold", *SEGMENTER_KEYS)
    functions = _threshold_functions()
    threshold, settings = _checked(what, steps.given, entry["threshold"], functions, STEP_KIND)
    known = [] if "threshold" in grid else list(steps.settings_of(functions[threshold]))
    params: list[str] = []
    if threshold == own_function.NAME and not {"threshold", "file", "function"} & {*grid}:
        chosen = [settings[name] for name in ("file", "function") if name in settings]
        taken = _checked(what, own_function.parameters_of, *chosen)
        params = [key for key in grid if key not in keys] if taken.takes_any else taken.names
        params = [key for key in params if key not in known]
    for key in grid:
        if key not in keys and key not in known and key not in params:
            raise ValueError(
                f"{what}.grid: {key} is neither a setting of {threshold} nor a key of a method"
                f"{hint(key, [*known, *params, *keys])}"
            )
    number = math.prod(map(len, grid.values()))
    if number > MOST_VARIANTS:
        raise ValueError(
            f"{what}.grid has {number:,} combinations, each of which would be tried on all "
            f"annotated tiles: give fewer values, for at most {MOST_VARIANTS:,}"
        )
    for values in product(*grid.values()):
        combination = dict(zip(grid, values, strict=True))
        own = {key: value for key, value in combination.items() if key not in keys}
        parameters = {**entry, **{key: combination[key] for key in grid if key in keys}}
        if tried := {key: own.pop(key) for key in list(own) if key in params}:
            own["params"] = {**(own.get("params", settings.get("params")) or {}), **tried}
        if own:
            parameters["threshold"] = {threshold: {**settings, **own}}
        yield ",".join(f"{key}={_written(value)}" for key, value in combination.items()), parameters


def _written(value: object) -> str:
    """A value of a grid as it stands in a variant's name."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    return json.dumps(value, separators=(",", ":")).replace('"', "")


def _read_variant(
    what: str, name: str, entry: dict[str, Any], known_filters: dict[str, Any]
) -> Variant:
    if name:
        what = f"{what}, {name}"
    chosen = entry["filter"] or NO_FILTER
    if chosen != NO_FILTER and chosen not in known_filters:
        raise ValueError(f"{what}: filter {chosen} is not configured{hint(chosen, known_filters)}")
    threshold, settings = _checked(what, parse_threshold, entry["threshold"])
    _checked(what, check_threshold, threshold, settings)
    _checked(what, cleanup.check_steps, entry["cleanup"])
    if threshold == sources.EXTERNAL and chosen != NO_FILTER:
        raise ValueError(
            f"{what}: external takes the place of the image: leave `filter` out, or let the "
            "filter begin with it, as in [{external: COLUMN}, {median: 3}]"
        )
    if threshold in sources.MASKS:
        chain = sources.chain_of(threshold, settings, entry["filter"])
        chosen = _implied_filter(known_filters, chain) or chosen
        threshold, settings = "manual", {"value": settings["above"]}
    if threshold == "hysteresis" and entry["foreground"] == "dark":
        raise ValueError(f"{what}: hysteresis finds what is bright: add `invert` to its filter")
    if threshold == own_function.NAME and entry["foreground"] == "dark":
        raise ValueError(f"{what}: the function says what is foreground: leave `foreground` out")
    if threshold == own_model.NAME and entry["foreground"] == "dark":
        raise ValueError(f"{what}: the model says what is foreground: leave `foreground` out")
    if threshold in trained.KINDS and entry["foreground"] == "dark":
        raise ValueError(f"{what}: truth says what is foreground: leave `foreground` out")
    channels = filters.channels_of(known_filters.get(chosen, []))
    if channels and threshold not in OF_CHANNELS:
        raise ValueError(
            f"{what}: filter {chosen} gives several channels, which {threshold} cannot take: let "
            f"the filter begin with one of them, or use {', '.join(OF_CHANNELS)}"
        )
    if threshold == own_model.NAME:
        _checked(what, own_model.check_channels, settings, max(len(channels), 1))
    _checked(what, _check_hues, known_filters.get(chosen, []), threshold, settings, entry)
    segmenter = Segmenter(threshold, settings, **{key: entry[key] for key in SEGMENTER_KEYS})
    for key, choices in (
        ("scope", ("tile", "plane", "sample", "calibrated")),
        ("foreground", ("bright", "dark")),
        ("fallback", ("empty", "sample")),
        ("weak", ("auto", "own", "empty", "sample")),
    ):
        if entry[key] not in choices:
            value = entry[key]
            raise ValueError(f"{what}: {key} {value} does not exist{hint(value, choices)}")
    if entry["fallback"] == "empty" and entry["weak"] != "auto":
        raise ValueError(
            f"{what}: weak says what the sample decides, and by fallback: empty it is not asked: "
            "leave out one of the two"
        )
    if segmenter.scope == "calibrated" and (segmenter.is_local or threshold == "manual"):
        raise ValueError(
            f"{what}: {threshold} has no threshold to calibrate: use the scope tile, and a grid of "
            "its settings, which annotated tiles choose from"
        )
    return Variant(name, chosen, segmenter)


def _check_hues(
    chain: list[Any], threshold: str, settings: dict[str, Any], entry: dict[str, Any]
) -> None:
    """Check that hues, and they alone, are thresholded as a circle."""
    is_circular = threshold == "circular"
    if filters.is_circular(chain) and threshold not in ("circular", own_function.NAME):
        raise ValueError(f"hues are a circle, which {threshold} cuts: use the threshold circular")
    if not is_circular:
        return
    if not filters.is_circular(chain):
        raise ValueError("circular takes hues: let its filter be [hue]")
    if entry["foreground"] == "dark":
        raise ValueError("circular has no dark foreground: give a hue of it, {circular: {hue: 30}}")
    if settings["hue"] is None and entry["scope"] in ("tile", "plane"):
        raise ValueError(
            f"which half is smaller may differ from {entry['scope']} to {entry['scope']}: give a "
            "hue of the foreground, {circular: {hue: 30}}, or use the scope sample"
        )


def _checked(
    what: str, function: Callable[..., Any], /, *arguments: object, **settings: object
) -> Any:
    """What a function returns; its ValueError says first what it is about."""
    try:
        return function(*arguments, **settings)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error


def parse_threshold(step: str | dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name and all settings of a threshold method, from the configuration.

    A step is as in `otsu`, `{manual: 79}` or `{adaptive: {size: 51, offset: -25}}`. ValueError if
    the name or a setting is unknown, or a setting is missing.
    """
    return steps.parse(step, _threshold_functions(), STEP_KIND)


def _threshold_functions() -> dict[str, Callable[..., Any]]:
    """All threshold methods, as functions whose first argument only is not a setting."""
    return {
        **{name: functools.partial(method, None) for name, method in GLOBAL.items()},
        **{name: method.surface for name, method in LOCAL.items()},
        **{"hysteresis": masks.hysteresis, own_function.NAME: own_function.python},
        **{name: kind.apply for name, kind in trained.KINDS.items()},
        own_model.NAME: own_model.onnx,
        vote.NAME: vote.vote,
        **sources.MASKS,
    }


def check_threshold(name: str, settings: dict[str, Any]) -> None:
    """Check that a threshold method can be applied with its settings; ValueError says why not."""
    _, settings = parse_threshold({name: settings})
    if name in CHECKS:
        _checked(f"threshold method {name}", CHECKS[name], **settings)


def _check_multiotsu(classes: Any, foreground: Any) -> None:
    if not is_whole(classes) or classes < 2:
        raise ValueError(f"classes is {classes!r}: give a whole number of at least 2")
    if foreground is None:
        return
    numbers = foreground if isinstance(foreground, list | tuple) else [foreground]
    if not numbers or not all(is_whole(number) and 0 <= number < classes for number in numbers):
        raise ValueError(
            f"foreground is {foreground!r}: give a class or a list of classes, from 0 (darkest) "
            f"to {classes - 1} (brightest)"
        )


def _check_adaptive(size: Any, offset: Any, weights: Any) -> None:
    _check_size(size)
    _check_number("offset", offset)
    if weights not in ("gaussian", "mean"):
        raise ValueError(f"weights is {weights!r}: choose gaussian or mean")


def _check_sauvola(size: Any, k: Any, r: Any) -> None:
    _check_niblack(size, k)
    if r is not None and (not is_number(r) or r <= 0):
        raise ValueError(f"r is {r!r}: give a number of grey levels above 0, or leave it out")


def _check_niblack(size: Any, k: Any) -> None:
    _check_size(size)
    _check_number("k", k)


def _check_hysteresis(low: Any, high: Any) -> None:
    choices = [name for name in GLOBAL if name not in ("manual", "multiotsu", "circular")]
    for setting, value in (("low", low), ("high", high)):
        if value not in choices and not is_number(value):
            raise ValueError(
                f"{setting} is {value!r}: give a number, or a method: {', '.join(choices)}"
            )
    if is_number(low) and is_number(high) and low > high:
        raise ValueError(f"low is {low}, high is {high}: give a low that is not above high")


def _check_circular(hue: Any) -> None:
    if hue is not None and (not is_number(hue) or not 0 <= hue < 360):
        raise ValueError(f"hue is {hue!r}: give degrees, from 0 (red) to below 360")


def _check_size(size: Any) -> None:
    if not is_whole(size) or size < 3 or size % 2 == 0:
        raise ValueError(f"size is {size!r}: give an odd whole number of pixels, such as 15")


def _check_number(setting: str, value: object) -> None:
    if not is_number(value):
        raise ValueError(f"{setting} is {value!r}: give a number")


CHECKS: dict[str, Callable[..., None]] = {
    "manual": lambda value: _check_number("value", value),
    "multiotsu": _check_multiotsu,
    "adaptive": _check_adaptive,
    "sauvola": _check_sauvola,
    "niblack": _check_niblack,
    "hysteresis": _check_hysteresis,
    "circular": _check_circular,
    own_function.NAME: own_function.check,
    own_model.NAME: own_model.check,
    vote.NAME: vote.check,
    **{name: kind.check for name, kind in trained.KINDS.items()},
    **sources.CHECKS,
}
"""What raises ValueError for settings that a method cannot use, by method."""
