"""Metadata of OME-Zarr 0.5 (NGFF), as dictionaries for `zarr.json`.

Source: https://ngff.openmicroscopy.org/0.5/
"""

import json

VERSION = "0.5"


def image_group(name, axes, levels):
    """The group of a multiscale image.

    Parameters
    ----------
    name : str
    axes : str
        One letter per axis, as in `czyx`.
    levels : int
        Reduced levels, each half as high and wide as the one before.

    Returns
    -------
    dict
    """
    return _group({"multiscales": [_multiscale(name, axes, levels)]})


def color_group(name, levels, dtype):
    """The group of a multiscale image in red, green and blue.

    Parameters
    ----------
    name : str
    levels : int
    dtype : str
        Integers are shown over their whole range, floats from 0 to 1.

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
            "multiscales": [_multiscale(name, "czyx", levels)],
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


def label_group(name, levels, colors):
    """The group of a label image, a child of `labels`.

    Parameters
    ----------
    name : str
    levels : int
    colors : dict of int to (red, green, blue, alpha)
        By label value, 0 to 255.

    Returns
    -------
    dict
    """
    label = {
        "colors": [{"label-value": value, "rgba": list(rgba)} for value, rgba in colors.items()],
        "source": {"image": "../../"},
    }
    return _group({"multiscales": [_multiscale(name, "zyx", levels)], "image-label": label})


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


def _multiscale(name, axes, levels):
    return {
        "name": name,
        "axes": [{"name": axis, "type": "channel" if axis == "c" else "space"} for axis in axes],
        "datasets": [
            {"path": str(level), "coordinateTransformations": _transformations(axes, level)}
            for level in range(levels + 1)
        ],
    }


def _transformations(axes, level):
    factor = 2.0**level
    scale = [factor if axis in "yx" else 1.0 for axis in axes]
    # the centre of a reduced pixel is the centre of the pixels that it is the mean of
    shift = [(factor - 1) / 2 if axis in "yx" else 0.0 for axis in axes]
    return [{"type": "scale", "scale": scale}, {"type": "translation", "translation": shift}]
