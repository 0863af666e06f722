"""Clean-up of masks: steps that follow a threshold.

A mask is a plane of uint8, 0 background and 1 foreground. Masks are never modified.

A new step is one function and one line of `STEPS`. The settings that the configuration may give are
its arguments after the mask; `{name: value}` sets the first.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tilewise.segment.components import Components
from tilewise.segment.steps import WHOLE_PLANE, is_whole, parse


@dataclass(frozen=True)
class Step:
    """A step and what has to be known of it before it is applied."""

    apply: Callable[..., NDArray[np.uint8]]
    """`apply(mask, **settings)` is the cleaned mask."""
    reach: Callable[..., float] = lambda **settings: WHOLE_PLANE
    """`reach(**settings)`: pixels around a pixel that its result depends on."""


def remove_small(mask: NDArray[np.uint8], size: int, connectivity: int = 8) -> NDArray[np.uint8]:
    """Remove objects of few pixels.

    Parameters
    ----------
    size : int
        Pixels of the smallest object that stays.
    connectivity : {8, 4}
        Whether pixels that share a corner belong to one object, or only those that share a side.
    """
    objects = Components(mask, connectivity)
    stays = objects.area >= size
    stays[0] = False
    return objects.select(stays)


def fill_holes(mask: NDArray[np.uint8], size: int | None = None) -> NDArray[np.uint8]:
    """Fill holes: background that foreground surrounds.

    Parameters
    ----------
    size : int, optional
        Only holes of fewer pixels; all of them by default.

    Notes
    -----
    Pixels of a hole share sides. What touches the border of the plane is not a hole, however small,
    since nobody knows how it goes on.
    """
    holes = Components(1 - mask, 4)
    filled = ~holes.touches_border
    if size is not None:
        filled &= holes.area < size
    # what is no hole
    filled[0] = True
    return holes.select(filled)


def opening(mask: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """Remove what a disk does not fit into; `skimage.morphology.opening`.

    Parameters
    ----------
    radius : int
        Of the disk, in pixels; the time grows with its area.
    """
    return _morphology(mask, cv2.MORPH_OPEN, radius)


def closing(mask: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """Fill what a disk in the background does not fit into; `skimage.morphology.closing`.

    Parameters
    ----------
    radius : int
        Of the disk, in pixels; the time grows with its area.
    """
    return _morphology(mask, cv2.MORPH_CLOSE, radius)


def _morphology(mask, operation, radius):
    # OpenCV ignores what is outside the plane. So does a mirrored border, scikit-image's: a disk
    # that takes the mirror image of a pixel takes the pixel too.
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    disk = (x**2 + y**2 <= radius**2).astype(np.uint8)
    return cv2.morphologyEx(mask, operation, disk)


def _disk_reach(radius):
    return 2 * radius


STEPS = {
    "remove_small": Step(remove_small),
    "fill_holes": Step(fill_holes),
    "opening": Step(opening, _disk_reach),
    "closing": Step(closing, _disk_reach),
}
"""Every step by the name that the configuration uses."""


def parse_steps(steps: Sequence) -> list[tuple[str, dict[str, Any]]]:
    """Name and all settings of each step; see `steps.parse`."""
    functions = {name: step.apply for name, step in STEPS.items()}
    return [parse(step, functions, "cleanup step") for step in steps]


def check_steps(steps: Sequence) -> None:
    """Make sure that steps can be applied; the ValueError says what is wrong and what to do."""
    for name, settings in parse_steps(steps):
        for setting, value in settings.items():
            default = inspect.signature(STEPS[name].apply).parameters[setting].default
            if setting == "connectivity":
                if value not in (4, 8):
                    raise ValueError(f"cleanup step {name}: connectivity is {value!r}: give 4 or 8")
            elif not (value is None and default is None) and not (is_whole(value) and value >= 1):
                raise ValueError(
                    f"cleanup step {name}: {setting} is {value!r}: give a whole number of pixels, "
                    "at least 1"
                )


def steps_reach(steps: Sequence) -> float:
    """How far from a pixel its result depends on the mask, in pixels.

    A region that is cleaned with so many pixels around it (fewer at the plane's border) has the
    values of the cleaned plane. `WHOLE_PLANE` if any step needs all of it.
    """
    return sum(STEPS[name].reach(**settings) for name, settings in parse_steps(steps))


def clean(mask: NDArray[np.uint8], steps: Sequence) -> NDArray[np.uint8]:
    """Apply steps to a mask, in order; the mask itself if there are none."""
    for name, settings in parse_steps(steps):
        mask = STEPS[name].apply(mask, **settings)
    return mask
