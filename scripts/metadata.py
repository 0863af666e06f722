"""Write every `zarr.json` of the run, and where in them each sample is."""

import json
from pathlib import Path

from tilewise import job
from tilewise.store import ngff
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.tables import write_rows
from tilewise.view.label_colors import colors_of

job.start(snakemake)
params = snakemake.params


def group(entry):
    """The group of an image or a label."""
    name, levels, size = entry["name"], entry["levels"] - 1, entry["pixel_size"]
    if entry["kind"] == "label":
        colors = colors_of(name, entry["methods"], entry["fill"], params.colors)
        return ngff.label_group(name, levels, colors, size)
    if entry["kind"] == "color":
        window = windows[name].get("color", ngff.BYTE)
        return ngff.color_group(name, levels, window, size, entry["samples"])
    channel, window = "probability", ngff.BYTE
    if entry["kind"] == "image":
        channel, window = "intensity", windows[name]["image"]
    return ngff.image_group(name, channel, levels, window, size, entry["samples"])


def array(entry, level):
    """An array, at a level."""
    grid = grid_of(entry["grid"]).level(level)
    is_color = entry["kind"] == "color"
    channels, shape, axes = (3, (3, *grid.shape), "czyx") if is_color else (1, grid.shape, "zyx")
    layout = layout_of(grid, entry["dtype"], entry["fill"], entry["codec"], channels)
    return ngff.array(layout, shape, axes)


names = [entry["name"] for entry in params.groups if entry["kind"] == "image"]
contents = (json.loads(Path(path).read_text()) for path in snakemake.input.contrast)
windows = dict(zip(names, contents, strict=True))
files = []
for entry in params.groups:
    files += [group(entry)] if entry["levels"] else []
    files += [ngff.labels_group(entry["labels"])] if entry["kind"] == "image" else []
    # what viewers do not need to zoom in is an array alone
    files += [array(entry, level) for level in range(max(entry["levels"], 1))]
for path, content in zip(snakemake.output.arrays, files, strict=True):
    ngff.write(path, content)
sizes = ("first_plane", "planes", "height", "width", "tile_height", "tile_width")
columns = ("sample", "stack", "block", *sizes)
write_rows(snakemake.output.stacks, columns, params.stacks)
