"""The threshold of some pixels: from their histogram, and kept only if it separates classes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.global_thresholds import GLOBAL, NoThreshold
from tilewise.segment.histograms import contrast_to_noise, separability


@dataclass(frozen=True)
class Threshold:
    """The thresholds for some pixels, and what speaks for them."""

    values: tuple[float, ...] = ()
    """In grey levels: one, several for multi-Otsu, low and high for hysteresis; none where no
    threshold exists and the mask is empty."""
    separability: float | None = None
    """As from `histograms.separability`."""
    contrast: float | None = None
    """As from `histograms.contrast_to_noise`."""
    note: str = ""
    """Why there is no threshold, or why it is not the pixels' own; empty otherwise."""

    def to_row(self) -> dict[str, Any]:
        """The threshold as fields of a table."""
        fields = asdict(self)
        return {"threshold": ";".join(map(str, fields.pop("values"))), **fields}

    @classmethod
    def from_row(cls, fields: Mapping[str, str]) -> Self:
        """The threshold that `to_row` gave, read back as text."""
        separability, contrast = (
            float(fields[name]) if fields[name] else None for name in ("separability", "contrast")
        )
        values = tuple(map(float, filter(None, fields["threshold"].split(";"))))
        return cls(values, separability, contrast, fields["note"])


def find_threshold(
    counts: NDArray,
    centers: NDArray,
    name: str,
    settings: Mapping[str, Any],
    foreground: str = "bright",
) -> Threshold:
    """The thresholds of a histogram by a method of `global_thresholds.GLOBAL`, or `hysteresis`.

    It has no values, and the reason as note, where the pixels are constant or the method fails.
    """
    try:
        if np.count_nonzero(counts) < 2 and name != "manual":
            raise NoThreshold("constant")
        values = _values(counts, centers, name, settings)
    except NoThreshold as error:
        return Threshold(note=f"no threshold: {error}")
    # the threshold that bounds the foreground
    bound = values[0] if foreground == "dark" else values[-1]
    return Threshold(
        values,
        separability(counts, centers, bound),
        contrast_to_noise(counts, centers, bound, foreground),
    )


def _values(counts, centers, name, settings):
    if name != "hysteresis":
        return tuple(map(float, np.atleast_1d(GLOBAL[name](counts, centers, **settings))))
    bounds = (
        GLOBAL[bound](counts, centers) if isinstance(bound, str) else bound
        for bound in (settings["low"], settings["high"])
    )
    return tuple(sorted(map(float, bounds)))


def guard(
    own: Threshold, sample: Threshold | None, min_separability: float, min_contrast: float
) -> Threshold:
    """Keep a threshold only if two classes are there: a split of pure noise is none.

    Where `own`, of a tile or a plane, is below one of the limits, that of its sample is used, or
    none, and so an empty mask; the note says why. Limits of 0 accept everything.
    """
    if not own.values:
        return own
    for name, value, least in (
        ("separability", own.separability, min_separability),
        ("contrast", own.contrast, min_contrast),
    ):
        if value is not None and value < least:
            reason = f"{name} {value:.3g} is below {least:g}"
            if sample is None:
                return replace(own, values=(), note=f"{reason}: empty")
            return replace(own, values=sample.values, note=f"{reason}: threshold of the sample")
    return own
