"""The loop of annotation: run, write tiles to paint, paint some of them, name them, run again."""

import subprocess
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image
from projects import Project
from samples import blobs, write_planes

TABLE = "results/annotate/next-1/discs/windows.tsv"
TRACED = "truth_1.png"
COLUMN = "z\ty\tx\tpath\tpurpose\tpi\theight\twidth\tcontext\taccepted\ttile\tmask\tstart"


def annotate(project, *arguments):
    """Call the command as a user does: what it has printed."""
    command = [sys.executable, "scripts/annotate.py", *arguments]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def windows(project):
    lines = (project.folder / TABLE).read_text().splitlines()
    assert lines[0] == COLUMN
    return [dict(zip(COLUMN.split("\t"), line.split("\t"), strict=True)) for line in lines[1:]]


def scored_tiles(project):
    return {row["tile"] for row in project.rows("metrics.tsv") if row["sample"] == "discs"}


def name_truth(project, truth):
    rows = [
        {"sample": "discs", "image": "plane_*.png", "truth": truth},
        {"sample": "other", "image": "other.png", "truth": "other_truth.png"},
    ]
    methods = {"low": {"threshold": {"manual": 100}}, "high": {"threshold": {"manual": 120}}}
    quality = {"measure": True, "survey": 0, "next": 4}
    settings = {"methods": methods, "apply": "best", "quality": quality, "block": {"planes": 1}}
    return project.configure(rows, **settings)


@pytest.fixture(scope="module")
def painted(tmp_path_factory):
    """A run with tiles of which one is painted, one was saved as it was, and two are untouched."""
    project = Project.create(tmp_path_factory.mktemp("annotating") / "project")
    image, truth = blobs(planes=2)
    write_planes(project.folder, image)
    write_planes(project.folder, truth[:1] * 255, "truth_{}.png")
    other, other_truth = blobs(planes=1, seed=7)
    write_planes(project.folder, other, "other.png")
    write_planes(project.folder, other_truth, "other_truth.png")
    name_truth(project, TRACED).succeed()
    printed = annotate(project, "--context", "8")
    assert f"discs: {TABLE}" in printed
    first, second = windows(project)[:2]
    folder = project.folder / "results/annotate/next-1/discs"
    # as GIMP saves: in colour, transparent, compressed; a square, and something in the frame
    mask = Image.open(folder / first["path"]).convert("RGBA")
    above, _, left, _ = map(int, first["context"].split())
    mask.paste((255, 255, 255, 255), (left + 20, above + 30, left + 50, above + 40))
    mask.paste((200, 30, 0, 255), (0, 0, mask.width, above))
    mask.save(folder / first["path"], compression="tiff_lzw")
    # as napari saves
    mask = tifffile.imread(folder / second["path"])
    tifffile.imwrite(folder / second["path"], mask.astype(np.uint32), compression="zlib")
    begun = project.array("discs/image.zarr/labels/segmentation/0")
    run = name_truth(project, f"{TRACED} + {TABLE}").succeed()
    return project, begun, run


def test_painted_tiles_count_and_others_do_not(painted):
    project, begun, _ = painted
    first = windows(project)[0]
    z, y, x = (int(first[axis]) for axis in "zyx")
    # all of plane 0 is traced, so that the tiles are of plane 1
    assert z == 1
    whole = {f"z0000_y{row:02d}_x{column:02d}" for row in (0, 1) for column in range(3)}
    assert scored_tiles(project) == whole | {first["tile"]}
    expected = np.full((128, 192), 255)
    tile = begun[1, y : y + 64, x : x + 64].copy()
    tile[30:40, 20:50] = 1
    expected[y : y + 64, x : x + 64] = tile
    truth = project.array("discs/image.zarr/labels/truth/0")
    np.testing.assert_array_equal(truth[1], expected)
    assert set(np.unique(truth[0])) == {0, 1}


def test_their_purpose_is_to_train(painted):
    project, _, _ = painted
    first = windows(project)[0]
    purposes = {
        tuple(row[axis] for axis in "zyx"): row["purpose"]
        for row in project.rows("folds.tsv")
        if row["sample"] == "discs"
    }
    assert purposes[first["z"], first["y"], first["x"]] == "train"
    assert purposes["0", "0", "0"] == "estimate"


def test_a_warning_says_which_masks_are_no_truth(painted):
    project, _, _ = painted
    untouched, saved = (row for row in project.rows("warnings.tsv") if row["code"] == "not_painted")
    _, second, *others = windows(project)
    assert "2 of 4 masks to paint are as they were written" in untouched["message"]
    assert all(row["path"] in untouched["message"] for row in others)
    assert f"{second['path']} was saved with the pixels that it had" in saved["message"]


def test_only_what_follows_from_them_runs(painted):
    _, _, run = painted
    # of the three blocks of two samples that of plane 1 alone, by two methods
    assert run.jobs["ingest_truth"] == 1
    assert run.jobs["validate"] == 2
    assert not {"ingest", "filter", "quality"} & set(run.jobs), run.jobs


def test_a_mask_that_is_right_as_it_is(painted, tmp_path):
    project = painted[0].copy(tmp_path / "copy")
    run = project.succeed()
    assert not run.jobs, run.output
    rows = windows(project)
    rows[1]["accepted"] = "yes"
    lines = [COLUMN, *("\t".join(row.values()) for row in rows)]
    (project.folder / TABLE).write_text("\n".join(lines) + "\n")
    run = project.succeed()
    assert run.jobs["ingest_truth"] == 1
    assert rows[1]["tile"] in scored_tiles(project)
    # what is annotated is not offered again, and what was painted in is as it was
    before = {path: path.read_bytes() for path in (project.folder / TABLE).parent.iterdir()}
    assert "annotate/next-2" in annotate(project)
    later = (project.results / "annotate/next-2/discs/windows.tsv").read_text()
    assert rows[0]["tile"] not in later
    assert rows[1]["tile"] not in later
    assert rows[2]["tile"] in later
    assert {path: path.read_bytes() for path in before} == before
