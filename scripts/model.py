"""Give the chosen model of a method as a result, with a card that says what it is."""

import json
import shutil
from pathlib import Path

from tilewise import job
from tilewise.tables import read_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
shutil.copyfile(given.model, output.model)
(scores,) = (row for row in read_rows(given.sweep) if row["variant"] == params.variant)
card = {
    **{"method": params.method, "variant": params.variant},
    **json.loads(Path(given.card).read_text(encoding="utf-8")),
    "pixel_sizes": params.pixel_sizes,
    "scores": scores,
}
Path(output.card).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
