"""Put the answer, the tables and the pictures of tiles on one page."""

import gzip
import json
from pathlib import Path

from tilewise import job
from tilewise.report import data
from tilewise.tables import Streamed, read_each, read_rows
from tilewise.view import methods_text, page, tile_packs
from tilewise.view.glossary import TERMS

job.start(snakemake)
given, params = snakemake.input, snakemake.params
others = ("decision", "sweeps", "curves", "choices", "tiles", "packs", "provenance", "page", "code")
tables = {
    name: Streamed(paths) if name in data.OF_TILES else list(read_each(paths))
    for name, paths in given.items()
    if name not in others
}
decision, pictures = None, data.Pictures()
for path in given.decision:
    decision = json.loads(Path(path).read_text(encoding="utf-8"))
for path in given.tiles:
    pictures = data.Pictures.of(json.loads(gzip.decompress(Path(path).read_bytes())))
sweeps = zip(params.swept, map(read_rows, given.sweeps), strict=True)
curves = zip(params.learning, map(read_rows, given.curves), strict=True)
# one after the other, as far as the page has space for them
packs = (tile_packs.from_script(Path(path).read_text(encoding="ascii")) for path in given.packs)
provenance = json.loads(Path(given.provenance).read_text(encoding="utf-8"))
text = methods_text.write(params.facts, decision, provenance["versions"])
known = data.assemble(
    *(params.study, tables, decision, dict(sweeps), pictures, TERMS),
    packs=data.embed(packs),
    number_of_packs=len(given.packs),
    learning_curves=dict(curves),
    text=text._asdict(),
    provenance=provenance,
    citations=methods_text.citations(params.facts),
)
Path(snakemake.output.report).write_text(page.render(known), encoding="utf-8")
