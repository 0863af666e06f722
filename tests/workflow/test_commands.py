"""Methods whose masks are made by a program."""

import re
import sys
import time

import numpy as np
import pytest
import tifffile
from projects import Project
from samples import blobs
from scipy import ndimage

PROGRAM = """
import os
import sys
from pathlib import Path

import tifffile

folder, out, level = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
print("threads", os.environ["OMP_NUM_THREADS"], sys.argv[4])
from scipy import ndimage

with open("calls.txt", "a") as calls:
    print(level, *sorted(path.stem for path in folder.iterdir()), file=calls)
for path in folder.iterdir():
    mean = ndimage.uniform_filter(tifffile.imread(path).astype("float32"), 9)
    tifffile.imwrite(out / path.name, (mean > level) * mean.round().astype("uint32") * 1000)
"""
FAILING = """
import sys

print("read 0 tiles", flush=True)
sys.exit("no such model: nuclei")
"""
HANGING = """
import subprocess
import sys
import time

subprocess.Popen([sys.executable, "-c", "import time; time.sleep(4); open('alive.txt', 'w')"])
print("waiting for a licence", file=sys.stderr, flush=True)
time.sleep(60)
"""


def run_of(script, *others):
    return [sys.executable, f"{{folder}}/{script}", "{input}", "{output}", *others]


def command(level=120, **settings):
    """A method that is the program, with a mean of 9 x 9 pixels above a level."""
    run = run_of("program.py", str(level), "{threads}")
    # a window of 9 px looks 4 px around
    return {"threshold": {"command": {"run": run, "version": "1", "halo": 4} | settings}}


def configure(project, rows=None, **wrong):
    methods = {
        "right": command(),
        "wrong": command(250, memory=2000, **wrong),
        "chosen": command() | {"grid": {"above": [0, 170500]}, "filter": "denoised"},
    }
    return project.configure(rows, methods=methods, collect={"side": 1}, apply="best")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Small samples that share a stack, one without truth; of a large one a tile is annotated."""
    project = Project.create(tmp_path_factory.mktemp("commands") / "project")
    (project.folder / "program.py").write_text(PROGRAM)
    rows, images = [], {}
    sizes = {"a": (64, 64), "b": (50, 64), "bare": (64, 64), "large": (128, 192)}
    for seed, (name, size) in enumerate(sizes.items()):
        image, truth = blobs(1, *size, seed=seed)
        images[name] = image[0]
        tifffile.imwrite(project.folder / f"{name}.tif", image[0])
        row = {"sample": name, "image": f"{name}.tif"}
        if name == "large":
            tifffile.imwrite(project.folder / "window.tif", truth[0, :64, 64:128])
            (project.folder / "windows.tsv").write_text("z\ty\tx\tpath\n0\t0\t64\twindow.tif\n")
            row["truth"] = "windows.tsv"
        elif name != "bare":
            tifffile.imwrite(project.folder / f"{name}_truth.tif", truth[0])
            row["truth"] = f"{name}_truth.tif"
        rows.append(row)
    configure(project, rows).succeed()
    return project, images


def mask_of(image, level=120):
    return (ndimage.uniform_filter(image.astype(np.float32), 9) > level).astype(np.uint8)


def test_masks_are_the_program_s_without_seams(finished):
    project, images = finished
    stack = project.array("_small_uint8_1/image.zarr/labels/segmentation/0")
    for plane, name in enumerate(("a", "b", "bare")):
        rows, columns = images[name].shape
        np.testing.assert_array_equal(stack[plane, :rows, :columns], mask_of(images[name]))
    large = project.array("large/image.zarr/labels/segmentation/0")[0]
    assert large.any()
    np.testing.assert_array_equal(large, mask_of(images["large"]))


def test_a_program_is_given_the_filtered_image(finished):
    project, images = finished
    mask = project.array("_small_uint8_1/image.zarr/labels/chosen/0")
    for plane, name in enumerate(("a", "b")):
        smooth = ndimage.median_filter(images[name], 3, mode="reflect")
        rows, columns = smooth.shape
        np.testing.assert_array_equal(mask[plane, :rows, :columns], mask_of(smooth))


def test_a_program_that_is_tried_is_given_annotated_tiles(finished):
    project, _ = finished
    calls = (project.folder / "calls.txt").read_text().splitlines()
    wrong = sorted(call for call in calls if call.startswith("250 "))
    assert wrong == ["250 a_z0000_y00_x00 b_z0000_y00_x00", "250 large_z0000_y00_x01"]
    large = [call.split() for call in calls if call.startswith("120 large")]
    # tried by `right` and by `chosen`, then applied to all
    assert sorted(map(len, large)) == [2, 2, 7]


def test_it_has_the_threads_of_the_job(finished):
    project, _ = finished
    logs = list(project.folder.glob("logs/large/external/command-right*.zarr/c/0/0/0.log"))
    assert len(logs) == 2
    for log in logs:
        assert re.fullmatch(r"threads (\d+) \1\n", log.read_text())


def test_what_it_takes_is_in_the_costs(finished):
    project, _ = finished
    costs = {row["method"]: float(row["cpu_s_per_mpx"]) for row in project.rows("costs.tsv")}
    # of 0.02 Mpx: starting a program takes at least 0.1 s
    assert min(costs.values()) > 5


def test_a_second_run_does_nothing(finished):
    assert not finished[0].succeed().jobs


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"version": "2"}, {"command-wrong-tried"}),
        ({"halo": 5}, {"command-wrong-tried"}),
        # what only ends it runs nothing again
        ({"timeout": 9}, set()),
    ],
)
def test_a_change_runs_its_own_methods_alone(finished, tmp_path, change, expected):
    project = configure(finished[0].copy(tmp_path / "project"), **change)
    run = project.run("--dry-run", "--quiet", "progress", "host")
    assert run.code == 0, run.output
    arrays = re.findall(r"rule command:.*?array=([^,\s]+)", run.output, re.DOTALL)
    assert set(arrays) == expected
    methods = set(re.findall(r"wildcards: stack=\w+, method=(\w+)", run.output))
    # what was decided on waits for the decision
    assert methods - {"segmentation"} == ({"wrong"} if expected else set())


def failing(project, script, **settings):
    (project.folder / "other.py").write_text(script)
    image, truth = blobs(1, 64, 64)
    tifffile.imwrite(project.folder / "a.tif", image[0])
    tifffile.imwrite(project.folder / "truth.tif", truth[0])
    own = {"run": run_of("other.py"), "version": "1"} | settings
    rows = [{"sample": "a", "image": "a.tif", "truth": "truth.tif"}]
    project.configure(rows, methods={"m": {"threshold": {"command": own}}})
    began = time.monotonic()
    run = project.run()
    assert run.code != 0
    return run.output, time.monotonic() - began


def test_a_failure_shows_what_the_program_has_said(project):
    output, _ = failing(project, FAILING)
    assert "ended with status 1; its last words:\nno such model: nuclei" in output


def test_a_program_that_hangs_is_killed_with_all_it_has_started(project):
    output, seconds = failing(project, HANGING, timeout=2)
    assert "was not done after 2 s: raise `timeout`" in output
    assert "waiting for a licence" in output
    assert seconds < 30
    time.sleep(5)
    assert not (project.folder / "alive.txt").exists()


def test_a_missing_mask_names_its_tile(project):
    output, _ = failing(project, "import sys; print('no tile fits', file=sys.stderr)")
    assert "tile a_z0000_y00_x00: " in output
    assert "it wrote no a_z0000_y00_x00.tif to `{output}`" in output
    assert "its last words:\nno tile fits" in output
