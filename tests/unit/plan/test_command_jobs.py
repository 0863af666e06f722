"""Programs that make masks: what they are given, and when."""

import re
import sys

import numpy as np
import pytest
from PIL import Image
from studies import make_study, write_sample

from tilewise.plan import command, decide, metadata, quality, report, segment
from tilewise.plan.study import Choice

RUN = [sys.executable, "{folder}/own.py", "{input}", "{output}"]
PROGRAM = {"run": RUN, "version": "1"}
METHOD = {"threshold": {"command": PROGRAM}}
TRIED, WHOLE = (f"results/a/external/command-m{end}.zarr/c/0/0/0" for end in ("-tried", ""))


def write_window(folder, name, side=16, size=64):
    """A sample of 4 x 4 tiles, with truth in the second of the second row alone."""
    row = write_sample(folder, name, shape=(1, size, size))
    Image.fromarray(np.ones((side, side), np.uint8)).save(folder / f"{name}_window.png")
    (folder / f"{name}.tsv").write_text(f"z\ty\tx\tpath\n0\t16\t16\t{name}_window.png\n")
    return row | {"truth": f"{name}.tsv"}


@pytest.fixture
def row(tmp_path):
    return write_window(tmp_path, "a")


def sources(study, method="m", label=None):
    return segment.threshold(study, "a", label or method, "0/0/0", Choice(method)).pixels.sources


def test_it_is_told_where_its_files_are(tmp_path, row):
    study = make_study(tmp_path, row, methods={"m": METHOD})
    job = command.command(study, "a", "command-m", "0/0/0")
    assert job.run[1].endswith(f"{tmp_path.name}/own.py")
    assert (job.run[0], job.run[2:], job.version) == (sys.executable, RUN[2:], "1")
    assert job.limits == {"timeout": 3600, "memory": None}


def test_while_it_is_tried_it_is_given_annotated_tiles(tmp_path, row):
    methods = {"m": METHOD, "otsu": {"threshold": "otsu"}}
    study = make_study(tmp_path, row, methods=methods)
    assert (sources(study), sources(study, label="segmentation")) == ([TRIED], [WHOLE])
    (part,) = command.command(study, "a", "command-m-tried", "0/0/0").parts
    assert part["tiles"] == [[0, 1, 1]]
    (part,) = command.command(study, "a", "command-m", "0/0/0").parts
    assert part["tiles"] is None


def test_what_masks_of_annotated_tiles_depend_on_is_given_too(tmp_path, row):
    filters = {"f": [{"command": PROGRAM}, {"median": 3}]}
    method = {"filter": "f", "threshold": {"manual": 3}}
    study = make_study(tmp_path, row, filters=filters, methods={"m": method})
    (part,) = command.command(study, "a", "command-filter-f-tried", "0/0/0").parts
    # the median reaches one pixel around
    assert part["tiles"] == [[0, y, x] for y in range(3) for x in range(3)]


def test_a_threshold_of_the_sample_needs_all_tiles(tmp_path, row):
    filters = {"f": [{"command": PROGRAM}]}
    method = {"filter": "f", "threshold": "otsu", "scope": "sample"}
    study = make_study(tmp_path, row, filters=filters, methods={"m": method})
    assert sources(study) == ["results/a/external/command-filter-f.zarr/c/0/0/0"]


@pytest.mark.parametrize("apply", ["all", "m"])
def test_where_it_is_applied_it_is_given_all_tiles(tmp_path, row, apply):
    study = make_study(tmp_path, row, methods={"m": METHOD}, apply=apply)
    label = "m" if apply == "all" else "segmentation"
    assert sources(study, label=label) == [WHOLE]


def test_a_sample_with_all_of_its_truth_is_given_once(tmp_path):
    row = write_sample(tmp_path, "a", truth=(0,))
    study = make_study(tmp_path, row, methods={"m": METHOD})
    assert sources(study) == sources(study, label="segmentation") == [WHOLE]


def test_blocks_around_are_given_what_is_near(tmp_path):
    row = write_window(tmp_path, "a")
    filters = {"f": [{"command": PROGRAM}, {"median": 3}]}
    method = {"filter": "f", "threshold": {"manual": 3}}
    study = make_study(
        tmp_path, row, filters=filters, methods={"m": method}, block={"rows": 2, "columns": 4}
    )
    jobs = [
        command.command(study, "a", "command-filter-f-tried", f"0/{y}/0").parts[0]["tiles"]
        for y in (0, 1)
    ]
    assert jobs == [
        [[0, y, x] for y in (0, 1) for x in range(3)],
        [[0, 2, x] for x in range(3)],
    ]


def test_thresholds_of_its_masks_run_it_once(tmp_path, row):
    method = METHOD | {"grid": {"above": [0.3, 0.6]}}
    study = make_study(tmp_path, row, methods={"m": method})
    assert decide.sweep(study, "a", "m", "0/0/0").pixels.sources == [TRIED]
    assert [v.segmenter.settings["value"] for v in study.methods["m"].variants] == [0.3, 0.6]


def test_a_grid_of_programs_has_an_array_of_each(tmp_path, row):
    runs = [[*RUN, "--size", size] for size in (10, 30)]
    method = METHOD | {"grid": {"run": runs, "filter": [None, "smooth"]}}
    study = make_study(
        tmp_path,
        row,
        methods={"m": method},
        filters={"smooth": [{"median": 3}]},
        keep_filtered=True,
    )
    assert [v.filter for v in study.methods["m"].variants] == [
        "command-m",
        *("command-m-2", "command-m-3", "command-m-4"),
    ]
    job = command.command(study, "a", "command-m-4", "0/0/0")
    assert job.run[-1] == "30"
    assert job.pixels.files == ["results/a/filtered/smooth.zarr/c/0/0/0"]


def test_no_survey_runs_it_on_more(tmp_path, row):
    methods = {name: {"threshold": name} for name in ("otsu", "li")} | {"m": METHOD}
    study = make_study(tmp_path, row, methods=methods)
    assert quality.survey_methods(study, "a", "0/0/0") == ["otsu", "li"]
    study = make_study(tmp_path, row, methods=methods, apply="all")
    assert quality.survey_methods(study, "a", "0/0/0") == ["otsu", "li", "m"]


def test_its_costs_are_those_of_its_method(tmp_path, row):
    study = make_study(tmp_path, row, methods={"m": METHOD})
    costs = report.costs(study, (Choice("m"),))
    assert costs.filtered == ["results/a/external/cost/command-m-tried/0/0/0.tsv"]
    assert costs.filtered_methods == ["m"]


def test_its_memory_and_time_are_the_job_s(tmp_path, row):
    limited = {"command": PROGRAM | {"memory": 5000, "timeout": 7200}}
    methods = {"m": METHOD, "limited": {"threshold": limited}}
    study = make_study(tmp_path, row, methods=methods)
    free, need = (
        command.command(study, "a", f"command-{name}", "0/0/0").need for name in ("m", "limited")
    )
    assert (need.memory - free.memory, need.runtime - free.runtime) == (5000, 60)


SETTINGS = {
    "text": ({"run": "own {input} {output}"}, "run is 'own {input} {output}': give a list"),
    "empty": ({"run": []}, "run does not name {input}"),
    "no output": ({"run": ["own", "{input}"]}, "run does not name {output}: tell the program"),
    "version": ({"version": ""}, "version is '': give a text"),
    "halo": ({"halo": -1}, "halo is -1: give a whole number of pixels"),
    "timeout": ({"timeout": 0}, "timeout is 0: give a number of seconds above 0"),
    "memory": ({"memory": 0.5}, "memory is 0.5: give a number of megabytes"),
    "above": ({"above": "all"}, "above is 'all': give a number"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_are_refused(tmp_path, row, case):
    settings, words = SETTINGS[case]
    methods = {"m": {"threshold": {"command": PROGRAM | settings}}}
    expected = re.escape(f"methods.m: threshold method command: {words}")
    with pytest.raises(ValueError, match=expected):
        make_study(tmp_path, row, methods=methods)


def test_a_version_is_needed(tmp_path, row):
    methods = {"m": {"threshold": {"command": {"run": RUN}}}}
    with pytest.raises(ValueError, match="methods.m: .* command needs a value for version"):
        make_study(tmp_path, row, methods=methods)


def test_a_program_that_is_missing(tmp_path, row):
    missing = {"run": ["no-such-program", "{input}", "{output}"], "version": "1"}
    methods = {"m": {"threshold": {"command": missing}}}
    # on a cluster, other machines may have it
    make_study(tmp_path, row, methods=methods)
    words = "methods.m: command: no program no-such-program is found: install it, or give its path"
    with pytest.raises(ValueError, match=words):
        make_study(tmp_path, row, methods=methods, cores=2)


@pytest.mark.parametrize(
    ("filter", "words"),
    [
        ("nowhere", "filters.f: filter nowhere is not configured"),
        ("g", "filters.f: filter g begins with a program"),
    ],
)
def test_what_a_program_is_given_is_checked(tmp_path, row, filter, words):
    filters = {"f": [{"command": PROGRAM | {"filter": filter}}], "g": [{"command": PROGRAM}]}
    with pytest.raises(ValueError, match=words):
        make_study(tmp_path, row, filters=filters)


def test_the_image_that_a_program_is_given_is_checked(tmp_path, row):
    methods = {"m": METHOD | {"filter": "nuclei"}}
    words = "methods.m: sample a: filter nuclei: hematoxylin takes colours, and the image is grey"
    with pytest.raises(ValueError, match=words):
        make_study(tmp_path, row, methods=methods, filters={"nuclei": ["hematoxylin"]})


def test_the_image_that_a_program_is_given_is_for_viewers_too(tmp_path, row):
    methods = {"m": METHOD | {"filter": "smooth"}}
    settings = {"filters": {"smooth": [{"median": 3}]}, "keep_filtered": True}
    study = make_study(tmp_path, row, methods=methods, **settings)
    found = {(one.kind, one.name) for one in metadata.arrays(study)}
    assert {("filtered", "smooth"), ("external", "command-m")} <= found
