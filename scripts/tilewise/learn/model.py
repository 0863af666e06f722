"""A trained pixel classifier, and its file, which runs no code when it is read."""

import math
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tilewise.arrays import read_arrays
from tilewise.learn import features
from tilewise.learn.features import Scale, Scales
from tilewise.learn.pieces import Window, pieces
from tilewise.learn.trees import GREATEST, Trees, score

FORMAT = 1
"""Of the file; another number is refused."""
ARRAYS = (
    *("format", "dtype", "names", "channels", "scale", "edges"),
    *("features", "codes", "leaves", "line", "bound", "pixel_sizes"),
)
"""Of the file."""
PIECE = 256, 1024
"""Rows and columns that are classified at once: their features stay in the processor's cache."""


@dataclass(frozen=True)
class Model:
    """What tells foreground from background by the features of a pixel."""

    dtype: str
    """Of the pixels that it was trained on."""
    names: tuple[str, ...]
    """Of the features, as from `features.feature_names`."""
    scale: Scales
    edges: NDArray[np.float64]
    """As from `features.edges_of`, (features, 2)."""
    trees: Trees
    bound: int
    """The least score of a pixel that is foreground."""
    pixel_sizes: tuple[tuple[float | None, ...], ...] = ()
    """Of the samples that it was trained on, where known, each once: micrometres in z, y and x."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels that it takes, in order; none if it takes a single plane."""
        return () if isinstance(self.scale, Scale) else tuple(self.scale)

    @property
    def reach(self) -> int:
        """How many pixels around a pixel its class depends on."""
        return features.reach(self.names)

    def scores(self, plane: NDArray, origin: tuple[int, int], window: Window) -> NDArray[np.int16]:
        """Sums of leaves in a window; arguments as of `features.compute`."""
        codes = features.compute_codes(plane, self.names, self.scale, self.edges, origin, window)
        return score(codes, self.trees)

    @cached_property
    def _probabilities(self) -> NDArray[np.uint8]:
        """Of each score, read as a number without a sign: 0 to 255 for 0 to 1."""
        scores = np.arange(2**16).astype(np.uint16).view(np.int16)
        odds = self.trees.bias + self.trees.unit * scores.astype(np.float64)
        # the logistic function, which does not overflow
        return np.rint(255 * (0.5 + 0.5 * np.tanh(odds / 2))).astype(np.uint8)

    def mask(
        self,
        plane: NDArray,
        origin: tuple[int, int],
        window: Window,
        probability: NDArray[np.uint8] | None = None,
    ) -> NDArray[np.uint8]:
        """The mask of a window of a plane, 0 background and 1 foreground.

        It is the same wherever a plane is cut, if the window is `reach` pixels away from the cut.

        Parameters
        ----------
        plane, origin, window
            As of `features.compute`.
        probability : (rows, columns) uint8 ndarray, optional
            Of the window: that of foreground is written into it, 0 to 255 for 0 to 1.
        """
        if plane.dtype != self.dtype:
            raise ValueError(
                f"a model of {self.dtype} images cannot classify {plane.dtype} ones: train one on "
                "images of this kind"
            )
        number = len(plane) if plane.ndim == 3 else 0
        if number != len(self.channels):
            raise ValueError(f"a model of channels {self.channels} cannot classify {number}")
        first, end, left, right = window
        mask = np.empty((end - first, right - left), np.uint8)
        for own, inside in pieces(window, PIECE):
            scores = self.scores(plane, origin, own)
            np.greater_equal(scores, self.bound, out=mask[inside].view(bool))
            if probability is not None:
                probability[inside] = self._probabilities[scores.view(np.uint16)]
        return mask

    def save(self, path: str | Path) -> None:
        """Write the model; the same one gives the same bytes."""
        trees = self.trees
        scales = {"": self.scale} if isinstance(self.scale, Scale) else self.scale
        np.savez(
            path,
            format=np.int64(FORMAT),
            dtype=np.str_(self.dtype),
            names=np.array(self.names, np.str_),
            channels=np.array(list(scales), np.str_),
            scale=np.array([(own.offset, own.factor) for own in scales.values()]),
            edges=self.edges,
            features=trees.features,
            codes=trees.codes,
            leaves=trees.leaves,
            line=np.array([trees.unit, trees.bias]),
            bound=np.int64(self.bound),
            pixel_sizes=np.array(self.pixel_sizes, np.float64).reshape(-1, 3),
        )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The model of a file.

        A file that is damaged, or no model, is a ValueError that names it.
        """
        try:
            known = read_arrays(path, ARRAYS)
        except ValueError:
            raise ValueError(
                f"{path} is damaged, or no model of a pixel classifier: name one that tilewise "
                "has trained, or train it again"
            ) from None
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}") from None
        if problem := _problem(known):
            raise ValueError(f"{path} is no model that can be used: {problem}")
        unit, bias = known["line"].tolist()
        channels = known["channels"].tolist()
        scales = [Scale(*own) for own in known["scale"].tolist()]
        trees = Trees(known["features"], known["codes"], known["leaves"], unit, bias)
        return cls(
            dtype=str(known["dtype"]),
            names=tuple(known["names"].tolist()),
            scale=scales[0] if channels == [""] else dict(zip(channels, scales, strict=True)),
            edges=known["edges"],
            trees=trees,
            bound=int(known["bound"]),
            pixel_sizes=tuple(
                tuple(None if math.isnan(size) else size for size in own)
                for own in known["pixel_sizes"].tolist()
            ),
        )


@cache
def load(path: str) -> Model:
    """`Model.load`, once per process."""
    return Model.load(path)


def _problem(known: dict[str, NDArray[Any]]) -> str:
    """What is wrong with the arrays of a file, in words; empty if nothing is."""
    if known["format"].shape != () or known["format"] != FORMAT:
        return f"its format is not {FORMAT}, but of another version of tilewise"
    number, shape = known["names"].size, known["features"].shape
    channels = known["channels"].size
    depth = shape[1] if len(shape) == 2 else 0
    shapes = {
        **{"dtype": (), "names": (number,), "edges": (number, 2), "line": (2,)},
        **{"channels": (channels,), "scale": (channels, 2)},
        "pixel_sizes": (known["pixel_sizes"].size // 3, 3),
        **{"bound": (), "codes": shape, "leaves": (*shape[:1], 2**depth)},
    }
    kinds = {
        **{"dtype": "U", "names": "U", "channels": "U", "scale": "f", "edges": "f", "line": "f"},
        **{"features": "u", "codes": "u", "leaves": "i", "bound": "i", "pixel_sizes": "f"},
    }
    if not 1 <= depth <= 8 or any(known[name].shape != own for name, own in shapes.items()):
        return "its arrays do not fit each other"
    if any(known[name].dtype.kind != kind for name, kind in kinds.items()):
        return "its arrays are of other kinds"
    sizes = {"features": 2, "codes": 1, "leaves": 2}
    if any(known[name].dtype.itemsize != size for name, size in sizes.items()):
        return "its arrays are of other kinds"
    if not all(np.isfinite(known[name]).all() for name in ("scale", "edges", "line")):
        return "its numbers are not finite"
    if not channels or (known["scale"][:, 1] <= 0).any():
        return "its scale of grey levels is not above 0"
    if shape[0] and (not number or known["features"].max() >= number):
        return "its trees ask for features that it has not"
    if int(np.abs(known["leaves"].astype(np.int64)).max(axis=1, initial=0).sum()) > GREATEST:
        return "its leaves are too large"
    own = {features.channels_of([name])[0] for name in known["names"].tolist()}
    if not own <= {*known["channels"].tolist()}:
        return "its features are of channels that it has not"
    try:
        features.reach(known["names"].tolist())
    except ValueError as error:
        return str(error)
    return ""
