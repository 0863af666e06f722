"""Which model of a method that learns is trained without which annotated tile."""

from collections.abc import Collection
from typing import Any

from tilewise.decide.folds import Folds


def assign(folds: Folds, samples: Collection[str], number: int) -> list[dict[str, Any]]:
    """Rows of `learn.assignment.COLUMNS`, of the annotated tiles of some samples.

    At most so many models are trained without some of the tiles. Each takes whole folds, so that
    what it predicts is held out of it by units, groups and margins as elsewhere. A single fold
    leaves nothing to train on, and has no model.
    """
    own = folds.within({place for place in folds.places if place.sample in samples})
    known = sorted(set(own.fold_of.values()))
    models = min(number, len(known)) if len(known) > 1 else 0
    model_of = {fold: i % models for i, fold in enumerate(known)} if models else {}
    by_place = {place: model_of.get(own.fold_of[unit]) for place, unit in own.unit_of.items()}
    near = {
        place: {model_of[fold] for fold in folds if fold in model_of} - {by_place[place]}
        for place, folds in own.margin_of.items()
    }
    for model in range(models):
        others = [place for place, one in by_place.items() if one != model]
        if all(model in near.get(place, ()) for place in others):
            # they train all the same, since there are no others: see `Folds.margin`
            near = {place: models - {model} for place, models in near.items()}
    return [
        {
            **place._asdict(),
            "unit": own.unit_of.get(place, ""),
            "fold": own.fold_of.get(own.unit_of.get(place, "")),
            "model": by_place.get(place),
            "near": ";".join(map(str, sorted(near.get(place, ())))),
        }
        for place in own.places
    ]
