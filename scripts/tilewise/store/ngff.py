"""Metadata of OME-Zarr 0.5 (NGFF), as dictionaries for `zarr.json`.

Source: https://ngff.openmicroscopy.org/0.5/
"""

import json

VERSION = "0.5"


def image_group(name, axes, levels, pixel_size=None):
    """The group of a multiscale image.

    Parameters
    ----------
    name : str
    axes : str
        One letter per axis, as in `czyx`.
    levels : int
        Reduced levels, each half as high and wide as the one before.
    pixel_size : (float or None, float, float), optional
        Micrometres in z, y and x; an axis whose size is unknown has no unit, but the scale 1.

    Returns
    -------
    dict
    """
    return _group({"multiscales": [_multiscale(name, axes, levels, pixel_size)]})


def color_group(name, levels, dtype, pixel_size=None):
    """The group of a multiscale image in red, green and blue.

    Parameters
    ----------
    name : str
    levels : int
    dtype : str
        Integers are shown over their whole range, floats from 0 to 1.
    pixel_size : (float or None, float, float), optional
        As for `image_group`.

    Returns
    -------
    dict
    """
    import numpy as np

    high = np.iinfo(dtype).max if np.dtype(dtype).kind in "iu" else 1
    window = {"min": 0, "max": high, "start": 0, "end": high}
    channels = [
        {"label": label, "color": color, "active": True, "window": window}
        for label, color in (("red", "FF0000"), ("green", "00FF00"), ("blue", "0000FF"))
    ]
    return _group(
        {
            "multiscales": [_multiscale(name, "czyx", levels, pixel_size)],
            "omero": {"channels": channels, "rdefs": {"model": "color"}},
        }
    )


def array(layout, shape, axes):
    """An array of a multiscale.

    Parameters
    ----------
    layout : Layout
        Of its shards.
    shape : tuple of int
    axes : str
        One letter per axis.

    Returns
    -------
    dict
    """
    return {**layout.metadata(shape), "dimension_names": list(axes)}


def label_group(name, levels, colors, pixel_size=None):
    """The group of a label image, a child of `labels`.

    Parameters
    ----------
    name : str
    levels : int
    colors : dict of int to (red, green, blue, alpha)
        By label value, 0 to 255.
    pixel_size : (float or None, float, float), optional
        As for `image_group`.

    Returns
    -------
    dict
    """
    label = {
        "colors": [{"label-value": value, "rgba": list(rgba)} for value, rgba in colors.items()],
        "source": {"image": "../../"},
    }
    multiscale = _multiscale(name, "zyx", levels, pixel_size)
    return _group({"multiscales": [multiscale], "image-label": label})


def labels_group(names):
    """The group that lists the labels of an image."""
    return _group({"labels": list(names)})


def write(path, metadata):
    """Write a `zarr.json`."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(metadata, file, indent=1)
        file.write("\n")


def _group(content):
    attributes = {"ome": {"version": VERSION, **content}}
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
