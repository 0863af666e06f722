"""Give the chosen model of a method as a result, with a card that says what it is."""

import json
from dataclasses import replace
from pathlib import Path

from tilewise import job
from tilewise.segment.trained import KINDS
from tilewise.tables import read_rows

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
sizes = tuple(tuple(size) for size in params.pixel_sizes if size is not None)
replace(KINDS[params.kind].read(given.model), pixel_sizes=sizes).save(output.model)
(scores,) = (row for row in read_rows(given.sweep) if row["variant"] == params.variant)
card = {
    **{"method": params.method, "variant": params.variant},
    **json.loads(Path(given.card).read_text(encoding="utf-8")),
    "pixel_sizes": params.pixel_sizes,
    "scores": scores,
}
Path(output.card).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
