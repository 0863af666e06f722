"""Ways to a mask that annotated tiles train, by their names in the configuration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tilewise.learn import model, network
from tilewise.segment import learned, unet

Settings = Mapping[str, Any]
"""Those of the configuration."""


class Model(Protocol):
    """A trained model."""

    def mask(
        self,
        plane: NDArray,
        origin: tuple[int, int],
        window: tuple[int, int, int, int],
        probability: NDArray[np.uint8] | None = None,
    ) -> NDArray[np.uint8]:
        """As of `learn.model.Model`."""


@dataclass(frozen=True)
class Kind:
    """A kind of model."""

    apply: Callable[..., NDArray[np.uint8]]
    """A given model to a plane; its parameters after the first are the settings."""
    check: Callable[..., None]
    """Raises ValueError for settings that cannot be used."""
    load: Callable[[str], Model]
    read: Callable[[str], Any]
    """What a file says of its model: `dtype`, `channels` and `pixel_sizes` of its images. It can be
    saved again."""
    reach: Callable[[Settings], int]
    """Pixels around a pixel on which its class depends."""
    parameters: Callable[[Settings], int]
    """How many numbers training finds."""
    of_drawing: tuple[str, ...] = ()
    """Settings that say what is taken from annotated tiles."""


def _load_network(path: str) -> Model:
    # PyTorch, which the jobs of U-Nets alone need
    from tilewise.learn.unet import load

    return load(path)


KINDS = {
    learned.NAME: Kind(
        *(learned.pixel_classifier, learned.check, model.load, model.load),
        reach=learned.reach,
        # leaves of trees
        parameters=lambda settings: settings["trees"] * 2 ** settings["depth"],
        of_drawing=learned.OF_DRAWING,
    ),
    unet.NAME: Kind(
        *(unet.unet, unet.check, _load_network, network.load),
        reach=unet.reach,
        parameters=unet.parameters,
    ),
}
