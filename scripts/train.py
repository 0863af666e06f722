"""Train one model of a method: on all annotated tiles, or without some of them."""

import json
from pathlib import Path

from tilewise import job
from tilewise.learn import drawn, training
from tilewise.learn.assignment import Assignment
from tilewise.tables import read_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
places = Assignment.from_rows(read_rows(given.places)).training(snakemake.wildcards.model)
pixels = training.gather(drawn.read(given.drawn), places, params.margin)
merit = training.merit_of(params.metric)
fitted = training.fit(pixels, params.names, params.dtype, merit, params.settings)
fitted.model.save(output.model)
card = training.card(fitted, places, params.settings, params.metric)
Path(output.card).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
