"""The methods of a configuration, checked before any work starts."""

import difflib
import math
from dataclasses import asdict, dataclass

from tilewise import cleanup, filters, thresholds

NO_FILTER = "image"
"""What stands for the image itself where a method has no filter."""


@dataclass(frozen=True)
class Method:
    """A way to segment: a filter and a thresholding, with what is done before and after it."""

    name: str
    filter: str
    """Name of a filter, or `image`."""
    threshold: str
    settings: dict
    scope: str
    foreground: str
    min_contrast: float
    min_separability: float
    fallback: str
    cleanup: list
    samples: tuple[str, ...]

    @property
    def is_local(self):
        """Whether every pixel has its own threshold."""
        return self.threshold in thresholds.LOCAL

    @property
    def reach(self):
        """Pixels around a tile on which its mask depends, or `math.inf` for the whole plane."""
        reach = cleanup.steps_reach(self.cleanup)
        if self.threshold == "hysteresis" or (self.scope == "plane" and not self.is_local):
            return math.inf
        if self.is_local:
            reach += thresholds.LOCAL[self.threshold].reach(**self.settings)
        # a tile within reach has a threshold of its own, from all of its pixels
        return math.inf if reach and self.scope == "tile" and not self.is_local else reach

    def needs_sample(self, tiles):
        """Whether a threshold of the whole sample is used, given how many tiles there are."""
        if self.is_local:
            return False
        return self.scope == "sample" or (self.is_guarded and self.fallback == "sample" and tiles > 1)

    @property
    def is_guarded(self):
        """Whether a split that is probably noise is looked for."""
        return (
            self.scope != "sample"
            and self.threshold != "manual"
            and (self.min_contrast > 0 or self.min_separability > 0)
        )

    @property
    def parameters(self):
        """What the mask depends on, for `params`."""
        values = asdict(self)
        return {key: values[key] for key in values if key not in ("name", "filter", "samples")}


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
    for name, steps in config["filters"].items():
        if name == NO_FILTER:
            raise ValueError(f"filters: {NO_FILTER} stands for no filter: give it another name")
        for dtype in sorted(dtypes):
            _checked(f"filter {name}", filters.check_chain, steps, dtype)
    return {
        name: _read_method(name, entry, config["filters"], samples)
        for name, entry in config["methods"].items()
    }


def _read_method(name, entry, known_filters, samples):
    if name in ("truth", "filtered", "histograms"):
        raise ValueError(f"method {name}: the name is taken by the workflow: choose another")
    chosen = entry["filter"] or NO_FILTER
    if chosen != NO_FILTER and chosen not in known_filters:
        raise ValueError(f"method {name}: filter {chosen} is not configured{hint(chosen, known_filters)}")
    threshold, settings = _checked(f"method {name}", thresholds.parse, entry["threshold"])
    _checked(f"method {name}", thresholds.check_settings, threshold, settings)
    _checked(f"method {name}", cleanup.check_steps, entry["cleanup"])
    if threshold == "hysteresis" and entry["foreground"] == "dark":
        raise ValueError(
            f"method {name}: hysteresis finds what is bright: add `invert` to its filter"
        )
    chosen_samples = tuple(samples) if entry["samples"] is None else tuple(entry["samples"])
    for sample in chosen_samples:
        if sample not in samples:
            raise ValueError(f"method {name}: sample {sample} is not in the sheet{hint(sample, samples)}")
    values = {key: entry[key] for key in ("scope", "foreground", "fallback", "cleanup")}
    return Method(
        name=name,
        filter=chosen,
        threshold=threshold,
        settings=settings,
        samples=chosen_samples,
        min_contrast=entry["min_contrast"],
        min_separability=entry["min_separability"],
        **values,
    )


def hint(name, known):
    """A suggestion for a name that is not known: the nearest one and the list of all."""
    nearest = difflib.get_close_matches(name, known, 1)
    maybe = f"; did you mean {nearest[0]}?" if nearest else ""
    return f"{maybe} (known: {', '.join(known) or 'none'})"


def _checked(what, function, *arguments):
    try:
        return function(*arguments)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error
