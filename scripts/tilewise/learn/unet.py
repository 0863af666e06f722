"""A small U-Net: network, training, prediction in windows, and its file, which runs no code.

The network is that of Ronneberger et al. (2015), doi:10.1007/978-3-319-24574-4_28, with few
channels, batch normalisation and enlargement by repetition. It needs PyTorch.
"""

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from tilewise.arrays import read_arrays

FORMAT = 1
"""Of the file; another number is refused."""
UNKNOWN = 255
"""Truth of pixels that are not annotated."""
MOST_LEVELS, MOST_WIDTH = 6, 256
"""Of a network that a file may ask for."""
BOUNDS = np.arange(1, 100) / 100
"""Probabilities that foreground may begin with."""
GRID, EVERY = 4, 6
"""Blocks of a plane along each axis, and which of them validate."""
WARM = 0.3
"""Part of the steps in which the learning rate rises."""
log = logging.getLogger(__name__)

Plane = tuple[NDArray, NDArray[np.uint8]]
"""Image and truth of the same shape; truth is 0, 1 or `UNKNOWN`."""
Window = tuple[int, int, int, int]
"""First row, end, first column, end."""


@dataclass(frozen=True)
class Settings:
    """Of a network and its training."""

    width: int = 12
    """Channels at full resolution; each level has twice as many."""
    levels: int = 2
    """How often the resolution is halved."""
    steps: int = 800
    batch: int = 4
    crop: int = 128
    """Side of training crops in pixels, a multiple of 2**levels."""
    rate: float = 0.01
    """The greatest learning rate."""
    every: int = 50
    """Steps between validations."""
    patience: int = 6
    """Validations without a better one after which training ends."""
    noise: float = 0.1
    """Greatest standard deviation of added noise, in standard deviations of the image."""


def reach(levels: int) -> int:
    """How many pixels around a pixel its class depends on.

    Level l has four convolutions (two at the lowest) that reach 2**l pixels each; being in a cell
    of the lowest level adds up to 2**levels - 1.
    """
    return 7 * 2**levels - 5


class Network(nn.Module):
    """Log-odds of foreground, (n, 1, h, w), of images of that shape."""

    def __init__(self, width: int, levels: int) -> None:
        super().__init__()
        sizes = [width * 2**level for level in range(levels + 1)]
        self.down = nn.ModuleList(map(_block, [1, *sizes[:-1]], sizes))
        self.up = nn.ModuleList(
            _block(sizes[i] + sizes[i + 1], sizes[i]) for i in reversed(range(levels))
        )
        self.last = nn.Conv2d(width, 1, 1)

    def forward(self, image: Any) -> Any:
        """Height and width are multiples of 2**levels."""
        kept = [self.down[0](image)]
        for block in self.down[1:]:
            kept.append(block(functional.max_pool2d(kept[-1], 2)))
        known = kept.pop()
        for block in self.up:
            larger = functional.interpolate(known, scale_factor=2, mode="nearest")
            known = block(torch.cat([kept.pop(), larger], 1))
        return self.last(known)


def _block(before: int, after: int) -> Any:
    layers: list[Any] = []
    for first in (before, after):
        conv = nn.Conv2d(first, after, 3, padding=1, bias=False)
        layers += [conv, nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers)


@dataclass(frozen=True)
class Model:
    """A trained network, and what it needs to be applied."""

    dtype: str
    """Of the pixels that it was trained on."""
    settings: Settings
    mean: float
    deviation: float
    """Of the grey levels that it was trained on."""
    bound: float
    """The least probability of a pixel that is foreground."""
    network: Any

    @property
    def reach(self) -> int:
        """How many pixels around a pixel its class depends on."""
        return reach(self.settings.levels)

    def probability(
        self, plane: NDArray, origin: tuple[int, int], window: Window
    ) -> NDArray[np.float32]:
        """Probability of foreground in a window of a plane, from 0 to 1.

        It is the same within float error wherever a plane is cut, if the window is `reach` pixels
        away from the cut. Planes are mirrored at their edges.

        Parameters
        ----------
        origin : tuple of int
            Row and column of the plane's first pixel in its sample.
        """
        if plane.dtype != self.dtype:
            raise ValueError(
                f"a model of {self.dtype} images cannot classify {plane.dtype} ones: train one on "
                "images of this kind"
            )
        cell = 2**self.settings.levels
        axes, inside = [], []
        for axis in (0, 1):
            start, end = window[2 * axis], window[2 * axis + 1]
            first = (start - self.reach + origin[axis]) // cell * cell - origin[axis]
            size = -(-(end + self.reach - first) // cell) * cell
            axes.append(_mirrored(np.arange(first, first + size), plane.shape[axis]))
            inside.append(slice(start - first, end - first))
        image = (plane[np.ix_(*axes)].astype(np.float32) - self.mean) / self.deviation
        device = next(self.network.parameters()).device
        self.network.eval()
        with torch.no_grad():
            known = torch.from_numpy(image.astype(np.float32))[None, None].to(device)
            odds = torch.sigmoid(self.network(known))[0, 0].cpu().numpy()
        result: NDArray[np.float32] = odds[tuple(inside)]
        return result

    def mask(self, plane: NDArray, origin: tuple[int, int], window: Window) -> NDArray[np.uint8]:
        """The mask of a window of a plane, 0 and 1; arguments as of `probability`."""
        return (self.probability(plane, origin, window) >= self.bound).astype(np.uint8)

    def save(self, path: str | Path) -> None:
        """Write the model; the same one gives the same bytes."""
        arrays = {f"w_{name}": value for name, value in _weights(self.network).items()}
        np.savez(
            path,
            format=np.int64(FORMAT),
            dtype=np.str_(self.dtype),
            settings=np.str_(json.dumps(asdict(self.settings))),
            line=np.array([self.mean, self.deviation, self.bound]),
            allow_pickle=False,
            **arrays,
        )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The model of a file.

        A file that is damaged, or no model, is a ValueError that names it.
        """
        try:
            head = read_arrays(path, ("format", "settings"))
            if head["format"].shape != () or head["format"] != FORMAT:
                raise ValueError
            settings = Settings(**json.loads(str(head["settings"])))
            if not 1 <= settings.levels <= MOST_LEVELS or not 1 <= settings.width <= MOST_WIDTH:
                raise ValueError
            network = Network(settings.width, settings.levels)
            own = _weights(network)
            known = read_arrays(path, ("dtype", "line", *(f"w_{name}" for name in own)))
            mean, deviation, bound = known["line"].tolist()
            weights = {name: known[f"w_{name}"] for name in own}
            if any(
                weights[n].shape != own[n].shape
                or weights[n].dtype != own[n].dtype
                or not np.isfinite(weights[n]).all()
                for n in own
            ) or not (deviation > 0 and math.isfinite(mean + deviation + bound)):
                raise ValueError
        except (ValueError, TypeError, KeyError):
            raise ValueError(
                f"{path} is damaged, or no U-Net of this version: name one that tilewise has "
                "trained, or train it again"
            ) from None
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}") from None
        _restore(network, weights)
        return cls(str(known["dtype"]), settings, mean, deviation, bound, network)


def _mirrored(index: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Places of an axis beyond its ends, as `numpy.pad` has them in its mode symmetric."""
    index = index % (2 * size)
    return np.minimum(index, 2 * size - 1 - index)


def _weights(network: Any) -> dict[str, NDArray]:
    return {name: v.detach().cpu().numpy().copy() for name, v in network.state_dict().items()}


def _restore(network: Any, weights: dict[str, NDArray]) -> None:
    network.load_state_dict({name: torch.from_numpy(v.copy()) for name, v in weights.items()})


def loss_of(odds: Any, truth: Any) -> Any:
    """Cross-entropy plus 1 - Dice of the pixels that are annotated; 0 without any.

    `odds` are log-odds and `truth` is 0, 1 or `UNKNOWN`, both tensors of one shape.
    """
    is_known = truth != UNKNOWN
    odds, truth = odds[is_known], truth[is_known].float()
    if not truth.numel():
        return odds.sum()
    probability = torch.sigmoid(odds)
    dice = (2 * (probability * truth).sum() + 1) / (probability.sum() + truth.sum() + 1)
    return functional.binary_cross_entropy_with_logits(odds, truth) + 1 - dice


def rate_at(step: int, settings: Settings) -> float:
    """The learning rate: a half cosine up and one down, from 1/25 to 1 to 0 of the greatest."""
    rise = max(1, round(WARM * settings.steps))
    if step < rise:
        return settings.rate * (1 / 25 + (24 / 25) * (1 - math.cos(math.pi * step / rise)) / 2)
    fall = (step - rise) / max(1, settings.steps - rise)
    return settings.rate * (1 + math.cos(math.pi * fall)) / 2


def split(planes: Sequence[Plane], margin: int) -> tuple[list[Plane], list[Plane]]:
    """Planes to train on, and those to validate on, where the truth of others is `UNKNOWN`.

    Each plane is cut into `GRID` x `GRID` blocks. Of those with foreground, in order, the third
    and each `EVERY`th after it validate; `margin` pixels around them have no part in either.
    """
    training, validation = [], []
    for image, truth in planes:
        edges = [np.linspace(0, n, GRID + 1).astype(int).tolist() for n in truth.shape]
        blocks = [
            (y, end, x, right)
            for y, end in pairwise(edges[0])
            for x, right in pairwise(edges[1])
            if (truth[y:end, x:right] == 1).any()
        ]
        others, held = truth.copy(), np.full_like(truth, UNKNOWN)
        for y, end, x, right in blocks[2::EVERY]:
            others[max(y - margin, 0) : end + margin, max(x - margin, 0) : right + margin] = UNKNOWN
            held[y:end, x:right] = truth[y:end, x:right]
        training.append((image, others))
        validation.append((image, held))
    return training, validation


def crops(
    planes: Sequence[Plane], settings: Settings, random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """A batch of crops of normalised planes, turned, flipped, scaled in intensity, with noise."""
    images, truths = [], []
    for _ in range(settings.batch):
        image, truth = planes[int(random.integers(len(planes)))]
        place = np.ix_(
            *(
                _mirrored(
                    random.integers(max(1, n - settings.crop + 1)) + np.arange(settings.crop), n
                )
                for n in truth.shape
            )
        )
        turns, is_flipped = int(random.integers(4)), random.integers(2)
        image, truth = (np.rot90(a[place], turns) for a in (image, truth))
        if is_flipped:
            image, truth = image[:, ::-1], truth[:, ::-1]
        image = image * random.uniform(0.8, 1.25) + random.uniform(-0.2, 0.2)
        image = image + random.normal(0, random.uniform(0, settings.noise), image.shape)
        images.append(image.astype(np.float32))
        truths.append(truth)
    return np.stack(images)[:, None], np.stack(truths)[:, None]


def best_bound(probability: NDArray[np.float32], truth: NDArray[np.uint8]) -> tuple[float, float]:
    """The bound of highest F1 on annotated pixels, and that F1; 0.5 and nan without foreground."""
    foreground = np.sort(probability[truth == 1])
    background = np.sort(probability[truth == 0])
    if not foreground.size:
        return 0.5, math.nan
    true = foreground.size - np.searchsorted(foreground, BOUNDS)
    false = background.size - np.searchsorted(background, BOUNDS)
    f1 = 2 * true / (true + false + foreground.size)
    best = int(np.argmax(f1))
    return float(BOUNDS[best]), float(f1[best])


def train(
    planes: Sequence[Plane],
    settings: Settings,
    seed: int,
    checkpoint: str | Path | None = None,
) -> Model:
    """Train a model; on a CPU, the same arguments give the same one.

    Parameters
    ----------
    checkpoint : path, optional
        A `.npz` file that is written at each validation. If it is there, of these settings and
        seed, training goes on from it. The caller names another one for other planes.
    """
    if not planes:
        raise ValueError("a U-Net needs planes to be trained on: give one or more")
    pixels = np.concatenate([image.ravel() for image, _ in planes]).astype(np.float64)
    mean, deviation = float(pixels.mean()), float(pixels.std()) or 1.0
    training, validation = split(planes, reach(settings.levels))
    normal = [((image - mean) / deviation, truth) for image, truth in training]
    torch.manual_seed(seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = Network(settings.width, settings.levels).to(device)
    optimiser = torch.optim.AdamW(network.parameters(), settings.rate)
    run = _Run(network, optimiser, json.dumps([asdict(settings), seed]), checkpoint)
    dtype = str(planes[0][0].dtype)
    while run.step < settings.steps and run.waited < settings.patience:
        random = np.random.default_rng((seed, run.step))
        images, truths = (torch.from_numpy(a).to(device) for a in crops(normal, settings, random))
        for group in optimiser.param_groups:
            group["lr"] = rate_at(run.step, settings)
        network.train()
        optimiser.zero_grad()
        loss = loss_of(network(images), truths)
        loss.backward()
        optimiser.step()
        run.step += 1
        if run.step % settings.every and run.step < settings.steps:
            continue
        model = Model(dtype, settings, mean, deviation, 0.5, network)
        bound, f1 = best_bound(*_validated(model, validation))
        run.note(bound, f1)
        log.info("step %d: loss %.3f, validation F1 %.3f", run.step, loss.item(), f1)
    _restore(network, run.best)
    return Model(dtype, settings, mean, deviation, run.bound, network.cpu())


def _validated(model: Model, planes: Sequence[Plane]) -> Any:
    """Probability and truth of the pixels of all planes, flat."""
    known = [
        (model.probability(image, (0, 0), (0, image.shape[0], 0, image.shape[1])), truth)
        for image, truth in planes
    ]
    return tuple(np.concatenate([pair[i].ravel() for pair in known]) for i in (0, 1))


class _Run:
    """How far a training is, and its checkpoint."""

    def __init__(self, network: Any, optimiser: Any, name: str, path: str | Path | None) -> None:
        self.network, self.optimiser, self.name, self.path = network, optimiser, name, path
        self.step, self.waited, self.f1, self.bound = 0, 0, -1.0, 0.5
        self.best = _weights(network)
        if path is not None and Path(path).exists():
            self._resume(path)

    def note(self, bound: float, f1: float) -> None:
        """Keep the weights if they are the best yet, and write the checkpoint."""
        self.waited += 1
        # without a validation the last weights are taken
        if f1 > self.f1 or math.isnan(f1):
            self.waited, self.f1, self.bound = 0, f1, bound
            self.best = _weights(self.network)
        if self.path is None:
            return
        arrays = {f"now_{n}": v for n, v in _weights(self.network).items()}
        arrays |= {f"best_{n}": v for n, v in self.best.items()}
        for i, state in self.optimiser.state_dict()["state"].items():
            arrays |= {f"{key}_{i}": value.cpu().numpy() for key, value in state.items()}
        state = np.array([self.step, self.waited, self.f1, self.bound])
        part = Path(f"{self.path}.part.npz")
        np.savez(part, allow_pickle=False, name=np.str_(self.name), state=state, **arrays)
        part.replace(self.path)

    def _resume(self, path: str | Path) -> None:
        names = list(self.best)
        keys = [f"{k}_{n}" for k in ("now", "best") for n in names]
        parameters = range(len(list(self.network.parameters())))
        fields = ("step", "exp_avg", "exp_avg_sq")
        keys += [f"{field}_{i}" for field in fields for i in parameters]
        try:
            known = read_arrays(path, ("name", "state", *keys))
        except ValueError:
            log.warning("%s is damaged or of another network: training begins again", path)
            return
        if str(known["name"]) != self.name:
            log.warning("%s is of other settings: training begins again", path)
            return
        step, waited, self.f1, self.bound = known["state"].tolist()
        self.step, self.waited = int(step), int(waited)
        _restore(self.network, {n: known[f"now_{n}"] for n in names})
        self.best = {n: known[f"best_{n}"] for n in names}
        state = self.optimiser.state_dict()
        state["state"] = {
            i: {field: torch.from_numpy(known[f"{field}_{i}"].copy()) for field in fields}
            for i in parameters
        }
        self.optimiser.load_state_dict(state)
