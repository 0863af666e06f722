"""Write every `zarr.json` of the run, and where in them each sample is."""

from tilewise import job
from tilewise.store import ngff
from tilewise.store.grid import grid_of
from tilewise.store.layout import layout_of
from tilewise.tables import write_rows
from tilewise.view import label_colors

job.start(snakemake)
colors = snakemake.params.colors
waiting = iter(snakemake.output.arrays)


def colors_of(entry):
    """Red, green, blue and alpha of a label, by value."""
    if entry["name"].endswith("-confusion"):
        by_value = label_colors.confusion_colors(colors)
    elif entry["name"] == "errors":
        by_value = label_colors.error_colors(entry["methods"])
    else:
        by_value = label_colors.mask_colors()
    return by_value | ({entry["fill"]: label_colors.UNKNOWN} if entry["fill"] else {})


def groups(entry):
    """What stands before the arrays: the group, and that of an image's labels."""
    name, levels, size = entry["name"], entry["levels"] - 1, entry["pixel_size"]
    if entry["kind"] == "image":
        image = ngff.image_group(name, "zyx", levels, size)
        return [with_samples(image, entry), ngff.labels_group(entry["labels"])]
    if entry["kind"] == "color":
        return [with_samples(ngff.color_group(name, levels, entry["dtype"], size), entry)]
    return [ngff.label_group(name, levels, colors_of(entry), size)]


def with_samples(group, entry):
    """A group that says which of its planes are which sample's, if it has several samples."""
    if entry["samples"]:
        group["attributes"]["tilewise"] = {"samples": entry["samples"]}
    return group


def array(entry, level=0):
    """An array, at a level."""
    grid = grid_of(entry["grid"]).level(level)
    is_color = entry["kind"] == "color"
    channels, shape, axes = (3, (3, *grid.shape), "czyx") if is_color else (1, grid.shape, "zyx")
    layout = layout_of(grid, entry["dtype"], entry["fill"], entry["codec"], channels)
    return ngff.array(layout, shape, axes)


for entry in snakemake.params.groups:
    if entry["kind"] == "filtered":
        ngff.write(next(waiting), array(entry))
        continue
    for group in groups(entry):
        ngff.write(next(waiting), group)
    for level in range(entry["levels"]):
        ngff.write(next(waiting), array(entry, level))
columns = ("sample", "stack", "block", "first_plane", "planes", "height", "width")
write_rows(snakemake.output.stacks, columns, snakemake.params.stacks)
