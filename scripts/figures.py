"""Draw a few tiles through every method's steps, their histograms, and what came of it."""

from itertools import islice

import numpy as np

from tilewise import job
from tilewise.labels import NOT_ANNOTATED
from tilewise.score.confusion import confusion_map
from tilewise.score.error_table import add_up
from tilewise.score.formulas import COUNTS, label_of
from tilewise.segment.filtered import Filtered
from tilewise.segment.thresholds import Threshold
from tilewise.store.blocks import open_blocks
from tilewise.store.grid import Tile
from tilewise.store.parts import parts_of
from tilewise.tables import read_rows
from tilewise.view import figures
from tilewise.view.overlay import blend, display, hatch_period

OUTSIDE = "outside of the region of interest"
job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
tables = ("metrics", "ranking", "scores", "code")
waiting = {name: iter(files) for name, files in given.items() if name not in tables}


def read(kind, part, blocks, dtype="uint8", **layout):
    """A sample's pixels, from the next files of a kind."""
    return open_blocks(islice(waiting[kind], len(blocks)), blocks, part.grid, dtype, **layout).of(
        part
    )


pictures, histograms, widths = ({method: {} for method in params.methods} for _ in range(3))
for entry in params.shown:
    (part,), tile, method = parts_of([entry]), Tile(*entry["tile"]), entry["method"]
    name, stored, dtype = f"{part.sample}\n{tile.name}", [entry["stored"]], entry["dtype"]
    picture = display(read("images", part, stored, dtype).tile(tile))
    if entry["is_color"]:
        color = read("colors", part, stored, dtype, channels=3).tile(tile)
        picture = np.moveaxis(display(color), 0, -1)
    blocks, own = entry["blocks"], part.grid.tile_region(tile)
    roi = read("rois", part, blocks) if entry["has_roi"] else None
    layout = {"codec": entry["codec"], "channels": entry["channels"]}
    pixels = read("filtered", part, blocks, entry["filtered_dtype"], **layout)
    filtered = Filtered(pixels, entry["steps"], part.grid, entry["filtered_dtype"], roi)
    mask = read("masks", part, stored).tile(tile)
    truth = read("truths", part, stored, fill=NOT_ANNOTATED).tile(tile)
    place = (own.y0, own.x0), hatch_period(part.grid.sides)
    overlaid = blend(picture, confusion_map(truth, mask), params.colors, params.alpha, *place)
    # of several channels the first
    plane = filtered.read(own).reshape(-1, *own.shape[1:])[0]
    steps = (picture, display(plane), mask, truth, overlaid)
    pictures[method][name] = dict(zip(figures.STEPS, steps, strict=True))
    rows = {(row["sample"], row["tile"]): row for row in read_rows(next(waiting["thresholds"]))}
    row, values = rows.get((part.sample, tile.name)), filtered.values(own)
    threshold = Threshold.from_row(row) if row else Threshold(note=OUTSIDE)
    shown = values if values.size else filtered.read(own)
    histograms[method][name] = shown, threshold.values, threshold.note
    widths[method][name] = entry["pixel_size"][-1] if entry["pixel_size"] else None

tiles = [row for row in read_rows(given.metrics) if row["extent"] == "tile"]
counts = {row["method"]: row for row in add_up(tiles, ["method"], COUNTS)}
for number, method in enumerate(params.methods):
    title = method + (" (tuned on these tiles)" if method in params.tuned else "")
    tiles = figures.side_by_side(pictures[method], title, widths[method], params.colors)
    figures.save(tiles, output.tiles[number])
    figures.save(figures.histograms(histograms[method], title), output.histogram[number])
    matrix = figures.confusion_matrix(counts.get(method, dict.fromkeys(COUNTS, 0)), title)
    figures.save(matrix, output.confusion[number])

for path, ranking, scores in zip(output.comparison, given.ranking, given.scores, strict=True):
    ranked = [row for row in read_rows(ranking) if row["metric"] == params.metric]
    named = {row["method"] for row in ranked}
    references = {
        row["method"]: float(row["micro"])
        for row in read_rows(scores)
        if row["metric"] == params.metric and row["micro"] and row["method"] not in named
    }
    rows = [
        {"method": row["method"]}
        | {name: float(row[name]) if row[name] else None for name in ("value", "low", "high")}
        for row in ranked
    ]
    figures.save(figures.comparison(rows, references, label_of(params.metric)), path)
