"""Put the summary and the figures on one page."""

import json
from pathlib import Path

from tilewise import doubts, job
from tilewise.tables import read_each, read_rows
from tilewise.view import report

job.start(snakemake)
kinds = {".svg": "image/svg+xml", ".png": "image/png"}
methods, figures = snakemake.params.methods, {}
# of each kind, a file per method
for number, path in enumerate(map(Path, snakemake.input.figures)):
    picture = kinds[path.suffix], path.read_bytes()
    figures.setdefault(methods[number % len(methods)], []).append(picture)
further = {}
if snakemake.input.decision:
    decision, ranking, scores = snakemake.input.decision
    further = {"ranking": read_rows(ranking), "scores": read_rows(scores)}
    further["costs"] = read_rows(*snakemake.input.costs)
    further["decision"] = json.loads(Path(decision).read_text(encoding="utf-8"))
quantities = [read_rows(path) for path in snakemake.input.quantities]
if quantities:
    further["quantities"], further["differences"] = quantities
following = list(read_each(snakemake.input.next))
summary = read_rows(snakemake.input.summary)
known = doubts.read(snakemake.input.warnings)
page = report.page(summary, figures, following=following, doubts=known, **further)
Path(snakemake.output.report).write_text(page, encoding="utf-8")
