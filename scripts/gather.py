"""Say which model is trained without which annotated tile, and sum up what they are trained on."""

import hashlib
import json
from pathlib import Path

from tilewise import job
from tilewise.decide import model_folds
from tilewise.decide.folds import Folds
from tilewise.learn.assignment import COLUMNS
from tilewise.tables import read_rows, write_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
folds = Folds.from_rows(read_rows(given.folds))
rows = model_folds.assign(folds, params.samples, params.number)
write_rows(output.places, COLUMNS, rows)
digest = hashlib.sha256(Path(output.places).read_bytes())
for path in given.drawn:
    digest.update(Path(path).read_bytes())
Path(output.pixels).write_text(json.dumps({"sha256": digest.hexdigest()}) + "\n", encoding="utf-8")
