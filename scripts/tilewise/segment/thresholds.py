"""The threshold of some pixels, from their histogram, with what speaks for two classes in them."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.circular import arc_split, hues_of
from tilewise.segment.global_thresholds import GLOBAL, NoThreshold, otsu
from tilewise.segment.histograms import Split, split

EVIDENCE = ("separability", "contrast", "difference")
COLUMNS = ("threshold", *EVIDENCE, "guard", "note")
"""Of a threshold in tables."""


@dataclass(frozen=True)
class Threshold:
    """The thresholds for some pixels, and whether Otsu's split finds two classes in them."""

    values: tuple[float, ...] = ()
    """In grey levels: one, several for multi-Otsu, low and high for hysteresis; none where no
    threshold exists and the mask is empty."""
    separability: float | None = None
    contrast: float | None = None
    difference: float | None = None
    """These three are of Otsu's split, or of two arcs of hues, as in `histograms.Split`; None of
    constant pixels."""
    note: str = ""
    """Why there is no threshold, or why it is not the pixels' own; empty otherwise."""
    guard: str = ""
    """What the guard made of it, in the words of `guard.Outcome.of`; empty if it is as it was."""

    def to_row(self) -> dict[str, Any]:
        """The threshold as fields of a table."""
        fields = asdict(self)
        return {"threshold": ";".join(map(str, fields.pop("values"))), **fields}

    @classmethod
    def from_row(cls, fields: Mapping[str, str]) -> Self:
        """The threshold that `to_row` gave, read back as text."""
        evidence = [float(fields[name]) if fields[name] else None for name in EVIDENCE]
        values = tuple(map(float, filter(None, fields["threshold"].split(";"))))
        known = dict(zip(EVIDENCE, evidence, strict=True))
        return cls(values, **known, note=fields["note"], guard=fields["guard"])


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
    bound, known = math.nan, None
    if name == "circular":
        known = arc_split(hues_of(counts, centers))
    elif np.count_nonzero(counts) > 1:
        bound = otsu(counts, centers)
        known = split(counts, centers, bound)
    if known is None:
        is_given = name == "manual"
        values = _values(counts, centers, name, settings) if is_given else ()
        return Threshold(values, note="" if is_given else "no threshold: constant")
    evidence = known.separability, known.contrast(foreground), known.difference
    try:
        values = (bound,) if name == "otsu" else _values(counts, centers, name, settings)
    except NoThreshold as error:
        return Threshold((), *evidence, note=f"no threshold: {error}")
    return Threshold(values, *evidence)


def otsu_split(counts: NDArray, centers: NDArray) -> Split | None:
    """The two classes of Otsu's threshold, whatever a method's own is; None of constant pixels."""
    if np.count_nonzero(counts) < 2:
        return None
    return split(counts, centers, otsu(counts, centers))


def _values(counts, centers, name, settings):
    if name != "hysteresis":
        return tuple(map(float, np.atleast_1d(GLOBAL[name](counts, centers, **settings))))
    bounds = (
        GLOBAL[bound](counts, centers) if isinstance(bound, str) else bound
        for bound in (settings["low"], settings["high"])
    )
    return tuple(sorted(map(float, bounds)))
