"""The layers of a stack, as the metadata of its arrays has them: nothing else is asked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilewise.labels import FN, FP, NOT_ANNOTATED, SEGMENTATION, TN, TP
from tilewise.serve.files import read_json, within

Layer = dict[str, Any]
"""What the page is told of a layer: see `layers_of`."""

CONFUSION = "-confusion"
ANNOTATOR = "annotator-"
ORDER = (
    *("image", "color", "filtered", "probability"),
    *("roi", "truth", "annotator", "mask", "confusion", "errors"),
)
"""Roles of layers, in the order in which they are drawn, the lowest first."""
TITLES = {
    "image": "Image",
    "color": "Image in colour",
    "filtered": "{}, filtered image",
    "probability": "{}, probability",
    "roi": "Region of interest",
    "truth": "Truth",
    "annotator": "Annotator {}",
    "mask": "{}",
    "confusion": "{}, right and wrong",
    "errors": "Methods that are wrong",
}
INSIDE = {0: "outside", 1: "inside"}
KNOWN = {0: "background", 1: "foreground", NOT_ANNOTATED: "not annotated"}
MEANINGS = {
    "roi": INSIDE,
    "truth": KNOWN,
    "annotator": KNOWN,
    "mask": {0: "background", 1: "foreground"},
    "confusion": {
        0: "not scored",
        TN: "true negative",
        FP: "false positive",
        FN: "false negative",
        TP: "true positive",
    },
    "errors": {0: "not scored", 1: "no method is wrong", 2: "1 method is wrong"},
}
"""What the values of labels mean; of errors, further ones are one more than the methods."""


def layers_of(results: Path, stack: str) -> list[Layer]:
    """The layers of a stack of which a block is stored, in the order in which they are drawn.

    Parameters
    ----------
    results
        The folder of the results, a real path.

    Returns
    -------
    list of dict
        `id`; `title`, for people; `role`, of `ORDER`; `method`; `path` in the results, of the group
        or of an array without one; `arrays`, the paths of the array of each level, and their number
        `levels`; `dtype`; `window` of images, the grey levels that are shown black and white;
        `colors` of labels: of each `value`, `rgba` from 0 to 255 and `label`, what it means; and
        `fill`, the value where no block is stored.

    Raises
    ------
    ValueError
        If a file of metadata is no JSON.
    """
    found = [
        layer
        for path, identifier, role, name in _places(results, stack)
        if (layer := _layer(results, path, identifier, role, name))
    ]
    return sorted(found, key=lambda layer: ORDER.index(layer["role"]))


@dataclass(frozen=True)
class Shape:
    """Of an array and of its blocks, in planes, rows and columns."""

    array: list[int]
    block: list[int]


def shape_of(results: Path, path: str) -> Shape | None:
    """Of an array by its path in the results; None where it has no metadata."""
    known = _metadata(results, path)
    return known and Shape(known["shape"], known["chunk_grid"]["configuration"]["chunk_shape"])


def _places(results, stack):
    """Path, id, role and name of what may be a layer."""
    image = f"{stack}/image.zarr"
    yield image, "image", "image", ""
    yield f"{stack}/color.zarr", "color", "color", ""
    for kind in ("filtered", "probability"):
        folder = within(results, stack, kind)
        for path in sorted(folder.glob("*.zarr")) if folder else ():
            yield f"{stack}/{kind}/{path.name}", f"{kind}/{path.stem}", kind, path.stem
    labels = _metadata(results, f"{image}/labels") or {}
    for label in labels.get("attributes", {}).get("ome", {}).get("labels", ()):
        role, name = _role(label)
        yield f"{image}/labels/{label}", label, role, name


def _role(label):
    """The role of a label, and the method or the number of the annotator that is in its name."""
    if label in ("truth", "roi", "errors"):
        return label, ""
    if label.endswith(CONFUSION):
        return "confusion", label.removesuffix(CONFUSION)
    if label.startswith(ANNOTATOR):
        return "annotator", label.removeprefix(ANNOTATOR)
    return "mask", label


def _layer(results, path, identifier, role, name):
    """A layer, or None where it has no metadata or no block yet."""
    group = _metadata(results, path)
    if not group:
        return None
    ome = group.get("attributes", {}).get("ome", {})
    arrays = [path]
    if group["node_type"] == "group":
        levels = ome["multiscales"][0]["datasets"]
        arrays = [f"{path}/{level['path']}" for level in levels]
    # all of them are written at once
    known = _metadata(results, arrays[0])
    if not known or not within(results, *arrays[0].split("/"), "c"):
        return None
    dtype = known["data_type"]
    is_label = "image-label" in ome
    is_of_method = role in ("mask", "confusion", "probability") and name != SEGMENTATION
    return {
        "id": identifier,
        "title": "Segmentation" if name == SEGMENTATION else TITLES[role].format(name),
        "role": role,
        "method": name if is_of_method else None,
        "path": path,
        "arrays": arrays,
        "dtype": dtype,
        "levels": len(arrays),
        "window": None if is_label else _window(ome, dtype),
        "colors": _colors(role, ome["image-label"]) if is_label else None,
        "fill": known["fill_value"],
    }


def _window(ome, dtype):
    """Grey levels that are black and white: as the metadata has it, or the whole range."""
    for channel in ome.get("omero", {}).get("channels", ())[:1]:
        return [channel["window"]["start"], channel["window"]["end"]]
    bits = int(dtype.lstrip("uintfloa"))
    if dtype.startswith("float"):
        return [0, 1]
    return [0, 2**bits - 1] if dtype.startswith("u") else [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]


def _colors(role, label):
    """The colour and the meaning of every value of a label; without a colour it is transparent."""
    given = {color["label-value"]: color["rgba"] for color in label["colors"]}
    meanings = MEANINGS[role]
    return [
        {
            "value": value,
            "rgba": given.get(value, [0, 0, 0, 0]),
            "label": meanings.get(value, f"{value - 1} methods are wrong"),
        }
        for value in sorted({*given, *meanings})
    ]


def _metadata(results, path):
    """What a `zarr.json` says, or None where there is none."""
    return read_json(results, *path.split("/"), "zarr.json")
