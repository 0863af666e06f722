"""From the image to masks: what is read, filtered and counted."""

import pytest
from studies import (
    OTSU,
    S,
    collected_study,
    imagined_sample,
    imagined_study,
    make_study,
    study_of,
    with_defaults,
    write_sample,
)

from tilewise.plan import resources, segment
from tilewise.plan.study import Choice

FILTERS = {"smooth": [{"median": 3}]}
SMOOTH = {"m": {"threshold": "otsu", "filter": "smooth"}}
KEEP = {
    "kept": {"keep_filtered": True},
    "kept by size": {"keep_filtered": "auto", "keep_filtered_limit": 1},
    "temporary": {"keep_filtered": False},
    "inline": {"keep_filtered": "auto", "keep_filtered_limit": 0},
}


@pytest.mark.parametrize("keep", KEEP.values(), ids=KEEP)
def test_masks_read_filtered_blocks_or_filter(keep):
    # a plane in two blocks, whose filter reaches a pixel into the other
    settings = {"filters": FILTERS, "methods": SMOOTH, "apply": "all", "filtered_codec": "zstd"}
    study = imagined_study((1, 32, 32), (1, 16, 32), **settings, **keep)
    job = segment.threshold(study, "s", "m", "0/1/0", Choice("m"))
    counted = segment.histogram(study, "s", "smooth", "0/1/0")
    assert counted.pixels == job.pixels
    if keep == KEEP["inline"]:
        assert job.pixels.files == [f"results/s/image.zarr/0/c/0/{y}/0" for y in (0, 1)]
        assert job.pixels.blocks == ["0/0/0", "0/1/0"]
        assert job.pixels.steps == [{"median": 3}]
    else:
        assert job.pixels.files == ["results/s/filtered/smooth.zarr/c/0/1/0"]
        assert job.pixels.blocks == ["0/1/0"]
        assert job.pixels.steps == []
    assert [part["block"] for part in job.parts] == ["0/1/0"]


def test_a_filter_s_job():
    settings = {"filters": FILTERS, "methods": SMOOTH, "filtered_codec": "lz4"}
    study = imagined_study((1, 32, 32), (1, 16, 32), dtype="uint16", **settings)
    job = segment.filtered(study, "s", "smooth", "0/1/0")
    assert job.pixels.files == [f"results/s/image.zarr/0/c/0/{y}/0" for y in (0, 1)]
    assert job.pixels.steps == [{"median": 3}]
    # it reads the image, and writes as configured
    assert (job.pixels.codec, job.codec, job.dtype) == ("zstd", "lz4", "uint16")


@pytest.mark.parametrize(
    ("words", "needs_sample"),
    [
        ({}, True),
        ({"scope": "plane"}, True),
        ({"scope": "sample"}, True),
        ({"fallback": "empty"}, False),
        # every tile's own threshold is accepted
        ({"min_contrast": 0}, False),
    ],
)
def test_histograms_are_asked_for_in_samples_of_several_blocks_only(words, needs_sample):
    methods = {"m": {"threshold": "otsu", "filter": "smooth", **words}}
    for shape in ((2, 32, 32), (1, 32, 32)):
        study = imagined_study(shape, (1, 32, 32), filters=FILTERS, methods=methods, apply="all")
        job = segment.threshold(study, "s", "m", "0/0/0", Choice("m"))
        (part,) = job.parts
        # a single block counts itself
        assert part["counts"] == ([""] if needs_sample and shape[0] == 1 else [])
        asked = study.blocks("s") if needs_sample and shape[0] == 2 else []
        histograms = segment.guard(study, "s", "m").histograms
        assert histograms == [f"results/s/histograms/smooth/{block}.npz" for block in asked]


def test_histograms_go_filter_by_filter():
    grid = {"filter": ["smooth", None], "scope": ["sample", "tile"], "min_contrast": [0]}
    methods = {"a": {"threshold": "otsu", "grid": grid}}
    study = imagined_study((2, 32, 32), (1, 32, 32), filters=FILTERS, methods=methods)
    job = segment.guard(study, "s", "a")
    assert job.filters == ["smooth", "image"]
    assert [one["filter"] for one in job.variants] == job.filters
    assert job.histograms == [
        "results/s/histograms/smooth/0/0/0.npz",
        "results/s/histograms/smooth/1/0/0.npz",
        "results/s/histograms/image/0/0/0.npz",
        "results/s/histograms/image/1/0/0.npz",
    ]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_floats_need_the_extents_of_all_blocks(dtype):
    study = imagined_study((2, 32, 32), (1, 32, 32), dtype=dtype)
    asked = study.blocks("s") if dtype == "float32" else []
    expected = [f"results/s/histograms/image/extent/{block}.tsv" for block in asked]
    assert segment.histogram(study, "s", "image", "1/0/0").extents == expected


@pytest.fixture
def row(tmp_path):
    """A stack of two planes, the first of which is annotated."""
    return write_sample(tmp_path, "s", (2, 32, 32), truth=(0,))


def test_a_method_that_is_tried_segments_annotated_tiles(tmp_path, row):
    tried = make_study(tmp_path, row, block={"planes": 2})
    tiles = [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1]]

    def tiles_of(study, method):
        (part,) = segment.threshold(study, "s", method, "0/0/0", Choice("otsu")).parts
        return part["tiles"]

    assert tiles_of(tried, "otsu") == tiles
    # what is applied segments everything
    assert tiles_of(tried, "segmentation") is None
    every = make_study(tmp_path, row, block={"planes": 2}, apply="all")
    assert tiles_of(every, "otsu") is None


def test_the_chosen_parameters_segment(tmp_path, row):
    grid = {"value": [1, 2], "filter": [None, "smooth"]}
    methods = {"m": {"threshold": "manual", "foreground": "dark", "grid": grid}}
    settings = {"filters": FILTERS, "methods": methods, "keep_filtered": True}
    study = make_study(tmp_path, row, **settings)
    job = segment.threshold(
        study, "s", "segmentation", "0/0/0", Choice("m", "value=2,filter=smooth")
    )
    assert job.pixels.files == ["results/s/filtered/smooth.zarr/c/0/0/0"]
    assert job.segmenter["settings"] == {"value": 2}
    assert job.segmenter["foreground"] == "dark"
    assert job.calibration is None
    other = segment.threshold(
        study, "s", "segmentation", "0/0/0", Choice("m", "value=1,filter=null")
    )
    assert other.pixels.files == ["results/s/image.zarr/0/c/0/0/0"]
    assert other.segmenter["settings"] == {"value": 1}


def test_a_calibrated_threshold_is_a_row(tmp_path, row):
    methods = {"m": {"threshold": "otsu", "scope": "calibrated"}}
    study = make_study(tmp_path, row, methods=methods)
    choice = Choice("m", calibration=(("threshold", "99"), ("fold", "")))
    job = segment.threshold(study, "s", "m", "0/0/0", choice)
    assert job.calibration == {"threshold": "99", "fold": ""}
    assert job.segmenter["scope"] == "calibrated"


def test_masks_wait_for_what_is_chosen(tmp_path, row):
    swept = {"m": {"threshold": "manual", "grid": {"value": [1, 2]}}}
    both = make_study(tmp_path, row, methods=OTSU | swept)
    decided, chosen = "results/choice.json", "results/sweeps/m/choice.json"
    assert segment.choice_files(both, "otsu", Choice("otsu")) == []
    assert segment.choice_files(both, "m", Choice("m", "value=1")) == [chosen]
    assert segment.choice_files(both, "segmentation", Choice("otsu")) == [decided]
    found = segment.choice_files(both, "segmentation", Choice("m", "value=1"))
    assert found == [decided, chosen]
    # nothing is decided between one method, nor where one is named
    one = make_study(tmp_path, row, methods=swept)
    named = make_study(tmp_path, row, methods=OTSU | swept, apply="m")
    for study in (one, named):
        assert segment.choice_files(study, "segmentation", Choice("m", "value=1")) == [chosen]


def test_masks_of_collected_samples_that_are_tried():
    study = collected_study()
    job = segment.threshold(study, S, "otsu", "0/0/0", Choice("otsu"))
    # a has no other tiles, and of c the second plane alone is annotated
    assert [(part["sample"], part["tiles"], part["offset"]) for part in job.parts] == [
        ("a", None, 0),
        ("c", [[1, 0, 0]], 2),
    ]
    assert job.pixels.files == [f"results/{S}/image.zarr/0/c/0/0/0"]
    job = segment.threshold(study, S, "segmentation", "0/0/0", Choice("otsu"))
    assert [(part["sample"], part["tiles"]) for part in job.parts] == [
        *(("a", None), ("b", None), ("c", None))
    ]
    only = collected_study("li")
    job = segment.threshold(only, S, "segmentation", "1/0/0", Choice("li"))
    assert [part["sample"] for part in job.parts] == ["d"]


def test_collected_samples_count_themselves():
    methods = {"m": {"threshold": "otsu", "filter": "smooth"}}
    samples = [imagined_sample("one", (1, 9, 64)), imagined_sample("two", (12, 64, 64))]
    config = with_defaults({"methods": methods, "filters": FILTERS, "collect": {}, "apply": "all"})
    study = study_of(samples, config)
    (stack,) = study.stacks
    # two blocks, and histograms of neither are another job's
    assert study.blocks(stack) == ["0/0/0"]
    study = study_of([*samples, imagined_sample("three", (5, 64, 64))], config)
    assert study.blocks(stack) == ["0/0/0", "1/0/0"]
    job = segment.threshold(study, stack, "m", "0/0/0", Choice("m"))
    assert [part["counts"] for part in job.parts] == [[""], [""]]
    assert segment.guard(study, stack, "m").histograms == []


def test_a_filter_s_job_of_collected_samples():
    study = collected_study(filters=FILTERS)
    job = segment.filtered(study, S, "smooth", "1/0/0")
    assert [(part["sample"], part["offset"]) for part in job.parts] == [("d", 4), ("e", 5)]
    assert job.pixels.files == [f"results/{S}/image.zarr/0/c/1/0/0"]


def test_a_vote_filters_for_each_of_its_methods():
    # a plane in two blocks; the filter reaches a pixel into the other
    methods = {
        "plain": {"threshold": {"manual": 9}},
        **SMOOTH,
        "v": {"threshold": {"vote": ["plain", "m"]}},
    }
    settings = {"filters": FILTERS, "methods": methods, "apply": "v", "keep_filtered": True}
    study = imagined_study((1, 32, 32), (1, 16, 32), **settings)
    job = segment.threshold(study, "s", "segmentation", "0/1/0", Choice("v"))
    assert job.pixels.files == [f"results/s/image.zarr/0/c/0/{y}/0" for y in (0, 1)]
    assert [(one["name"], one["steps"]) for one in job.voters] == [
        ("plain", []),
        ("m", [{"median": 3}]),
    ]
    # the sample has two blocks: its threshold comes from elsewhere
    assert [part["counts"] for part in job.parts] == [[]]
    whole = imagined_study((1, 32, 32), (1, 32, 32), **settings)
    job = segment.threshold(whole, "s", "segmentation", "0/0/0", Choice("v"))
    assert [part["counts"] for part in job.parts] == [["m"]]
    alone = segment.threshold(whole, "s", "segmentation", "0/0/0", Choice("m"))
    assert (alone.voters, alone.parts[0]["counts"]) == ([], [""])


def test_a_vote_takes_the_memory_of_its_methods_that_filter_for_themselves():
    methods = {**SMOOTH, "v": {"threshold": {"vote": ["m", "local"]}}}
    methods["local"] = {"threshold": {"adaptive": 31}}
    study = imagined_study((1, 4096, 4096), (1, 4096, 4096), filters=FILTERS, methods=methods)
    needs = {name: segment.threshold_need(study, "s", name, "0/0/0").memory for name in methods}
    counted = [study.methods[name].variants[0] for name in ("m", "local")]
    workers = resources.method_threads(study, "v")
    assert needs["v"] == resources.trials(study, "s", counted, workers)
    assert needs["v"] >= max(needs["m"], needs["local"])
    assert needs["m"] != needs["local"]
