"""The methods of a configuration, checked before any work starts."""

from dataclasses import dataclass

from tilewise import cleanup, filters, thresholds
from tilewise.segmentation import Segmenter
from tilewise.steps import hint

NO_FILTER = "image"
"""What stands for the image itself where a method has no filter."""


@dataclass(frozen=True)
class Method:
    """A way to segment the samples: what is done to the image, and then to the filtered pixels."""

    name: str
    filter: str
    """Name of a filter, or `image`."""
    segmenter: Segmenter
    samples: tuple[str, ...]


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
        raise ValueError(
            f"method {name}: filter {chosen} is not configured{hint(chosen, known_filters)}"
        )
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
            raise ValueError(
                f"method {name}: sample {sample} is not in the sheet{hint(sample, samples)}"
            )
    words = ("scope", "foreground", "min_contrast", "min_separability", "fallback", "cleanup")
    segmenter = Segmenter(threshold, settings, **{word: entry[word] for word in words})
    return Method(name, chosen, segmenter, chosen_samples)


def _checked(what, function, *arguments):
    try:
        return function(*arguments)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error
