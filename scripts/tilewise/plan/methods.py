"""The methods of a configuration, checked before any work starts."""

import json
from dataclasses import dataclass
from itertools import product

from tilewise.segment import cleanup, filters, thresholds
from tilewise.segment.segmenters import Segmenter
from tilewise.segment.steps import hint

NO_FILTER = "image"
"""What stands for the image itself where a method has no filter."""
SEGMENTATION = "segmentation"
"""The label of the mask by the method that was decided on; no method has this name."""
RESERVED = ("truth", "filtered", "histograms", "errors", "quality", SEGMENTATION)
"""Names of labels and folders of a sample."""
WORDS = ("scope", "foreground", "min_contrast", "min_separability", "fallback", "cleanup")
"""Keys of a method that its segmenter has too."""


@dataclass(frozen=True)
class Variant:
    """One set of parameters of a method: how the image is filtered, and then segmented."""

    name: str
    """The parameters that the grid gives, as in `offset=-25,size=51`; empty without one."""
    filter: str
    """Name of a filter, or `image`."""
    segmenter: Segmenter


@dataclass(frozen=True)
class Method:
    """A way to segment the samples, with one or several sets of parameters."""

    name: str
    variants: tuple[Variant, ...]
    """The first is the default."""
    samples: tuple[str, ...]

    @property
    def is_calibrated(self):
        """Whether any variant has a threshold that annotated tiles give."""
        return any(variant.segmenter.scope == "calibrated" for variant in self.variants)

    @property
    def is_swept(self):
        """Whether annotated tiles choose its parameters or its threshold."""
        return len(self.variants) > 1 or self.is_calibrated

    def variant(self, name):
        """The variant of a name."""
        return next(variant for variant in self.variants if variant.name == name)

    @property
    def filters(self):
        """Names of the filters of its variants."""
        return list(dict.fromkeys(variant.filter for variant in self.variants))


def read_methods(config, samples):
    """The methods of a configuration.

    Parameters
    ----------
    config : dict
        Its `filters` and `methods`, with all defaults filled in.
    samples : dict of str to Sample

    Returns
    -------
    dict of str to Method
        By name, in the order of the configuration.

    Raises
    ------
    ValueError
        Names the filter or the method, what is wrong and what is known.
    """
    dtypes = {sample.header.dtype for sample in samples.values()} or {"uint8"}
    for name, chain in config["filters"].items():
        if name == NO_FILTER:
            raise ValueError(f"filters: {NO_FILTER} stands for no filter: give it another name")
        for dtype in sorted(dtypes):
            _checked(f"filter {name}", filters.check_chain, chain, dtype)
    return {
        name: _read_method(name, entry, config["filters"], samples)
        for name, entry in config["methods"].items()
    }


def _read_method(name, entry, known_filters, samples):
    if name in RESERVED:
        raise ValueError(f"method {name}: the name is taken by the workflow: choose another")
    chosen_samples = tuple(samples) if entry["samples"] is None else tuple(entry["samples"])
    for sample in chosen_samples:
        if sample not in samples:
            raise ValueError(
                f"method {name}: sample {sample} is not in the sheet{hint(sample, samples)}"
            )
    variants = tuple(
        _read_variant(f"method {name}", variant, parameters, known_filters)
        for variant, parameters in _expand(f"method {name}", entry)
    )
    method = Method(name, variants, chosen_samples)
    if method.is_calibrated and not any(samples[sample].truth for sample in chosen_samples):
        raise ValueError(
            f"method {name}: scope calibrated takes the threshold from annotated tiles, and no "
            "sample has truth: give truth, or choose the scope tile, plane or sample"
        )
    return method


def _expand(what, entry):
    """Each combination of a grid: its name, and the method's keys with it."""
    grid = entry["grid"]
    keys = ("filter", "threshold", *WORDS)
    threshold, settings = _checked(what, thresholds.given, entry["threshold"])
    known = () if "threshold" in grid else thresholds.settings_of(threshold)
    for key in grid:
        if key not in keys and key not in known:
            raise ValueError(
                f"{what}: grid: {key} is neither a setting of {threshold} nor a key of a method"
                f"{hint(key, [*known, *keys])}"
            )
    for values in product(*grid.values()):
        combination = dict(zip(grid, values, strict=True))
        own = {key: value for key, value in combination.items() if key not in keys}
        parameters = {**entry, **{key: combination[key] for key in grid if key in keys}}
        if own:
            parameters["threshold"] = {threshold: {**settings, **own}}
        yield ",".join(f"{key}={_written(value)}" for key, value in combination.items()), parameters


def _written(value):
    """A value of a grid as it stands in a variant's name."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    return json.dumps(value, separators=(",", ":")).replace('"', "")


def _read_variant(what, name, entry, known_filters):
    if name:
        what = f"{what}, {name}"
    chosen = entry["filter"] or NO_FILTER
    if chosen != NO_FILTER and chosen not in known_filters:
        raise ValueError(f"{what}: filter {chosen} is not configured{hint(chosen, known_filters)}")
    threshold, settings = _checked(what, thresholds.parse, entry["threshold"])
    _checked(what, thresholds.check_settings, threshold, settings)
    _checked(what, cleanup.check_steps, entry["cleanup"])
    if threshold == "hysteresis" and entry["foreground"] == "dark":
        raise ValueError(f"{what}: hysteresis finds what is bright: add `invert` to its filter")
    segmenter = Segmenter(threshold, settings, **{word: entry[word] for word in WORDS})
    for word, choices in (
        ("scope", ("tile", "plane", "sample", "calibrated")),
        ("foreground", ("bright", "dark")),
        ("fallback", ("empty", "sample")),
    ):
        if entry[word] not in choices:
            raise ValueError(
                f"{what}: {word} {entry[word]} does not exist{hint(entry[word], choices)}"
            )
    if segmenter.scope == "calibrated" and (segmenter.is_local or threshold == "manual"):
        raise ValueError(
            f"{what}: {threshold} has no threshold to calibrate: use the scope tile, and a grid of "
            "its settings, which annotated tiles choose from"
        )
    return Variant(name, chosen, segmenter)


def _checked(what, function, *arguments):
    try:
        return function(*arguments)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error
