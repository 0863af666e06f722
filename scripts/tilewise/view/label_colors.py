"""Colours of labels, for viewers: red, green, blue and alpha from 0 to 255."""

from collections.abc import Mapping, Sequence

import numpy as np

from tilewise.labels import FN, FP, TN, TP

RGBA = tuple[int, int, int, int]

OPAQUE, TRANSPARENT = 255, 0
UNKNOWN = (128, 128, 128, TRANSPARENT)
NOT_SCORED = (0, 0, 0, 170)
"""Over an image: it keeps a third of its brightness, as in overlays."""


def error_colors(methods: int) -> dict[int, RGBA]:
    """Colours of an error map: transparent where all are right, else yellow to dark violet."""
    anchors = np.array([(255, 237, 111), (244, 134, 51), (200, 40, 80), (84, 15, 109)], float)
    shares = np.linspace(0, len(anchors) - 1, methods) if methods > 1 else [len(anchors) - 1.0]
    colors: dict[int, RGBA] = {1: (0, 0, 0, TRANSPARENT)}
    for number, share in enumerate(shares, 2):
        red, green, blue = (
            round(float(np.interp(share, range(len(anchors)), channel))) for channel in anchors.T
        )
        colors[number] = (red, green, blue, OPAQUE)
    return colors


def confusion_colors(colors: Mapping[str, Sequence[int]]) -> dict[int, RGBA]:
    """Colours of a confusion map, from red, green and blue of `tp`, `fp`, `fn` and `tn`.

    True negatives would hide the image, and are transparent. What was not scored is darkened.
    """
    codes = {"tp": (TP, OPAQUE), "fp": (FP, OPAQUE), "fn": (FN, OPAQUE), "tn": (TN, TRANSPARENT)}
    rgba: dict[int, RGBA] = {0: NOT_SCORED}
    for kind, (code, alpha) in codes.items():
        red, green, blue = colors[kind]
        rgba[code] = (red, green, blue, alpha)
    return rgba


def colors_of(
    label: str, methods: int, fill: int, colors: Mapping[str, Sequence[int]]
) -> dict[int, RGBA]:
    """Colours of a label by its name; a fill value other than 0 is transparent."""
    by_value: dict[int, RGBA] = {1: (255, 255, 255, OPAQUE)}
    if label.endswith("-confusion"):
        by_value = confusion_colors(colors)
    elif label == "errors":
        by_value = error_colors(methods)
    return by_value | ({fill: UNKNOWN} if fill else {})
