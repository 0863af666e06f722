"""What is annotated, compared, applied and kept, and what cannot be."""

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

from tilewise.plan.study import named_files
from tilewise.read.header import Header

FILTERS = {"smooth": [{"gaussian": 1}], "flat": [{"median": 5}]}
PAIR = OTSU | {"li": {"threshold": "li"}}


@pytest.fixture
def rows(tmp_path):
    """Three samples: both planes of a, one plane of b and none of c have truth."""
    return [
        write_sample(tmp_path, "a", (2, 64, 64), truth=(0, 1)),
        write_sample(tmp_path, "b", (2, 64, 64), truth=(1,)),
        write_sample(tmp_path, "c", (1, 48, 64), dtype="uint16"),
    ]


@pytest.mark.parametrize(
    ("apply", "applied", "runs"),
    [
        ("best", ["a", "b", "c"], ["a otsu", "a li", "b otsu"]),
        # li has no sample but a
        ("li", ["a"], ["a otsu", "a li", "b otsu"]),
        ("none", [], ["a otsu", "a li", "b otsu"]),
        ("all", [], ["a otsu", "a li", "b otsu", "c otsu"]),
    ],
)
def test_what_is_run_where(tmp_path, rows, apply, applied, runs):
    methods = OTSU | {"li": {"threshold": "li", "samples": ["a"]}}
    study = make_study(tmp_path, *rows, methods=methods, apply=apply)
    assert study.annotated == ["a", "b"]
    assert study.applied == applied
    assert [" ".join(pair) for pair in study.runs] == runs
    # with truth, whatever is applied
    assert [" ".join(pair) for pair in study.validated] == ["a otsu", "a li", "b otsu"]
    assert study.methods_of("a") == ["otsu", "li"]
    assert study.methods_of("c") == ["otsu"]
    assert study.is_run("c", "otsu") == (apply == "all")
    assert not study.is_run("b", "li")


def test_methods_are_ranked_on_the_same_samples(tmp_path, rows):
    methods = {
        "everywhere": {"threshold": "otsu"},
        "annotated": {"threshold": "otsu", "samples": ["a", "b"]},
        "one": {"threshold": "otsu", "samples": ["a"]},
        "bare": {"threshold": "otsu", "samples": ["c"]},
    }
    best = make_study(tmp_path, *rows, methods=methods, apply="best")
    assert best.ranked == ["everywhere"]
    assert best.left_out == ["annotated", "one"]
    # what is applied need not be fit for all samples
    tried = make_study(tmp_path, *rows, methods=methods, apply="none")
    assert tried.ranked == ["everywhere", "annotated"]
    assert tried.left_out == ["one"]


def test_masks_of_tried_methods_cover_annotated_blocks(tmp_path, rows):
    settings = {"block": {"planes": 1}, "methods": PAIR}
    tried = make_study(tmp_path, *rows, **settings)
    assert tried.blocks("b") == ["0/0/0", "1/0/0"]
    assert tried.mask_blocks("b", "otsu") == tried.annotated_blocks("b") == ["1/0/0"]
    assert tried.mask_blocks("b", "segmentation") == ["0/0/0", "1/0/0"]
    every = make_study(tmp_path, *rows, apply="all", **settings)
    assert every.mask_blocks("b", "otsu") == ["0/0/0", "1/0/0"]


def test_groups_and_planes_that_are_split(tmp_path, rows):
    study = make_study(tmp_path, rows[0] | {"group": "m1"}, *rows[1:], block={"rows": 2})
    assert study.groups == {"a": "m1", "b": "b"}
    assert study.is_split("a")
    assert not make_study(tmp_path, *rows, block={"planes": 1}).is_split("a")


def test_a_single_annotated_tile(tmp_path):
    row = write_sample(tmp_path, "s", (2, 16, 16), truth=(1,))
    assert make_study(tmp_path, row).is_single_tile
    # twice as many tiles, and twice as many planes
    assert not make_study(tmp_path, write_sample(tmp_path, "w", (1, 16, 24), (0,))).is_single_tile
    assert not make_study(tmp_path, write_sample(tmp_path, "d", (2, 16, 16), (0, 1))).is_single_tile


@pytest.mark.parametrize(("keep", "expected"), [(True, "kept"), (False, "temporary")])
def test_filtered_images_are_what_is_configured(keep, expected):
    settings = {"filters": FILTERS, "keep_filtered": keep, "keep_filtered_limit": 0}
    assert imagined_study((1, 64, 64), (1, 64, 64), **settings).filtered == expected


def test_auto_goes_by_the_bytes_of_all_samples_after_all_filters(tmp_path, rows):
    # two stacks of 2 x 64 x 64 bytes and 48 x 64 of two bytes each, twice
    size = 2 * (2 * 2 * 64 * 64 + 2 * 48 * 64)
    assert size == 45056

    def filtered(bytes_at_most, methods=OTSU, filters=FILTERS):
        limit = bytes_at_most / 2**30
        study = make_study(
            tmp_path, *rows, filters=filters, methods=methods, keep_filtered_limit=limit
        )
        return study.filtered

    assert filtered(size) == "kept"
    assert filtered(size - 1) == "inline"
    # whatever methods there are
    assert filtered(size, PAIR | {"yen": {"threshold": "yen", "filter": "flat"}}) == "kept"
    assert filtered(size - 1, {"yen": {"threshold": "yen", "filter": "flat"}}) == "inline"
    assert filtered(size, filters=FILTERS | {"more": ["invert"]}) == "inline"
    assert filtered(0, filters={}) == "kept"


def test_auto_is_the_default_and_keeps_a_gigabyte():
    settings = {"tile": 512, "filters": {"smooth": [{"gaussian": 1}]}}
    block = (1, 2**15, 2**15)
    assert imagined_study((1, 2**15, 2**15), block, **settings).filtered == "kept"
    assert imagined_study((1, 2**15, 2**15 + 1), block, **settings).filtered == "inline"
    assert imagined_study((1, 2**15, 2**15), block, dtype="uint16", **settings).filtered == "inline"


def test_reach_is_from_the_image_on():
    methods = {
        "tile": {"threshold": "otsu", "filter": "both"},
        "local": {"threshold": {"sauvola": {"size": 31}}, "filter": "both"},
        "plane": {"threshold": "otsu", "scope": "plane"},
    }
    filters = {"both": [{"gaussian": 1}, "invert", {"median": 5}]}
    study = imagined_study((1, 64, 64), (1, 64, 64), filters=filters, methods=methods)
    # a gaussian ends at 4 standard deviations, a window of 5 reaches 2
    assert study.reach("s", "both") == 4 + 0 + 2
    assert study.reach("s", "image") == 0
    reaches = {
        name: study.variant_reach("s", method.variants[0]) for name, method in study.methods.items()
    }
    assert reaches == {"tile": 6, "local": 6 + 15, "plane": float("inf")}


def test_candidates_of_what_is_decided_on(tmp_path, rows):
    methods = {
        "otsu": {"threshold": "otsu"},
        "manual": {"threshold": "manual", "grid": {"value": [1, 2]}},
    }
    best = make_study(tmp_path, *rows, methods=methods)
    names = ["", "value=1", "value=2"]
    assert [variant.name for variant in best.candidates("segmentation")] == names
    assert [variant.name for variant in best.candidates("manual")] == names[1:]
    chosen = make_study(tmp_path, *rows, methods=methods, apply="otsu")
    assert [variant.name for variant in chosen.candidates("segmentation")] == [""]


NO_TRUTH = "best needs truth to decide on a method, and no sample has any: set `apply` to"
MANY = {
    "best": (
        {"apply": "bets"},
        "apply: bets is not configured: set it to best, all, none or a method: otsu",
    ),
    "ranked": (
        {"methods": {"otsu": {"threshold": "otsu", "samples": ["a"]}}},
        "apply: best needs a method that runs on all samples: leave its `samples` out",
    ),
    "precision": (
        {"decision": {"metric": "precision"}},
        "decision.metric: precision cannot decide",
    ),
    "no metric": (
        {"validate": {"metrics": ["cldise"]}},
        "validate.metrics: cldise does not exist; did you mean cldice?",
    ),
    "metric": (
        {"validate": {"metrics": ["cldice"]}, "decision": {"metric": "nsd"}},
        "decision.metric: nsd is not computed: add nsd to `metrics` under `validate`",
    ),
    "objects": (
        {"decision": {"metric": "object_f1"}},
        "decision.metric: object_f1 is not computed: add objects to `metrics` under `validate`",
    ),
    "test": (
        {"decision": {"test": "wilcoxon"}},
        "decision.test: wilcoxon ranks the units' own values, which say nothing of a pooled score",
    ),
    "extent": (
        {"validate": {"extent": "plane"}, "decision": {"metric": "cldice"}},
        "decision.metric: cldice is decided on by tiles: set `extent` under `validate` to tile",
    ),
    "unit": (
        {"validate": {"unit": "micrometer"}},
        "validate.unit: micrometer needs the pixel size of sample a, which its files do not have",
    ),
    "calibrated": (
        {"methods": {"m": {"threshold": "otsu", "scope": "calibrated"}}},
        "methods.m: scope calibrated needs samples of one dtype, these are uint16, uint8: convert",
    ),
}


@pytest.mark.parametrize(("settings", "message"), MANY.values(), ids=MANY)
def test_what_cannot_be_is_refused(tmp_path, rows, settings, message):
    rows[2] = write_sample(tmp_path, "d", (1, 64, 64), truth=(0,), dtype="uint16")
    with pytest.raises(ValueError, match="^[a-z]+") as error:
        make_study(tmp_path, *rows, **settings)
    assert str(error.value).startswith(message)
    # and the rest of the study is sound
    make_study(tmp_path, *rows)


def test_files_that_the_workflow_makes_or_fetches():
    found = named_files(
        {
            "phantoms": {"p": {"shape": [2, 3, 4]}},
            "downloads": {"a.tif": {"shape": [1, 5, 6], "dtype": "uint16"}},
            "stored": {
                name: {"files": files, "first": 7, "shape": [2, 5, 6], "channels": 3}
                | {"dtype": "uint8"}
                for name, files in (("all", "s3://b/a.tif"), ("each", "s3://b/a_{:02d}.tif"))
            },
        }
    )
    plane, planes = Header(1, 5, 6, 3, "uint8"), Header(2, 5, 6, 3, "uint8")
    assert found == {
        **{
            f"phantom:p/{kind}": [
                (f"results/sources/phantom/p/{kind}.tif", Header(2, 3, 4, 1, "uint8"))
            ]
            for kind in ("image", "truth")
        },
        "download:a.tif": [("results/sources/download/a.tif", Header(1, 5, 6, 1, "uint16"))],
        "stored:all": [("s3://b/a.tif", planes)],
        "stored:each": [("s3://b/a_07.tif", plane), ("s3://b/a_08.tif", plane)],
    }


def test_without_truth_nothing_is_decided(tmp_path, rows):
    bare = rows[2]
    with pytest.raises(ValueError, match="^apply: " + NO_TRUTH):
        make_study(tmp_path, bare, methods=PAIR)
    grid = {"m": {"threshold": "manual", "grid": {"value": [1, 2]}}}
    with pytest.raises(ValueError, match="^methods.m.grid: no sample has truth to choose"):
        make_study(tmp_path, bare, methods=grid)
    # one method needs no decision
    study = make_study(tmp_path, bare)
    assert not study.decides
    assert study.applied == ["c"]
    assert make_study(tmp_path, *rows).decides


def test_micrometers_of_known_pixel_sizes(tmp_path, rows):
    sized = [row | {"pixel_size": "1 0.5 0.5"} for row in rows[:2]]
    study = make_study(tmp_path, *sized, rows[2], validate={"unit": "micrometer"})
    assert study.samples["a"].pixel_size == (1, 0.5, 0.5)
    assert study.samples["c"].pixel_size is None


BLOCKS = {
    "best": {"segmentation": ["abc", "de", "f"], "otsu": ["ac", "d", ""], "li": ["", "d", ""]},
    "all": {"segmentation": ["", "", ""], "otsu": ["abc", "de", "f"], "li": ["b", "d", "f"]},
    "none": {"segmentation": ["", "", ""], "otsu": ["ac", "d", ""], "li": ["", "d", ""]},
    "li": {"segmentation": ["b", "d", "f"], "otsu": ["ac", "d", ""], "li": ["", "d", ""]},
    "otsu": {"segmentation": ["abc", "de", "f"], "otsu": ["ac", "d", ""], "li": ["", "d", ""]},
}
"""Samples whose masks are made in each block of a shared stack."""


@pytest.mark.parametrize(("apply", "expected"), BLOCKS.items(), ids=BLOCKS)
def test_masks_of_collected_samples(apply, expected):
    study = collected_study(apply)
    for method, samples in expected.items():
        found = [study.mask_places(S, block, method) for block in study.blocks(S)]
        assert found == [[(sample, "0/0/0") for sample in some] for some in samples]
        made = [f"{z}/0/0" for z, some in enumerate(samples) if some]
        assert study.mask_blocks(S, method) == made


def test_annotated_samples_of_a_shared_block():
    study = collected_study()
    assert list(study.stacks) == [S]
    assert {stack.name for stack in study.stack_of.values()} == {S}
    assert list(study.stack_of) == list("abcdef")

    def found(method=None):
        places = [study.annotated_places(S, block, method) for block in study.blocks(S)]
        return ["".join(sample for sample, _ in some) for some in places]

    assert found() == found("otsu") == ["ac", "d", ""]
    assert found("li") == ["", "d", ""]
    assert study.annotated_blocks(S) == study.annotated_blocks(S, "otsu") == ["0/0/0", "1/0/0"]
    assert study.annotated_blocks(S, "li") == ["1/0/0"]
    # a stack once, whatever samples of it there are
    assert study.validated == [(S, "otsu"), (S, "li")]
    assert study.runs == [("a", "otsu"), ("c", "otsu"), ("d", "otsu"), ("d", "li")]
    assert [study.block_of(sample, "0/0/0") for sample in "cdf"] == ["0/0/0", "1/0/0", "2/0/0"]
    assert not study.is_split(S)


def test_what_samples_of_a_stack_have_in_common():
    stain = [imagined_sample(name, dtype="uint16", channels=3) for name in "ab"]
    voted = imagined_sample("v", truth=[[0], [0]])
    study = study_of([voted, *stain], with_defaults({"collect": {}, "apply": "none"}))
    name = "_small_uint16_rgb_1"
    assert (study.dtype(name), study.channels(name), study.is_color(name)) == ("uint16", 3, True)
    assert not study.is_color("_small_uint8_voted_1")
    assert study.voted == ["_small_uint8_voted_1"]


@pytest.mark.parametrize(
    ("shape", "collected", "codec"),
    [
        ((1, 512, 1024), 0, "none"),
        ((1, 512, 256), 0, "none"),
        # 2 x 255 x 512 px are less than 512 x 512
        ((1, 255, 512), 0, "zstd"),
        ((1, 600, 600), 0, "zstd"),
        ((1, 800, 800), 0, "none"),
        ((1, 512, 512), 8, "zstd"),
        ((1, 600, 600), 8, "none"),
    ],
)
def test_what_is_mostly_padding_is_compressed(shape, collected, codec):
    config = with_defaults({"tile": 512, "collect": {"side": collected}})
    study = study_of([imagined_sample("a", shape)], config)
    (stack,) = study.stacks
    assert study.filtered_codec(stack) == codec
    study = study_of([imagined_sample("a", shape)], config | {"filtered_codec": "lz4"})
    assert study.filtered_codec(stack) == "lz4"
