"""What the results were made from, as the plan knows it."""

import numpy as np
import tifffile
from studies import (
    OTSU,
    collected_study,
    imagined_sample,
    make_study,
    study_of,
    with_defaults,
    write_sample,
)

from tilewise.plan import provenance
from tilewise.plan.study import Choice

RECORD = "results/{}/made_from/{}/{}.json"
CELLS = {"threshold": {"external": "cells"}}


def test_records_of_all_blocks():
    study = collected_study()
    job = provenance.provenance(study, Choice("otsu"))
    stack = "_small_uint8_1"
    blocks = ["0/0/0", "1/0/0", "2/0/0"]
    assert job.images == [RECORD.format(stack, "image", block) for block in blocks]
    # the last holds no sample with truth
    assert job.truths == [RECORD.format(stack, "truth", block) for block in blocks[:2]]
    assert (job.rois, job.externals, job.files, job.programs) == ([], [], [], {})


def test_records_of_each_annotator_stand_for_the_truth_they_come_to():
    study = study_of([imagined_sample("a", truth=[[0], [0]])], with_defaults({}))
    job = provenance.provenance(study, Choice("otsu"))
    assert job.truths == [RECORD.format("a", f"annotator-{i}", "0/0/0") for i in (1, 2)]


def external_study(folder, **settings):
    """Two samples with masks made elsewhere, one of them without truth."""
    rows = [write_sample(folder, "a", truth=(0,)), write_sample(folder, "b")]
    for row in rows:
        name = f"{row['sample']}_cells.tif"
        tifffile.imwrite(folder / name, np.ones((1, 64, 64), np.uint8), photometric="minisblack")
        row["cells"] = name
    return make_study(folder, *rows, methods=OTSU | {"cells": CELLS}, **settings)


def test_masks_made_elsewhere_are_those_that_the_run_reads(tmp_path):
    tried, other = (RECORD.format(name, "external-cells", "0/0/0") for name in "ab")
    study = external_study(tmp_path)
    assert provenance.provenance(study, Choice("otsu")).externals == [tried]
    assert provenance.provenance(study, Choice("cells")).externals == [tried, other]


def test_with_all_methods_applied_all_masks_made_elsewhere_are_read(tmp_path):
    study = external_study(tmp_path, apply="all")
    records = [RECORD.format(name, "external-cells", "0/0/0") for name in "ab"]
    assert provenance.provenance(study, None).externals == records


def test_files_of_methods_and_who_uses_them(tmp_path):
    row = write_sample(tmp_path, "a", truth=(0,))
    tifffile.imwrite(tmp_path / "psf.tif", np.ones((3, 3), np.float32))
    (tmp_path / "own.py").write_text("def segment(plane):\n    return plane > 1\n")
    study = make_study(
        tmp_path,
        row,
        filters={"sharp": [{"deconvolve": {"psf": "psf.tif"}}]},
        methods={
            "one": {"filter": "sharp", "threshold": "otsu"},
            "two": {"filter": "sharp", "threshold": "li"},
            "own": {"threshold": {"python": "own.py"}},
        },
    )
    job = provenance.provenance(study, Choice("one"))
    assert [path.rpartition("/")[2] for path in job.files] == ["psf.tif", "own.py"]
    assert job.users == [["one", "two"], ["own"]]


def test_programs_are_known_by_their_version(tmp_path):
    row = write_sample(tmp_path, "a", truth=(0,))
    run = ["python", "-c", "", "{input}", "{output}"]
    methods = {"made": {"threshold": {"command": {"run": run, "version": "3.1"}}}}
    study = make_study(tmp_path, row, methods=methods)
    assert provenance.provenance(study, Choice("made")).programs == {"command-made": "3.1"}


def test_the_configuration_is_the_same_wherever_it_is():
    here = {"samples": "/here/my.tsv", "methods": {"m": {"model": "/here/m.npz", "size": [1, 2]}}}
    there = {"methods": {"m": {"size": [1, 2], "model": "/else/m.npz"}}, "samples": "my.tsv"}
    assert provenance.configuration(here) == provenance.configuration(there)
    there["methods"]["m"]["size"] = [1, 3]
    assert provenance.configuration(here) != provenance.configuration(there)
