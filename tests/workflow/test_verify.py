"""What `scripts/verify.py` finds in results, and that its remedies are right."""

import shutil
import subprocess
import sys

import pytest
from projects import Project
from samples import blobs, write_planes


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two blocks, with overlays, a figure and files of each kind."""
    project = Project.create(tmp_path_factory.mktemp("verify") / "project")
    image, truth = blobs(planes=2)
    write_planes(project.folder, image, "image_{}.png")
    write_planes(project.folder, truth * 255, "truth_{}.png")
    rows = [{"sample": "discs", "image": "image_*.png", "truth": "truth_*.png"}]
    learned = {"threshold": {"pixel_classifier": {"trees": 5}}}
    methods = {"otsu": {"threshold": "otsu"}, "learned": learned}
    project.configure(
        rows, methods=methods, block={"planes": 1}, pyramid={"levels": 1}, figures={"tiles": 1}
    )
    project.succeed()
    return project


@pytest.fixture
def project(whole, tmp_path):
    # with the times of files, which Snakemake goes by
    return whole.copy(tmp_path / "project")


def verify(project, *arguments):
    """Exit status and what is found: pairs of kind and path, and all lines."""
    command = [sys.executable, "scripts/verify.py", "--configfile", "my.yaml", "--all", *arguments]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    pairs = [tuple(line.split(": ")[:2]) for line in lines if ": results/" in line]
    return done.returncode, [(kind, path.removeprefix("results/")) for kind, path in pairs], lines


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_results_of_a_run_are_whole(whole):
    code, found, lines = verify(whole)
    assert (code, found) == (0, [])
    (line,) = lines
    assert line.endswith("nothing to do")
    assert not line.startswith("0 files")


FILES = {
    "discs/image.zarr/0/c/0/0/0": 5,
    "discs/image.zarr/1/c/1/0/0": -2,
    "discs/image.zarr/labels/otsu/0/c/1/0/0": -8,
    "metrics.tsv": 40,
    "discs/otsu/metrics/1/0/0.tsv": 10,
    "report.html": 1000,
    "figures/otsu-tiles.svg": 500,
    "decision.json": 9,
    "discs/image.zarr/labels/zarr.json": 4,
}
"""Files to damage, and the byte of each in which a bit is turned."""


def test_damage_is_found_and_its_remedy_is_right(project):
    results = project.results
    overlay = next((results / "discs/otsu/overlay/0/0/0").glob("*.png"))
    model = next((results / "models").rglob("*.npz"))
    damaged = {results / path: place for path, place in FILES.items()} | {overlay: 200, model: 300}
    before = {path: path.read_bytes() for path in damaged}
    for path, place in damaged.items():
        flip(path, place)
    code, found, lines = verify(project, "--files-only")
    assert code == 1
    expected = {str(path.relative_to(results)) for path in damaged}
    assert dict.fromkeys(expected, "damaged") == {path: kind for kind, path in found}
    assert all("delete it, and run snakemake" in line for line in lines[:-1])

    for path in damaged:
        # a folder is an output as a whole
        shutil.rmtree(path.parent) if path == overlay else path.unlink()
    _, found, _ = verify(project)
    missing = {path for kind, path in found if kind == "missing"}
    assert expected - {str(overlay.relative_to(results))} <= missing
    project.succeed()
    code, found, _ = verify(project)
    assert (code, found) == (0, [])
    # the page has what jobs took
    same = {path for path, content in before.items() if path.read_bytes() == content}
    assert {path.name for path in set(before) - same} <= {"report.html"}


def test_what_is_left_behind_or_out_of_date(project):
    (project.results / "notes.txt").write_text("mine")
    (project.results / "annotate").mkdir()
    (project.results / "annotate/mask.tif").write_text("mine, too")
    (project.results / "summary.tsv").unlink()
    project.configure(
        methods={"otsu": {"threshold": "otsu", "cleanup": [{"remove_small": 9}]}},
        block={"planes": 1},
        pyramid={"levels": 1},
        figures={"tiles": 1},
    )
    code, found, lines = verify(project)
    assert code == 1
    assert ("left behind", "notes.txt") in found
    assert ("missing", "summary.tsv") in found
    assert ("out of date", "discs/image.zarr/labels/otsu/0/c/0/0/0") in found
    # a method that is no longer configured
    assert ("left behind", "discs/image.zarr/labels/learned/0/c/0/0/0") in found
    assert not any("annotate" in path for _, path in found)
    assert "1 files have no checksum: they were written after the end of the last run" in lines


def test_a_truncated_file_and_a_folder_without_results(project, tmp_path):
    shard = project.results / "discs/image.zarr/0/c/0/0/0"
    shard.write_bytes(shard.read_bytes()[:-1])
    (project.results / "units.tsv").write_bytes(b"")
    _, found, _ = verify(project, "--files-only")
    assert {path for _, path in found} == {"discs/image.zarr/0/c/0/0/0", "units.tsv"}
    command = [sys.executable, "scripts/verify.py", "--directory", tmp_path / "no"]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "does not exist: name the folder of the run" in done.stderr
