"""Masks by a classifier of pixels that is trained on annotated tiles."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.learn import features as pixel_features
from tilewise.learn.assignment import ALL, PAIR, Assignment
from tilewise.learn.model import load
from tilewise.score.patches import patches
from tilewise.segment.steps import is_number, is_whole
from tilewise.store.grid import Grid, Region, crop
from tilewise.tables import read_rows

NAME = "pixel_classifier"
"""What the configuration calls it."""
OF_DRAWING = ("sigmas", "features", "pixels", "seed")
"""Settings that say what is drawn from annotated tiles."""


def pixel_classifier(
    plane: NDArray,
    sigmas: Sequence[float] = pixel_features.SIGMAS,
    features: Sequence[str] = pixel_features.DEFAULT_KINDS,
    keep: int | None = None,
    trees: int = 100,
    depth: int = 4,
    rate: float = 0.2,
    pixels: int = 100_000,
    folds: int = 5,
    seed: int = 0,
    nested: bool = False,
    keep_probability: bool = False,
    learning_curve: bool = False,
    model: str | None = None,
) -> NDArray[np.uint8]:
    """Boosted trees on what a pixel and its surroundings look like at several scales.

    They are trained on annotated tiles, and scored on tiles that they were not trained on: of
    `folds` models each is trained without some of the units. The mask of an annotated tile is by
    the model that was trained without it, wherever methods are compared; what is applied in the end
    is trained on all of them. How far from 0 the log-odds of foreground must be is chosen on
    training pixels that the trees have not seen, for the highest `decision.metric`.

    Features are of the plane that the method's filter gives; with a filter that begins with
    `channels`, of each of several.

    Parameters
    ----------
    sigmas : list of float
        Scales in pixels, 0.3 or more; smooth structures need some as large as themselves.
    features : list of str
        Of each scale: `gaussian` (smoothed), `gradient` (its magnitude), `hessian_largest`,
        `hessian_smallest`, `structure_largest`, `structure_smallest` (eigenvalues) and `difference`
        (of gaussians of sigma and 1.6 sigma). The pixel itself is always one.
    keep : int, optional
        How many of the features are kept, those that most depends on; fewer are faster, and most
        often a little worse. By default all that the trees use.
    trees, depth, rate : int, int, float
        Number of trees, questions in each of them (1 to 8), and how far each is followed (above 0,
        up to 1).
    pixels : int
        Of each class, drawn from all annotated tiles together, evenly; at least 50 from each tile.
    folds : int
        How many models are trained without some of the tiles, 2 or more; not more than
        `decision.folds`, or than there are units.
    seed : int
        Of the pixels that are drawn, and of those and the features that each tree is grown by.
    nested : bool
        Whether models are trained without each pair of the `folds`, too, so that parameters and
        methods are chosen for a fold by models that have not seen it. Else the choice is made on
        scores of models of which some have. Five folds have ten pairs.
    keep_probability : bool
        Whether the probability of foreground is kept, 0 to 255 for 0 to 1, as an image of its own:
        `results/STACK/probability/NAME.zarr`. Of annotated tiles it is by the model that was
        trained without them. It covers what the method's own mask covers; with `apply: NAME` all
        of it is in `segmentation.zarr`.
    learning_curve : bool
        Whether models are also trained on 1, 2, 4, ... of the units, drawn at random a few times,
        and scored on drawn pixels of others. `results/models/NAME/learning_curve.tsv` says whether
        more annotated units would help.
    model : str, optional
        A model that was trained before, as `results/models/NAME.npz`, from the folder of the
        configuration file: nothing is trained, and all settings but this one and
        `keep_probability` are ignored.

    References
    ----------
    Prokhorenkova et al., CatBoost: unbiased boosting with categorical features, NeurIPS 2018, for
    trees all of whose nodes of a level ask the same; Arganda-Carreras et al., Trainable Weka
    Segmentation, Bioinformatics 33(15), 2017, for features of pixels at several scales.
    """
    if model is None:
        raise ValueError("a classifier is trained by the workflow: give its `model`")
    rows, columns = plane.shape[-2:]
    return load(model).mask(plane, (0, 0), (0, rows, 0, columns))


@dataclass
class Kept:
    """The probability of foreground, 0 to 255 for 0 to 1, in the region that was masked last."""

    region: Region | None = None
    values: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0), np.uint8))

    def of(self, region: Region, inside: NDArray[np.bool] | None) -> NDArray[np.uint8]:
        """That of a region in it; 0 where it is not inside of the region of interest."""
        assert self.region is not None
        values = crop(self.values, self.region, region)
        return values if inside is None else values * inside


@dataclass(frozen=True)
class Models:
    """The models of a method for one sample."""

    everywhere: str
    """Path of the model of tiles that no other predicts."""
    held_out: Mapping[tuple[int, int, int], Mapping[str, str]] = field(default_factory=dict)
    """By plane and first pixel of a tile: the path of the model that was trained without it, by
    number of a spatial block, empty for the whole tile."""
    kept: Kept | None = field(default=None, compare=False)
    """What is given the probabilities of each region, if any."""

    def mask(
        self,
        pixels: NDArray,
        region: Region,
        grid: Grid,
        load: Callable[[str], Any] = load,
    ) -> NDArray[np.uint8]:
        """The mask of a region of one plane; valid where all pixels within reach are in it.

        Parameters
        ----------
        pixels : (rows, columns) or (channels, rows, columns) ndarray
            Filtered pixels of the region.
        load
            Gives the model of a file, with a method `mask` as that of `learn.model.Model`.
        """
        own = {tile: grid.tile_region(tile) for tile in grid.tiles_in(region)}
        corners = {tile: (tile.z, known.y0, known.x0) for tile, known in own.items()}
        probability = None
        if self.kept is not None:
            probability = np.zeros(pixels.shape[-2:], np.uint8)
            self.kept.region, self.kept.values = region, probability
        predict = partial(_mask, pixels, region, probability)
        if not any(corner in self.held_out for corner in corners.values()):
            return predict(load(self.everywhere), region)
        mask = np.zeros(pixels.shape[-2:], np.uint8)
        for tile, whole in own.items():
            known = self.held_out.get(corners[tile], {"": self.everywhere})
            for patch, path in known.items():
                part = _patch(whole, patch).in_plane(region)
                if min(part.shape) > 0:
                    crop(mask, region, part)[:] = predict(load(path), part)
        return mask


def _mask(
    pixels: NDArray,
    outer: Region,
    probability: NDArray[np.uint8] | None,
    model: Any,
    inner: Region,
) -> NDArray[np.uint8]:
    """The mask of a region inside of that of the pixels; the probability is of all of these."""
    y, x = inner.y0 - outer.y0, inner.x0 - outer.x0
    window = (y, y + inner.shape[1], x, x + inner.shape[2])
    own = None if probability is None else crop(probability, outer, inner)
    mask: NDArray[np.uint8] = model.mask(pixels, (outer.y0, outer.x0), window, own)
    return mask


def _patch(tile: Region, patch: str) -> Region:
    """A spatial block of a tile, with half of the margin around it."""
    if not patch:
        return tile
    rows, columns = patches(tile.shape[1:], 0)[int(patch)]
    return Region(
        *(tile.z0, tile.z1),
        *(tile.y0 + rows.start, tile.y0 + rows.stop),
        *(tile.x0 + columns.start, tile.x0 + columns.stop),
    )


def read_models(
    names: Iterable[tuple[str, str]], files: Iterable[str], assigned: Iterable[str]
) -> dict[str, "MethodModels"]:
    """The models of sets of parameters, by the name of the set.

    Parameters
    ----------
    names
        Of each file: the set of parameters, and the model.
    assigned
        Tables of `assignment.COLUMNS`, one for each set, if annotated tiles are predicted by what
        was trained without them.
    """
    found: dict[str, dict[str, str]] = {}
    for (variant, model), file in zip(names, files, strict=True):
        found.setdefault(variant, {})[model] = str(file)
    tables = [Assignment.from_rows(read_rows(path)) for path in assigned]
    none = [Assignment(())] * len(found)
    return {
        variant: MethodModels(own, table)
        for (variant, own), table in zip(found.items(), tables or none, strict=True)
    }


@dataclass(frozen=True)
class MethodModels:
    """The models of a set of a method's parameters, for all samples."""

    files: Mapping[str, str]
    """By name of the model."""
    assignment: Assignment
    """Which of them predicts which annotated tile."""

    def of(self, sample: str, fold: str | None = None) -> Models:
        """Those for a sample; with a fold that is nested, those that have not seen it either."""
        held_out = {
            (z, y, x): {patch: self.files[name] for patch, name in known.items()}
            for (own, z, y, x), known in self.assignment.predicting(fold).items()
            if own == sample
        }
        return Models(self.files[ALL], held_out)

    def by_fold(self, sample: str) -> dict[str, Models]:
        """Those for a sample that have not seen a fold either, by fold; `ALL` is without one.

        Nothing where none are trained without pairs of folds.
        """
        folds = self.assignment.nested_folds if any(PAIR in name for name in self.files) else []
        known = {fold: self.of(sample, fold) for fold in folds}
        return {ALL: self.of(sample), **known} if known else {}


def check(
    sigmas: Any,
    features: Any,
    keep: Any,
    trees: Any,
    depth: Any,
    rate: Any,
    pixels: Any,
    folds: Any,
    seed: Any,
    nested: Any,
    keep_probability: Any,
    learning_curve: Any,
    model: Any,
) -> None:
    """Check settings; ValueError says what to change."""
    if not isinstance(keep_probability, bool):
        raise ValueError(f"keep_probability is {keep_probability!r}: give true or false")
    if model is not None:
        if not isinstance(model, str):
            raise ValueError(f"model is {model!r}: give the path of a model, or leave it out")
        load(model)
        return
    for name, value in {"sigmas": sigmas, "features": features}.items():
        if not isinstance(value, list | tuple) or not value:
            raise ValueError(f"{name} is {value!r}: give a list")
    if not all(is_number(sigma) for sigma in sigmas):
        raise ValueError(f"sigmas is {sigmas!r}: give numbers of pixels")
    pixel_features.feature_names(sigmas, features)
    whole = {"trees": trees, "depth": depth, "pixels": pixels}
    least = dict.fromkeys(whole, 1) | {"folds": 2, "seed": 0}
    for name, value in {**whole, "folds": folds, "seed": seed}.items():
        if not is_whole(value) or value < least[name]:
            raise ValueError(f"{name} is {value!r}: give a whole number of at least {least[name]}")
    for name, value in {"nested": nested, "learning_curve": learning_curve}.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}: give true or false")
    if nested and folds < 3:
        raise ValueError(f"nested needs 3 folds or more, and there are {folds}: give more `folds`")
    if depth > 8:
        raise ValueError(f"depth is {depth}: give 1 to 8")
    if trees > 5000:
        raise ValueError(f"trees is {trees}: give up to 5000")
    if keep is not None and (not is_whole(keep) or keep < 1):
        raise ValueError(f"keep is {keep!r}: give a number of features, or leave it out")
    if not is_number(rate) or not 0 < rate <= 1:
        raise ValueError(f"rate is {rate!r}: give a number above 0, up to 1")


def names_of(settings: Mapping[str, Any], channels: Sequence[str] = ()) -> list[str]:
    """Names of the features that settings ask for, of channels, or that a given model has."""
    if settings["model"] is not None:
        return list(load(settings["model"]).names)
    return pixel_features.feature_names(settings["sigmas"], settings["features"], channels)


def reach(settings: Mapping[str, Any]) -> int:
    """Pixels around a pixel on which its class depends."""
    return pixel_features.reach(names_of(settings))
