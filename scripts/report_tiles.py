"""Take pictures of tiles for the report: small ones of all, and those of most interest in full."""

import gzip
import json
import logging
from functools import partial
from pathlib import Path

import numpy as np

from tilewise import job
from tilewise.report import tiles
from tilewise.report.choice import choose
from tilewise.report.limits import MOST_TILES
from tilewise.tables import Streamed, read_each
from tilewise.view import tile_packs

job.start(snakemake)
given, output, params = snakemake.input, snakemake.output, snakemake.params
files = {kind: given[kind] for kind in tiles.KINDS}
following = [(row["sample"], row["tile"]) for row in read_each(given.next)]
read = partial(tiles.blocks_of, params.blocks, files, set(following))
found = tiles.survey(read(), params.methods, has_pictures=params.are_few)
merits = tiles.merits_of(Streamed([given.metrics]), found, params.metric)
following = [found.numbers[place] for place in following if place in found.numbers]
# the largest disagreements are of tiles whose truth says which method is right
known = merits, np.where(found.annotated, found.disagreement, np.nan), following
annotated = np.flatnonzero(found.annotated).tolist()
shown = choose(*known, annotated, len(output.packs), params.seed)
if not params.are_few:
    # small pictures are of the tiles that lists show: first those that are shown in full
    chosen = shown | choose(*known, annotated, MOST_TILES, params.seed)
    found = found.only(list(chosen)[:MOST_TILES])
    shown = dict(enumerate(shown.values()))
    tiles.add_pictures(found, read())
record = json.dumps(tiles.to_record(found, shown), separators=(",", ":"))
Path(output.tiles).write_bytes(gzip.compress(record.encode(), mtime=0))
places = [(place["sample"], place["tile"]) for place in (found.places[i] for i in shown)]
numbers = {place: number for number, place in enumerate(places)}
for number, pack in tiles.full(read(), numbers):
    text = tile_packs.as_script(number, tile_packs.as_json(pack))
    Path(output.packs[number]).write_text(text, encoding="ascii")
logging.info("%d of %d tiles in full", len(numbers), len(found.places))
for number in range(len(numbers), len(output.packs)):
    text = tile_packs.as_script(number, tile_packs.as_json(None))
    Path(output.packs[number]).write_text(text, encoding="ascii")
