"""What a U-Net is made of, and its file, which runs no code. It needs no PyTorch.

The network is that of Ronneberger et al. (2015), doi:10.1007/978-3-319-24574-4_28, with few
channels, batch normalisation and enlargement by repetition. In the file, the normalisation is part
of the convolutions.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tilewise.arrays import read_arrays

FORMAT = 2
"""Of the file; another number is refused."""
HEAD = (
    *("format", "settings", "dtype", "channels", "means", "deviations", "bound"),
    "pixel_sizes",
)
"""Arrays of the file, besides those of its layers."""
MOST_LEVELS, MOST_WIDTH = 6, 256
"""Of a network."""
MOST_NETWORKS = 64
"""Of a model."""

Layers = tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]
"""Of a network, for each convolution: weights (after, before, rows, columns), and what is added
(after,)."""


@dataclass(frozen=True)
class Settings:
    """Of networks and their training; see `segment.unet.unet`."""

    networks: int = 3
    width: int = 8
    levels: int = 3
    steps: int = 500
    batch: int = 4
    crop: int = 128
    rate: float = 0.005
    patience: int = 10
    rotation: float = 15
    elastic: float = 1
    intensity: float = 0.1
    noise: float = 0.1
    cldice: float = 0
    seed: int = 0


def reach(levels: int) -> int:
    """How many pixels around a pixel its class depends on.

    Level l has four convolutions (two at the lowest) that reach 2**l pixels each; being in a cell
    of the lowest level adds up to 2**levels - 1.
    """
    return 7 * 2**levels - 5


def channels(width: int, levels: int, taken: int = 1) -> list[tuple[int, int]]:
    """Channels before and after each convolution, in the order of their use.

    All are of 3 x 3 pixels, and two belong together; but the last is of single pixels. Images have
    as many channels as are `taken`.
    """
    sizes = [width * 2**level for level in range(levels + 1)]
    down = zip([taken, *sizes], sizes, strict=False)
    up = ((sizes[level] + sizes[level + 1], sizes[level]) for level in reversed(range(levels)))
    pairs = [pair for before, after in (*down, *up) for pair in ((before, after), (after, after))]
    return [*pairs, (width, 1)]


def number_of_weights(width: int, levels: int, taken: int = 1) -> int:
    """That training finds; two of each channel are of the normalisation."""
    *pairs, _ = channels(width, levels, taken)
    return sum(9 * before * after + 2 * after for before, after in pairs) + width + 1


@dataclass(frozen=True)
class Trained:
    """Trained networks, as their file has them; their log-odds are averaged."""

    dtype: str
    """Of the pixels that it was trained on."""
    settings: Settings
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    """Of the grey levels that it was trained on, of each channel."""
    bound: float
    """The least log-odds of a pixel that is foreground."""
    networks: tuple[Layers, ...]
    pixel_sizes: tuple[tuple[float | None, ...], ...] = ()
    """Of the images that it was trained on, where they are known: z, y and x in micrometres."""
    channels: tuple[str, ...] = ()
    """Names of those of its images; none of single planes."""

    def save(self, path: str | Path) -> None:
        """Write the networks; the same ones give the same bytes."""
        arrays: dict[str, NDArray[Any]] = {}
        for number, layers in enumerate(self.networks):
            for layer, pair in enumerate(layers):
                names = _names(number, layer)
                arrays |= dict(zip(names, pair, strict=True))
        np.savez(
            path,
            format=np.int64(FORMAT),
            dtype=np.str_(self.dtype),
            settings=np.str_(json.dumps(asdict(self.settings))),
            channels=np.array(self.channels, np.str_),
            means=np.array(self.means, np.float64),
            deviations=np.array(self.deviations, np.float64),
            bound=np.float64(self.bound),
            pixel_sizes=np.array(self.pixel_sizes, np.float64).reshape(-1, 3),
            allow_pickle=False,
            **arrays,
        )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The networks of a file.

        A file that is damaged, or no U-Net, is a ValueError that names it.
        """
        try:
            return cls._of(path, read_arrays(path, HEAD))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ValueError(
                f"{path} is damaged, or no U-Net of this version: name one that tilewise has "
                "trained, or train it again"
            ) from None
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}") from None

    @classmethod
    def _of(cls, path: str | Path, head: Mapping[str, NDArray[Any]]) -> Self:
        settings = Settings(**json.loads(str(head["settings"])))
        names = tuple(map(str, head["channels"]))
        means, deviations = (tuple(map(float, head[key])) for key in ("means", "deviations"))
        bound = float(head["bound"])
        if head["format"].shape != () or head["format"] != FORMAT:
            raise ValueError
        if not 1 <= settings.levels <= MOST_LEVELS or not 1 <= settings.width <= MOST_WIDTH:
            raise ValueError
        if not 1 <= settings.networks <= MOST_NETWORKS:
            raise ValueError
        if not len(means) == len(deviations) == max(len(names), 1):
            raise ValueError
        if min(deviations) <= 0 or not all(map(math.isfinite, (*means, *deviations, bound))):
            raise ValueError
        shapes = _shapes(settings, len(means))
        arrays = [
            [_names(number, layer) for layer in range(len(shapes))]
            for number in range(settings.networks)
        ]
        known = read_arrays(path, [name for own in arrays for pair in own for name in pair])
        for own in arrays:
            for pair, expected in zip(own, shapes, strict=True):
                for name, shape in zip(pair, expected, strict=True):
                    values = known[name]
                    if values.shape != shape or values.dtype != np.float32:
                        raise ValueError
                    if not np.isfinite(values).all():
                        raise ValueError
        networks = tuple(tuple((known[w], known[a]) for w, a in own) for own in arrays)
        sizes = tuple(
            tuple(None if math.isnan(one) else one for one in size)
            for size in head["pixel_sizes"].reshape(-1, 3).tolist()
        )
        dtype = str(head["dtype"])
        return cls(dtype, settings, means, deviations, bound, networks, sizes, names)


def _names(number: int, layer: int) -> tuple[str, str]:
    """Of the arrays of a layer of a network."""
    return f"weights_{number}_{layer}", f"added_{number}_{layer}"


def _shapes(settings: Settings, taken: int) -> list[tuple[tuple[int, ...], tuple[int]]]:
    """Of the weights and of what is added, layer by layer, where so many channels are taken."""
    pairs = channels(settings.width, settings.levels, taken)
    sides = [3] * (len(pairs) - 1) + [1]
    return [
        ((after, before, side, side), (after,))
        for (before, after), side in zip(pairs, sides, strict=True)
    ]


@cache
def load(path: str) -> Trained:
    """`Trained.load`, once per process."""
    return Trained.load(path)


def constant(
    dtype: str, settings: Settings, names: Sequence[str] = (), *, is_foreground: bool
) -> Trained:
    """Networks that take all pixels for one class; of channels by their names."""
    taken = max(len(names), 1)
    layers = tuple(
        (np.zeros(weights, np.float32), np.zeros(added, np.float32))
        for weights, added in _shapes(settings, taken)
    )
    networks = (layers,) * settings.networks
    bound = 0.0 if is_foreground else 1.0
    levels = (0.0,) * taken, (1.0,) * taken
    return Trained(dtype, settings, *levels, bound, networks, channels=tuple(names))
