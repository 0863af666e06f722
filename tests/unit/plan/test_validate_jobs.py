"""Masks against the truth: what is scored, by what, and where."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
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

from tilewise.plan import validate
from tilewise.read.annotation import Piece

METHODS = OTSU | {"li": {"threshold": "li", "samples": ["b"]}}


@pytest.fixture
def rows(tmp_path):
    """Stacks of three planes of 32 x 48 px: two of a and one of b are annotated."""
    return [
        write_sample(tmp_path, "a", (3, 32, 48), truth=(0, 2)),
        write_sample(tmp_path, "b", (3, 32, 48), truth=(1,)),
    ]


def test_distances_are_in_pixels_or_micrometers(tmp_path, rows):
    sized = [rows[0] | {"pixel_size": "2 0.5 0.25"}, rows[1] | {"pixel_size": "0.5"}]

    def spacing(study, sample):
        (part,) = validate.validate(study, sample, "otsu", "0/0/0").parts
        return part["spacing"]

    pixels = make_study(tmp_path, *sized)
    assert spacing(pixels, "a") == [1, 1, 1]
    settings = {"unit": "micrometer", "tolerance": 2, "metrics": ["nsd"]}
    micrometers = make_study(tmp_path, *sized, validate=settings)
    assert spacing(micrometers, "a") == [2, 0.5, 0.25]
    scoring = validate.scoring(micrometers)
    assert scoring["tolerance"] == 2
    assert scoring["metrics"] == ["nsd"]
    # where z is unknown, planes are not looked at together
    assert spacing(micrometers, "b") == [1, 0.5, 0.5]


def test_a_margin_is_that_of_a_single_tile(tmp_path, rows):
    assert validate.scoring(make_study(tmp_path, *rows))["margin"] is None
    row = write_sample(tmp_path, "s", (1, 16, 16), truth=(0,))
    assert validate.scoring(make_study(tmp_path, row))["margin"] == 16


def test_tables_of_annotated_blocks(tmp_path, rows):
    study = make_study(tmp_path, *rows, methods=METHODS, block={"planes": 1}, apply="none")
    assert validate.tables(study) == [
        "results/a/otsu/metrics/0/0/0.tsv",
        "results/a/otsu/metrics/2/0/0.tsv",
        "results/b/otsu/metrics/1/0/0.tsv",
        "results/b/li/metrics/1/0/0.tsv",
    ]


@pytest.mark.parametrize(
    ("extent", "expected"),
    [
        ("tile", []),
        ("plane", ["a/otsu/structure/0", "a/otsu/structure/2", "b/otsu/structure/1"]),
        ("sample", ["a/otsu/structure/stack", "b/otsu/structure/stack"]),
    ],
)
def test_structure_of_planes_and_stacks(tmp_path, rows, extent, expected):
    # planes of two blocks each
    settings = {"block": {"planes": 1, "rows": 1}}
    study = make_study(tmp_path, *rows, validate={"extent": extent}, **settings)
    found = validate.structure_tables(study)
    assert found == [f"results/{name}.tsv" for name in expected]
    none = make_study(tmp_path, *rows, validate={"extent": extent, "metrics": []}, **settings)
    assert validate.structure_tables(none) == []


def test_structure_reads_the_annotated_blocks_of_a_plane_or_stack(tmp_path, rows):
    study = make_study(
        tmp_path, *rows, validate={"extent": "plane"}, block={"planes": 1, "rows": 1}
    )
    for extent, blocks in {
        "2": ["2/0/0", "2/1/0"],
        "stack": ["0/0/0", "0/1/0", "2/0/0", "2/1/0"],
    }.items():
        job = validate.structure(study, "a", "otsu", extent)
        labels = "results/a/image.zarr/labels"
        assert job.masks == [f"{labels}/otsu/0/c/{block}" for block in blocks]
        assert job.truths == [f"{labels}/truth/0/c/{block}" for block in blocks]
        assert [part["block"] for part in job.parts] == job.blocks == blocks
    # those of tiles are none here, those of planes are what is configured
    assert validate.scoring(study)["metrics"] == []
    assert job.scoring["metrics"] == ["cldice", "nsd"]


def test_errors_of_all_methods_of_a_sample(tmp_path, rows):
    study = make_study(tmp_path, *rows, methods=METHODS, apply="none")
    labels = "results/b/image.zarr/labels"
    job = validate.errors(study, "b", "0/0/0")
    assert job.methods == ["otsu", "li"]
    assert job.confusions == [f"{labels}/{name}-confusion/0/c/0/0/0" for name in ("otsu", "li")]
    assert [part["methods"] for part in job.parts] == [["otsu", "li"]]
    assert job.connectivity == 8
    job = validate.errors(study, "a", "0/0/0")
    assert job.methods == ["otsu"]
    assert [part["methods"] for part in job.parts] == [["otsu"]]
    pattern = "results/{stack}/errors/strata/{block}.tsv"
    expected = [f"results/{sample}/errors/strata/0/0/0.tsv" for sample in "ab"]
    assert validate.error_tables(study, pattern) == expected


def overlaid(study, block):
    """Tiles of a that a job overlays."""
    (part,) = validate.overlay(study, "a", "otsu", block).parts
    return part["tiles"]


def test_overlays_of_a_few_tiles_per_plane(tmp_path, rows):
    study = make_study(tmp_path, *rows, overlay={"per_plane": 2}, block={"planes": 2})
    # of 2 x 3 tiles, two at equal distances: the second and the fifth
    tiles = ["z{:04d}_y00_x01", "z{:04d}_y01_x01"]
    assert {block: overlaid(study, block) for block in ("0/0/0", "1/0/0")} == {
        "0/0/0": [tile.format(0) for tile in tiles],
        "1/0/0": [tile.format(2) for tile in tiles],
    }
    every = make_study(tmp_path, *rows)
    assert overlaid(every, "0/0/0") is None


def test_overlays_take_the_tiles_of_their_block(tmp_path, rows):
    study = make_study(tmp_path, *rows, overlay={"per_plane": 2}, block={"rows": 1})
    for y in (0, 1):
        assert overlaid(study, f"0/{y}/0") == [f"z{z:04d}_y0{y}_x01" for z in (0, 2)]


def test_overlays_of_colours(tmp_path, rows):
    pixels = np.zeros((32, 32), np.uint8)
    Image.fromarray(np.stack([pixels] * 3, -1)).save(tmp_path / "stain.png")
    Image.fromarray(pixels).save(tmp_path / "stain_truth.png")
    row = {"sample": "stain", "image": "stain.png", "truth": "stain_truth.png"}
    study = make_study(tmp_path, row | {"pixel_size": "0.5"}, *rows)
    job = validate.overlay(study, "stain", "otsu", "0/0/0")
    assert job.picture == "results/stain/color.zarr/0/c/0/0/0/0"
    assert (job.channels, job.parts[0]["pixel_size"]) == (3, [None, 0.5, 0.5])
    grey = validate.overlay(study, "a", "otsu", "0/0/0")
    assert grey.picture == "results/a/image.zarr/0/c/0/0/0"
    assert (grey.channels, grey.parts[0]["pixel_size"]) == (1, None)


def samples_of(job):
    return "".join(part["sample"] for part in job.parts)


def test_annotated_samples_of_a_block_are_scored():
    study = collected_study()
    for make in (validate.validate, validate.overlay):
        jobs = [make(study, S, "otsu", block) for block in ("0/0/0", "1/0/0")]
        assert [samples_of(job) for job in jobs] == ["ac", "d"]
        assert samples_of(make(study, S, "li", "1/0/0")) == "d"
    assert validate.tables(study) == [
        f"results/{S}/{method}/metrics/{z}/0/0.tsv" for method, z in [("otsu", 0), ("otsu", 1)]
    ] + [f"results/{S}/li/metrics/1/0/0.tsv"]


def test_each_collected_sample_has_its_spacing():
    samples = [
        imagined_sample("a", truth=[0], pixel_size=(2, 0.5, 0.25)),
        imagined_sample("b", truth=[0], pixel_size=(None, 1, 1)),
    ]
    for unit, spacings in {
        "micrometer": [[2, 0.5, 0.25], [1, 1, 1]],
        "pixel": [[1, 1, 1], [1, 1, 1]],
    }.items():
        study = study_of(samples, with_defaults({"collect": {}, "validate": {"unit": unit}}))
        for job in (
            validate.validate(study, S, "otsu", "0/0/0"),
            validate.structure(study, S, "otsu", "0"),
        ):
            assert [part["spacing"] for part in job.parts] == spacings
    job = validate.overlay(study, S, "otsu", "0/0/0")
    assert [part["pixel_size"] for part in job.parts] == [[2, 0.5, 0.25], [None, 1, 1]]


@pytest.mark.parametrize("extent", ["plane", "sample"])
def test_structure_of_collected_samples_goes_block_by_block(extent):
    study = collected_study(validate={"extent": extent})
    assert validate.structure_tables(study) == [
        f"results/{S}/{name}.tsv" for name in ("otsu/structure/0", "otsu/structure/1")
    ] + [f"results/{S}/li/structure/1.tsv"]
    job = validate.structure(study, S, "otsu", "0")
    assert (samples_of(job), job.blocks) == ("ac", ["0/0/0"])
    assert job.masks == [f"results/{S}/image.zarr/labels/otsu/0/c/0/0/0"]
    assert job.truths == [f"results/{S}/image.zarr/labels/truth/0/c/0/0/0"]
    assert samples_of(validate.structure(study, S, "li", "1")) == "d"


def test_errors_of_the_methods_that_each_collected_sample_has():
    methods = OTSU | {"li": {"threshold": "li", "samples": ["c", "d"]}}
    methods |= {"bare": {"threshold": "li", "samples": ["b"]}}
    study = collected_study("none", methods=methods)
    job = validate.errors(study, S, "0/0/0")
    found = {part["sample"]: part["methods"] for part in job.parts}
    assert found == {"a": ["otsu"], "c": ["otsu", "li"]}
    # b is not annotated, so that its method has no confusion maps
    assert job.methods == ["otsu", "li"]
    labels = f"results/{S}/image.zarr/labels"
    assert job.confusions == [f"{labels}/{name}-confusion/0/c/0/0/0" for name in job.methods]
    assert validate.error_blocks(study, S) == ["0/0/0", "1/0/0"]
    # a has no method, d one
    few = {"li": {"threshold": "li", "samples": ["d"]}}
    study = collected_study("none", methods=few)
    assert validate.error_blocks(study, S) == ["1/0/0"]
    assert samples_of(validate.errors(study, S, "1/0/0")) == "d"


def test_overlays_of_each_collected_sample_s_tiles():
    window = Piece("window.png", 0, 0, 3, 20, 8, 8)
    samples = [
        imagined_sample("a", (1, 32, 32), truth=[0]),
        imagined_sample("b", (1, 32, 32)),
        replace(imagined_sample("c", (1, 32, 48)), truth=(window,)),
    ]
    config = {"collect": {}, "overlay": {"per_plane": 1}}
    study = study_of(samples, with_defaults(config))
    stack = "_small_uint8_4"
    job = validate.overlay(study, stack, "otsu", "0/0/0")
    # the third of four tiles, and the only one that a window of columns 20 to 27 is in
    tiles = {part["sample"]: part["tiles"] for part in job.parts}
    assert tiles == {"a": ["z0000_y01_x00"], "c": ["z0000_y00_x01"]}
    assert job.picture == f"results/{stack}/image.zarr/0/c/0/0/0"
    stain = [imagined_sample(name, channels=3, truth=[0]) for name in "ab"]
    job = validate.overlay(
        study_of(stain, with_defaults({"collect": {}})), "_small_uint8_rgb_1", "otsu", "0/0/0"
    )
    assert job.picture == "results/_small_uint8_rgb_1/color.zarr/0/c/0/0/0/0"
    assert (job.channels, samples_of(job)) == (3, "ab")
