"""The threshold of some pixels: found in their histogram, and kept only if it separates classes."""

from dataclasses import dataclass, replace

import numpy as np

from tilewise.segment import global_thresholds


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

    def to_row(self):
        """The threshold as fields of a table."""
        return {
            "threshold": ";".join(map(str, self.values)),
            "separability": self.separability,
            "contrast": self.contrast,
            "note": self.note,
        }

    @classmethod
    def from_row(cls, fields):
        """The threshold that `to_row` gave, read back as text."""
        return cls(
            tuple(map(float, filter(None, fields["threshold"].split(";")))),
            *(
                float(fields[name]) if fields[name] else None
                for name in ("separability", "contrast")
            ),
            fields["note"],
        )


def find_threshold(counts, centers, name, settings, foreground="bright"):
    """The thresholds of a histogram by a global method.

    Parameters
    ----------
    counts : (bins,) integer ndarray
    centers : (bins,) ndarray
        Grey levels of the bins, ascending.
    name : str
        A method of `global_thresholds.GLOBAL`, or `hysteresis`.
    settings : dict
    foreground : {"bright", "dark"}

    Returns
    -------
    Threshold
        Without values, and with the reason, where the pixels are constant or the method fails.
    """
    try:
        if np.count_nonzero(counts) < 2 and name != "manual":
            raise global_thresholds.NoThreshold("constant")
        if name == "hysteresis":
            values = sorted(
                global_thresholds.GLOBAL[level](counts, centers)
                if isinstance(level, str)
                else level
                for level in (settings["low"], settings["high"])
            )
        else:
            values = np.atleast_1d(global_thresholds.GLOBAL[name](counts, centers, **settings))
    except global_thresholds.NoThreshold as error:
        return Threshold(note=f"no threshold: {error}")
    values = tuple(map(float, values))
    # the threshold that bounds the foreground
    bound = values[0] if foreground == "dark" else values[-1]
    return Threshold(
        values,
        global_thresholds.separability(counts, centers, bound),
        global_thresholds.contrast(counts, centers, bound, foreground),
    )


def guard(own, sample, min_separability, min_contrast):
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
        if value < least:
            reason = f"{name} {value:.3g} is below {least:g}"
            if sample is None:
                return replace(own, values=(), note=f"{reason}: empty")
            return replace(own, values=sample.values, note=f"{reason}: threshold of the sample")
    return own
