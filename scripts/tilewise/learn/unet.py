"""Masks by trained U-Nets, in windows. It needs PyTorch, which its own jobs alone import."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from tilewise.learn import network
from tilewise.learn.network import Trained, reach
from tilewise.learn.pieces import Window, pieces

PIECE = 512, 1024
"""Rows and columns that are classified at once; smaller ones take more time."""


@dataclass(frozen=True)
class Model:
    """Trained networks that are ready to be applied."""

    trained: Trained
    networks: tuple[tuple[tuple[Any, Any], ...], ...]
    """As of `Trained`, as tensors."""

    @classmethod
    def of(cls, trained: Trained) -> "Model":
        """On the graphics card, if there is one that PyTorch can use."""
        return cls(
            trained,
            tuple(
                tuple(
                    (tensor_of(weights), torch.from_numpy(added).to(device()))
                    for weights, added in layers
                )
                for layers in trained.networks
            ),
        )

    @property
    def reach(self) -> int:
        """How many pixels around a pixel its class depends on."""
        return reach(self.trained.settings.levels)

    def odds(self, plane: NDArray, origin: tuple[int, int], window: Window) -> NDArray[np.float32]:
        """Log-odds of foreground in a window of a plane, the mean of all networks.

        They are the same within float error wherever a plane is cut, if the window is `reach`
        pixels away from the cut. Planes are mirrored at their edges.

        Parameters
        ----------
        plane : (rows, columns) or (channels, rows, columns) ndarray
        origin : tuple of int
            Row and column of the plane's first pixel in its sample.
        """
        if plane.dtype != self.trained.dtype:
            raise ValueError(
                f"a model of {self.trained.dtype} images cannot classify {plane.dtype} ones: train "
                "one on images of this kind"
            )
        plane = plane.reshape(-1, *plane.shape[-2:])
        if len(plane) != len(self.trained.means):
            raise ValueError(
                f"a model of {len(self.trained.means)} channels cannot classify {len(plane)}: let "
                "the filter give those that it was trained on"
            )
        first, end, left, right = window
        found = np.empty((end - first, right - left), np.float32)
        for own, inside in pieces(window, PIECE):
            found[inside] = self._odds(plane, origin, own)
        return found

    def _odds(self, plane, origin, window):
        levels = self.trained.settings.levels
        cell, axes, inside = 2**levels, [], []
        for axis in (0, 1):
            start, end = window[2 * axis], window[2 * axis + 1]
            # cells lie at fixed places of the sample
            first = (start - self.reach + origin[axis]) // cell * cell - origin[axis]
            size = -(-(end + self.reach - first) // cell) * cell
            axes.append(mirrored(np.arange(first, first + size), plane.shape[axis + 1]))
            inside.append(slice(start - first, end - first))
        rows, columns = axes
        image = plane[:, rows[:, None], columns]
        image = normalised(image, self.trained.means, self.trained.deviations)
        with torch.inference_mode():
            given = tensor_of(compressed(image)[None])
            odds = sum(apply(given, levels, layers) for layers in self.networks)
            odds /= len(self.networks)
            return odds[0, 0].cpu().numpy()[tuple(inside)]

    def mask(
        self,
        plane: NDArray,
        origin: tuple[int, int],
        window: Window,
        probability: NDArray[np.uint8] | None = None,
    ) -> NDArray[np.uint8]:
        """The mask of a window of a plane, 0 and 1; arguments as of `odds`.

        The probability of foreground is written into another array, if any, as 0 to 255.
        """
        odds = self.odds(plane, origin, window)
        if probability is not None:
            # the logistic function, which does not overflow
            probability[:] = np.rint(255 * (0.5 + 0.5 * np.tanh(odds / 2)))
        return (odds >= np.float32(self.trained.bound)).view(np.uint8)


def apply(image: Any, levels: int, layers: Sequence[tuple[Any, Any]]) -> Any:
    """Log-odds of foreground, (n, 1, h, w), of images (n, channels, h, w), by one network."""
    *pairs, last = layers
    blocks = map(_block, pairs[::2], pairs[1::2])
    return functional.conv2d(through(image, levels, blocks), *last)


def _block(*layers):
    def apply(image):
        for weights, added in layers:
            image = functional.conv2d(image, weights, added, padding=1).relu_()
        return image

    return apply


def normalised(
    pixels: NDArray, means: Sequence[float], deviations: Sequence[float]
) -> NDArray[np.float32]:
    """Pixels less the mean of their channel, in its standard deviations; (channels, h, w)."""
    mean, deviation = (np.array(one, np.float32)[:, None, None] for one in (means, deviations))
    return (pixels.astype(np.float32) - mean) / deviation


def compressed(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normalised pixels as networks see them: the further from the mean, the less a step counts.

    What is darker or brighter than all that a network was trained on is then like the darkest and
    the brightest of it.
    """
    return np.arcsinh(image)


def device() -> str:
    """The graphics card, if there is one that PyTorch can use, or the processor."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def tensor_of(array: NDArray) -> Any:
    """Of four axes; with the channels of a pixel side by side, which is faster."""
    return torch.from_numpy(array).to(device(), memory_format=torch.channels_last)


@cache
def load(path: str) -> Model:
    """The model of a file, once per process; threads are those of the job, not PyTorch's."""
    torch.set_num_threads(1)
    return Model.of(network.load(path))


def mirrored(index: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Places of an axis beyond its ends, as `numpy.pad` has them in its mode symmetric."""
    index = index % (2 * size)
    return np.minimum(index, 2 * size - 1 - index)


def through(image: Any, levels: int, blocks: Iterator[Callable[[Any], Any]]) -> Any:
    """What the last block gives: down to the lowest level, and up again beside what was kept."""
    kept = [next(blocks)(image)]
    for _ in range(levels):
        kept.append(next(blocks)(functional.max_pool2d(kept[-1], 2)))
    known = kept.pop()
    while kept:
        larger = functional.interpolate(known, scale_factor=2, mode="nearest")
        known = next(blocks)(torch.cat([kept.pop(), larger], 1))
    return known
