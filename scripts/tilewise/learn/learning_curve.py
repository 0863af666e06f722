"""How the score of a classifier grows with the units that it is trained on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.learn import features, training, trees
from tilewise.learn.assignment import Assignment
from tilewise.learn.drawn import Drawn
from tilewise.learn.training import Fitted, Pixels
from tilewise.score.formulas import COUNTS, evaluate

COLUMNS = ("units", "draws", "metric", "mean", "lowest", "highest")
"""Of the table: units that models are trained on, how often they were drawn, and the scores."""
DRAWS = 5
"""How often units are drawn; all of them, once."""


def curve(
    tiles: Sequence[Drawn],
    assignment: Assignment,
    names: Sequence[str],
    dtype: str,
    settings: Mapping[str, Any],
    margin: int,
    metric: str,
) -> list[dict[str, Any]]:
    """Scores of models that are trained on 1, 2, 4, ... of the units, and on all.

    Each model's units are drawn from those that it is trained on otherwise, and it is scored on the
    drawn pixels of what it predicts, weighted so that they stand for all; those of all models
    together. With more units, those of fewer are among them.

    Parameters
    ----------
    tiles, names, dtype, settings, margin
        As for `training.gather` and `training.fit`.
    assignment : Assignment
        Which model is trained without what.
    metric : str
        A name of `METRICS`; of those that do not come from pixels, F1 stands for it.

    Returns
    -------
    list of dict
        Of `COLUMNS`, by number of units. Nothing where no model is trained without some tiles.
    """
    merit = training.merit_of(metric)
    models = sorted({place.model for place in assignment.places} - {""}, key=int)
    units = {m: sorted({place.unit for place in assignment.training(m)}) for m in models}
    most = min(map(len, units.values()), default=0)

    def counts_of(size: int, draw: int) -> NDArray[np.float64]:
        total = np.zeros(len(COUNTS))
        for model, known in units.items():
            random = np.random.default_rng([settings["seed"], draw, int(model)])
            chosen = known if size == most else random.permutation(known)[:size].tolist()
            places = [one for one in assignment.training(model) if one.unit in chosen]
            held_out = [one for one in assignment.places if one.model == model]
            pixels = training.gather(tiles, places, margin)
            fitted = training.fit(pixels, names, dtype, merit, settings)
            total += _counts(fitted, training.gather(tiles, held_out, margin), names)
        return total

    rows, name = [], training.pixel_metric(metric)
    for size in _sizes(most):
        draws = range(1 if size == most else DRAWS)
        counts = np.stack([counts_of(size, draw) for draw in draws])
        values = evaluate(name, dict(zip(COUNTS, counts.T, strict=True)))
        fields = (size, len(draws), name, values.mean(), values.min(), values.max())
        rows.append(dict(zip(COLUMNS, fields, strict=True)))
    return rows


def _sizes(units: int) -> list[int]:
    """Powers of two below a number, and the number."""
    powers = [2**power for power in range(units.bit_length())]
    return [power for power in powers if power < units] + [units] * (units > 0)


def _counts(fitted: Fitted, pixels: Pixels, names: Sequence[str]) -> NDArray[np.float64]:
    """Pixels that are true positive, false positive, false negative and true negative."""
    model = fitted.model
    own = [names.index(name) for name in model.names]
    codes = features.quantise(pixels.values[own], model.edges)
    found = trees.score(codes[:, None], model.trees)[0] >= model.bound
    truth = pixels.truth > 0
    kinds = (found & truth, found & ~truth, ~found & truth, ~found & ~truth)
    return np.array([pixels.weights[kind].sum() for kind in kinds])
