"""Tiles of one plane: which are near each other, and what their nearness does to tests.

Distances are in tile widths. A tile has a row and a column in its plane; `plane` stands for a run
of near planes. Tiles of different planes are infinitely far apart.
"""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tilewise.decide.resampling import Floats, MetricOfCounts, estimate

LENGTH = 1.0
"""Correlation length at which layouts are judged, in tile widths."""
MOST_ERROR = 0.07
"""Share of equal methods told apart, at a level of 5 %, above which a layout is warned about."""
FEWEST_PAIRS = 3
"""Of neighbouring units, for an estimate of their correlation."""
SHARE_OF_UNITS = 0.85
"""Of the units that are effective at least where the error of tests is at most `MOST_ERROR`."""


class Spot(NamedTuple):
    """Where a tile lies: its sample, the first plane of its run of near planes, row and column."""

    sample: str
    plane: int
    row: int
    column: int


def near(spots: Collection[Spot], gap: float) -> dict[Spot, list[Spot]]:
    """The tiles whose nearest edge is nearer than a gap to that of a tile, itself among them.

    With 1, those that touch it, at a corner too; with 0, none, not even itself.
    """
    found: dict[Spot, list[Spot]] = {}
    for own in by_plane(spots):
        at = _rows_and_columns(own)
        for spot, place in zip(own, at, strict=True):
            between = np.maximum(np.abs(at - place) - 1, 0)
            is_near = np.hypot(between[:, 0], between[:, 1]) < gap
            found[spot] = [own[i] for i in np.flatnonzero(is_near)]
    return found


def link(spots: Collection[Spot], gap: float) -> dict[Spot, int]:
    """Numbers of sets of tiles: those that are nearer than a gap are in one, and so on from there.

    The gap is that of `near`.
    """
    sets: dict[Spot, int] = {}
    number, found = 0, near(spots, gap)
    for first in found:
        if first not in sets:
            sets[first], waiting = number, [first]
            while waiting:
                others = [spot for spot in found[waiting.pop()] if spot not in sets]
                sets |= dict.fromkeys(others, number)
                waiting += others
            number += 1
    return sets


def cut(spots: Collection[Spot], side: int) -> dict[Spot, tuple[str, int, int, int]]:
    """The cell of each tile: squares of `side` tiles, which cover the annotated part of a plane.

    A rest that is shorter than `side` is shared out, so that no cell is smaller but where tiles of
    it are not annotated.
    """
    cells: dict[Spot, tuple[str, int, int, int]] = {}
    for own in by_plane(spots):
        at = _rows_and_columns(own)
        at -= at.min(axis=0)
        size = at.max(axis=0) + 1
        number = np.maximum(size // side, 1)
        # as `patches` cuts: cell i begins at size * i // number
        along = ((at + 1) * number - 1) // size
        cells |= {
            spot: (spot.sample, spot.plane, *cell)
            for spot, cell in zip(own, along.tolist(), strict=True)
        }
    return cells


def by_plane(spots: Collection[Spot]) -> list[list[Spot]]:
    """Spots of each plane, in order."""
    return [list(own) for _, own in groupby(sorted(set(spots)), key=lambda spot: spot[:2])]


def _rows_and_columns(spots: Sequence[Spot]) -> NDArray[np.int64]:
    return np.array([spot[2:] for spot in spots], np.int64).reshape(-1, 2)


@dataclass(frozen=True)
class Layout:
    """Where the tiles of units lie: of each unit its tiles, all of one plane."""

    units: Sequence[Sequence[Spot]]

    def expected_error(self, length: float = LENGTH, level: float = 0.05) -> float:
        """How often a test at a level tells equal methods apart, if near tiles are alike.

        Parameters
        ----------
        length : float
            Correlation length, in tile widths: tiles at a distance d have the correlation
            exp(-d / length).
        level : float
            Share of equal methods told apart if units were independent.

        Returns
        -------
        float
            Of Student's test of the units' sums over their tiles, whose variance is worked out; nan
            for fewer than two units.
        """
        from scipy.special import stdtr, stdtrit

        number = len(self.units)
        if number < 2:
            return float("nan")
        own, total = self._variances(length)
        # the variance of the mean, over what the units' own spread says of it
        seen = (own - total / number) / (number - 1) / number
        inflation = total / number**2 / seen if seen > 0 else np.inf
        quantile = stdtrit(number - 1, level / 2)
        return float(2 * stdtr(number - 1, quantile / np.sqrt(inflation)))

    def _variances(self, length: float) -> tuple[float, float]:
        """The sum of the variances of all units' sums, and the variance of their sum."""
        own = total = 0.0
        planes: dict[Hashable, list[NDArray[np.int64]]] = {}
        for unit in self.units:
            at = _rows_and_columns(sorted(set(unit)))
            planes.setdefault(unit[0][:2], []).append(at)
        for units in planes.values():
            every = np.concatenate(units)
            for at in units:
                own += _correlations(at, at, length).sum()
                total += _correlations(at, every, length).sum()
        return own, total

    def centres(self) -> tuple[Floats, NDArray[np.int64]]:
        """The middle of each unit, in rows and columns, and the number of its plane."""
        planes = {plane: i for i, plane in enumerate(dict.fromkeys(u[0][:2] for u in self.units))}
        middles = [_rows_and_columns(sorted(set(unit))).mean(axis=0) for unit in self.units]
        return np.array(middles), np.array([planes[unit[0][:2]] for unit in self.units])

    def nearness(self, values: Floats) -> "Nearness | None":
        """How much alike neighbouring units are, from values of each, (..., units).

        Neighbours of a unit are the nearest ones, by their middles. The correlation is taken to
        fall as exp(-d / length); the length is the one with which neighbours are expected to differ
        as much as they do, relative to the spread of all units, of which the mean was taken.

        Returns
        -------
        Nearness or None
            None with fewer than `FEWEST_PAIRS` pairs of neighbours, and where all values are equal.

        References
        ----------
        Geary, The Incorporated Statistician 5(3), 115-146 (1954), for the ratio.
        """
        number = len(self.units)
        if not number:
            return None
        distances = self._distances()
        pairs = _neighbours(distances)
        values = np.atleast_2d(values)
        spread = values.var(axis=-1, ddof=1) if number > 1 else np.zeros(1)
        values, spread = values[spread > 0], spread[spread > 0]
        if len(pairs) < FEWEST_PAIRS or not len(values):
            return None
        first, second = pairs.T
        differences = (values[:, first] - values[:, second]) ** 2 / 2
        ratio = float(np.mean(differences.mean(axis=-1) / spread))
        between = ~np.eye(number, dtype=bool)
        if ratio >= 1:
            return Nearness(max(1 - ratio, -1.0), float(number), len(pairs))

        def expected(length: float) -> tuple[float, float]:
            """That ratio, and the mean correlation of all pairs."""
            alike = np.exp(-distances / length)
            all_pairs = float(alike[between].mean())
            return float((1 - alike[first, second].mean()) / (1 - all_pairs)), all_pairs

        far = distances[np.isfinite(distances)].max()
        low, high = np.log(0.01), np.log(1000 * max(far, 1))
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if expected(np.exp(middle))[0] > ratio else (low, middle)
        _, mean = expected(np.exp(low))
        effective = number / (1 + (number - 1) * mean)
        correlation = float(np.exp(-distances[first, second] / np.exp(low)).mean())
        return Nearness(correlation, float(effective), len(pairs))

    def _distances(self) -> Floats:
        """Between the middles of units, (units, units); infinite between planes."""
        middles, planes = self.centres()
        apart = middles[:, None] - middles[None]
        distances: Floats = np.hypot(apart[..., 0], apart[..., 1])
        distances[planes[:, None] != planes[None]] = np.inf
        return distances


@dataclass(frozen=True)
class Nearness:
    """How much alike neighbouring units are.

    `correlation` is that of neighbours, -1 to 1, below 0 where neighbours differ more than units
    do; `effective` the number of units with a mean as uncertain, n^2 / sum of rho(d_ij), from
    1 to the number of units; `pairs` the number of pairs of neighbours.
    """

    correlation: float
    effective: float
    pairs: int

    def to_record(self) -> dict[str, float]:
        """What `decision.json` says of it."""
        return {"correlation": self.correlation, "effective": self.effective}


def _correlations(first: NDArray[np.int64], second: NDArray[np.int64], length: float) -> Floats:
    apart = first[:, None] - second[None]
    distances = np.hypot(apart[..., 0], apart[..., 1])
    if not length:
        alike: Floats = (distances == 0).astype(np.float64)
        return alike
    correlations: Floats = np.exp(-distances / length)
    return correlations


def _neighbours(distances: Floats) -> NDArray[np.int64]:
    """Pairs of units, (pairs, 2), of which one is the nearest to the other."""
    apart = np.where(np.eye(len(distances), dtype=bool), np.inf, distances)
    nearest = apart.min(axis=1, initial=np.inf)
    is_nearest = np.isfinite(apart) & (apart <= nearest[:, None] * (1 + 1e-9))
    return np.argwhere(np.triu(is_nearest | is_nearest.T))


def contributions(counts: Floats, metric: MetricOfCounts, average: str) -> Floats:
    """What each unit contributes to a metric: the jackknife's pseudo-values, (methods, units).

    `counts` are (methods, units, fields). Their mean is the metric, but for a bias, whichever the
    average; 0 where the metric is undefined without a unit.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, section 11.5.
    """
    units = counts.shape[1]
    left_out = estimate(counts, metric, average, 1 - np.eye(units)).T
    values = estimate(counts, metric, average)[:, None]
    pseudo: Floats = np.nan_to_num(units * values - (units - 1) * left_out, nan=0.0)
    return pseudo
