"""From drawn pixels to a model: features, trees, and the score that foreground begins with."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.learn import features, trees
from tilewise.learn.assignment import Place
from tilewise.learn.drawn import Corner, Drawn
from tilewise.learn.model import Model
from tilewise.learn.trees import Trees
from tilewise.score.formulas import COUNTS, METRICS
from tilewise.score.patches import patches

INNER = 3
"""Parts of the training pixels: each is scored by trees that were trained on the others."""
SHARES = 0.5, 0.3
"""Of pixels and features that trees choose their questions by: see `trees.train`."""
KEPT = 0.7
"""Of the features, while they become fewer."""
SELECTING = {"trees": 50, "rate": 0.3}
"""By these trees."""
NOWHERE = -1
"""Part of pixels between spatial blocks, which are always trained on and never scored."""

Merit = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Of pixels that are true positive, false positive, false negative and true negative, (..., 4): the
higher, the better; nan where it is undefined."""


def pixel_metric(name: str) -> str:
    """A metric of `score.formulas`, or F1 in place of those that do not come from pixels."""
    return name if set(METRICS[name].counts) <= set(COUNTS) else "f1"


def merit_of(name: str) -> Merit:
    """The merit of a `pixel_metric`."""
    metric = METRICS[pixel_metric(name)]
    columns = [COUNTS.index(field) for field in metric.counts]
    formula = metric.formula
    assert formula is not None

    def merit(counts: NDArray[np.float64]) -> NDArray[np.float64]:
        values: NDArray[np.float64] = metric.merit(formula(*(counts[..., i] for i in columns)))
        return values

    return merit


@dataclass(frozen=True)
class Pixels:
    """Training pixels of several tiles."""

    values: NDArray[np.float32]
    """(features, pixels)"""
    truth: NDArray[np.uint8]
    weights: NDArray[np.float64]
    part: NDArray[np.int64]
    """Pixels of one part are held out together, from 0; or `NOWHERE`."""
    levels: list[tuple[float, float]]
    """Of all tiles, for each channel."""


@dataclass(frozen=True)
class Fitted:
    """A model, and what its card says of it."""

    model: Model
    importance: NDArray[np.float64]
    """Of each of its features."""
    pixels: tuple[int, int]
    """Of background and foreground that it was trained on."""
    bound: float
    """Log-odds from which on a pixel is foreground."""


def gather(tiles: Sequence[Drawn], places: Sequence[Place], margin: int) -> Pixels:
    """The pixels of the places that a model is trained on.

    Units are what is held out together; within a single one, its spatial blocks, `margin` pixels
    apart.
    """
    by_corner: dict[Corner, Drawn] = {tile.corner: tile for tile in tiles}
    units = {place.unit for place in places}
    chosen, names = [], []
    for place in places:
        tile = by_corner.get(place.corner)
        if tile is None:
            continue
        # a tile without a unit of its own has them in its blocks
        number = _patch_of(tile, margin)
        if place.patch:
            own = np.flatnonzero(number == int(place.patch))
            number = number[own]
        else:
            own = np.arange(tile.truth.size)
        chosen.append((tile, own))
        if len(units) > 1:
            names.append([place.unit] * own.size)
        else:
            names.append([f"{place.corner} {n}" if n >= 0 else "" for n in number.tolist()])
    if not chosen:
        return Pixels(
            np.zeros((0, 0), np.float32),
            *(np.zeros(0, np.uint8), np.zeros(0), np.zeros(0, np.int64), []),
        )
    flat = [name for own in names for name in own]
    order = {name: i for i, name in enumerate(sorted({*flat} - {""}))}
    return Pixels(
        values=np.concatenate([tile.values[:, own] for tile, own in chosen], axis=1),
        truth=np.concatenate([tile.truth[own] for tile, own in chosen]),
        weights=np.concatenate([tile.weights[own] for tile, own in chosen]),
        part=np.array([order[name] % INNER if name else NOWHERE for name in flat], np.int64),
        levels=[
            (min(low for low, _ in own), max(high for _, high in own))
            for own in zip(*(tile.levels for tile, _ in chosen), strict=True)
        ],
    )


def _patch_of(tile: Drawn, margin: int) -> NDArray[np.int64]:
    """The spatial block of each pixel of a tile, or `NOWHERE`."""
    number = np.full(tile.truth.size, NOWHERE, np.int64)
    for i, (rows, columns) in enumerate(patches(tile.shape, margin)):
        is_in = (tile.rows >= rows.start) & (tile.rows < rows.stop)
        is_in &= (tile.columns >= columns.start) & (tile.columns < columns.stop)
        number[is_in] = i
    return number


def fit(
    pixels: Pixels, names: Sequence[str], dtype: str, merit: Merit, settings: Mapping[str, Any]
) -> Fitted:
    """Train a model.

    The bound is that of the highest merit of pixels which the trees that score them were not
    trained on. Features are chosen on the training pixels, too. Without pixels of both classes, all
    is background.

    Parameters
    ----------
    names : sequence of str
        Of the features, in the order of the values.
    settings : dict
        `trees`, `depth`, `rate` and `seed` as of `trees.train`; `keep`, how many features, None for
        all.
    """
    channels = features.channels_of(names)
    scale = features.scales_of(dtype, names, pixels.levels or [(0.0, 0.0)] * len(channels))
    counts = np.bincount(pixels.truth, minlength=2).tolist()
    background, foreground = counts
    if not (background and foreground):
        model = _empty(names, scale, dtype, settings["depth"], is_foreground=foreground > 0)
        return Fitted(model, np.zeros(len(model.names)), (background, foreground), math.nan)
    known = Trainer(pixels, settings)
    keep, edges, grown = known.grow(np.ones(pixels.truth.size, bool))
    odds = np.full(pixels.truth.size, math.nan)
    for part in range(INNER):
        is_out = pixels.part == part
        if not known.has_both(~is_out) or not is_out.any():
            continue
        own, own_edges, own_trees = known.grow(~is_out)
        codes = features.quantise(pixels.values[own][:, is_out], own_edges)
        odds[is_out] = own_trees.bias + own_trees.unit * trees.score(codes[:, None], own_trees)[0]
    is_scored = np.isfinite(odds)
    bound = _best_bound(odds[is_scored], pixels.truth[is_scored], pixels.weights[is_scored], merit)
    least = math.ceil((bound - grown.bias) / grown.unit)
    least = min(max(least, -trees.GREATEST), trees.GREATEST + 1)
    chosen = [names[i] for i in keep]
    model = Model(dtype, tuple(chosen), scale, edges, grown, least)
    importance = trees.importance(grown, len(chosen))
    return Fitted(model, importance, (background, foreground), bound)


@dataclass(frozen=True)
class Trainer:
    """Grows trees on some of the pixels."""

    pixels: Pixels
    settings: Mapping[str, Any]

    def has_both(self, chosen: NDArray[np.bool_]) -> bool:
        """Whether pixels have both classes."""
        return bool(np.unique(self.pixels.truth[chosen]).size == 2)

    def grow(
        self, chosen: NDArray[np.bool_]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64], Trees]:
        """Numbers of the features that are kept, their edges, and trees that number these."""
        values = self.pixels.values[:, chosen]
        edges = features.edges_of(values)
        codes = features.quantise(values, edges)
        own = np.arange(len(codes))
        keep = self.settings["keep"] or own.size
        while own.size > keep:
            # a part at a time: what a feature tells depends on which others there are
            first = self._trees(codes[own], chosen, **SELECTING)
            order = np.argsort(-trees.importance(first, own.size), kind="stable")
            own = own[np.sort(order[: max(keep, int(KEPT * own.size))])]
        grown = self._trees(codes[own], chosen)
        own = own[grown.used()]
        return own, edges[own], _renumbered(grown)

    def _trees(self, codes, chosen, **changed):
        known = {name: self.settings[name] for name in ("trees", "depth", "rate", "seed")}
        known |= {"shares": SHARES, **changed}
        return trees.train(codes, self.pixels.truth[chosen], self.pixels.weights[chosen], **known)


def _renumbered(grown: Trees) -> Trees:
    """Trees that number the features that they use."""
    numbers = np.searchsorted(grown.used(), grown.features).astype(np.uint16)
    return Trees(numbers, grown.codes, grown.leaves, grown.unit, grown.bias)


def _best_bound(
    odds: NDArray[np.float64],
    truth: NDArray[np.uint8],
    weights: NDArray[np.float64],
    merit: Merit,
) -> float:
    """The log-odds from which on pixels are foreground, for the highest merit; 0 without pixels.

    It lies in the middle between two that occur; of equal merits the lowest is taken.
    """
    values, number = np.unique(odds, return_inverse=True)
    if values.size < 2:
        return 0.0
    above = [
        np.cumsum(np.bincount(number, weights * (truth == kind), values.size)[::-1])[::-1]
        for kind in (0, 1)
    ]
    false, true = above
    # the lowest bound takes all pixels for foreground
    counts = np.stack([true, false, true[0] - true, false[0] - false], axis=-1)
    merits = merit(counts[1:])
    if not np.isfinite(merits).any():
        return 0.0
    best = int(np.nanargmax(merits)) + 1
    return float(values[best - 1] + values[best]) / 2


def _empty(
    names: Sequence[str], scale: features.Scales, dtype: str, depth: int, *, is_foreground: bool
) -> Model:
    """A model that takes all pixels for one class."""
    none = Trees(
        np.zeros((0, depth), np.uint16),
        np.zeros((0, depth), np.uint8),
        np.zeros((0, 2**depth), np.int16),
        unit=1.0,
        bias=0.0,
    )
    edges = np.zeros((1, 2))
    return Model(dtype, tuple(names[:1]), scale, edges, none, 0 if is_foreground else 1)


def card(
    fitted: Fitted, places: Sequence[Place], settings: Mapping[str, Any], metric: str
) -> dict[str, Any]:
    """What a model is, and where it comes from, as plain values."""
    model, (background, foreground) = fitted.model, fitted.pixels
    weights = zip(model.names, fitted.importance.tolist(), strict=True)
    return {
        "dtype": model.dtype,
        "channels": list(model.channels),
        "settings": dict(settings),
        "trained_on": {
            "tiles": len({place.corner for place in places}),
            "samples": sorted({place.sample for place in places}),
            "units": sorted({place.unit for place in places} - {""}),
            "background_pixels": background,
            "foreground_pixels": foreground,
        },
        "features": dict(sorted(weights, key=lambda pair: -pair[1])),
        "bound": {"metric": metric, "log_odds": None if math.isnan(fitted.bound) else fitted.bound},
        "versions": {name: version(name) for name in ("numpy", "opencv-python-headless")},
    }
