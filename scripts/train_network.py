"""Train the U-Nets of one model of a method: on all annotated tiles, or without some of them."""

import json
from pathlib import Path

import torch

from tilewise import job
from tilewise.learn import unet_training, windows
from tilewise.learn.assignment import Assignment
from tilewise.learn.network import Settings
from tilewise.learn.training import merit_of
from tilewise.tables import read_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
torch.set_num_threads(snakemake.threads)
places = Assignment.from_rows(read_rows(given.places)).training(snakemake.wildcards.model)
settings, merit = Settings(**params.settings), merit_of(params.metric)
tiles = windows.read(given.windows)
parts = [
    windows.planes_of(tiles, places, params.margin, number, settings.networks)
    for number in range(settings.networks)
]
# no output, so that it is kept where a job fails
checkpoint = Path(snakemake.place_of(output.model)).with_suffix(".checkpoint.npz")
trained = unet_training.train(parts, settings, *(params.dtype, merit, checkpoint, params.channels))
trained.save(output.model)
card = unet_training.card(trained, parts, places, params.metric)
Path(output.card).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
for path in unet_training.checkpoints(checkpoint, settings):
    path.unlink(missing_ok=True)
