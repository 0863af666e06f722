"""Samples that share a stack have the results that each has alone, and run again block by block."""

import re
import time

import companions
import numpy as np
import pytest
import zarr
from comparison import differences, read
from PIL import Image
from projects import Project
from samples import blobs, write_planes

ALONE = {"collect": {"side": 0}}
TABLES = {"folds", "decide", "aggregate", "gather_warnings", "report", "quantities", "metadata"}
TABLES |= {"costs", "provenance", "contrast"}
"""What follows from all samples."""


def alone(folder, write, settings):
    """The results of the same study, each sample a stack of its own."""
    project = Project.create(folder / "alone")
    write(project)
    project.configure(**settings | ALONE).succeed()
    stacks = project.rows("stacks.tsv")
    assert all(row["stack"] == row["sample"] for row in stacks)
    return read(project.results)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """Samples of all kinds, collected, and their pixels."""
    project = Project.create(tmp_path_factory.mktemp("kinds") / "project")
    images = companions.write_kinds(project)
    project.succeed()
    return project, images


def test_samples_of_all_kinds_are_as_alone(kinds, tmp_path):
    project, images = kinds
    shared = read(project.results)
    expected = alone(tmp_path, companions.write_kinds, companions.KINDS)
    assert differences(expected, shared) == []
    # nothing is passed over: every sample has its image, and its masks and tables where it has any
    assert {f"{sample}/image.zarr/{level}" for sample in images for level in (0, 1)} <= set(shared)
    masks = {f"{sample}/image.zarr/labels/segmentation/0" for sample in images}
    assert masks <= set(shared)
    assert {name for name in expected if name.endswith(".png")} <= set(shared)


def test_volumes_are_as_alone_with_several_threads(tmp_path):
    project = Project.create(tmp_path / "project")
    companions.write_volumes(project)
    run = project.succeed(cores=12)
    # 2 blocks; 2 methods of each
    assert {"3", "6"} <= set(re.findall(r"threads: (\d+)", run.output))
    assert {row["block"] for row in project.rows("stacks.tsv")} == {"0/0/0"}
    expected = alone(tmp_path, companions.write_volumes, companions.VOLUMES)
    assert differences(expected, read(project.results)) == []


STACKS = {
    "_small_uint8_1": {"dot": 0, "odd": 1, "bare": 4, "tall": 8},
    "_small_uint8_4": {"low": 0, "wide": 1},
    "_small_uint8_rgb_4": {"stain": 0, "slide": 1},
    "_small_uint16_1": {"dim": 0, "deep": 1},
    "_small_float32_1": {"faint": 0, "real": 2},
    "_small_uint8_roi_1": {"iris": 0, "disc": 2},
}
"""First planes by hand: a block has 8 planes of samples of one tile, and 2 of up to 4 x 4."""


def test_stacks_say_where_their_samples_are(kinds):
    project, images = kinds
    listed = {}
    for row in project.rows("stacks.tsv"):
        first, planes, height, width = (
            int(row[name]) for name in ("first_plane", "planes", "height", "width")
        )
        assert (planes, height, width) == images[row["sample"]].shape[:3]
        per_block = 2 if row["stack"].endswith("_4") else 8
        assert row["block"] == f"{first // per_block}/0/0"
        listed.setdefault(row["stack"], {})[row["sample"]] = first
    assert listed == STACKS


@pytest.mark.parametrize("stack", STACKS)
def test_zarr_opens_stacks_and_their_attributes_name_the_samples(kinds, stack):
    project, images = kinds
    group = zarr.open_group(project.results / stack / "image.zarr", mode="r")
    assert group.attrs["ome"]["multiscales"][0]["name"] == stack
    views = group.attrs["tilewise"]["samples"]
    assert {view["sample"]: view["first_plane"] for view in views} == STACKS[stack]
    own = [images[name] for name in STACKS[stack]]
    last, first = own[-1], views[-1]["first_plane"]
    shape = (first + len(last), max(map(rows, own)), max(map(columns, own)))
    pixels = group["0"][:]
    assert pixels.shape == shape
    assert pixels.dtype == own[0].dtype
    for view in views:
        planes, height, width = (view[name] for name in ("planes", "height", "width"))
        part = np.s_[view["first_plane"] : view["first_plane"] + planes, :height, :width]
        if "rgb" not in stack:
            np.testing.assert_array_equal(pixels[part], images[view["sample"]])
            continue
        color = zarr.open_group(project.results / stack / "color.zarr", mode="r")
        assert color.attrs["tilewise"]["samples"] == views
        found = color["0"][:][:, *part]
        np.testing.assert_array_equal(np.moveaxis(found, 0, -1), images[view["sample"]])


def rows(image):
    return image.shape[1]


def columns(image):
    return image.shape[2]


def test_what_is_no_sample_s_is_void(kinds):
    project, images = kinds
    pixels = project.array("_small_uint8_1/image.zarr/0")
    truth = project.array("_small_uint8_1/image.zarr/labels/truth/0")
    mask = project.array("_small_uint8_1/image.zarr/labels/segmentation/0")
    is_void = np.ones(pixels.shape, bool)
    for name, first in STACKS["_small_uint8_1"].items():
        planes, height, width = images[name].shape
        is_void[first : first + planes, :height, :width] = False
    assert is_void[6:8].all()
    assert not pixels[is_void].any()
    assert not mask[is_void].any()
    assert (truth[is_void] == 255).all()


# Runs again


def write_sample(project, name, shape=(1, 50, 40), seed=0):
    """A sample with truth, and its line of the sheet."""
    image, truth = blobs(*shape, seed=seed)
    write_planes(project.folder / name, image)
    write_planes(project.folder / f"{name}_truth", truth * 255)
    return f"{name}\t{name}/*.png\t{name}_truth/*.png\n"


OTSU, LI = {"threshold": "otsu"}, {"threshold": "li"}
SETTINGS = {
    "collect": {"side": 8, "planes": 3},
    "methods": {"otsu": OTSU, "li": LI},
    "validate": {"errors": False, "oracles": False},
    "overlay": {"format": "zarr-only"},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Samples a, b and c in a block, d and e in the next, which has space for one more."""
    project = Project.create(tmp_path_factory.mktemp("finished") / "project")
    lines = [write_sample(project, name, seed=number) for number, name in enumerate("abcde")]
    (project.folder / "my.tsv").write_text("sample\timage\ttruth\n" + "".join(lines))
    project.configure(**SETTINGS)
    run = project.succeed()
    assert run.jobs == chain(2)
    return project


def chain(blocks):
    """Numbers of jobs of some blocks and of the tables."""
    own = dict.fromkeys(("ingest", "ingest_truth"), blocks)
    return own | dict.fromkeys(("threshold", "validate"), 2 * blocks) | dict.fromkeys(TABLES, 1)


@pytest.fixture
def project(finished, tmp_path):
    # files written from now on are newer than all results
    time.sleep(1)
    return finished.copy(tmp_path / "project")


def append(project, name, shape=(1, 50, 40)):
    with (project.folder / "my.tsv").open("a") as sheet:
        sheet.write(write_sample(project, name, shape, seed=99))


def times(project):
    """When each file of the results was written, but those of all samples together."""
    of_all = {project.results, project.results / "workflow"}
    return {
        path.relative_to(project.results): path.stat().st_mtime_ns
        for path in project.results.rglob("*")
        if path.is_file() and path.parent not in of_all
    }


def written(project, before):
    """Files that are not as they were, without those that are new."""
    after = times(project)
    return {path for path, time in before.items() if after.get(path) != time}


def blocks_run(run):
    """Blocks whose jobs ran."""
    return set(re.findall(r"wildcards: .*block=(\d+/\d+/\d+)", run.output))


def samples_of(project, table="metrics.tsv"):
    return list(dict.fromkeys(row["sample"] for row in project.rows(table)))


def test_second_run_does_nothing(project):
    run = project.succeed()
    assert not run.jobs
    assert "Nothing to be done" in run.output


def test_a_new_sample_runs_its_block_and_the_tables_only(project):
    before = times(project)
    append(project, "f")
    run = project.succeed()
    assert run.jobs == chain(1)
    assert blocks_run(run) == {"1/0/0"}
    assert not any("0/0/0" in str(path) for path in written(project, before))
    assert samples_of(project) == list("abcdef")
    # the block is full: the next is wider than all, and opens another
    before = times(project)
    append(project, "g", (2, 64, 60))
    run = project.succeed()
    assert run.jobs == chain(1)
    assert blocks_run(run) == {"2/0/0"}
    assert {path.name for path in written(project, before)} == {"zarr.json", "contrast.json"}
    assert project.array("_small_uint8_1/image.zarr/0").shape == (8, 64, 60)
    assert not project.succeed().jobs


def test_a_wider_sample_changes_only_the_metadata_of_its_companions(project):
    before = times(project)
    append(project, "f", (1, 33, 64))
    run = project.succeed()
    assert run.jobs == chain(1)
    assert blocks_run(run) == {"1/0/0"}
    changed = {path for path in written(project, before) if "1/0/0" not in str(path)}
    assert {path.name for path in changed} == {"zarr.json", "contrast.json"}
    image = project.array("_small_uint8_1/image.zarr/0")
    assert image.shape == (6, 50, 64)
    expected = np.asarray(Image.open(project.folder / "f/plane_1.png"))
    np.testing.assert_array_equal(image[5, :33], expected)
    assert not image[:5, :, 40:].any()


def test_a_changed_image_runs_its_block_only(project):
    before = project.rows("metrics.tsv")
    image, _ = blobs(1, 50, 40, seed=11)
    write_planes(project.folder / "d", image)
    run = project.succeed()
    assert blocks_run(run) == {"1/0/0"}
    assert run.jobs["ingest"] == 1
    assert run.jobs["threshold"] == run.jobs["validate"] == 2
    # how the image is shown comes from its pixels
    assert run.jobs["contrast"] == run.jobs["metadata"] == 1
    assert run.jobs["ingest_truth"] == 0
    changed = {
        old["sample"]
        for old, new in zip(before, project.rows("metrics.tsv"), strict=True)
        if old != new
    }
    assert changed == {"d"}


def test_a_removed_sample_runs_the_blocks_from_there(project, tmp_path):
    sheet = project.folder / "my.tsv"
    header, _, *others = sheet.read_text().splitlines(keepends=True)
    sheet.write_text("".join([header, *others]))
    run = project.succeed()
    assert blocks_run(run) == {"0/0/0", "1/0/0"}
    assert run.jobs == chain(2)
    assert samples_of(project) == list("bcde")
    fresh = Project.create(tmp_path / "fresh")
    for number, name in enumerate("abcde"):
        write_sample(fresh, name, seed=number)
    (fresh.folder / "my.tsv").write_text("".join([header, *others]))
    fresh.configure(**SETTINGS).succeed()
    assert differences(read(fresh.results), read(project.results)) == []


def test_a_changed_method_runs_alone(project):
    project.configure(**SETTINGS | {"methods": {"otsu": OTSU, "li": {"threshold": "yen"}}})
    run = project.succeed()
    assert run.jobs["threshold"] == run.jobs["validate"] == 2
    assert set(run.jobs) <= {"threshold", "validate", *TABLES}
    assert set(re.findall(r"method=(\w+)", run.output)) == {"li"}


def test_a_sample_that_has_grown_has_a_stack_of_its_own(project):
    before = times(project)
    write_sample(project, "e", (4, 50, 40), seed=5)
    run = project.succeed()
    # what is left of its block, and the block of the new stack
    assert run.jobs == chain(2) | {"contrast": 2}
    changed = {path for path in written(project, before) if path.parts[0] == "_small_uint8_1"}
    assert not any("0/0/0" in str(path) for path in changed)
    (row,) = (row for row in project.rows("stacks.tsv") if row["sample"] == "e")
    assert (row["stack"], row["first_plane"], row["planes"]) == ("e", "0", "4")
    assert project.array("e/image.zarr/0").shape == (4, 50, 40)
    assert project.array("_small_uint8_1/image.zarr/0").shape == (4, 50, 40)
    assert samples_of(project) == list("abcde")


# Errors


def cut(path):
    """Leave the first half of a file, which has its header."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def test_damaged_files_are_named_with_their_sample(tmp_path):
    project = Project.create(tmp_path / "project")
    lines = [write_sample(project, name, seed=number) for number, name in enumerate("uvw")]
    (project.folder / "my.tsv").write_text("sample\timage\ttruth\n" + "".join(lines))
    project.configure(**SETTINGS | {"collect": {"side": 8, "planes": 64}})
    cut(project.folder / "v/plane_1.png")
    cut(project.folder / "w_truth/plane_1.png")
    run = project.run("--keep-going")
    assert run.code != 0
    for path, sample, file in (
        ("0/c/0/0/0.log", "v", "v/plane_1.png"),
        ("labels/truth/0/c/0/0/0.log", "w", "w_truth/plane_1.png"),
    ):
        log = (project.folder / "logs/_small_uint8_1/image.zarr" / path).read_text()
        for text in (log, run.output):
            (line,) = {line for line in text.splitlines() if file in line and "ERROR" in line}
            assert f"sample {sample}: " in line
        assert "Traceback" not in log
    assert not (project.results / "metrics.tsv").exists()
