"""Draw a few tiles through every method's steps, their histograms, and what came of it."""

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score.confusion import confusion_map
from tilewise.score.formulas import COUNTS
from tilewise.segment.filtered import Filtered
from tilewise.segment.thresholds import Threshold
from tilewise.store.blocks import Blocks
from tilewise.store.grid import Tile
from tilewise.store.layout import layout_of
from tilewise.store.parts import parts_of
from tilewise.tables import read_rows
from tilewise.view import figures
from tilewise.view.overlay import blend, display

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
waiting = {name: iter(files) for name, files in given.items() if name not in ("metrics", "code")}


def tile_of(entry, kind, dtype="uint8", **layout):
    """The tile's pixels in the next file of a kind."""
    part = parts_of([entry])[0]
    files = {entry["stored"]: next(waiting[kind])}
    return Blocks(files, layout_of(part.grid, dtype, **layout)).of(part).tile(Tile(*entry["tile"]))


def filtered_of(entry):
    """The tile's pixels after the filter."""
    part = parts_of([entry])[0]
    files = {block: next(waiting["filtered"]) for block in entry["blocks"]}
    layout = layout_of(part.grid, entry["dtype"], codec=entry["codec"])
    filtered = Filtered(Blocks(files, layout).of(part), entry["steps"], part.grid, entry["dtype"])
    return filtered.read(part.grid.tile_region(Tile(*entry["tile"])))


def threshold_of(entry):
    """The threshold that was used in the tile."""
    place = entry["sample"], Tile(*entry["tile"]).name
    rows = read_rows(next(waiting["thresholds"]))
    return next(Threshold.from_row(row) for row in rows if (row["sample"], row["tile"]) == place)


pictures, histograms, widths = ({method: {} for method in params.methods} for _ in range(3))
for entry in params.shown:
    name, method = f"{entry['sample']}\n{Tile(*entry['tile']).name}", entry["method"]
    picture = display(tile_of(entry, "images", entry["dtype"]))
    if entry["is_color"]:
        color = tile_of(entry, "colors", entry["dtype"], channels=3)
        picture = np.moveaxis(display(color), 0, -1)
    filtered, mask = filtered_of(entry), tile_of(entry, "masks")
    truth = tile_of(entry, "truths", fill=NOT_ANNOTATED)
    overlaid = blend(picture, confusion_map(truth, mask), params.colors, params.alpha)
    steps = (picture, display(filtered), mask, truth, overlaid)
    pictures[method][name] = dict(zip(figures.STEPS, steps, strict=True))
    threshold = threshold_of(entry)
    histograms[method][name] = filtered, threshold.values, threshold.note
    widths[method][name] = entry["pixel_size"][-1] if entry["pixel_size"] else None

counts = {method: dict.fromkeys(COUNTS, 0) for method in params.methods}
for row in read_rows(given.metrics):
    if row["extent"] == "tile":
        for name in COUNTS:
            counts[row["method"]][name] += int(row[name])
for number, method in enumerate(params.methods):
    title = method + (" (tuned on these tiles)" if method in params.tuned else "")
    tiles = figures.side_by_side(pictures[method], title, widths[method])
    figures.save(tiles, output.tiles[number])
    figures.save(figures.histograms(histograms[method], title), output.histogram[number])
    figures.save(figures.confusion_matrix(counts[method], title), output.confusion[number])
