"""The threshold of some pixels: from their histogram, and kept only if it separates classes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.global_thresholds import GLOBAL, NoThreshold
from tilewise.segment.histograms import contrast_to_noise, separability


@dataclass(frozen=True)
class Threshold:
    """The thresholds for some pixels, and what speaks for them.

    Parameters
    ----------
    values : tuple of float
        Thresholds in grey levels: one, several for multi-Otsu, low and high for hysteresis; none
        where no threshold exists and the mask is empty.
    separability : float or None
        Otsu's between-class over total variance, 0 to 1.
    contrast : float or None
        Difference of the class means over the standard deviation of the background class.
    note : str
        Why there is no threshold, or why it is not the pixels' own; empty otherwise.
    """

    values: tuple[float, ...] = ()
    separability: float | None = None
    contrast: float | None = None
    note: str = ""

    def to_row(self) -> dict[str, Any]:
        """The threshold as fields of a table."""
        return {
            "threshold": ";".join(map(str, self.values)),
            "separability": self.separability,
            "contrast": self.contrast,
            "note": self.note,
        }

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
    """The thresholds of a histogram by a global method.

    Parameters
    ----------
    counts : (bins,) integer ndarray
    centers : (bins,) ndarray
        Grey levels of the bins, ascending.
    name : str
        A method of `global_thresholds.GLOBAL`, or `hysteresis`.
    settings : mapping
        All of the method's.
    foreground : {"bright", "dark"}

    Returns
    -------
    Threshold
        Without values, and with the reason, where the pixels are constant or the method fails.
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

    Parameters
    ----------
    own : Threshold
        Of a tile or a plane.
    sample : Threshold or None
        Of its sample, to fall back on; None falls back on an empty mask.
    min_separability, min_contrast : float
        Least `separability` and `contrast` of `own`; 0 accepts everything.

    Returns
    -------
    Threshold
        The one to use; its note says why it is not `own`.
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
