"""What every tile is worth: which features, surveys and tables the jobs read."""

import pytest
from studies import (
    OTSU,
    imagined_sample,
    make_study,
    study_of,
    with_defaults,
    write_sample,
)

from tilewise.plan import quality
from tilewise.plan.study import Choice

FILTERS = {"smooth": [{"median": 3}]}
METHODS = {
    "otsu": {"threshold": "otsu", "fallback": "empty"},
    "sample": {"threshold": "li", "scope": "sample", "filter": "smooth"},
    "local": {
        "threshold": {"sauvola": {"size": 15}},
        "filter": "smooth",
        "grid": {"size": [5, 31]},
    },
}
CHOICES = (Choice("otsu"), Choice("sample"), Choice("local", "size=5"))


@pytest.fixture
def rows(tmp_path):
    """Samples of two planes of 2 x 2 tiles; a has truth."""
    return [
        write_sample(tmp_path, "a", (2, 32, 32), truth=(1,)),
        write_sample(tmp_path, "b", (2, 32, 32)),
    ]


def planes_study(folder, rows, **settings):
    settings = {"methods": METHODS, "filters": FILTERS, "block": {"planes": 1}} | settings
    return make_study(folder, *rows, **settings)


def test_features_of_every_block(tmp_path, rows):
    study = planes_study(tmp_path, rows)
    expected = [f"results/{sample}/quality/{z}/0/0.tsv" for sample in "ab" for z in (0, 1)]
    assert quality.trust(study).features == expected
    assert quality.features(study, study.annotated) == expected[:2]
    off = planes_study(tmp_path, rows, quality={"measure": False})
    assert quality.features(off, ["a", "b"]) == []
    job = quality.quality(study, "b", "1/0/0")
    assert job.pixels.files == ["results/b/image.zarr/0/c/1/0/0"]


def test_surveys_need_no_pass_over_a_sample_of_their_own(tmp_path, rows):
    study = planes_study(tmp_path, rows)
    # all have masks of a, whose histograms are there; b would be counted for the survey alone
    assert quality.survey_methods(study, "a", "0/0/0") == ["otsu", "sample", "local"]
    assert quality.survey_methods(study, "b", "0/0/0") == ["otsu", "local"]
    every = planes_study(tmp_path, rows, apply="all")
    assert quality.survey_methods(every, "b", "0/0/0") == ["otsu", "sample", "local"]


def test_a_survey_s_tiles_are_spread_over_the_blocks(tmp_path, rows):
    study = planes_study(tmp_path, rows, quality={"survey": 2})
    # of 8 tiles, two at equal distances: the third and the seventh
    tiles = {
        block: [part["tiles"] for part in quality.survey(study, "a", block, CHOICES).parts]
        for block in ("0/0/0", "1/0/0")
    }
    assert tiles == {"0/0/0": [[[0, 1, 0]]], "1/0/0": [[[1, 1, 0]]]}
    expected = [f"results/{sample}/survey/{z}/0/0.tsv" for sample in "ab" for z in (0, 1)]
    assert quality.trust(study).agreement == expected
    # one tile lies in one block
    study = planes_study(tmp_path, rows, quality={"survey": 1})
    expected = [f"results/{sample}/survey/1/0/0.tsv" for sample in "ab"]
    assert quality.trust(study).agreement == expected


def test_methods_agree_where_there_are_several(tmp_path, rows):
    for settings in (
        {"methods": OTSU},
        {"quality": {"survey": 0}},
        {"methods": OTSU | {"li": {"threshold": "li", "samples": ["a"]}}, "apply": "otsu"},
    ):
        agreement = quality.trust(planes_study(tmp_path, rows, **settings)).agreement
        assert not any(path.startswith("results/b") for path in agreement)
    # the last has two methods on a
    assert agreement == [f"results/a/survey/{z}/0/0.tsv" for z in (0, 1)]


def test_a_survey_segments_by_what_was_chosen(tmp_path, rows):
    study = planes_study(tmp_path, rows, block={"rows": 1})
    job = quality.survey(study, "a", "0/1/0", CHOICES)
    # 15 px of the largest window that may be chosen and 1 px of its filter reach the other block
    assert job.pixels.files == [f"results/a/image.zarr/0/c/0/{y}/0" for y in (0, 1)]
    variants = job.variants.values()
    assert list(job.variants) == ["otsu", "sample", "local"]
    assert [variant["filter"] for variant in variants] == ["image", "smooth", "smooth"]
    assert [variant["steps"] for variant in variants] == [[], *[[{"median": 3}]] * 2]
    assert job.variants["local"]["segmenter"]["settings"]["size"] == 5
    (part,) = job.parts
    assert part["methods"] == ["otsu", "sample", "local"]
    # the sample's blocks are counted by other jobs
    assert part["counts"] == []
    assert [variant["calibration"] for variant in variants] == [None] * 3


@pytest.mark.parametrize(
    ("apply", "expected"),
    [
        ("best", ["a/segmentation", "b/segmentation"]),
        ("all", ["a/otsu", "a/li", "b/otsu"]),
        ("none", []),
    ],
)
def test_fractions_of_all_tiles_come_from_what_segments_them(tmp_path, rows, apply, expected):
    methods = OTSU | {"li": {"threshold": "li", "samples": ["a"]}}
    study = make_study(tmp_path, *rows, methods=methods, apply=apply)
    found = quality.trust(study).thresholds
    assert found == [f"results/{name}/thresholds/0/0/0.tsv" for name in expected]


STACK = "_small_uint8_4"


def surveyed(**settings):
    """Samples of 2 x 2 tiles, of which a has truth: li is for a and b alone."""
    samples = [imagined_sample("c", (1, 32, 32)), imagined_sample("a", (1, 32, 32), truth=[0])]
    samples.append(imagined_sample("b", (1, 32, 48)))
    methods = {
        "whole": {"threshold": "li", "scope": "sample", "filter": "smooth"},
        "otsu": {"threshold": "otsu"},
        "li": {"threshold": "li", "samples": ["a", "b"]},
    }
    config = {"methods": methods, "filters": FILTERS, "collect": {}, "quality": {"survey": 2}}
    return study_of(samples, with_defaults({"apply": "none", **config, **settings}))


def test_a_survey_compares_the_methods_that_each_collected_sample_has():
    study = surveyed()
    assert quality.survey_methods(study, STACK, "0/0/0") == ["whole", "otsu", "li"]
    job = quality.survey(study, STACK, "0/0/0", (Choice("whole"), Choice("otsu"), Choice("li")))
    # small samples are counted for the survey alone, too
    known = {part["sample"]: (part["methods"], part["counts"]) for part in job.parts}
    every = ["whole", "otsu", "li"]
    assert known == {"c": (every[:2], every[:2]), "a": (every, every), "b": (every, every)}
    # of four tiles the second and the fourth, of six the second and the fifth
    assert [part["tiles"] for part in job.parts] == [[[0, 0, 1], [0, 1, 1]]] * 3
    assert [part["offset"] for part in job.parts] == [0, 1, 2]
    assert list(job.variants) == every
    assert job.pixels.files == [f"results/{STACK}/image.zarr/0/c/0/0/0"]
    assert quality.trust(study).agreement == [f"results/{STACK}/survey/0/0/0.tsv"]


def test_blocks_whose_samples_have_one_method_are_not_surveyed():
    # four planes of 4 x 4 tiles are sixteen of one
    methods = {
        "whole": {"threshold": "li", "scope": "sample", "filter": "smooth", "samples": ["a"]},
        "otsu": {"threshold": "otsu"},
        "li": {"threshold": "li", "samples": ["a", "b"]},
    }
    study = surveyed(collect={"planes": 4}, methods=methods)
    assert [study.block_of(sample, "0/0/0") for sample in "cab"] == ["0/0/0", "1/0/0", "2/0/0"]
    assert quality.trust(study).agreement == [f"results/{STACK}/survey/{z}/0/0.tsv" for z in (1, 2)]
    assert quality.survey_methods(study, STACK, "2/0/0") == ["otsu", "li"]


def test_features_of_collected_samples_are_in_one_table():
    study = surveyed()
    job = quality.quality(study, STACK, "0/0/0")
    assert [part["sample"] for part in job.parts] == ["c", "a", "b"]
    tables = [f"results/{STACK}/quality/0/0/0.tsv"]
    assert quality.trust(study).features == quality.features(study, study.annotated) == tables
    # those with truth alone
    study = surveyed(collect={"planes": 4})
    tables = [f"results/{STACK}/quality/1/0/0.tsv"]
    assert quality.features(study, study.annotated) == tables


@pytest.mark.parametrize(
    ("apply", "expected"),
    [
        ("best", {"segmentation": [0, 1, 2]}),
        ("all", {"whole": [0, 1, 2], "otsu": [0, 1, 2], "li": [1, 2]}),
        ("li", {"segmentation": [1, 2]}),
    ],
)
def test_fractions_of_collected_samples(apply, expected):
    found = quality.trust(surveyed(apply=apply, collect={"planes": 4})).thresholds
    assert found == [
        f"results/{STACK}/{method}/thresholds/{z}/0/0.tsv"
        for method, blocks in expected.items()
        for z in blocks
    ]
