"""How far a result can be trusted where there is no truth, and which tiles to annotate next.

Nothing here replaces a truth: methods may agree on the same mistake. It tells which tiles to look
at first: those unlike their neighbours, unlike annotated ones, or hard for the methods.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tilewise.quality.flags import MIN_LOG_SD, MIN_TILES, column, log, logit, robust_sd
from tilewise.tables import SLIVER

COLUMNS = ("drift_z", "drift_plane", "distance", "trust", "annotated")
"""Of what `trust` gives."""

WINDOW_PLANES = 5
"""Planes, a tile's own and the nearest around it, whose fractions of foreground are compared."""
MIN_PLANES = 2
"""Other planes that this comparison needs, at the least."""
MIN_NEIGHBOURS = 3
"""Neighbours in the plane that a comparison with them needs, at the least: those of a corner."""
HALF_TRUST_DRIFT = 3
"""Robust standard deviations of drift that halve the trust in a tile."""
HALF_TRUST_DISTANCE = 1
"""Standard deviations from the nearest annotated tile that halve the trust in a tile."""
NOISE_CONTRAST = 2.65
"""Contrast to noise of normal noise alone, split by Otsu's threshold."""

COMPARED = {
    "contrast": log,
    "focus": log,
    "contrast_to_noise": log,
    "foreground": logit,
    "saturated": None,
    "gradient": None,
    "stripes": None,
    "separability": None,
}
"""The features in which tiles are compared, each with the transform that makes its scale even. The
mean is compared too, in units of the sample's median contrast."""
MIN_LINEAR_SD = 0.02
"""Least robust standard deviation of the features without a transform."""
MAX_SDS = 4
"""Most standard deviations that a feature counts for, so that one odd tile does not decide."""
MIN_WEIGHT = 0.01
"""Least weight, 1 - trust, of a tile in the choice of tiles: distance still counts at trust 1."""


def trust(
    rows: Sequence[Mapping[str, Any]], annotated: Sequence[bool]
) -> list[dict[str, float | None]]:
    """How far the result of a method on each tile can be trusted, and why.

    Parameters
    ----------
    rows : sequence of mapping
        A row per tile of one sample, with numbers or text: `z`, `y` and `x`, its plane and corner
        in pixels. Where they are known, also the features of `feature_names`; `foreground`, the
        fraction of the tile that is foreground, 0 to 1; `agreement`, the mean Dice coefficient of
        pairs of methods, 0 to 1; and `flags`, a list of str as from `flags.flag`.
    annotated : sequence of bool
        Whether each tile has truth.

    Returns
    -------
    list of dict
        For each row:

        `drift_z` : how much more foreground the tile has than the median of the other tiles at its
        place in the `WINDOW_PLANES` nearest planes; of logits, in robust standard deviations of
        this difference over the sample.
        `drift_plane` : likewise, than the median of the up to eight tiles around it in its plane.
        `distance` : to the nearest annotated tile, by the features of `COMPARED`, in standard
        deviations (root mean square over the features); None if no tile is annotated.
        `trust` : 0 to 1, the mean of the parts below.
        `annotated` : 1 or 0.

        A drift is None for an empty tile, for one without enough neighbours, and in a sample where
        fewer than `MIN_TILES` tiles have them.

    Raises
    ------
    ValueError
        If there are not as many values of `annotated` as rows.

    Notes
    -----
    Each part is 0 to 1, and left out where it is not known:

    - `agreement`
    - the mean over both drifts d of 1 / (1 + (d / `HALF_TRUST_DRIFT`)**2)
    - 1 - `NOISE_CONTRAST` / `contrast_to_noise`, or 0 for classes no better separated than noise
    - 1 / (1 + number of flags)
    - 1 / (1 + (`distance` / `HALF_TRUST_DISTANCE`)**2)

    The separability is no part: it is greater for noise than for a few clear vessels. The trust
    only orders tiles: it is neither a probability nor a forecast of a metric.
    """
    if len(rows) != len(annotated):
        raise ValueError(
            f"{len(rows)} tiles, but {len(annotated)} values of whether they are annotated: give "
            "one for each tile"
        )
    if not len(rows):
        return []
    has_truth = np.asarray(annotated, bool)
    drift_z, drift_plane = _drifts(rows)
    distance = _distance_to(_points(rows), has_truth)
    with np.errstate(divide="ignore"):
        separation = np.maximum(1 - NOISE_CONTRAST / column(rows, "contrast_to_noise"), 0)
    parts = (
        column(rows, "agreement"),
        _mean_of_known([_nearness(drift, HALF_TRUST_DRIFT) for drift in (drift_z, drift_plane)]),
        separation,
        1 / (1 + np.array([len(_flags(row)) for row in rows])),
        _nearness(distance, HALF_TRUST_DISTANCE),
    )
    columns = (drift_z, drift_plane, distance, _mean_of_known(parts))
    return [
        {**dict(zip(COLUMNS, map(_known, values), strict=False)), "annotated": int(is_annotated)}
        for *values, is_annotated in zip(*columns, has_truth, strict=True)
    ]


def _flags(row):
    return row.get("flags") or []


def _known(value):
    return None if np.isnan(value) else float(value)


def _nearness(values, half):
    return 1 / (1 + (values / half) ** 2)


def _mean_of_known(parts):
    """Over the parts that are not NaN; NaN where none is left."""
    parts = np.stack(parts)
    known = ~np.isnan(parts)
    with np.errstate(invalid="ignore"):
        return np.where(known, parts, 0).sum(axis=0) / known.sum(axis=0)


# --- drift -----------------------------------------------------------------------------------


def _drifts(rows):
    z, y, x = (column(rows, axis).astype(np.int64) for axis in "zyx")
    values = logit(column(rows, "foreground"))
    values[["empty" in _flags(row) for row in rows]] = np.nan
    return (
        _drift(values, _nearest_planes(z, y, x), MIN_PLANES),
        _drift(values, _around(z, y, x), MIN_NEIGHBOURS),
    )


def _drift(values, neighbours, fewest):
    """Robust standard deviations from the median of the neighbours, if `fewest` have a value.

    `neighbours`, (tiles, n), are their numbers; the number of tiles where there is none.
    """
    # NaN are sorted last
    around = np.sort(np.append(values, np.nan)[neighbours], axis=1)
    number = np.count_nonzero(~np.isnan(around), axis=1)
    residuals = np.where(number >= fewest, values - _middle(around, number), np.nan)
    known = residuals[~np.isnan(residuals)]
    if known.size < MIN_TILES:
        return np.full(values.shape, np.nan)
    return residuals / robust_sd(known, MIN_LOG_SD)


def _middle(ascending, number):
    """Median of the first `number` values of each row."""
    row = np.arange(number.size)
    lower = np.maximum(number - 1, 0) // 2
    upper = np.minimum(number // 2, ascending.shape[1] - 1)
    return (ascending[row, lower] + ascending[row, upper]) / 2


def _nearest_planes(z, y, x):
    """The other tiles at a tile's place, in the planes nearest in order."""
    order = np.lexsort((z, x, y))
    begins = np.append(True, (np.diff(y[order]) != 0) | (np.diff(x[order]) != 0))
    group = np.cumsum(begins) - 1
    first = np.flatnonzero(begins)
    stop = np.append(first[1:], z.size)[group]
    rank = np.arange(z.size)
    # at either end of the stack, the window is moved inwards
    start = np.maximum(np.minimum(rank - WINDOW_PLANES // 2, stop - WINDOW_PLANES), first[group])
    window = start[:, None] + np.arange(WINDOW_PLANES)
    is_other = (window < stop[:, None]) & (window != rank[:, None])
    neighbours = np.empty_like(window)
    neighbours[order] = np.where(is_other, order[np.minimum(window, z.size - 1)], z.size)
    return neighbours


def _around(z, y, x):
    """The up to eight tiles around a tile in its plane."""
    plane, row, place = (np.unique(axis, return_inverse=True)[1] for axis in (z, y, x))
    # a border keeps the ends of one row from being neighbours of the next row's
    height, width = row.max() + 3, place.max() + 3

    def key(dy, dx):
        return (plane * height + row + 1 + dy) * width + place + 1 + dx

    order = np.argsort(key(0, 0), kind="stable")
    own = key(0, 0)[order]
    neighbours = []
    for dy, dx in ((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx):
        wanted = key(dy, dx)
        nearest = np.minimum(np.searchsorted(own, wanted), own.size - 1)
        neighbours.append(np.where(own[nearest] == wanted, order[nearest], own.size))
    return np.stack(neighbours, axis=1)


# --- distance --------------------------------------------------------------------------------


def _points(rows):
    """Tiles as points: their features in robust standard deviations from the median.

    Features that no tile has are left out. What single tiles lack is 0, the median.
    """
    contrast = column(rows, "contrast")
    contrast = contrast[contrast > 0]
    axes = []
    if contrast.size:
        axes.append((column(rows, "mean") / np.median(contrast), MIN_LINEAR_SD))
    for name, transform in COMPARED.items():
        values = column(rows, name)
        axes.append((transform(values), MIN_LOG_SD) if transform else (values, MIN_LINEAR_SD))
    points = [
        _standardized(values, min_sd) for values, min_sd in axes if not np.all(np.isnan(values))
    ]
    return np.stack(points, axis=1) if points else np.zeros((len(rows), 1))


def _standardized(values, min_sd):
    center = np.nanmedian(values)
    deviations = (values - center) / robust_sd(values - center, min_sd)
    return np.nan_to_num(np.clip(deviations, -MAX_SDS, MAX_SDS))


def _distance_to(points, chosen):
    """Root mean square difference from the nearest of the chosen points; NaN if there is none."""
    if not chosen.any():
        return np.full(len(points), np.nan)
    from scipy.spatial import KDTree

    return KDTree(points[chosen]).query(points)[0] / np.sqrt(points.shape[1])


def most_worth(
    rows: Sequence[Mapping[str, Any]], trusts: Sequence[Mapping[str, float | None]], number: int
) -> list[int]:
    """The tiles that are most worth annotating next.

    They are of low trust, but not all alike. Each in turn is the one with the greatest product of
    1 - `trust` and the distance to the nearest tile that is annotated or chosen already. Where no
    tile is annotated, the first is that of the least trust.

    Parameters
    ----------
    rows, trusts : sequence of mapping
        As for `trust`, and as from it.
    number : int
        Of tiles to choose.

    Returns
    -------
    list of int
        Indices of rows, the most worth first; fewer than `number` if all others are annotated,
        empty or slivers. Of tiles of equal worth, the one of less trust comes first, then the first
        row.

    Raises
    ------
    ValueError
        If there are not as many trusts as rows.

    References
    ----------
    Gonzalez, Theoretical Computer Science 38, 293-306 (1985), for choosing the farthest first.
    """
    if len(rows) != len(trusts):
        raise ValueError(f"{len(rows)} tiles, but the trust of {len(trusts)}: give one for each")
    if not len(rows):
        return []
    points = _points(rows)
    weight = np.maximum(1 - column(trusts, "trust"), MIN_WEIGHT)
    annotated = column(trusts, "annotated") > 0
    is_open = ~annotated & np.array(
        ["empty" not in _flags(row) and row.get("edge") != SLIVER for row in rows]
    )
    # as far as any of two points may be, until one is chosen
    distance = np.full(len(rows), 2.0 * MAX_SDS)
    if annotated.any():
        distance = _distance_to(points, annotated)
    chosen: list[int] = []
    while is_open.any() and len(chosen) < number:
        worth = np.where(is_open, weight * distance, -1)
        best = np.flatnonzero(worth == worth.max())
        tile = int(best[np.argmax(weight[best])])
        chosen.append(tile)
        is_open[tile] = False
        squares = np.mean((points - points[tile]) ** 2, axis=1)
        distance = np.minimum(distance, np.sqrt(squares))
    return chosen
