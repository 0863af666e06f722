"""Every `zarr.json` of a run: which there are, and what says that they have changed."""

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

from tilewise.plan import metadata, targets

FILTERS = {"smooth": [{"median": 3}], "unused": ["invert"]}
METHODS = {"otsu": {"threshold": "otsu", "filter": "smooth"}, "li": {"threshold": "li"}}


@pytest.fixture
def rows(tmp_path):
    """Of two planes of a, one is annotated; b is in colour and has no truth."""
    (tmp_path / "b").mkdir()
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / "b/image.png")
    return [
        write_sample(tmp_path, "a", (2, 32, 32), truth=(1,)),
        {"sample": "b", "image": "b/image.png"},
    ]


def blocks(study):
    """Blocks of each array by its path below the sample."""
    return {array.path.removeprefix("results/"): array.blocks for array in metadata.arrays(study)}


def test_arrays_of_tried_methods_and_of_what_is_decided_on(tmp_path, rows):
    study = make_study(tmp_path, *rows, methods=METHODS, filters=FILTERS, block={"planes": 1})
    both, annotated = ["0/0/0", "1/0/0"], ["1/0/0"]
    assert blocks(study) == {
        "a/image.zarr": both,
        "a/image.zarr/labels/truth": annotated,
        "a/image.zarr/labels/segmentation": both,
        "a/image.zarr/labels/otsu": annotated,
        "a/image.zarr/labels/li": annotated,
        "a/image.zarr/labels/otsu-confusion": annotated,
        "a/image.zarr/labels/li-confusion": annotated,
        "a/image.zarr/labels/errors": annotated,
        "b/image.zarr": ["0/0/0"],
        "b/color.zarr": ["0/0/0"],
        "b/image.zarr/labels/segmentation": ["0/0/0"],
        # kept as they are few: those blocks are there that a mask has needed
        "a/filtered/smooth.zarr": [],
        # whichever method comes to segment it
        "b/filtered/smooth.zarr": [],
    }


def test_arrays_where_all_methods_are_applied(tmp_path, rows):
    settings = {"methods": METHODS, "filters": FILTERS, "validate": {"errors": False}}
    study = make_study(tmp_path, *rows, apply="all", keep_filtered=True, **settings)
    assert blocks(study) == {
        **dict.fromkeys(
            [
                f"a/image.zarr{label}"
                for label in ("", "/labels/truth", "/labels/otsu", "/labels/li")
            ]
            + ["a/image.zarr/labels/otsu-confusion", "a/image.zarr/labels/li-confusion"]
            + ["b/image.zarr", "b/color.zarr", "b/image.zarr/labels/otsu", "b/image.zarr/labels/li"]
            # asked for by the configuration
            + ["a/filtered/smooth.zarr", "b/filtered/smooth.zarr"],
            ["0/0/0"],
        )
    }


@pytest.mark.parametrize("keep", [{"keep_filtered": False}, {"keep_filtered_limit": 0}])
def test_filtered_images_that_are_not_kept_have_no_metadata(tmp_path, rows, keep):
    study = make_study(tmp_path, *rows, methods=METHODS, filters=FILTERS, **keep)
    assert not any("filtered" in path for path in blocks(study))


def test_annotators_and_truth(tmp_path):
    row = write_sample(tmp_path, "s", (1, 32, 32))
    for name in ("anna", "ben"):
        Image.fromarray(np.zeros((32, 32), np.uint8)).save(tmp_path / f"{name}.png")
    study = make_study(tmp_path, row | {"truth": "anna.png;ben.png"}, apply="none")
    labels = ["truth", "annotator-1", "annotator-2", "otsu", "otsu-confusion", "errors"]
    made = metadata.metadata(study)
    assert made.groups[0]["labels"] == labels
    fills = {group["name"]: group["fill"] for group in made.groups}
    # where nothing is stored, truth is not annotated, and a mask has no foreground
    assert fills == {
        **{"s": 0, "truth": 255, "annotator-1": 255, "annotator-2": 255},
        **{"otsu": 0, "otsu-confusion": 0, "errors": 0},
    }


def test_every_file_is_listed_once(tmp_path, rows):
    settings = {"methods": OTSU, "filters": FILTERS, "pyramid": {"levels": 2}, "apply": "none"}
    study = make_study(tmp_path, *rows, **settings, validate={"errors": False})
    made = metadata.metadata(study)
    groups = ["", "/labels/truth", "/labels/otsu", "/labels/otsu-confusion"]
    expected = [
        f"results/a/image.zarr{name}"
        for group in groups
        for name in [group, *(f"{group}/{level}" for level in (0, 1, 2))]
    ]
    expected += [f"results/b/{kind}.zarr" for kind in ("image", "color")]
    expected += [f"results/b/{kind}.zarr/{z}" for kind in ("image", "color") for z in (0, 1, 2)]
    expected += [f"results/{sample}/image.zarr/labels" for sample in "ab"]
    assert sorted(made.files) == sorted(f"{path}/zarr.json" for path in expected)
    # the job writes them group by group, and has to find that of labels second
    assert made.files[:3] == [
        f"results/a/image.zarr{path}/zarr.json" for path in ("", "/labels", "/0")
    ]
    assert len(made.groups) == 4 + 2


def test_files_of_kept_filtered_images(tmp_path, rows):
    settings = {"methods": METHODS, "filters": FILTERS, "filtered_codec": "lz4"}
    study = make_study(tmp_path, *rows, **settings, pyramid={"levels": 2})
    made = metadata.metadata(study)
    found = [file for file in made.files if "filtered" in file]
    # an array without a group or levels; the filter that no method has is not made
    assert found == [f"results/{name}/filtered/smooth.zarr/zarr.json" for name in "ab"]
    codecs = {(group["kind"] == "filtered", group["codec"]) for group in made.groups}
    assert codecs == {(True, "lz4"), (False, "zstd")}


def test_the_digest_is_that_of_what_the_files_say(tmp_path, rows):
    def digest(rows=rows, cores=None, **settings):
        base = {"methods": METHODS, "filters": FILTERS}
        return metadata.metadata(make_study(tmp_path, *rows, cores=cores, **base | settings)).digest

    before = digest()
    sized = [rows[0] | {"pixel_size": "1 0.5 0.5"}, rows[1]]
    changed = {
        before,
        digest(sized),
        digest([rows[0] | {"pixel_size": "1 0.5 0.6"}, rows[1]]),
        digest(pyramid={"levels": 1}),
        digest(tile=32),
        digest(block={"planes": 1}),
        digest(methods=METHODS | {"yen": {"threshold": "yen"}}),
        digest(apply="none"),
        digest(filtered_codec="lz4"),
    }
    assert len(changed) == 9

    same = [
        digest([row | {"group": "m1", "site": "A"} for row in rows]),
        digest(cores=8),
        # a method's settings, and the order of filters and of keys
        digest(methods={"otsu": METHODS["otsu"] | {"min_contrast": 0}, "li": METHODS["li"]}),
        digest(methods={"otsu": dict(reversed(METHODS["otsu"].items())), "li": METHODS["li"]}),
        digest(filters=dict(reversed(FILTERS.items()))),
        digest(decision={"metric": "f1"}, validate={"tolerance": 2}, quality={"measure": False}),
    ]
    assert set(same) == {before}


def test_targets_name_every_level_of_every_block(tmp_path, rows):
    settings = {"methods": METHODS, "filters": FILTERS, "block": {"planes": 1}}
    study = make_study(tmp_path, *rows, **settings, keep_filtered=True, pyramid={"levels": 2})
    asked = targets.arrays(study)
    assert len(asked) == len(set(asked))
    for level in (0, 1, 2):
        assert f"results/a/image.zarr/{level}/c/1/0/0" in asked
        assert f"results/b/color.zarr/{level}/c/0/0/0/0" in asked
        assert f"results/a/image.zarr/labels/otsu-confusion/{level}/c/1/0/0" in asked
    assert "results/a/image.zarr/labels/otsu/0/c/0/0/0" not in asked
    # filtered images have no levels
    filtered = [path for path in asked if "filtered" in path]
    assert filtered == [f"results/a/filtered/smooth.zarr/c/{z}/0/0" for z in (0, 1)]
    # three levels of a: image and segmentation in two blocks, six labels in one; of b: three arrays
    assert len(asked) == 3 * (2 * 2 + 6 + 3) + 2


def test_arrays_of_a_shared_stack_hold_what_any_sample_has():
    study = collected_study(filters=FILTERS)
    every, some = ["0/0/0", "1/0/0", "2/0/0"], ["0/0/0", "1/0/0"]
    assert blocks(study) == {
        f"{S}/image.zarr": every,
        f"{S}/image.zarr/labels/truth": some,
        f"{S}/image.zarr/labels/segmentation": every,
        f"{S}/image.zarr/labels/otsu": some,
        f"{S}/image.zarr/labels/li": ["1/0/0"],
        f"{S}/image.zarr/labels/otsu-confusion": some,
        f"{S}/image.zarr/labels/li-confusion": ["1/0/0"],
        f"{S}/image.zarr/labels/errors": some,
    }


def test_annotators_of_a_shared_stack():
    samples = [
        imagined_sample("two", truth=[[0], [0]]),
        imagined_sample("three", truth=[[0], [0], [0]]),
        imagined_sample("other", truth=[[0], [0]]),
    ]
    study = study_of(samples, with_defaults({"collect": {"planes": 1}, "apply": "none"}))
    found = {array.name: array.blocks for array in metadata.arrays(study)}
    every = ["0/0/0", "1/0/0", "2/0/0"]
    assert found["truth"] == found["annotator-1"] == found["annotator-2"] == every
    assert found["annotator-3"] == ["1/0/0"]
    assert "annotator-4" not in found


def test_a_shared_array_says_which_planes_are_which_sample_s():
    large = imagined_sample("large", (1, 9, 200))
    study = collected_study()
    made = metadata.metadata(study_of([large, *study.samples.values()], study.config))
    views = [
        {"sample": "a", "first_plane": 0, "planes": 1, "height": 16, "width": 16},
        {"sample": "b", "first_plane": 1, "planes": 1, "height": 16, "width": 16},
        {"sample": "c", "first_plane": 2, "planes": 2, "height": 16, "width": 16},
        {"sample": "d", "first_plane": 4, "planes": 1, "height": 9, "width": 16},
        {"sample": "e", "first_plane": 5, "planes": 1, "height": 16, "width": 16},
        {"sample": "f", "first_plane": 8, "planes": 3, "height": 16, "width": 5},
    ]
    own = {"sample": "large", "first_plane": 0, "planes": 1, "height": 9, "width": 200}
    tile = {"tile_height": 16, "tile_width": 16}
    places = [(S, f"{z}/0/0") for z in (0, 0, 0, 1, 1, 2)]
    assert made.stacks == [
        {"stack": stack, "block": block} | view | tile
        for (stack, block), view in zip([("large", ""), *places], [own, *views], strict=True)
    ]
    images = {group["name"]: group for group in made.groups if group["kind"] == "image"}
    assert images[S]["samples"] == views
    # a sample that is its stack needs no views
    assert images["large"]["samples"] == []
    array = {"shape": [11, 16, 16], "tile": 16, "block": [4, 16, 16], "edges": "keep"}
    assert images[S]["grid"] == array
    # of any sample of the stack: d has two
    assert images[S]["methods"] == 2
    assert images["large"]["methods"] == 1


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(1, 0.5, 0.5)] * 3, [1, 0.5, 0.5]),
        ([(None, 0.5, 0.5)] * 3, [None, 0.5, 0.5]),
        ([(1, 0.5, 0.5), (1, 0.5, 0.5), (2, 0.5, 0.5)], None),
        ([(1, 0.5, 0.5), (1, 0.5, 0.5), None], None),
        ([None, (1, 0.5, 0.5), (1, 0.5, 0.5)], None),
        ([None] * 3, None),
    ],
)
def test_the_pixel_size_of_a_shared_array_is_that_of_all(sizes, expected):
    samples = [imagined_sample(f"s{i}", pixel_size=size) for i, size in enumerate(sizes)]
    made = metadata.metadata(study_of(samples, with_defaults({"collect": {}})))
    assert [group["pixel_size"] for group in made.groups] == [expected] * 2


def test_another_sample_of_a_shared_stack_is_another_digest():
    samples = [imagined_sample(name) for name in "abc"]
    config = with_defaults({"collect": {}})
    digests = [
        metadata.metadata(study_of(some, config)).digest
        for some in (samples, samples[:2], [samples[1], samples[0]], samples)
    ]
    assert digests[0] == digests[3]
    assert len(set(digests)) == 3


def test_filtered_images_of_shared_stacks_are_asked_for_in_whole():
    methods = {"m": {"threshold": "otsu", "filter": "smooth", "samples": ["d"]}}
    study = collected_study("none", methods=OTSU | methods, filters=FILTERS, keep_filtered=True)
    assert blocks(study)[f"{S}/filtered/smooth.zarr"] == ["0/0/0", "1/0/0", "2/0/0"]
