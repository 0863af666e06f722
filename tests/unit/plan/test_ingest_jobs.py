"""Which files of images and truth become a block."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from studies import S, imagined_sample, make_study, study_of, with_defaults, write_sample

from tilewise.plan import ingest
from tilewise.read.annotation import Piece


def names(paths):
    return [path.rsplit("/")[-1] for path in paths]


def test_planes_of_a_block(tmp_path):
    row = write_sample(tmp_path, "s", (3, 32, 32), dtype="uint16")
    study = make_study(tmp_path, row, block={"planes": 2})
    first, second = (ingest.image(study, "s", block) for block in ("0/0/0", "1/0/0"))
    assert names(first.files) == ["image_0.png", "image_1.png"]
    assert names(second.files) == ["image_2.png"]
    assert [part["first_plane"] for job in (first, second) for part in job.parts] == [0, 0]
    assert [part["files"] for job in (first, second) for part in job.parts] == [[0, 2], [0, 1]]
    (part,) = second.parts
    assert part["block"] == "1/0/0"
    assert (second.dtype, part["channel"]) == ("uint16", "luma")


def test_pages_of_files(tmp_path):
    # three and two planes, in blocks of two: the second block is in both files
    for number, planes in enumerate((3, 2)):
        pixels = np.zeros((planes, 32, 32), np.uint8)
        tifffile.imwrite(tmp_path / f"part_{number}.tif", pixels, photometric="minisblack")
    row = {"sample": "s", "image": "part_*.tif"}
    study = make_study(tmp_path, row, block={"planes": 2})
    jobs = [ingest.image(study, "s", f"{z}/0/0") for z in range(3)]
    found = [
        (names(job.files), part["files"], part["first_plane"]) for job in jobs for part in job.parts
    ]
    assert found == [
        (["part_0.tif"], [0, 1], 0),
        (["part_0.tif", "part_1.tif"], [0, 2], 2),
        (["part_1.tif"], [0, 1], 1),
    ]


def test_truth_within_a_region_of_interest(tmp_path):
    row = write_sample(tmp_path, "s", (2, 32, 32), truth=(1,))
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(tmp_path / "roi.png")
    row |= {"roi": "roi.png", "truth_foreground": "7"}
    study = make_study(tmp_path, row, block={"planes": 1})
    label = "results/s/image.zarr/labels/roi/0/c/1/0/0"
    job, region = ingest.truth(study, "s", "1/0/0"), ingest.roi(study, "s", "1/0/0")
    assert (names(job.files), job.rois) == (["truth_1.png"], [label])
    assert (names(region.files), region.images) == (["roi.png"], [])
    (part,), (own,) = job.parts, region.parts
    place = {"path": 0, "page": 0, "z": 1, "y": 0, "x": 0, "height": 32, "width": 32}
    assert part["truth"] == own["roi"] == [place]
    assert (own["has_roi"], own["is_framed"], part["foreground"]) == (True, False, 7)
    bare = make_study(tmp_path, row | {"roi": "", "truth_foreground": ""}, block={"planes": 1})
    job = ingest.truth(bare, "s", "1/0/0")
    assert (job.rois, job.parts[0]["foreground"]) == ([], None)
    framed = make_study(tmp_path, row | {"roi": "auto"}, block={"planes": 1})
    region = ingest.roi(framed, "s", "1/0/0")
    assert region.images == ["results/s/image.zarr/0/c/1/0/0"]
    assert (region.files, region.parts[0]["is_framed"]) == ([], True)


@pytest.fixture
def voted(tmp_path):
    """Two annotators have traced the second and third of three planes."""
    row = write_sample(tmp_path, "s", (3, 32, 32))
    for name in ("anna", "ben"):
        for z in (1, 2):
            pixels = np.zeros((32, 32), np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{name}_{z}.png")
    return make_study(tmp_path, row | {"truth": "anna_*.png; ben_*.png"}, block={"planes": 1})


def test_each_annotator_s_truth(voted):
    for number, name in ((1, "anna"), (2, "ben")):
        job = ingest.truth(voted, "s", "2/0/0", annotator=str(number))
        assert names(job.files) == [f"{name}_2.png"]


def test_votes_go_annotator_by_annotator(voted):
    labels = "results/s/image.zarr/labels"
    job = ingest.consensus(voted, "s", "stack")
    assert [part["annotators"] for part in job.parts] == [2, 2]
    assert [part["block"] for part in job.parts] == job.blocks == ["1/0/0", "2/0/0"]
    assert job.files == [
        f"{labels}/annotator-{number}/0/c/{z}/0/0" for number in (1, 2) for z in (1, 2)
    ]
    block = ingest.consensus_truth(voted, "s", "2/0/0")
    assert [(part["block"], part["annotators"]) for part in block.parts] == [("2/0/0", 2)]
    assert block.table == "results/s/consensus/stack.npz"
    assert block.files == [f"{labels}/annotator-{number}/0/c/2/0/0" for number in (1, 2)]


def test_files_of_collected_samples():
    planes = {"images": ("c_0.tif", "c_1.tif"), "pages": (1, 1)}
    samples = [
        imagined_sample("a", channel="red"),
        imagined_sample("b", (2, 16, 16), **planes),
        imagined_sample("c"),
        imagined_sample("d", (3, 9, 9)),
    ]
    study = study_of(samples, with_defaults({"collect": {"planes": 4}}))
    first, second = (ingest.image(study, S, block) for block in ("0/0/0", "1/0/0"))
    assert first.files == ["a.tif", "c_0.tif", "c_1.tif", "c.tif"]
    assert [(part["sample"], part["files"], part["channel"]) for part in first.parts] == [
        *(("a", [0, 1], "red"), ("b", [1, 3], "luma"), ("c", [3, 4], "luma"))
    ]
    assert [part["offset"] for part in first.parts] == [0, 1, 3]
    # each begins with the first plane of its own first file
    assert {part["first_plane"] for job in (first, second) for part in job.parts} == {0}
    (part,) = second.parts
    assert (second.files, part["files"], part["offset"]) == (["d.tif"], [0, 1], 4)
    assert part["grid"]["shape"] == [3, 9, 9]


def test_truth_of_the_annotated_samples_of_a_block():
    roi = Piece("roi.png", 0, 0, 0, 0, 16, 16)
    samples = [
        imagined_sample("bare", roi=(roi,)),
        imagined_sample("a", truth=[0], truth_foreground=7, roi=(roi,)),
        imagined_sample("b", (2, 16, 16), truth=[1], is_framed=True),
        imagined_sample("whole", truth=[0]),
    ]
    study = study_of(samples, with_defaults({"collect": {}}))
    # samples with a region of interest share stacks of their own
    with_roi = "_small_uint8_roi_1"
    job = ingest.truth(study, with_roi, "0/0/0")
    assert job.files == ["a_1_0.png", "b_1_1.png"]
    assert job.rois == [f"results/{with_roi}/image.zarr/labels/roi/0/c/0/0/0"]
    assert [(part["sample"], part["foreground"]) for part in job.parts] == [("a", 7), ("b", None)]
    assert [[place["path"] for place in part["truth"]] for part in job.parts] == [[0], [1]]
    region = ingest.roi(study, with_roi, "0/0/0")
    assert region.files == ["roi.png"]
    assert [(part["sample"], part["is_framed"]) for part in region.parts] == [
        *(("bare", False), ("a", False), ("b", True))
    ]
    assert [len(part["roi"]) for part in region.parts] == [1, 1, 0]
    assert ingest.truth(study, S, "0/0/0").rois == []


@pytest.fixture
def panel():
    """Two and three annotators of samples of one block, and two of one in another."""
    samples = [
        imagined_sample("two", (2, 16, 16), truth=[[0], [1]]),
        imagined_sample("three", (2, 16, 16), truth=[[0], [0], [1]]),
        imagined_sample("other", truth=[[0], [0]]),
    ]
    return study_of(samples, with_defaults({"collect": {"planes": 4}}))


VOTED = "_small_uint8_voted_1"


def test_annotators_of_those_samples_that_have_so_many(panel):
    found = {
        number: {part["sample"] for part in ingest.truth(panel, VOTED, "0/0/0", number).parts}
        for number in ("1", "2", "3")
    }
    assert found == {"1": {"two", "three"}, "2": {"two", "three"}, "3": {"three"}}
    job = ingest.truth(panel, VOTED, "0/0/0", "3")
    assert job.files == ["three_3_1.png"]
    assert [place["path"] for place in job.parts[0]["truth"]] == [0]
    assert ingest.truth(panel, VOTED, "0/0/0", "2").files == ["two_2_1.png", "three_2_0.png"]
    assert [ingest.annotators(panel, VOTED, block) for block in ("0/0/0", "1/0/0")] == [3, 2]


def test_a_consensus_of_each_collected_sample(panel):
    labels = f"results/{VOTED}/image.zarr/labels"
    for extent, number, annotators in (("0", 3, {"two": 2, "three": 3}), ("1", 2, {"other": 2})):
        block = f"{extent}/0/0"
        expected = [f"{labels}/annotator-{i + 1}/0/c/{block}" for i in range(number)]
        job = ingest.consensus(panel, VOTED, extent)
        assert (job.files, job.blocks) == (expected, [block])
        assert {part["sample"]: part["annotators"] for part in job.parts} == annotators
        made = ingest.consensus_truth(panel, VOTED, block)
        assert made.files == expected
        assert {part["sample"]: part["annotators"] for part in made.parts} == annotators
        assert made.table == f"results/{VOTED}/consensus/{extent}.npz"
    pattern = "results/{stack}/agreement/{extent}.tsv"
    assert ingest.consensus_files(panel, pattern) == [
        f"results/{VOTED}/agreement/{extent}.tsv" for extent in "01"
    ]
