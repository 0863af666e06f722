"""Threshold methods as a configuration names them, and masks of several thresholds at once."""

import functools
import math

import cv2
import numpy as np

from tilewise.segment import steps
from tilewise.segment.components import Components
from tilewise.segment.global_thresholds import GLOBAL
from tilewise.segment.local_thresholds import LOCAL

KIND = "threshold method"
"""What a method is called in messages."""


def hysteresis(plane, low, high):
    """Regions above a low threshold that have a pixel above a high one.

    Parameters
    ----------
    plane : (Y, X) ndarray
    low, high : float

    Returns
    -------
    (Y, X) uint8 ndarray
        1 in the regions, else 0; as `skimage.filters.apply_hysteresis_threshold`.

    Raises
    ------
    ValueError
        If the low threshold is above the high one.
    """
    if low > high:
        raise ValueError(f"low is {low}, high is {high}: give a low threshold that is not above")
    return connected((plane > low).view(np.uint8), (plane > high).view(np.uint8))


def connected(low, high):
    """Regions of one mask or the other that have a pixel of the second.

    Parameters
    ----------
    low, high : (Y, X) uint8 ndarray
        Masks, 0 or 1. Neighbours share a side (4-connectivity).

    Returns
    -------
    (Y, X) uint8 ndarray
        0 or 1.
    """
    regions = Components(low | high, 4)
    chosen = regions.any(high)
    chosen[0] = False
    return regions.select(chosen)


def class_mask(plane, thresholds, classes):
    """Pixels of some of the classes between several thresholds.

    Parameters
    ----------
    plane : (Y, X) ndarray
    thresholds : sequence of float
        Ascending. A pixel's class is the number of them that it is above.
    classes : sequence of int

    Returns
    -------
    (Y, X) uint8 ndarray
        0 or 1.
    """
    chosen = np.isin(np.arange(len(thresholds) + 1), classes).view(np.uint8)
    if plane.dtype.kind == "f":
        return chosen[np.searchsorted(thresholds, plane)]
    unsigned = np.dtype(f"u{plane.itemsize}")
    values = np.arange(np.iinfo(unsigned).max + 1, dtype=unsigned).view(plane.dtype)
    table = chosen[np.searchsorted(thresholds, values)]
    if plane.dtype == np.uint8:
        return cv2.LUT(plane, table)
    return table[plane.view(unsigned)]


def parse(step):
    """A method's name and settings from the configuration.

    Parameters
    ----------
    step : str or dict
        `otsu`, `{manual: 79}` or `{adaptive: {size: 51, offset: -25}}`.

    Returns
    -------
    (str, dict)
        Name and all settings.

    Raises
    ------
    ValueError
        If the name or a setting is unknown or a setting is missing.
    """
    return steps.parse(step, _functions(), KIND)


def given(step):
    """A method's name and the settings that are given; as `parse`, but others may be missing."""
    return steps.given(step, _functions(), KIND)


def settings_of(name):
    """Names of a method's settings."""
    return list(steps.settings_of(_functions()[name]))


def _functions():
    """All methods, as functions whose first argument only is not a setting."""
    histogram_methods = {name: functools.partial(method, None) for name, method in GLOBAL.items()}
    plane_methods = {name: method.surface for name, method in LOCAL.items()}
    return {**histogram_methods, **plane_methods, "hysteresis": hysteresis}


def check_settings(name, settings):
    """Make sure that a method can be applied with its settings.

    Parameters
    ----------
    name : str
        Of `GLOBAL` or `LOCAL`, or `hysteresis`.
    settings : dict
        Those that are given. `low` and `high` of `hysteresis` are each a number or the name of a
        global method.

    Raises
    ------
    ValueError
        Says what is wrong and what to do.
    """
    _, settings = parse({name: settings})
    check = CHECKS.get(name)
    if check:
        try:
            check(**settings)
        except ValueError as error:
            raise ValueError(f"threshold method {name}: {error}") from error


def _check_manual(value):
    _check_number("value", value)


def _check_multiotsu(classes, foreground):
    if not _is_whole(classes) or classes < 2:
        raise ValueError(f"classes is {classes!r}: give a whole number of at least 2")
    if foreground is None:
        return
    numbers = foreground if isinstance(foreground, list | tuple) else [foreground]
    if not numbers or not all(_is_whole(number) and 0 <= number < classes for number in numbers):
        raise ValueError(
            f"foreground is {foreground!r}: give a class or a list of classes, from 0 (darkest) "
            f"to {classes - 1} (brightest)"
        )


def _check_adaptive(size, offset, weights):
    _check_size(size)
    _check_number("offset", offset)
    if weights not in ("gaussian", "mean"):
        raise ValueError(f"weights is {weights!r}: choose gaussian or mean")


def _check_sauvola(size, k, r):
    _check_niblack(size, k)
    if r is not None and (not _is_number(r) or r <= 0):
        raise ValueError(f"r is {r!r}: give a number of grey levels above 0, or leave it out")


def _check_niblack(size, k):
    _check_size(size)
    _check_number("k", k)


def _check_hysteresis(low, high):
    choices = [name for name in GLOBAL if name not in ("manual", "multiotsu")]
    for setting, level in (("low", low), ("high", high)):
        if level not in choices and not _is_number(level):
            raise ValueError(
                f"{setting} is {level!r}: give a number, or a method: {', '.join(choices)}"
            )
    if _is_number(low) and _is_number(high) and low > high:
        raise ValueError(f"low is {low}, high is {high}: give a low that is not above high")


def _check_size(size):
    if not _is_whole(size) or size < 3 or size % 2 == 0:
        raise ValueError(f"size is {size!r}: give an odd whole number of pixels, such as 15")


def _check_number(setting, value):
    if not _is_number(value):
        raise ValueError(f"{setting} is {value!r}: give a number")


def _is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value):
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))


CHECKS = {
    "manual": _check_manual,
    "multiotsu": _check_multiotsu,
    "adaptive": _check_adaptive,
    "sauvola": _check_sauvola,
    "niblack": _check_niblack,
    "hysteresis": _check_hysteresis,
}
"""What raises ValueError for settings that a method cannot use, by method."""
