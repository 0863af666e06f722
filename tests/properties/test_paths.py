"""Files and folders of odd names and places, all the way to the report and to `verify.py`."""

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from forks import command
from projects import Project
from samples import blobs

NAMES = {
    "space": "with  space s.png",
    "composed": unicodedata.normalize("NFC", "é.png"),
    "decomposed": unicodedata.normalize("NFD", "é.png"),
    "right_to_left": "\N{COLLISION SYMBOL} \u202ertl عربي.png",
    "quotes": 'it\'s "q".png',
    "tab": "t\tab.png",
    "lines": "a\u2028b\x85c\x0bd.png",
    "dash": "-rf.png",
    "option": "--help.png",
    "braces": "{}{:0}{x.png",
    "percent": "100%s%d%20%(x)s.png",
    "long": "l" * 251 + ".png",
    "shell": "a\\b$HOME`ls`$(id);&.png",
    "pattern": "*star*[1]?.png",
    "home": "~root.png",
    "annotators": "se;mi + colon:.png",
    "comment": "#c.png",
    "tags": '<b id="x">&amp;<!--]].png',
    "table": "results.tsv.png",
}
CELLS = {"tab": "t*ab.png", "lines": "a?b?c?d.png"}
"""Of names that no table can have."""
ODD = "-o é 'q\" %s $HOME [x] ;& #"
"""A folder; that of the workflow may have no braces."""
NOTE = "a \"q\" 'x' {y} %s é <b>&"
METHODS = {
    "otsu": {"threshold": "otsu"},
    "own": {"threshold": {"python": {"file": "own é{}.py", "halo": 1}}},
}


def other_device(folder):
    """A new folder on another device, or None."""
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK) or shared.stat().st_dev == folder.stat().st_dev:
        return None
    new = shared / f"tilewise-{os.getpid()}"
    new.mkdir()
    return new


@pytest.fixture
def places(tmp_path):
    """Folders of the workflow, of the configuration, of the results, and where it is called."""
    project = Project.create(tmp_path / ODD / "workflow")
    configured, results = tmp_path / f"{ODD}{{}}", tmp_path / f"out{ODD}{{}}"
    for folder in (configured / "[s]heet", results, tmp_path / "elsewhere"):
        folder.mkdir(parents=True)
    elsewhere = other_device(tmp_path)
    if elsewhere:
        (results / "results").symlink_to(elsewhere)
    yield project.folder, configured, results, tmp_path / "elsewhere"
    if elsewhere:
        subprocess.run(["rm", "-r", elsewhere], check=True)


def write_samples(folder):
    """A sample of each name, and three that links lead to: the text of the sheet."""
    lines = ["sample\timage\ttruth\troi\tnote"]
    for kind in ("truths", "rois"):
        (folder / kind).mkdir()
    for number, (name, file) in enumerate(NAMES.items()):
        image, truth = blobs(1, 20 + number, 31, seed=number)
        Image.fromarray(image[0]).save(folder / file, "png")
        Image.fromarray(truth[0] * 255).save(folder / "truths" / file, "png")
        Image.fromarray(np.full_like(truth[0], 255)).save(folder / "rois" / file, "png")
        cell = CELLS.get(name, file)
        roi = f"rois/{cell}" if number % 4 == 0 else ""
        lines.append("\t".join((name, cell, f"truths/{cell}", roi, NOTE)))
    real = folder.parent / "real"
    real.mkdir()
    for name in ("linked", "folder"):
        for kind, planes in zip(("image", "truth"), blobs(1, 40, 31, seed=99), strict=True):
            Image.fromarray(planes[0] * (255 if kind == "truth" else 1)).save(
                real / f"{name}_{kind}.png"
            )
    (folder / "link.png").symlink_to(real / "linked_image.png")
    (folder / "link_truth.png").symlink_to("../real/linked_truth.png")
    (folder / "there").symlink_to(real)
    lines.append("linked\tlink.png\tlink_truth.png\t\t")
    lines.append("folder\tthere/folder_image.png\t../real/folder_truth.png\t\t")
    return "\n".join(lines) + "\n"


def test_every_name_and_place(places):
    workflow, configured, results, elsewhere = places
    sheet = configured / "[s]heet" / "my {} sheet.tsv"
    sheet.write_text(write_samples(sheet.parent), encoding="utf-16")
    (configured / "own é{}.py").write_text("def segment(image):\n    return image > 120\n")
    config = configured / "my {} é.yaml"
    settings = {
        "samples": "[s]heet/my {} sheet.tsv",
        "title": NOTE,
        "tile": 64,
        "methods": METHODS,
        "pyramid": {"levels": 1},
        "report": {"tiles": 2},
        "figures": {"tiles": 0},
        "quality": {"measure": False},
    }
    config.write_text(yaml.safe_dump(settings, allow_unicode=True))
    named = [
        *("--directory", os.path.relpath(results, elsewhere)),
        *("--configfile", os.path.relpath(config, elsewhere)),
    ]
    snakefile = os.path.relpath(workflow / "Snakefile", elsewhere)
    start = [*command(), "-m", "snakemake", "--cores", "2", "-s", snakefile, *named]
    start += ["--workflow-profile", "none"]

    def call(*arguments):
        return subprocess.run(arguments, cwd=elsewhere, capture_output=True, text=True, check=False)

    done = call(*start)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing to be done" in call(*start).stderr
    project = Project(results)
    rows = {row["sample"]: row for row in project.rows("stacks.tsv")}
    assert rows.keys() == {*NAMES, "linked", "folder"}
    for name, row in rows.items():
        file = {"linked": "link.png", "folder": "there/folder_image.png"}.get(name)
        plane = np.asarray(Image.open(sheet.parent / (file or NAMES[name])))
        stored = project.array(f"{row['stack']}/image.zarr/0")[int(row["first_plane"])]
        np.testing.assert_array_equal(stored[: plane.shape[0], : plane.shape[1]], plane)
    assert "é &lt;b&gt;&amp;</title>" in (results / "results/report.html").read_text()
    verified = call(sys.executable, str(workflow / "scripts/verify.py"), *named)
    assert (verified.returncode, verified.stderr) == (0, ""), verified.stdout + verified.stderr
    # nothing but links and folders was added beside the images
    assert not list(configured.rglob(".part-*"))


REFUSED = {
    "{wildcard}.png": "in the place of {wildcard}: rename it",
    "<results>.png": "in the place of <results>: rename it",
    "new\nline.png": "it has a line break: rename it",
    os.fsdecode(b"\xff.png"): "it has bytes that are no text in UTF-8: rename it",
}


@pytest.mark.parametrize("name", REFUSED)
def test_names_are_refused_before_any_job(tmp_path, name):
    project = Project.create(tmp_path / "project")
    (project.folder / "images").mkdir()
    Image.fromarray(blobs(1, 20, 20)[0][0]).save(project.folder / "images" / name, "png")
    project.configure([{"sample": "a", "image": "images/*.png"}])
    run = project.run()
    assert run.code != 0
    assert REFUSED[name] in run.output
    assert "sample a in my.tsv, line 2" in run.output
    assert "Traceback" not in run.output
    assert not (project.folder / "results").exists()


def test_a_folder_with_braces_holds_no_workflow(tmp_path):
    project = Project.create(tmp_path / "{x}")
    Image.fromarray(blobs(1, 20, 20)[0][0]).save(project.folder / "a.png")
    run = project.configure([{"sample": "a", "image": "a.png"}]).run()
    assert run.code != 0
    assert "move it to a folder without braces" in run.output
    assert "Traceback" not in run.output
