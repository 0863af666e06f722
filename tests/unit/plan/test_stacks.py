"""Which samples share a stack, where in it they lie, and that companions change nothing."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import imagined_sample, study_of, with_defaults

from tilewise.plan import decide, ingest, paths, quality, reads, segment, validate
from tilewise.plan.stacks import read_stacks
from tilewise.plan.study import Choice


def stacks_of(*samples, collect=None, **settings):
    """Stacks of samples, and grids, where small samples are collected."""
    config = with_defaults({"collect": collect or {}, **settings})
    return read_stacks({sample.name: sample for sample in samples}, config)


def stack_of(shape, **settings):
    """The name of the only stack of a sample `s`."""
    (stack,), _ = stacks_of(imagined_sample("s", shape), **settings)
    return stack.name


def test_a_stack_holds_samples_of_one_kind():
    votes = {"truth": [[0], [0]]}
    stacks, _ = stacks_of(
        imagined_sample("bare"),
        imagined_sample("deep", dtype="uint16"),
        imagined_sample("voted", **votes),
        imagined_sample("stain", channels=3),
        imagined_sample("traced", truth=[0]),
        imagined_sample("two", channels=2),
        imagined_sample("wide", (1, 16, 17)),
        imagined_sample("float", dtype="float32"),
        imagined_sample("voted_stain", channels=3, **votes),
        imagined_sample("thrice", truth=[[0], [0], [0]]),
        imagined_sample("signed", dtype="int16"),
        imagined_sample("large", (1, 129, 16)),
        imagined_sample("stain_2", channels=3, truth=[0]),
        imagined_sample("framed_stain", channels=3, is_framed=True),
        imagined_sample("framed_stain_2", channels=3, is_framed=True, **votes),
    )
    # in the order of their first samples
    assert [(stack.name, stack.samples) for stack in stacks] == [
        ("_small_uint8_1", ["bare", "traced"]),
        ("_small_uint16_1", ["deep"]),
        # however many annotators there are
        ("_small_uint8_voted_1", ["voted", "thrice"]),
        ("_small_uint8_rgb_1", ["stain", "stain_2"]),
        ("_small_uint8_2ch_1", ["two"]),
        ("_small_uint8_4", ["wide"]),
        ("_small_float32_1", ["float"]),
        ("_small_uint8_rgb_voted_1", ["voted_stain"]),
        ("_small_int16_1", ["signed"]),
        ("large", ["large"]),
        ("_small_uint8_rgb_roi_1", ["framed_stain"]),
        ("_small_uint8_rgb_roi_voted_1", ["framed_stain_2"]),
    ]
    # of one sample too
    assert [stack.name for stack in stacks if not stack.is_shared] == ["large"]


@pytest.mark.parametrize(
    ("rows", "columns", "side"),
    [
        *((1, 1, 1), (16, 16, 1), (17, 16, 4), (16, 17, 4), (64, 64, 4), (64, 65, 8), (65, 1, 8)),
        *((128, 128, 8), (1, 129, 16), (129, 1, 16), (256, 256, 16)),
    ],
)
def test_samples_of_about_a_size_share_a_stack(rows, columns, side):
    collect = {"side": 16}
    assert stack_of((1, rows, columns), collect=collect) == f"_small_uint8_{side}"
    _, grids = stacks_of(imagined_sample("s", (1, rows, columns)), collect=collect)
    # a sample keeps its size, and lies in whole blocks of 64 planes of a tile, or fewer larger ones
    assert grids["s"].shape == (1, rows, columns)
    assert grids["s"].block == ({1: 64, 4: 16, 8: 8, 16: 4}[side], 16 * side, 16 * side)


@pytest.mark.parametrize("size", [(257, 1), (1, 257), (1000, 1000)])
def test_more_tiles_than_any_shared_block_has_are_a_stack(size):
    assert stack_of((1, *size), collect={"side": 16}) == "s"


@pytest.mark.parametrize(
    ("side", "size", "expected"),
    [
        (8, (128, 1), "_small_uint8_8"),
        (8, (129, 1), "s"),
        (8, (1, 129), "s"),
        # of blocks of 4 x 4 tiles, those with at most 3 x 3
        (3, (48, 48), "_small_uint8_4"),
        (3, (48, 49), "s"),
        (1, (16, 16), "_small_uint8_1"),
        (1, (17, 16), "s"),
        (0, (1, 1), "s"),
    ],
)
def test_collected_samples_have_as_many_tiles_as_is_configured(side, size, expected):
    assert stack_of((1, *size), collect={"side": side}) == expected


def test_eight_tiles_are_the_default():
    assert stack_of((1, 128, 128)) == "_small_uint8_8"
    assert stack_of((1, 129, 128)) == "s"


@pytest.mark.parametrize(
    ("collect", "size", "most"),
    [
        ({}, 16, 64),
        ({}, 64, 16),
        ({}, 128, 8),
        ({"side": 16}, 256, 4),
        ({"planes": 1}, 16, 1),
        ({"planes": 1}, 128, 1),
        ({"planes": 11}, 16, 11),
        # 11 / 4 and 11 / 8
        ({"planes": 11}, 64, 2),
        ({"planes": 11}, 128, 1),
    ],
)
def test_a_sample_fits_into_one_block(collect, size, most):
    names = [stack_of((planes, size, size), collect=collect) for planes in (1, most, most + 1)]
    shared = f"_small_uint8_{size // 16}"
    assert names == [shared, shared, "s"]


@pytest.mark.parametrize(
    ("block", "fits", "is_cut"),
    [
        ({"planes": 1}, (1, 32, 32), (2, 32, 32)),
        ({"planes": 2}, (2, 32, 32), (3, 32, 32)),
        # up to 23 px a single tile
        ({"rows": 1}, (2, 23, 32), (2, 24, 32)),
        ({"columns": 1}, (2, 32, 23), (2, 32, 24)),
    ],
)
def test_what_is_cut_into_blocks_is_a_stack(block, fits, is_cut):
    assert stack_of(fits, block=block) == "_small_uint8_4"
    assert stack_of(is_cut, block=block) == "s"


@pytest.mark.parametrize("collect", [{}, {"side": 0}])
@pytest.mark.parametrize("block", [{}, {"rows": 1, "columns": 1}])
def test_tiles_depend_on_a_sample_s_own_size(collect, block):
    samples = imagined_sample("s", (1, 35, 20)), imagined_sample("other", (1, 64, 64))
    _, grids = stacks_of(*samples, collect=collect, block=block)
    # 35 = 16 + 16 + 3 and 20 = 16 + 4
    assert grids["s"].sides == (18, 20)
    assert grids["s"].blocks() == ["0/0/0"]
    assert grids["other"].sides == (16, 16)
    _, grids = stacks_of(*samples, collect=collect, block=block, tile_edges="keep")
    assert grids["s"].sides == (16, 16)


def test_without_collecting_each_sample_is_a_stack():
    samples = [imagined_sample(name, (2, 16, 20)) for name in "ab"]
    stacks, grids = stacks_of(*samples, collect={"side": 0})
    assert [(stack.name, stack.offsets) for stack in stacks] == [("a", {"a": 0}), ("b", {"b": 0})]
    # whole planes, in a block of their own
    assert grids["a"].block == (2, 16, 32)
    assert [stack.grid for stack in stacks] == [grids["a"].level(0), grids["b"].level(0)]
    assert not any(stack.is_shared for stack in stacks)
    assert stacks[0].places("0/0/0") == [("a", "0/0/0")]


def test_blocks_of_a_large_sample_are_its_own():
    (stack,), grids = stacks_of(imagined_sample("s", (2, 32, 16)), block={"planes": 1, "rows": 1})
    assert stack.blocks == grids["s"].blocks() == ["0/0/0", "0/1/0", "1/0/0", "1/1/0"]
    assert stack.places("1/0/0") == [("s", "1/0/0")]
    assert stack.block("s", "1/0/0") == "1/0/0"


FIVE = with_defaults({"collect": {"planes": 5}})


def test_planes_go_in_the_order_of_the_sheet_and_stay_in_a_block():
    planes = {"b": 1, "a": 3, "c": 2, "d": 1, "e": 2, "f": 4, "g": 1}
    samples = [imagined_sample(name, (number, 16, 16)) for name, number in planes.items()]
    (stack,), grids = stacks_of(*samples, collect={"planes": 4})
    # b aaa | cc d and a void plane | ee and two | ffff | g
    assert list(stack.offsets.items()) == [
        *(("b", 0), ("a", 1), ("c", 4), ("d", 6), ("e", 8), ("f", 12), ("g", 16))
    ]
    assert stack.samples == list(planes)
    assert stack.grid.shape == (17, 16, 16)
    assert stack.blocks == [f"{z}/0/0" for z in range(5)]
    assert [[sample for sample, _ in stack.places(block)] for block in stack.blocks] == [
        *(["b", "a"], ["c", "d"], ["e"], ["f"], ["g"])
    ]
    # each has one block of its own
    assert stack.places("1/0/0") == [("c", "0/0/0"), ("d", "0/0/0")]
    assert all(grid.blocks() == ["0/0/0"] for grid in grids.values())
    assert {sample: stack.block(sample, "0/0/0") for sample in "adg"} == {
        **{"a": "0/0/0", "d": "1/0/0", "g": "4/0/0"}
    }


@settings(deadline=None, database=None)
@given(numbers=st.lists(st.integers(1, 5), min_size=1, max_size=20))
def test_a_block_is_full_before_the_next_begins(numbers):
    samples = [imagined_sample(f"s{i}", (number, 16, 16)) for i, number in enumerate(numbers)]
    (stack,), _ = read_stacks({sample.name: sample for sample in samples}, FIVE)
    end = 0
    for number, first in zip(numbers, stack.offsets.values(), strict=True):
        fits = end % 5 == 0 or end % 5 + number <= 5
        assert first == (end if fits else (end // 5 + 1) * 5)
        end = first + number
        assert first // 5 == (end - 1) // 5
    assert stack.grid.shape[0] == end
    assert all(map(stack.places, stack.blocks))


def test_stacks_are_filled_independently():
    kinds = {"a": "uint8", "x": "uint16", "b": "uint8", "y": "uint16", "large": "uint8"}
    samples = [imagined_sample(name, (3, 16, 16), dtype) for name, dtype in kinds.items()]
    samples[-1] = imagined_sample("large", (5, 16, 16))
    stacks, _ = stacks_of(*samples, collect={"planes": 4})
    assert [stack.offsets for stack in stacks] == [{"a": 0, "b": 4}, {"x": 0, "y": 4}, {"large": 0}]


def test_an_array_is_as_large_as_its_samples_need():
    shapes = {"wide": (1, 5, 64), "small": (3, 17, 1), "high": (2, 33, 20)}
    (stack,), _ = stacks_of(*(imagined_sample(*item) for item in shapes.items()))
    assert (stack.grid.shape, stack.grid.tile) == ((6, 33, 64), 16)
    assert stack.grid.block == (16, 64, 64)


# companions

METHODS = {
    "otsu": {"threshold": "otsu"},
    "sample": {"threshold": "li", "scope": "sample", "filter": "smooth"},
    "swept": {"threshold": {"sauvola": {"size": 15}}, "grid": {"size": [5, 31]}},
    # not of all samples
    "some": {"threshold": "yen", "filter": "smooth", "samples": ["first", "s1"]},
}
FILTERS = {"smooth": [{"median": 3}]}
KEEP = {
    "kept": {"keep_filtered": True},
    "temporary": {"keep_filtered": False},
    "inline": {"keep_filtered": "auto", "keep_filtered_limit": 0},
}


@cache
def configured(apply, keep, **collect):
    """With blocks of four planes of a tile, or of one of 4 x 4 tiles."""
    settings = {"methods": METHODS, "filters": FILTERS, "apply": apply, **KEEP[keep]}
    settings |= {"quality": {"survey": 2}, "overlay": {"per_plane": 1}}
    # `auto` goes by the stack
    settings |= {"filtered_codec": "none"}
    return with_defaults(settings | {"collect": collect or {"planes": 4}})


@st.composite
def drawn_samples(draw, least):
    """Samples of a few kinds, of which the first has truth in two tiles; at least so many more."""
    samples = [imagined_sample("first", (2, 16, 16), truth=[0, 1])]
    for number in range(1, draw(st.integers(least, 8)) + 1):
        shape = draw(st.sampled_from([(1, 16, 16), (2, 16, 9), (3, 7, 16), (1, 20, 33), (5, 9, 9)]))
        planes = st.lists(st.integers(0, shape[0] - 1), unique=True, max_size=shape[0])
        truth = sorted(draw(planes))
        if truth and draw(st.booleans()):
            truth = [truth] * draw(st.integers(2, 3))
        kind = draw(st.sampled_from([("uint8", 1), ("uint8", 1), ("uint8", 3), ("uint16", 1)]))
        framed = draw(st.integers(0, 3)) == 0
        samples.append(imagined_sample(f"s{number}", shape, *kind, truth=truth, is_framed=framed))
    return samples


def choice_of(name):
    return Choice(name, "size=5" if name == "swept" else "")


def jobs_of(study, stack, block):
    """Every job of a block that there is, by kind and method."""
    names = {"stack": stack, "block": block}
    jobs = {
        "image": ingest.image(study, **names),
        "roi": ingest.roi(study, **names),
        "quality": quality.quality(study, **names),
        "filtered": segment.filtered(study, filter="smooth", **names),
        "histogram": segment.histogram(study, source="smooth", **names),
    }
    if study.annotated_places(stack, block):
        jobs["truth"] = ingest.truth(study, **names)
        jobs["errors"] = validate.errors(study, **names)
        jobs["histograms"] = decide.tile_histograms(study, source="smooth", **names)
        for number in range(1, ingest.annotators(study, **names) + 1):
            jobs["truth", number] = ingest.truth(study, annotator=str(number), **names)
    if stack in study.voted:
        jobs["consensus"] = ingest.consensus(study, stack, reads.extent_of(study, **names))
        jobs["consensus_truth"] = ingest.consensus_truth(study, **names)
    for method in [*METHODS, "segmentation"]:
        if study.mask_places(stack, block, method):
            choice = choice_of("otsu" if method == "segmentation" else method)
            made = segment.threshold(study, method=method, choice=choice, **names)
            jobs["threshold", method] = made
    for method in METHODS:
        if study.annotated_places(stack, block, method):
            for kind in (validate.validate, validate.overlay, decide.sweep):
                jobs[kind.__name__, method] = kind(study, method=method, **names)
            extent = reads.extent_of(study, **names)
            jobs["structure", method] = validate.structure(study, stack, method, extent)
    if any(path == paths.SURVEY.format(**names) for path in quality.trust(study).agreement):
        choices = tuple(map(choice_of, quality.survey_methods(study, **names)))
        jobs["survey"] = quality.survey(study, choices=choices, **names)
    return jobs


def settings_of(job):
    """What a job is given; of what it takes, memory alone: others may share the cores."""
    known = dict(vars(job))
    need = known.pop("need", None)
    return known, need and need.memory


@settings(deadline=None, database=None, max_examples=40)
@given(
    samples=drawn_samples(2),
    apply=st.sampled_from(["best", "all", "none", "some"]),
    keep=st.sampled_from(list(KEEP)),
)
def test_another_row_of_the_sheet_changes_no_other_block(samples, apply, keep):
    config = configured(apply, keep)
    before, after = study_of(samples[:-1], config), study_of(samples, config)
    new = samples[-1].name
    for sample in before.samples:
        assert after.stack_of[sample].name == before.stack_of[sample].name
        assert after.stack_of[sample].offsets[sample] == before.stack_of[sample].offsets[sample]
        assert after.grids[sample] == before.grids[sample]
    joined = after.stack_of[new].name, after.block_of(new, "0/0/0")
    for stack in before.stacks:
        for block in before.blocks(stack):
            if (stack, block) == joined:
                continue
            jobs, others = jobs_of(before, stack, block), jobs_of(after, stack, block)
            assert others.keys() == jobs.keys()
            for kind, job in jobs.items():
                assert settings_of(others[kind]) == settings_of(job), kind


def without_place(job, part):
    """A part, with the names of its files, without where it lies in its stack."""
    part = dict(part)
    del part["offset"]
    part["grid"] = {name: part["grid"][name] for name in ("shape", "tile", "edges")}
    if "files" in part:
        part["files"] = job.files[slice(*part["files"])]
    for kind in {"truth", "roi"} & set(part):
        part[kind] = [place | {"path": job.files[place["path"]]} for place in part[kind]]
    return part


SHARED_SETTINGS = ("segmenter", "calibration", "variants", "steps", "scoring", "margin", "dtype")
SHARED_SETTINGS += ("codec", "channels", "connectivity", "extents", "histograms", "calibrations")


@settings(deadline=None, database=None, max_examples=40)
@given(
    samples=drawn_samples(1),
    apply=st.sampled_from(["best", "all", "none", "some"]),
    keep=st.sampled_from(list(KEEP)),
)
def test_a_collected_sample_is_worked_on_as_if_it_were_alone(samples, apply, keep):
    together = study_of(samples, configured(apply, keep))
    apart = study_of(samples, configured(apply, keep, side=0))
    found, expected = {}, {}
    for study, parts in ((together, found), (apart, expected)):
        for stack in study.stacks:
            for block in study.blocks(stack):
                for kind, job in jobs_of(study, stack, block).items():
                    for part in job.parts:
                        known = {k: v for k, v in vars(job).items() if k in SHARED_SETTINGS}
                        if kind == "survey":
                            own = part["methods"]
                            known["variants"] = {name: job.variants[name] for name in own}
                        pixels = getattr(job, "pixels", None)
                        read = pixels and (pixels.steps, pixels.codec)
                        key = kind, part["sample"], part["block"]
                        assert key not in parts
                        parts[key] = without_place(job, part), known, read
    assert found == expected
