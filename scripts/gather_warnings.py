"""Gather in one table what could mislead."""

import json
from itertools import chain
from operator import itemgetter
from pathlib import Path

from tilewise import doubts, job
from tilewise.decide import guarded, quantities, rivals, summary
from tilewise.read import image_check, painted
from tilewise.read.sources import first_planes, unpainted_of
from tilewise.tables import read_all, read_each, read_rows

job.start(snakemake)
given, params = snakemake.input, snakemake.params
scores = read_rows(given.summary)
known = [
    *(doubts.Doubt(*fields) for fields in params.doubts),
    *painted.doubts_of(chain.from_iterable(map(unpainted_of, given.made_from))),
    *image_check.copies(params.traced, first_planes(given.images)),
    *image_check.doubts_of(read_all(given.checks, params.samples), params.has_roi),
    *summary.doubts_of(scores),
    *summary.blank_doubts(scores),
    *guarded.empty_doubts(scores),
    *guarded.threshold_doubts(read_all(given.thresholds, params.samples, itemgetter("guard"))),
    *quantities.doubts_of(read_each(given.quantities)),
]
if given.decision:
    record = json.loads(Path(given.decision[0]).read_text(encoding="utf-8"))
    # those of samples and masks are known already, of all samples
    codes = {doubt.code for doubt in known}
    known += [doubts.Doubt(**row) for row in record["warnings"] if row["code"] not in codes]
    known += rivals.calibre_doubts(record, read_rows(given.errors))
doubts.write(snakemake.output.warnings, known)
