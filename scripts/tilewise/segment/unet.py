"""Masks by small U-Nets that are trained on annotated tiles: its settings. It needs no PyTorch."""

from collections.abc import Mapping
from dataclasses import fields
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.learn import network
from tilewise.learn.network import Settings
from tilewise.segment.steps import is_number, is_whole

NAME = "unet"
"""What the configuration calls it."""
WHOLE = {"networks": 1, "width": 1, "levels": 1, "steps": 1, "batch": 1, "crop": 1, "patience": 1}
"""Settings that are whole numbers, and the least of each."""
MOST = {
    "networks": network.MOST_NETWORKS,
    "width": network.MOST_WIDTH,
    "levels": network.MOST_LEVELS,
}
TORCH_MEMORY = 500
"""MB of PyTorch."""


def unet(
    plane: NDArray,
    networks: int = Settings.networks,
    width: int = Settings.width,
    levels: int = Settings.levels,
    steps: int = Settings.steps,
    batch: int = Settings.batch,
    crop: int = Settings.crop,
    rate: float = Settings.rate,
    patience: int = Settings.patience,
    rotation: float = Settings.rotation,
    elastic: float = Settings.elastic,
    intensity: float = Settings.intensity,
    noise: float = Settings.noise,
    cldice: float = Settings.cldice,
    folds: int = 5,
    seed: int = Settings.seed,
    nested: bool = False,
    keep_probability: bool = False,
    model: str | None = None,
) -> NDArray[np.uint8]:
    """Small U-Nets: convolutional networks that see what is around a pixel at several scales.

    They are trained and scored as a `pixel_classifier` is: annotated tiles are masked by models
    that were not trained on them, and what is applied in the end is trained on all of them. A model
    is a few networks, whose log-odds are averaged. A twelfth of the training tiles, or blocks of
    them where they are few, another one for each of three networks, has no part in its steps: it
    says when to stop, and together they say which probability foreground begins with, for the
    highest `decision.metric`.
    It needs PyTorch, which is not installed with the workflow: envs/requirements-unet.txt has it.
    With a filter that begins with `channels`, it sees several.

    Parameters
    ----------
    networks : int
        In a model. More are better, and take as many times longer to train and to apply. A single
        one is validated by a sixth, and several by a quarter together.
    width : int
        Channels at full resolution; each level has twice as many. Multiples of 8 are fastest.
    levels : int
        How often the resolution is halved. With 3, a class depends on 51 pixels around a pixel.
    steps : int
        Of training a network, at most; more where there are many tiles.
    batch, crop : int
        Parts of tiles that a step learns from, and their side in pixels, a multiple of 2**levels.
        Half of them lie around a pixel of the foreground.
    rate : float
        The greatest learning rate; it rises at first, and falls to 0.
    patience : int
        Training ends after so many validations, 50 steps apart, without a better one, once the
        learning rate is low.
    rotation : float
        Half of them are turned by up to so many degrees; all are, by quarters, and flipped.
    elastic : float
        The same half is stretched here and there: the standard deviation of points, in pixels.
    intensity : float
        How far contrast is changed, as a share, and brightness, in standard deviations of the
        image: at most. More for images whose exposure differs.
    noise : float
        The greatest noise that is added to parts of tiles, in standard deviations of the image.
    cldice : float
        How much centrelines count besides cross-entropy and Dice: 0 not at all, 1 as much as Dice.
        For vessels and other lines of up to 16 pixels.
    folds : int
        How many models are trained without some of the tiles, 2 or more; not more than
        `decision.folds`, or than there are units.
    seed : int
        Of the weights that training begins with, and of the parts of tiles, which differ
        between networks.
    nested, keep_probability : bool
        As of `pixel_classifier`.
    model : str, optional
        A model that was trained before, as `results/models/NAME.npz`, from the folder of the
        configuration file: nothing is trained, and all settings but this one and
        `keep_probability` are ignored.

    References
    ----------
    Ronneberger et al., U-Net, MICCAI 2015; Milletari et al., V-Net, 3DV 2016, for Dice as a loss;
    Shit et al., clDice, CVPR 2021; Smith and Topin, Super-convergence, 2019, for the rate;
    Lakshminarayanan et al., Deep ensembles, NIPS 2017, for several networks.
    """
    if model is None:
        raise ValueError("a U-Net is trained by the workflow: give its `model`")
    # PyTorch, which the jobs of U-Nets alone need
    from tilewise.learn.unet import load

    rows, columns = plane.shape[-2:]
    return load(model).mask(plane, (0, 0), (0, rows, 0, columns))


def check(model: Any, folds: Any, seed: Any, **settings: Any) -> None:
    """Check settings; ValueError says what to change."""
    for name in ("nested", "keep_probability"):
        if not isinstance(settings[name], bool):
            raise ValueError(f"{name} is {settings[name]!r}: give true or false")
    if model is not None:
        if not isinstance(model, str):
            raise ValueError(f"model is {model!r}: give the path of a model, or leave it out")
        network.load(model)
        return
    for name, least in {**WHOLE, "folds": 2, "seed": 0}.items():
        value = {**settings, "folds": folds, "seed": seed}[name]
        if not is_whole(value) or value < least:
            raise ValueError(f"{name} is {value!r}: give a whole number of at least {least}")
        if value > MOST.get(name, value):
            raise ValueError(f"{name} is {value}: give up to {MOST[name]}")
    if settings["nested"] and folds < 3:
        raise ValueError(f"nested needs 3 folds or more, and there are {folds}: give more `folds`")
    if settings["crop"] % 2 ** settings["levels"]:
        raise ValueError(
            f"crop is {settings['crop']}: give a multiple of {2 ** settings['levels']}, which is "
            f"2 to the power of `levels`"
        )
    rate = settings["rate"]
    if not is_number(rate) or not 0 < rate <= 1:
        raise ValueError(f"rate is {rate!r}: give a number above 0, up to 1")
    for name in ("rotation", "elastic", "intensity", "noise", "cldice"):
        if not is_number(settings[name]) or settings[name] < 0:
            raise ValueError(f"{name} is {settings[name]!r}: give a number of at least 0")


def is_installed() -> bool:
    """Whether PyTorch is there."""
    return find_spec("torch") is not None


def settings_of(settings: Mapping[str, Any]) -> Settings:
    """Those of the network and its training, or of a given model."""
    if settings["model"] is not None:
        return network.load(settings["model"]).settings
    return Settings(**{field.name: settings[field.name] for field in fields(Settings)})


def reach(settings: Mapping[str, Any]) -> int:
    """Pixels around a pixel on which its class depends."""
    return network.reach(settings_of(settings).levels)


def parameters(settings: Mapping[str, Any]) -> int:
    """How many numbers annotated tiles choose, of single planes."""
    own = settings_of(settings)
    return own.networks * network.number_of_weights(own.width, own.levels)


def memory(settings: Mapping[str, Any], pixels: int) -> int:
    """Megabytes of what a network makes of so many pixels at once: eight times its channels."""
    return 8 * 4 * settings_of(settings).width * pixels // 2**20


def seconds(settings: Mapping[str, Any]) -> float:
    """Of a million pixels, on a slow core: four times those that were measured."""
    own = settings_of(settings)
    return 4 * own.networks * own.width / 8
