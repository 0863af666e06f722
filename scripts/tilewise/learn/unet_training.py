"""Training of small U-Nets. It needs PyTorch, which its own jobs alone import."""

import copy
import hashlib
import json
import logging
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from tilewise.arrays import read_arrays
from tilewise.labels import NOT_ANNOTATED
from tilewise.learn import network
from tilewise.learn.assignment import Place
from tilewise.learn.network import Layers, Settings, Trained, channels
from tilewise.learn.training import Merit
from tilewise.learn.unet import (
    Model,
    compressed,
    device,
    mirrored,
    normalised,
    tensor_of,
    through,
)
from tilewise.learn.windows import Plane
from tilewise.whole import part_of

BOUNDS = np.arange(1, 100) / 100
"""Probabilities that foreground may begin with."""
ALIKE = 0.02
"""Merits that differ by less are of the same worth: so much they differ between a few objects."""
EVERY = 50
"""Steps between validations."""
VALIDATED = 2**22
"""Pixels that validate at most."""
WARM = 0.3
"""Part of the steps in which the learning rate rises."""
AVERAGED = 0.98
"""Share that the average of all weights until now keeps in a step."""
MEAN, SQUARE, DECAY, LEAST = 0.9, 0.999, 0.01, 1e-8
"""Of Adam: how much it keeps of means and squares, how weights decay, the least size of a move."""
DISTANCE = 32
"""Pixels between the points that an elastic deformation moves at random."""
SKELETON = 8
"""Pixels by which a soft skeleton is eroded: half the width of what it is the skeleton of."""
log = logging.getLogger(__name__)


class Network(nn.Module):
    """Log-odds of foreground, (n, 1, h, w), of images (n, channels, h, w)."""

    def __init__(self, width: int, levels: int, taken: int = 1) -> None:
        super().__init__()
        *pairs, (last, _) = channels(width, levels, taken)
        self.levels = levels
        self.blocks = nn.ModuleList(
            nn.Sequential(*_layers(*one), *_layers(*other))
            for one, other in zip(pairs[::2], pairs[1::2], strict=True)
        )
        self.last = nn.Conv2d(last, 1, 1)

    def forward(self, image: Any) -> Any:
        """Height and width are multiples of 2**levels."""
        return self.last(through(image, self.levels, iter(self.blocks)))

    def folded(self) -> Layers:
        """Layers as of `Trained`: what each normalisation does is done by its convolution."""
        found = []
        for block in self.blocks:
            for conv, norm in ((block[0], block[1]), (block[3], block[4])):
                factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
                weights = conv.weight * factor[:, None, None, None]
                found.append((weights, norm.bias - norm.running_mean * factor))
        found.append((self.last.weight, self.last.bias))
        return tuple((_array(weights), _array(added)) for weights, added in found)


def _layers(before: int, after: int) -> list[Any]:
    conv = nn.Conv2d(before, after, 3, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(after), nn.ReLU(inplace=True)]


def _array(tensor: Any) -> NDArray[np.float32]:
    # a copy in numpy's own order, whatever order the network computes in
    return np.ascontiguousarray(tensor.detach().cpu().numpy()).copy()


def loss_of(odds: Any, truth: Any, cldice: float = 0) -> Any:
    """Cross-entropy plus 1 - Dice of the pixels that are annotated; 0 without any.

    `odds` are log-odds and `truth` is 0, 1 or `NOT_ANNOTATED`, both tensors of one shape. So many
    times 1 - clDice is added: Shit et al. (2021), doi:10.1109/CVPR46437.2021.01629.
    """
    is_known = truth != NOT_ANNOTATED
    flat, known = odds[is_known], truth[is_known].float()
    if not known.numel():
        return flat.sum()
    probability = torch.sigmoid(flat)
    dice = (2 * (probability * known).sum() + 1) / (probability.sum() + known.sum() + 1)
    loss = functional.binary_cross_entropy_with_logits(flat, known) + 1 - dice
    if cldice:
        loss = loss + cldice * (1 - soft_cldice(torch.sigmoid(odds), truth == 1, is_known))
    return loss


def soft_cldice(probability: Any, truth: Any, is_known: Any) -> Any:
    """Centreline Dice, from 0 to 1, of what is annotated; tensors (n, 1, h, w)."""
    probability, truth = probability * is_known, truth.float()
    of_mask, of_truth = (soft_skeleton(one) * is_known for one in (probability, truth))
    precision = ((of_mask * truth).sum() + 1) / (of_mask.sum() + 1)
    sensitivity = ((of_truth * probability).sum() + 1) / (of_truth.sum() + 1)
    return 2 * precision * sensitivity / (precision + sensitivity)


def soft_skeleton(image: Any) -> Any:
    """What openings take from an image that is eroded more and more; tensors (n, 1, h, w)."""
    skeleton = torch.zeros_like(image)
    for _ in range(SKELETON + 1):
        eroded = _eroded(image)
        opened = functional.max_pool2d(eroded, 3, 1, 1)
        rest = functional.relu(image - opened)
        skeleton = skeleton + functional.relu(rest - skeleton * rest)
        image = eroded
    return skeleton


def _eroded(image: Any) -> Any:
    """The least of each pixel and its four neighbours."""
    rows = -functional.max_pool2d(-image, (3, 1), 1, (1, 0))
    columns = -functional.max_pool2d(-image, (1, 3), 1, (0, 1))
    return torch.minimum(rows, columns)


def rate_at(step: int, settings: Settings) -> float:
    """The learning rate: a half cosine up and one down, from 1/25 to 1 to 0 of the greatest."""
    rise = max(1, round(WARM * settings.steps))
    if step < rise:
        return settings.rate * (1 / 25 + (24 / 25) * (1 - math.cos(math.pi * step / rise)) / 2)
    fall = (step - rise) / max(1, settings.steps - rise)
    return settings.rate * (1 + math.cos(math.pi * fall)) / 2


class Optimiser:
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019).

    It is PyTorch's own AdamW, whose import takes longer than a short training.
    """

    def __init__(self, weights: Iterable[Any]) -> None:
        self.weights = list(weights)
        self.moves = 0
        self.means = [torch.zeros_like(own) for own in self.weights]
        self.squares = [torch.zeros_like(own) for own in self.weights]

    def move(self, rate: float) -> None:
        """Move the weights against their gradients."""
        self.moves += 1
        of_mean, of_square = (1 - share**self.moves for share in (MEAN, SQUARE))
        with torch.no_grad():
            for own, mean, square in zip(self.weights, self.means, self.squares, strict=True):
                own.mul_(1 - rate * DECAY)
                mean.lerp_(own.grad, 1 - MEAN)
                square.mul_(SQUARE).addcmul_(own.grad, own.grad, value=1 - SQUARE)
                size = (square.sqrt() / math.sqrt(of_square)).add_(LEAST)
                own.addcdiv_(mean, size, value=-rate / of_mean)


class Crops:
    """Random parts of planes, changed as other images of their kind may differ."""

    def __init__(self, planes: Sequence[Plane], settings: Settings) -> None:
        self._planes = [plane for plane in planes if (plane.training != NOT_ANNOTATED).any()]
        self._settings = settings
        known = [np.count_nonzero(one.training != NOT_ANNOTATED) for one in self._planes]
        self._shares = np.array(known) / sum(known)
        self._bright = [np.flatnonzero(one.training == 1) for one in self._planes]
        lit = np.array([own.size for own in self._bright])
        self._lit_shares = lit / lit.sum()

    def batch(
        self, step: int, means: Sequence[float], deviations: Sequence[float]
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Pixels as networks see them, and truth, that the step and the seed give.

        They are (batch, channels, crop, crop) and (batch, 1, crop, crop).
        """
        random = np.random.default_rng((self._settings.seed, step))
        pairs = [self._crop(random, number % 2 == 1) for number in range(self._settings.batch)]
        images = [self._changed(normalised(image, means, deviations), random) for image, _ in pairs]
        truths = np.stack([truth for _, truth in pairs])
        return compressed(np.stack(images)), truths[:, None]

    def _crop(self, random, is_of_foreground):
        """Pixels and truth around an annotated pixel, turned, flipped and deformed."""
        shares = self._lit_shares if is_of_foreground else self._shares
        number = int(random.choice(len(self._planes), p=shares))
        plane, side = self._planes[number], self._settings.crop
        shape = plane.training.shape
        known = plane.training != NOT_ANNOTATED
        place = tuple(map(int, random.integers(shape)))
        if is_of_foreground:
            place = np.unravel_index(random.choice(self._bright[number]), shape)
        elif not known[place]:
            place = np.unravel_index(random.choice(np.flatnonzero(known)), shape)
        margin = side // 4
        axes = []
        for at, size in zip(place, shape, strict=True):
            first = min(max(int(at) - side // 2, 0), max(size - side, 0)) - margin
            axes.append(mirrored(np.arange(first, first + side + 2 * margin), size))
        rows, columns = axes
        image = plane.pixels.reshape(-1, *shape)[:, rows[:, None], columns]
        truth = plane.training[rows[:, None], columns]
        image, truth = self._deformed(image.astype(np.float32, order="C"), truth, random)
        turns, is_flipped = int(random.integers(4)), random.integers(2)
        image, truth = (np.rot90(one, turns, axes=(-2, -1)) for one in (image, truth))
        return (image[..., ::-1], truth[..., ::-1]) if is_flipped else (image, truth)

    def _deformed(self, image, truth, random):
        """The middle of a crop, rotated a little, and stretched here and there."""
        side, settings = self._settings.crop, self._settings
        margin = (len(truth) - side) // 2
        # half of them keep their pixels, which are smoother where they are moved
        is_kept = random.integers(2) or not (settings.rotation or settings.elastic)
        if is_kept:
            inner = np.s_[margin : margin + side, margin : margin + side]
            return image[:, *inner], truth[inner]
        angle = math.radians(random.uniform(-settings.rotation, settings.rotation))
        y, x = np.mgrid[:side, :side].astype(np.float32) - (side - 1) / 2
        points = side // DISTANCE + 3
        moves = random.normal(0, settings.elastic, (2, points, points)).astype(np.float32)
        moves = [cv2.resize(one, (side, side), interpolation=cv2.INTER_CUBIC) for one in moves]
        middle = margin + (side - 1) / 2
        rows = (math.cos(angle) * y - math.sin(angle) * x + moves[0] + middle).astype(np.float32)
        columns = (math.sin(angle) * y + math.cos(angle) * x + moves[1] + middle).astype(np.float32)
        at = {"map1": columns, "map2": rows, "borderMode": cv2.BORDER_REFLECT}
        return (
            np.stack([cv2.remap(one, interpolation=cv2.INTER_LINEAR, **at) for one in image]),
            cv2.remap(truth, interpolation=cv2.INTER_NEAREST, **at),
        )

    def _changed(self, image, random):
        """Brighter or darker, of more or less contrast, and noisier."""
        most = self._settings.intensity
        image = image * random.uniform(1 - most, 1 + most) + random.uniform(-most, most)
        noise = random.normal(0, random.uniform(0, self._settings.noise), image.shape)
        return (image + noise).astype(np.float32)


def best_bound(
    odds: NDArray[np.float32], truth: NDArray[np.uint8], merit: Merit
) -> tuple[float, float]:
    """The bound of highest merit on annotated pixels, as log-odds, and the highest merit.

    Of bounds that are as good but for `ALIKE`, it is the one nearest to a probability of one half:
    few pixels validate, and the loss is made for that one.
    They are 0 and nan without pixels of both classes, or where it is undefined.
    """
    levels = np.log(BOUNDS / (1 - BOUNDS))
    below = [np.searchsorted(np.sort(odds[truth == kind]), levels) for kind in (0, 1)]
    negative, positive = (np.count_nonzero(truth == kind) for kind in (0, 1))
    counts = np.stack([positive - below[1], negative - below[0], below[1], below[0]], axis=-1)
    merits = merit(counts.astype(np.float64))
    if not (positive and negative and np.isfinite(merits).any()):
        return 0.0, math.nan
    highest = float(np.nanmax(merits))
    alike = levels[merits >= highest - ALIKE]
    return float(alike[np.argmin(np.abs(alike))]), highest


def train(
    parts: Sequence[Sequence[Plane]],
    settings: Settings,
    dtype: str,
    merit: Merit,
    checkpoint: str | Path | None = None,
    names: Sequence[str] = (),
) -> Trained:
    """Train networks; on a processor, the same arguments and threads give the same ones.

    The bound is that of the highest merit of pixels by the network that they validate. A network
    for which a class is in these pixels alone is trained on them, too. Without pixels of both
    classes, all is of the class that there is, or background.

    Parameters
    ----------
    parts : sequence of sequence of Plane
        For each of the networks the planes: the same pixels, of which others validate.
    dtype : str
        Of the pixels.
    merit : callable
        What is to be high of what validates: see `training.merit_of`.
    checkpoint : path, optional
        Files of this name, as of `checkpoints`, are written at each validation. If they are there,
        of these pixels and settings, training goes on from them.
    names : sequence of str
        Of the channels of the pixels; none of single planes.
    """
    parts = [planes if _has_both(planes) else _without_validation(planes) for planes in parts]
    kinds = [all(_has(planes, kind) for planes in parts) for kind in (0, 1)]
    if not all(kinds):
        return network.constant(dtype, settings, names, is_foreground=kinds[1])
    paths = checkpoints(checkpoint, settings) if checkpoint else [None] * settings.networks
    levels = _levels(parts[0])
    trained = Trained(dtype, settings, *levels, 0.0, (), channels=tuple(names))
    odds, truths = [], []
    for number, (planes, path) in enumerate(zip(parts, paths, strict=True)):
        log.info("network %d of %d", number + 1, settings.networks)
        own = replace(settings, seed=settings.seed * settings.networks + number)
        layers = _train_one(planes, own, trained, merit, path)
        known = _validated(replace(trained, networks=(layers,)), _validating(planes))
        odds.append(known[0])
        truths.append(known[1])
        trained = replace(trained, networks=(*trained.networks, layers))
    bound, _ = best_bound(np.concatenate(odds), np.concatenate(truths), merit)
    return replace(trained, bound=bound)


def checkpoints(path: str | Path, settings: Settings) -> list[Path]:
    """Files of a training, one of each network: `a.npz` stands for `a-0.npz` and so on."""
    path = Path(path)
    return [path.with_stem(f"{path.stem}-{number}") for number in range(settings.networks)]


def _has(planes: Sequence[Plane], kind: int) -> bool:
    """Whether there are pixels of a class to train on."""
    return any((plane.training == kind).any() for plane in planes)


def _has_both(planes: Sequence[Plane]) -> bool:
    return _has(planes, 0) and _has(planes, 1)


def _without_validation(planes: Sequence[Plane]) -> list[Plane]:
    """Planes that are trained on, with what would validate."""
    return [
        replace(
            plane,
            # what is not annotated is the greatest value
            training=np.minimum(plane.training, plane.validation),
            validation=np.full_like(plane.validation, NOT_ANNOTATED),
        )
        for plane in planes
    ]


def _train_one(
    planes: Sequence[Plane],
    settings: Settings,
    known: Trained,
    merit: Merit,
    checkpoint: Path | None,
) -> Layers:
    """A network, by settings of its own; what it has in common with others is known."""
    means, deviations = known.means, known.deviations
    torch.manual_seed(settings.seed)
    own_device = device()
    net = Network(settings.width, settings.levels, len(means))
    net = net.to(own_device, memory_format=torch.channels_last)
    # weights jump while the learning rate is high: their average is validated, and taken
    average = copy.deepcopy(net).eval()
    optimiser = Optimiser(net.parameters())
    run = _Run(net, average, optimiser, _name(planes, settings), checkpoint)
    crops, validation = Crops(planes, settings), _validating(planes)
    began, first = time.monotonic(), run.step
    while run.step < settings.steps and not run.is_over(settings):
        images, truths = crops.batch(run.step, means, deviations)
        net.train()
        net.zero_grad()
        odds = net(tensor_of(images))
        loss = loss_of(odds, torch.from_numpy(truths).to(own_device), settings.cldice)
        loss.backward()
        optimiser.move(rate_at(run.step, settings))
        run.step += 1
        _approach(average, net, min(AVERAGED, run.step / (run.step + 9)))
        if run.step % EVERY and run.step < settings.steps:
            continue
        trained = replace(known, networks=(average.folded(),))
        _, score = best_bound(*_validated(trained, validation), merit)
        run.note(score)
        left = (time.monotonic() - began) / (run.step - first) * (settings.steps - run.step)
        log.info(
            *("step %d of %d: loss %.3f, validation %.4f, at most %.0f s left",),
            *(run.step, settings.steps, loss.item(), score, left),
        )
    _restore(average, run.best)
    return average.folded()


def _levels(planes: Sequence[Plane]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of all pixels of each channel; of constant ones 1."""
    images = [plane.pixels.reshape(-1, *plane.training.shape) for plane in planes]
    levels = [_level(own) for own in zip(*images, strict=True)]
    return tuple(mean for mean, _ in levels), tuple(deviation for _, deviation in levels)


def _level(images: Sequence[NDArray]) -> tuple[float, float]:
    number = sum(image.size for image in images)
    mean = sum(float(image.sum(dtype=np.float64)) for image in images) / number
    squares = sum(float(np.square(image - mean).sum(dtype=np.float64)) for image in images)
    return mean, math.sqrt(squares / number) or 1.0


def _name(planes: Sequence[Plane], settings: Settings) -> str:
    """What a training depends on: another one does not go on from its checkpoint."""
    digest = hashlib.sha256(json.dumps(asdict(settings)).encode())
    for plane in planes:
        for values in vars(plane).values():
            digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def _validating(planes: Sequence[Plane]) -> list[Plane]:
    """Some of the planes that validate, evenly, if they are very large."""
    own = [plane for plane in planes if (plane.validation != NOT_ANNOTATED).any()]
    return own[:: max(1, -(-sum(plane.training.size for plane in own) // VALIDATED))]


def _validated(trained: Trained, planes: Sequence[Plane]) -> tuple[NDArray, NDArray]:
    """Log-odds and truth of the pixels that validate, flat."""
    model = Model.of(trained)
    odds, truths = [np.zeros(0, np.float32)], [np.zeros(0, np.uint8)]
    for plane in planes:
        known = plane.validation != NOT_ANNOTATED
        if not known.any():
            continue
        rows, columns = (np.flatnonzero(known.any(axis)) for axis in (1, 0))
        window = (int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
        inside = np.s_[window[0] : window[1], window[2] : window[3]]
        odds.append(model.odds(plane.pixels, (0, 0), window)[known[inside]])
        truths.append(plane.validation[known])
    return np.concatenate(odds), np.concatenate(truths)


def _weights(net: Any) -> dict[str, NDArray]:
    return {name: _array(value) for name, value in net.state_dict().items()}


def _restore(net: Any, weights: dict[str, NDArray]) -> None:
    net.load_state_dict({name: torch.from_numpy(v.copy()) for name, v in weights.items()})


def _approach(average: Any, net: Any, share: float) -> None:
    """Let an average keep a share of what it is, and take the rest from a network."""
    with torch.no_grad():
        for own, new in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
            if own.is_floating_point():
                own.lerp_(new, 1 - share)


class _Run:
    """How far a training is, and its checkpoint."""

    def __init__(
        self, net: Any, average: Any, optimiser: Optimiser, name: str, path: str | Path | None
    ) -> None:
        self.net, self.average, self.optimiser = net, average, optimiser
        self.name, self.path = name, path
        self.step, self.waited, self.score = 0, 0, -math.inf
        self.best = _weights(average)
        if path is not None and Path(path).exists():
            self._resume(path)

    def is_over(self, settings: Settings) -> bool:
        """Whether no better validation is waited for, once the learning rate is low."""
        is_low = self.step > settings.steps * WARM
        is_low &= rate_at(self.step, settings) <= settings.rate / 2
        return is_low and self.waited >= settings.patience

    def note(self, score: float) -> None:
        """Keep the weights if they are the best yet, and write the checkpoint."""
        self.waited += 1
        # without a validation the last weights are taken
        if score > self.score or math.isnan(score):
            self.waited, self.score = 0, score
            self.best = _weights(self.average)
        if self.path is None:
            return
        arrays = {f"now_{n}": v for n, v in _weights(self.net).items()}
        arrays |= {f"average_{n}": v for n, v in _weights(self.average).items()}
        arrays |= {f"best_{n}": v for n, v in self.best.items()}
        for kind, values in self._moments().items():
            arrays |= {f"{kind}_{i}": _array(value) for i, value in enumerate(values)}
        state = np.array([self.step, self.waited, self.score])
        # a job of a run that was killed may train the same beside this one
        part = Path(part_of(str(self.path)))
        np.savez(part, allow_pickle=False, name=np.str_(self.name), state=state, **arrays)
        part.replace(self.path)

    def _moments(self) -> dict[str, list[Any]]:
        return {"mean": self.optimiser.means, "square": self.optimiser.squares}

    def _resume(self, path: str | Path) -> None:
        names = list(self.best)
        keys = [f"{k}_{n}" for k in ("now", "average", "best") for n in names]
        keys += [f"{kind}_{i}" for kind, own in self._moments().items() for i in range(len(own))]
        try:
            known = read_arrays(path, ("name", "state", *keys))
        except ValueError:
            log.warning("%s is damaged or of another network: training begins again", path)
            return
        if str(known["name"]) != self.name:
            log.warning("%s is of other pixels or settings: training begins again", path)
            return
        step, waited, self.score = known["state"].tolist()
        self.step, self.waited = int(step), int(waited)
        log.info("%s: training goes on from step %d", path, self.step)
        _restore(self.net, {n: known[f"now_{n}"] for n in names})
        _restore(self.average, {n: known[f"average_{n}"] for n in names})
        self.best = {n: known[f"best_{n}"] for n in names}
        self.optimiser.moves = self.step
        for kind, values in self._moments().items():
            for i, value in enumerate(values):
                value.copy_(torch.from_numpy(known[f"{kind}_{i}"].copy()))


def card(
    trained: Trained, parts: Sequence[Sequence[Plane]], places: Sequence[Place], metric: str
) -> dict[str, Any]:
    """What networks are, and where they come from, as plain values; pixels are of each network."""
    background, foreground = (
        [sum(int(np.count_nonzero(p.training == kind)) for p in planes) for planes in parts]
        for kind in (0, 1)
    )
    validating = [
        sum(int(np.count_nonzero(p.validation != NOT_ANNOTATED)) for p in planes)
        for planes in parts
    ]
    settings = trained.settings
    return {
        "dtype": trained.dtype,
        "channels": list(trained.channels),
        "settings": asdict(settings),
        "trained_on": {
            "tiles": len({place.corner for place in places}),
            "samples": sorted({place.sample for place in places}),
            "units": sorted({place.unit for place in places} - {""}),
            "background_pixels": background,
            "foreground_pixels": foreground,
            "validation_pixels": validating,
        },
        "weights": settings.networks
        * network.number_of_weights(settings.width, settings.levels, len(trained.means)),
        "bound": {"metric": metric, "log_odds": trained.bound},
        "versions": {name: version(name) for name in ("numpy", "torch")},
    }
