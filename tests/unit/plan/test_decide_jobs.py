"""What annotated tiles choose: which tables and histograms the jobs read."""

import pytest
from studies import (
    OTSU,
    S,
    collected_study,
    imagined_sample,
    make_study,
    study_of,
    with_defaults,
    write_sample,
)

from tilewise.plan import decide, segment

FILTERS = {"smooth": [{"median": 3}], "wide": [{"median": 9}]}
SWEPT = {
    "swept": {
        "threshold": {"sauvola": {"size": 15}},
        "grid": {"filter": ["smooth", "wide", None], "size": [5, 41]},
    }
}


@pytest.fixture
def rows(tmp_path):
    """Stacks of two planes: all of a, the second of b and nothing of c are annotated."""
    return [
        write_sample(tmp_path, "a", (2, 32, 32), truth=(0, 1)),
        write_sample(tmp_path, "b", (2, 32, 32), truth=(1,)),
        write_sample(tmp_path, "c", (2, 32, 32)),
    ]


ANNOTATED = [("a", "0/0/0"), ("a", "1/0/0"), ("b", "1/0/0")]
"""Sample and block, where a block is a plane."""


def planes_study(folder, rows, **settings):
    return make_study(folder, *rows, block={"planes": 1}, filters=FILTERS, **settings)


def test_the_decision_reads_all_annotated_blocks(tmp_path, rows):
    methods = OTSU | SWEPT | {"one": {"threshold": "li", "filter": "wide", "samples": ["a"]}}
    study = planes_study(tmp_path, rows, methods=methods)
    job = decide.decide(study)
    assert job.metrics == [
        f"results/{sample}/{method}/metrics/{block}.tsv"
        for sample, method, block in [
            *[("a", method, f"{z}/0/0") for method in methods for z in (0, 1)],
            *[("b", method, "1/0/0") for method in ("otsu", "swept")],
        ]
    ]
    assert job.methods == ["otsu", "swept"]
    assert job.left_out == ["one"]
    grid = {"filter": ("smooth", "wide", None), "size": (5, 41)}
    assert job.swept == {"swept": {"parameters": 2, "grid": grid, "is_trained": False}}
    assert job.units == ["results/sweeps/swept/units.tsv"]
    assert job.annotators == []
    # quality of samples with truth
    assert job.features == [
        f"results/{sample}/quality/{z}/0/0.tsv" for sample in "ab" for z in (0, 1)
    ]


def test_the_best_thresholds_need_grey_levels_after_each_filter(tmp_path, rows):
    methods = {"m": {"threshold": "otsu"}, "n": {"threshold": "li", "filter": "wide"}}
    job = decide.decide(planes_study(tmp_path, rows, methods=methods))
    expected = [
        (sample, source, block)
        for sample, blocks in (("a", ("0/0/0", "1/0/0")), ("b", ("1/0/0",)))
        for source in ("image", "wide")
        for block in blocks
    ]
    assert job.histograms.files == [
        f"results/{sample}/histograms/{source}/truth/{block}.npz"
        for sample, source, block in expected
    ]
    assert job.histograms.filters == [source for _, source, _ in expected]
    off = planes_study(tmp_path, rows, methods=methods, validate={"oracles": False})
    assert decide.decide(off).histograms == decide.HistogramFiles([], [])


def test_structure_decides_where_it_is_that_of_tiles(tmp_path, rows):
    study = planes_study(tmp_path, rows, validate={"metrics": ["nsd"], "extent": "tile"})
    assert study.tile_metrics == ["nsd"]
    study = planes_study(tmp_path, rows, validate={"metrics": ["nsd"], "extent": "sample"})
    assert study.tile_metrics == []


def test_several_annotators_are_compared(tmp_path, rows):
    (tmp_path / "other.png").write_bytes((tmp_path / "a/truth_0.png").read_bytes())
    (tmp_path / "d.png").write_bytes((tmp_path / "a/image_0.png").read_bytes())
    row = {"sample": "d", "image": "d.png", "truth": "a/truth_0.png; other.png"}
    study = planes_study(tmp_path, [row, *rows])
    assert decide.decide(study).annotators == ["results/d/annotators/stack.tsv"]


def test_histograms_of_the_tiles_of_a_block(tmp_path, rows):
    settings = {"methods": {"m": {"threshold": "otsu", "filter": "wide"}}, "block": {"rows": 1}}
    for keep, files in {
        True: ["results/a/filtered/wide.zarr/c/0/0/0"],
        # what is deleted again is no input of a job that comes late
        False: [f"results/a/image.zarr/0/c/0/{y}/0" for y in (0, 1)],
    }.items():
        study = make_study(tmp_path, *rows, filters=FILTERS, keep_filtered=keep, **settings)
        job = decide.tile_histograms(study, "a", "wide", "0/0/0")
        assert job.pixels.files == files
        assert job.pixels.steps == ([] if keep else [{"median": 9}])
        assert job.margin is None


def test_a_single_tile_is_cut_into_spatial_blocks(tmp_path):
    row = write_sample(tmp_path, "s", (1, 16, 16), truth=(0,))
    study = make_study(tmp_path, row, validate={"margin": 7})
    assert decide.tile_histograms(study, "s", "image", "0/0/0").margin == 7


def test_a_sweep_filters_by_itself(tmp_path):
    row = write_sample(tmp_path, "a", (1, 64, 32), truth=(0,))
    study = make_study(tmp_path, row, block={"rows": 1}, filters=FILTERS, methods=SWEPT)
    job = decide.sweep(study, "a", "swept", "0/0/0")
    # windows of at most 41 and 9 reach 20 + 4 px, beyond a block of 16
    assert job.pixels.files == [f"results/a/image.zarr/0/c/0/{y}/0" for y in (0, 1, 2)]
    assert job.pixels.steps == []
    assert job.steps == {"smooth": [{"median": 3}], "wide": [{"median": 9}], "image": []}
    assert [variant["name"] for variant in job.variants] == [
        f"filter={filter},size={size}" for filter in ("smooth", "wide", "null") for size in (5, 41)
    ]
    assert [variant["segmenter"]["settings"]["size"] for variant in job.variants] == [5, 41] * 3
    (part,) = job.parts
    assert part["counts"] == job.calibrations == []


def test_a_sweep_counts_the_samples_of_the_filters_that_need_it(tmp_path, rows):
    grid = {"filter": ["wide", "smooth"], "scope": ["tile", "sample"]}
    methods = {"m": {"threshold": "otsu", "min_contrast": 0, "grid": grid}}
    study = planes_study(tmp_path, rows, methods=methods)
    job = decide.sweep(study, "b", "m", "1/0/0")
    names = [
        f"filter={source},scope={s}" for source in ("wide", "smooth") for s in ("tile", "sample")
    ]
    assert [variant["name"] for variant in job.variants] == names
    (part,) = job.parts
    assert part["counts"] == []
    guard = segment.guard(study, "b", "m")
    assert [variant["name"] for variant in guard.variants] == names[1::2]
    # of all blocks of the sample, annotated or not
    assert guard.histograms == [
        f"results/b/histograms/{source}/{z}/0/0.npz"
        for source in ("wide", "smooth")
        for z in (0, 1)
    ]
    # one block counts itself
    whole = make_study(tmp_path, *rows, filters=FILTERS, methods=methods)
    job = decide.sweep(whole, "b", "m", "0/0/0")
    (part,) = job.parts
    assert part["counts"] == names[1::2]
    assert segment.guard(whole, "b", "m").histograms == []


def test_calibration_reads_what_its_variants_filter(tmp_path, rows):
    grid = {"filter": ["smooth", "wide"], "scope": ["calibrated", "tile"]}
    methods = {"m": {"threshold": "otsu", "grid": grid, "samples": ["b", "c"]}}
    study = planes_study(tmp_path, rows, methods=methods, apply="none")
    job = decide.calibrate(study, "m")
    assert [(one["filter"], one["segmenter"]["scope"]) for one in job.variants] == [
        ("smooth", "calibrated"),
        ("wide", "calibrated"),
    ]
    sources = ("smooth", "wide")
    assert job.samples == ["b"]
    assert job.histograms.filters == list(sources)
    assert job.histograms.files == [f"results/b/histograms/{s}/truth/1/0/0.npz" for s in sources]
    assert job.dtypes == {"smooth": "uint8", "wide": "uint8"}
    table = ["results/sweeps/m/calibration.tsv"]
    assert decide.sweep(study, "b", "m", "1/0/0").calibrations == table
    assert decide.choose(study, "m").calibrations == table


def test_variants_that_are_not_calibrated_need_no_grey_levels(tmp_path, rows):
    grid = {"filter": ["smooth"], "scope": ["tile", "sample"]}
    methods = {"m": {"threshold": "otsu", "grid": grid}}
    study = planes_study(tmp_path, rows, methods=methods)
    assert decide.calibrate(study, "m").histograms.files == []
    assert decide.choose(study, "m").calibrations == []


def test_parameters_are_chosen_by_all_annotated_blocks(tmp_path, rows):
    study = planes_study(tmp_path, rows, methods=SWEPT)
    job = decide.choose(study, "swept")
    assert job.scores == [f"results/{s}/swept/sweep/{block}.tsv" for s, block in ANNOTATED]
    assert len(job.variants) == 6


def test_folds_are_those_of_all_annotated_blocks(tmp_path, rows):
    study = planes_study(tmp_path, rows, methods=SWEPT)
    job = decide.folds(study)
    assert job.truths == [
        f"results/{s}/image.zarr/labels/truth/0/c/{block}" for s, block in ANNOTATED
    ]
    parts = [(part["sample"], part["block"]) for stack in job.stacks for part in stack["parts"]]
    assert parts == list(ANNOTATED)
    assert [block for stack in job.stacks for block in stack["blocks"]] == [b for _, b in ANNOTATED]
    # features are needed where they exclude tiles
    assert job.features == []
    study = planes_study(tmp_path, rows, methods=SWEPT, quality={"exclude": ["empty"]})
    features = [f"results/{sample}/quality/{z}/0/0.tsv" for sample in "ab" for z in (0, 1)]
    assert decide.folds(study).features == features


GRID = {"m": {"threshold": "manual", "grid": {"value": [1, 2]}, "samples": ["b", "c", "d"]}}


def test_sweeps_of_collected_samples_with_truth():
    study = collected_study("none", methods=OTSU | GRID)
    parts = {
        block: [(part["sample"], part["offset"]) for part in job.parts]
        for block in ("0/0/0", "1/0/0")
        for job in [decide.sweep(study, S, "m", block)]
    }
    # a is another method's, b has no truth
    assert parts == {"0/0/0": [("c", 2)], "1/0/0": [("d", 4)]}
    job = decide.sweep(study, S, "m", "0/0/0")
    assert job.pixels.files == [f"results/{S}/image.zarr/0/c/0/0/0"]
    assert decide.choose(study, "m").scores == [f"results/{S}/m/sweep/{z}/0/0.tsv" for z in (0, 1)]
    # tables of features once, though a and c share one
    features = [f"results/{S}/quality/{z}/0/0.tsv" for z in (0, 1)]
    assert decide.decide(study).features == features


def test_each_collected_sample_says_which_parameters_count_it():
    samples = [imagined_sample("one", truth=[0]), imagined_sample("two", (2, 16, 16), truth=[0])]
    grid = {"filter": ["wide", "smooth"], "fallback": ["empty", "sample"]}
    methods = {"m": {"threshold": "otsu", "grid": grid}}
    study = study_of(
        samples, with_defaults({"methods": methods, "filters": FILTERS, "collect": {}})
    )
    job = decide.sweep(study, S, "m", "0/0/0")
    needed = [f"filter={source},fallback=sample" for source in ("wide", "smooth")]
    # the only tile of a sample is all of it, which tells no more
    assert [part["counts"] for part in job.parts] == [[], needed]


def test_calibration_leaves_out_companions_of_its_samples():
    methods = {"m": {"threshold": "otsu", "scope": "calibrated", "samples": ["b", "c"]}}
    study = collected_study("none", methods=OTSU | methods)
    job = decide.calibrate(study, "m")
    # c shares a file with a, which is not the method's
    assert job.samples == ["c"]
    assert job.histograms.files == [
        f"results/{S}/histograms/image/truth/{z}/0/0.npz" for z in (0, 1)
    ]
    job = decide.tile_histograms(study, S, "image", "0/0/0")
    assert [part["sample"] for part in job.parts] == ["a", "c"]


def test_consensus_of_collected_samples_is_compared_block_by_block():
    samples = [imagined_sample(name, (3, 16, 16), truth=[[0], [0]]) for name in "ab"]
    study = study_of(samples, with_defaults({"collect": {"planes": 4}}))
    stack = "_small_uint8_voted_1"
    assert decide.decide(study).annotators == [
        f"results/{stack}/annotators/{z}.tsv" for z in (0, 1)
    ]
