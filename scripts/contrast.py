"""Work out between which grey levels the images of a stack are shown, from some of its tiles."""

import json
from itertools import starmap
from pathlib import Path

import numpy as np

from tilewise import job
from tilewise.store.blocks import open_blocks
from tilewise.store.grid import Tile
from tilewise.store.parts import parts_of
from tilewise.view.contrast import window

job.start(snakemake)
given, params = snakemake.input, snakemake.params
parts, nth = parts_of(params.parts), slice(None, None, params.step)
grid, blocks = parts[0].grid, params.blocks
rois = open_blocks(given.rois, blocks, grid, "uint8") if given.rois else None
tiles = [(part, tile) for part in parts for tile in starmap(Tile, part.settings["tiles"])]
inside = None
if rois:
    inside = np.concatenate(
        [rois.of(part).tile(tile)[nth, nth].ravel() > 0 for part, tile in tiles]
    )

windows = {}
for name, files, channels in (("image", given.images, 1), ("color", given.colors, 3)):
    if files:
        stored = open_blocks(files, blocks, grid, params.dtype, channels=channels)
        pixels = (stored.of(part).tile(tile)[..., nth, nth] for part, tile in tiles)
        # a row for each channel
        values = np.concatenate([own.reshape(channels, -1) for own in pixels], axis=1)
        known = None if inside is None else np.tile(inside, channels)
        windows[name] = window(values.ravel(), known)
Path(snakemake.output.windows).write_text(json.dumps(windows, indent=1) + "\n", encoding="utf-8")
