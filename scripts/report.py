"""Put the summary and the figures on one page."""

from pathlib import Path

from tilewise import job, pages
from tilewise.tables import read_rows

job.start(snakemake)
figures = {}
for names, path in zip(snakemake.params.names, snakemake.input.figures, strict=True):
    kind = {"svg": "image/svg+xml", "png": "image/png"}[path.rsplit(".", 1)[-1]]
    figures.setdefault(tuple(names), []).append((kind, Path(path).read_bytes()))
page = pages.page(read_rows(snakemake.input.summary), figures)
Path(snakemake.output.report).write_text(page, encoding="utf-8")
