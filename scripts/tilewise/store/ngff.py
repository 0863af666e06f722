"""Metadata of OME-Zarr 0.5 (NGFF), as dictionaries for `zarr.json`.

Source: https://ngff.openmicroscopy.org/0.5/
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tilewise.pixels import PixelSize
from tilewise.store.layout import Layout

VERSION = "0.5"

Metadata = dict[str, Any]
"""What a `zarr.json` says."""
Window = Mapping[str, float]
"""Grey levels that are shown black (`start`) and white (`end`), of those from `min` to `max`."""
BYTE: Window = {"min": 0, "max": 255, "start": 0, "end": 255}
"""The window of all values of 8 bits."""


def image_group(
    name: str,
    channel: str,
    levels: int,
    window: Window,
    pixel_size: PixelSize | None = None,
    samples: Sequence = (),
) -> Metadata:
    """The group of a grey multiscale image of the axes z, y and x.

    Parameters
    ----------
    channel
        What its grey levels are, in a word.
    levels
        Reduced levels, each half as high and wide as the one before.
    window
        Between which grey levels it is shown: see `view.contrast.window`.
    pixel_size
        Micrometres in z, y and x; an axis whose size is unknown has no unit, but the scale 1.
    samples
        Which of its planes are which sample's, if it has several.
    """
    channels = [_channel(channel, "FFFFFF", window)]
    return _image(_multiscale(name, "zyx", levels, pixel_size), channels, "greyscale", samples)


def color_group(
    name: str,
    levels: int,
    window: Window,
    pixel_size: PixelSize | None = None,
    samples: Sequence = (),
) -> Metadata:
    """The group of a multiscale image in red, green and blue, of one window; see `image_group`."""
    colors = ("red", "FF0000"), ("green", "00FF00"), ("blue", "0000FF")
    channels = [_channel(label, color, window) for label, color in colors]
    return _image(_multiscale(name, "czyx", levels, pixel_size), channels, "color", samples)


def array(layout: Layout, shape: Sequence[int], axes: str) -> Metadata:
    """An array of a multiscale, with one letter per axis."""
    return {**layout.metadata(shape), "dimension_names": list(axes)}


def label_group(
    name: str, levels: int, colors: Mapping[int, Sequence[int]], pixel_size: PixelSize | None = None
) -> Metadata:
    """The group of a label image, a child of `labels`; see `image_group`.

    `colors` are red, green, blue and alpha of each label value, 0 to 255.
    """
    label = {
        "colors": [{"label-value": value, "rgba": list(rgba)} for value, rgba in colors.items()],
        "source": {"image": "../../"},
    }
    multiscale = _multiscale(name, "zyx", levels, pixel_size)
    return _group({"multiscales": [multiscale], "image-label": label})


def labels_group(names: Iterable[str]) -> Metadata:
    """The group that lists the labels of an image."""
    return _group({"labels": list(names)})


def write(path: str | Path, metadata: Metadata) -> None:
    """Write a `zarr.json`."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(metadata, file, indent=1)
        file.write("\n")


def _channel(label, color, window):
    return {"label": label, "color": color, "active": True, "window": window}


def _image(multiscale, channels, model, samples):
    omero = {"channels": channels, "rdefs": {"model": model}}
    return _group({"multiscales": [multiscale], "omero": omero}, samples)


def _group(content, samples=()):
    attributes = {"ome": {"version": VERSION, **content}}
    if samples:
        attributes["tilewise"] = {"samples": samples}
    return {"zarr_format": 3, "node_type": "group", "attributes": attributes}


def _multiscale(name, axes, levels, pixel_size):
    sizes = dict(zip("zyx", pixel_size or (None, None, None), strict=True))
    return {
        "name": name,
        "axes": [_axis(axis, sizes.get(axis)) for axis in axes],
        "datasets": [
            {"path": str(level), "coordinateTransformations": _transformations(axes, level, sizes)}
            for level in range(levels + 1)
        ],
    }


def _axis(name, size):
    axis = {"name": name, "type": "channel" if name == "c" else "space"}
    return axis if size is None else axis | {"unit": "micrometer"}


def _transformations(axes, level, sizes):
    factors = [2.0**level if axis in "yx" else 1.0 for axis in axes]
    steps = [sizes.get(axis) or 1.0 for axis in axes]
    scale = [factor * step for factor, step in zip(factors, steps, strict=True)]
    # the centre of a reduced pixel is the centre of the pixels that it is the mean of
    shift = [(factor - 1) / 2 * step for factor, step in zip(factors, steps, strict=True)]
    return [{"type": "scale", "scale": scale}, {"type": "translation", "translation": shift}]
