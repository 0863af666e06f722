"""Clean-up of masks: steps that follow a threshold.

A mask is a plane of uint8, 0 background and 1 foreground. Masks are never modified. A new step is
one function and one line of `STEPS`; the settings that the configuration may give are its
arguments after the mask, and the first of them is what `{name: value}` sets.
"""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from tilewise.segment import steps as configured
from tilewise.segment.components import Components

PLANE = math.inf
"""The reach of a step that needs the whole plane."""


def _whole_plane(**settings):
    return PLANE


@dataclass(frozen=True)
class Step:
    """A step and what has to be known of it before it is applied."""

    apply: Callable
    """`apply(mask, **settings)` is the cleaned mask."""
    reach: Callable = _whole_plane
    """`reach(**settings)`: pixels around a pixel that its result depends on, or `PLANE`."""


def remove_small(mask, size, connectivity=8):
    """Remove objects of few pixels.

    Parameters
    ----------
    mask : (Y, X) uint8 ndarray
    size : int
        Pixels of the smallest object that stays.
    connectivity : {8, 4}
        Whether pixels that share a corner belong to one object, or only those that share a side.

    Returns
    -------
    (Y, X) uint8 ndarray
    """
    objects = Components(mask, connectivity)
    stays = objects.area >= size
    stays[0] = False
    return objects.select(stays)


def fill_holes(mask, size=None):
    """Fill holes: background that foreground surrounds.

    Parameters
    ----------
    mask : (Y, X) uint8 ndarray
    size : int, optional
        Only holes of fewer pixels; all of them by default.

    Returns
    -------
    (Y, X) uint8 ndarray

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


def opening(mask, radius):
    """Remove what a disk does not fit into; `skimage.morphology.opening`.

    Parameters
    ----------
    mask : (Y, X) uint8 ndarray
    radius : int
        Of the disk, in pixels; the time grows with its area.

    Returns
    -------
    (Y, X) uint8 ndarray
    """
    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, _disk(radius))


def closing(mask, radius):
    """Fill what a disk in the background does not fit into; `skimage.morphology.closing`.

    Parameters
    ----------
    mask : (Y, X) uint8 ndarray
    radius : int
        Of the disk, in pixels; the time grows with its area.

    Returns
    -------
    (Y, X) uint8 ndarray
    """
    return cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _disk(radius))


def _disk(radius):
    # OpenCV ignores what is outside the plane. So does a mirrored border, scikit-image's: a disk
    # that takes the mirror image of a pixel takes the pixel too.
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return (x**2 + y**2 <= radius**2).astype(np.uint8)


def _disk_reach(radius):
    return 2 * radius


STEPS = {
    "remove_small": Step(remove_small),
    "fill_holes": Step(fill_holes),
    "opening": Step(opening, _disk_reach),
    "closing": Step(closing, _disk_reach),
}
"""Every step by the name that the configuration uses."""


def parse_steps(steps):
    """The steps as the configuration gives them, with their names and settings.

    Parameters
    ----------
    steps : list
        Of names (`fill_holes`), of names with the first setting (`{remove_small: 20}`) or with
        named settings (`{remove_small: {size: 20, connectivity: 4}}`); or what this function
        returns.

    Returns
    -------
    list of (str, dict)
        Name and all settings of each step.

    Raises
    ------
    ValueError
        If a name or a setting is unknown or a setting is missing.
    """
    functions = {name: step.apply for name, step in STEPS.items()}
    return [configured.parse(step, functions, "cleanup step") for step in steps]


def check_steps(steps):
    """Make sure that steps can be applied.

    Parameters
    ----------
    steps : list
        See `parse_steps`.

    Raises
    ------
    ValueError
        Says what is wrong and what to do.
    """
    for name, settings in parse_steps(steps):
        for setting, value in settings.items():
            default = inspect.signature(STEPS[name].apply).parameters[setting].default
            if setting == "connectivity":
                if value not in (4, 8):
                    raise ValueError(f"cleanup step {name}: connectivity is {value!r}: give 4 or 8")
            elif not (value is None and default is None) and not _is_positive(value):
                raise ValueError(
                    f"cleanup step {name}: {setting} is {value!r}: give a whole number of pixels, "
                    f"at least 1"
                )


def _is_positive(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def steps_reach(steps):
    """How far from a pixel its result depends on the mask.

    Parameters
    ----------
    steps : list
        See `parse_steps`.

    Returns
    -------
    int or PLANE
        In pixels. A region that is cleaned with so many pixels around it (fewer at the plane's
        border) has the values of the cleaned plane. `PLANE` if any step needs the whole plane.
    """
    return sum(STEPS[name].reach(**settings) for name, settings in parse_steps(steps))


def clean(mask, steps):
    """Apply steps to a mask, in order.

    Parameters
    ----------
    mask : (Y, X) uint8 ndarray
        0 background, 1 foreground; it is not modified.
    steps : list
        See `parse_steps`.

    Returns
    -------
    (Y, X) uint8 ndarray
        0 or 1; the mask itself if there are no steps.
    """
    for name, settings in parse_steps(steps):
        mask = STEPS[name].apply(mask, **settings)
    return mask
