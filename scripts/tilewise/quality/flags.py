"""Flags of tiles: what is plainly wrong with one, and what stands out in its sample.

No limit depends on the unit of the grey levels: an image and its copy of another dtype, brightness
or gain are flagged alike, as long as nothing is clipped.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.quality.feature_names import FEATURES

FLAGS = (
    *("empty", "blurred", "saturated", "low_contrast", "uneven", "striped", "unimodal"),
    "foreground_outlier",
)
DEFAULTS = {
    "focus": 2.5,
    "saturated": 0.05,
    "contrast": 3.5,
    "gradient": 0.4,
    "stripes": 0.15,
    "contrast_to_noise": 3.2,
    "foreground": 3.5,
}
"""Limits of the flags.

`focus` and `contrast`: robust standard deviations of the logarithm that a tile may be below the
median of its sample. `foreground`: robust standard deviations of the logit that its fraction of
foreground may be off the median. `saturated`: greatest fraction of pixels. `gradient`: greatest
range of the illumination over the contrast. `stripes`: greatest share of the variance.
`contrast_to_noise`: least of two classes; noise alone has 2.65.
"""

MIN_TILES = 8
"""Tiles that a sample has at the least, without the empty ones, for them to be compared."""
SD_PER_MAD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
MIN_LOG_SD = 0.1
"""Least robust standard deviation of logarithms and logits, about 10 %. That of equal tiles is 0,
and the smallest difference would stand out."""
MIN_FRACTION = 1e-4
"""Least fraction of foreground or background in a logit: 26 pixels of 512 x 512."""


def by_sample(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Rows of tables of features by sample, in the order of planes, rows and columns of tiles."""
    samples: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        samples.setdefault(row["sample"], []).append(row)
    for own in samples.values():
        own.sort(key=lambda row: tuple(int(row[axis]) for axis in "zyx"))
    return samples


def flags_of_tiles(
    rows: Iterable[dict[str, Any]], limits: Mapping[str, float] = DEFAULTS
) -> dict[tuple[str, str], str]:
    """What is wrong with the tiles of all samples, each compared with those of its own.

    By sample and name of the tile: its flags, separated by semicolons. `limits` are as for `flag`.
    """
    return {
        (sample, row["tile"]): ";".join(flags)
        for sample, own in by_sample(rows).items()
        for row, flags in zip(own, flag(own, limits), strict=True)
    }


def flags_of_table(
    features: Any, limits: Mapping[str, float] = DEFAULTS
) -> dict[tuple[str, str], str]:
    """The same of a table of features, a `pandas.DataFrame` as `frames.read` gives it."""
    found: dict[tuple[str, str], str] = {}
    for sample, own in features.groupby("sample", sort=False, observed=True):
        values = {name: own[name].to_numpy() for name in FEATURES}
        flags = map(";".join, _flag({**values, "foreground": np.full(len(own), np.nan)}, limits))
        found |= {(sample, tile): names for tile, names in zip(own["tile"], flags, strict=True)}
    return found


def excluded_tiles(
    flags: Mapping[tuple[str, str], str], exclude: Iterable[str]
) -> set[tuple[str, str]]:
    """Sample and name of the tiles that are left out of scores and decisions.

    `flags` are as from `flags_of_tiles`; a tile with any flag of `exclude` is excluded.
    """
    unwanted = set(exclude)
    return {tile for tile, names in flags.items() if unwanted & set(names.split(";"))}


def flag(
    rows: Sequence[Mapping[str, Any]], limits: Mapping[str, float] = DEFAULTS
) -> list[list[str]]:
    """What is wrong with each tile of a sample.

    Parameters
    ----------
    rows : sequence of mapping
        A row per tile of one sample, with the features, as numbers or as text; None or an empty
        text where there is none. `foreground`, the fraction of the tile that is foreground, 0 to
        1, is compared too where a row has it.
    limits : mapping of str to float
        They replace those of the same name in `DEFAULTS`.

    Returns
    -------
    list of list of str
        For each row, in the order of `FLAGS`:

        `empty` : constant. No other flag is given then.
        `blurred` : focus far below that of the sample.
        `saturated` : too many pixels at an end of the grey levels.
        `low_contrast` : contrast far below that of the sample.
        `uneven` : illumination differs over the tile by too much of its contrast.
        `striped` : rows or columns differ too much.
        `unimodal` : no two classes are there, as in noise: the contrast to noise is too low. The
        separability cannot tell this: it is 2/pi for noise, and less for a few clear vessels.
        `foreground_outlier` : far less or far more foreground than in the sample.

        The relative ones, `blurred`, `low_contrast` and `foreground_outlier`, are given only in
        samples of at least `MIN_TILES` tiles that are not empty. A feature that is missing gives
        no flag.

    Raises
    ------
    ValueError
        If there is no limit of a name.
    """
    return _flag({name: column(rows, name) for name in (*FEATURES, "foreground")}, limits)


def _flag(value: Mapping[str, NDArray[np.float64]], limits: Mapping[str, float]) -> list[list[str]]:
    """The same of features by name, nan where there is none."""
    unknown = sorted(set(limits) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"no limit is called {', '.join(unknown)}: use {', '.join(DEFAULTS)}")
    limits = {**DEFAULTS, **limits}
    is_empty = value["sd"] == 0
    focus, contrast = (_deviation(log(value[name]), ~is_empty) for name in ("focus", "contrast"))
    foreground = _deviation(logit(value["foreground"]), ~is_empty)
    # comparisons with NaN are false: what is missing is not flagged
    is_flagged = {
        "empty": is_empty,
        "blurred": focus < -limits["focus"],
        "saturated": value["saturated"] > limits["saturated"],
        "low_contrast": contrast < -limits["contrast"],
        "uneven": value["gradient"] > limits["gradient"],
        "striped": value["stripes"] > limits["stripes"],
        "unimodal": value["contrast_to_noise"] < limits["contrast_to_noise"],
        "foreground_outlier": np.abs(foreground) > limits["foreground"],
    }
    return [
        ["empty"] if is_empty[i] else [name for name in FLAGS if is_flagged[name][i]]
        for i in range(len(is_empty))
    ]


def _deviation(values, compared):
    """Robust standard deviations from the median of the compared tiles; NaN if they are too few."""
    known = values[compared & ~np.isnan(values)]
    if known.size < MIN_TILES:
        return np.full(values.shape, np.nan)
    center = np.median(known)
    return (values - center) / robust_sd(known - center, MIN_LOG_SD)


def robust_sd(deviations: NDArray[np.float64], least: float) -> float:
    """Standard deviation by the median absolute deviation, at least `least`; NaN are left out."""
    return max(SD_PER_MAD * float(np.nanmedian(np.abs(deviations))), least)


def column(rows: Iterable[Mapping[str, Any]], name: str) -> NDArray[np.float64]:
    """A field of all rows, as numbers; NaN where a row has none, None or an empty text."""
    fields = (row.get(name) for row in rows)
    return np.array([np.nan if field in (None, "") else float(field) for field in fields], float)


def log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Natural logarithm of features that are 0 or more.

    Values under a millionth of the greatest, such as 0, count as that; all 0 if it is 0.
    """
    greatest = np.max(values, initial=0, where=~np.isnan(values))
    if not greatest:
        return values * 0
    return np.log(np.maximum(values, 1e-6 * greatest))


def logit(fraction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the odds of fractions, so that 1 and 2 % differ as much as 98 and 99 %.

    Finite: fractions within `MIN_FRACTION` of 0 or 1 count as if they were as far.
    """
    inner = np.clip(fraction, MIN_FRACTION, 1 - MIN_FRACTION)
    return np.log(inner / (1 - inner))
