"""Put the summary and the figures on one page."""

import json
from pathlib import Path

from tilewise import job
from tilewise.tables import read_rows
from tilewise.view import report

job.start(snakemake)
KINDS = {".svg": "image/svg+xml", ".png": "image/png"}
methods, figures = snakemake.params.methods, {}
# of each kind, a file per method
for number, path in enumerate(map(Path, snakemake.input.figures)):
    picture = KINDS[path.suffix], path.read_bytes()
    figures.setdefault(methods[number % len(methods)], []).append(picture)
decisions = dict(zip(("decision", "ranking", "scores"), snakemake.input.decision, strict=False))
decided = {}
if decisions:
    decided = {name: read_rows(decisions[name]) for name in ("ranking", "scores")}
    decided["decision"] = json.loads(Path(decisions["decision"]).read_text(encoding="utf-8"))
following = [row for path in snakemake.input.next for row in read_rows(path)]
summary = read_rows(snakemake.input.summary)
page = report.page(summary, figures, following=following, **decided)
Path(snakemake.output.report).write_text(page, encoding="utf-8")
