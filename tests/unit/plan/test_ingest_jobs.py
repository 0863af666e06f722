"""Which files of images and truth become a block."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from studies import make_study, write_sample

from tilewise.plan import ingest


def names(paths):
    return [path.rsplit("/")[-1] for path in paths]


def test_planes_of_a_block(tmp_path):
    row = write_sample(tmp_path, "s", (3, 32, 32), dtype="uint16")
    study = make_study(tmp_path, row, block={"planes": 2})
    first, second = (ingest.image(study, "s", block) for block in ("0/0/0", "1/0/0"))
    assert names(first.files) == ["image_0.png", "image_1.png"]
    assert names(second.files) == ["image_2.png"]
    assert (first.first_plane, second.first_plane) == (0, 0)
    assert (first.dtype, first.channel) == ("uint16", "luma")
    (part,) = second.parts
    assert part["block"] == "1/0/0"


def test_pages_of_files(tmp_path):
    # three and two planes, in blocks of two: the second block is in both files
    for number, planes in enumerate((3, 2)):
        pixels = np.zeros((planes, 32, 32), np.uint8)
        tifffile.imwrite(tmp_path / f"part_{number}.tif", pixels, photometric="minisblack")
    row = {"sample": "s", "image": "part_*.tif"}
    study = make_study(tmp_path, row, block={"planes": 2})
    jobs = [ingest.image(study, "s", f"{z}/0/0") for z in range(3)]
    assert [(names(job.files), job.first_plane) for job in jobs] == [
        (["part_0.tif"], 0),
        (["part_0.tif", "part_1.tif"], 2),
        (["part_1.tif"], 1),
    ]


def test_truth_within_a_region_of_interest(tmp_path):
    row = write_sample(tmp_path, "s", (2, 32, 32), truth=(1,))
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(tmp_path / "roi.png")
    row |= {"roi": "roi.png", "truth_foreground": "7"}
    study = make_study(tmp_path, row, block={"planes": 1})
    job = ingest.truth(study, "s", "1/0/0")
    assert (names(job.truth.files), names(job.roi.files)) == (["truth_1.png"], ["roi.png"])
    assert (job.has_roi, job.foreground) == (True, 7)
    bare = make_study(tmp_path, row | {"roi": "", "truth_foreground": ""}, block={"planes": 1})
    job = ingest.truth(bare, "s", "1/0/0")
    assert (job.roi.files, job.has_roi, job.foreground) == ([], False, None)


@pytest.fixture
def shared(tmp_path):
    """Two annotators have traced the second and third of three planes."""
    row = write_sample(tmp_path, "s", (3, 32, 32))
    for name in ("anna", "ben"):
        for z in (1, 2):
            pixels = np.zeros((32, 32), np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{name}_{z}.png")
    return make_study(tmp_path, row | {"truth": "anna_*.png; ben_*.png"}, block={"planes": 1})


def test_each_annotator_s_truth(shared):
    for number, name in ((1, "anna"), (2, "ben")):
        job = ingest.truth(shared, "s", "2/0/0", annotator=str(number))
        assert names(job.truth.files) == [f"{name}_2.png"]


def test_votes_go_annotator_by_annotator(shared):
    labels = "results/s/image.zarr/labels"
    job = ingest.consensus(shared, "s")
    assert job.annotators == 2
    assert [part["block"] for part in job.parts] == ["1/0/0", "2/0/0"]
    assert job.files == [
        f"{labels}/annotator-{number}/0/c/{z}/0/0" for number in (1, 2) for z in (1, 2)
    ]
    block = ingest.consensus_truth(shared, "s", "2/0/0")
    assert block.files == [f"{labels}/annotator-{number}/0/c/2/0/0" for number in (1, 2)]
