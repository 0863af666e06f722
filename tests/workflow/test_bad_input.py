"""Bad input is refused, before any job starts or by the job that reads it, with what to do."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from samples import configure_discs


@pytest.fixture
def project(project):
    return configure_discs(project)


def refused(run, *words):
    assert run.code != 0
    for word in words:
        assert word in run.output
    assert "Traceback" not in run.output


SHEETS = {
    "missing file": ([{"sample": "discs", "image": "nowhere.png"}], "nowhere.png", "sheet"),
    "empty glob": ([{"sample": "discs", "image": "nothing_*.png"}], "nothing_*.png", "no file"),
    "duplicate": (
        [{"sample": "discs", "image": "image.png"}] * 2,
        "discs",
        "two rows",
    ),
    "slash": ([{"sample": "a/b", "image": "image.png"}], "a/b", "letters"),
    "dots": ([{"sample": "a..b", "image": "image.png"}], "a..b", "letters"),
    "empty sheet": ([], "my.tsv", "no rows"),
    "result as metadata": (
        [{"sample": "discs", "image": "image.png", "mcc": "0.1"}],
        "my.tsv: the column `mcc` has the name of a result: rename it",
    ),
    "mask": (
        [{"sample": "discs", "image": "image.png", "mask": "truth.png"}],
        "my.tsv: the column `mask` is not known: name it `truth` or `roi`",
    ),
    "image and truth": (
        [{"sample": "discs", "image": "*.png", "truth": "truth.png"}],
        "sample discs in my.tsv, line 2: truth.png is `image` and `truth`: correct one",
    ),
    "missing column": ([{"sample": "discs", "picture": "image.png"}], "my.tsv", "`image`"),
}


@pytest.mark.parametrize("case", SHEETS)
def test_sheet(project, case):
    rows, *words = SHEETS[case]
    project.configure(rows or None)
    if not rows:
        (project.folder / "my.tsv").write_text("sample\timage\n")
    refused(project.run("--dry-run"), *words)


KNOWN = "known: metrics, extent, tolerance, unit, objects, errors, oracles, margin"
CONFIGURATIONS = {
    "unknown key": (
        {"metods": {}},
        "my.yaml: metods does not exist; did you mean methods? (known: ",
    ),
    "unknown nested key": (
        {"validate": {"toleranse": 2}},
        f"my.yaml: validate.toleranse does not exist; did you mean tolerance? ({KNOWN})\n",
    ),
    "two mistakes": (
        {"tile": "big", "methods": {"otsu": {"treshold": "otsu"}}},
        'my.yaml: tile is "big": give a whole number, at least 16 and at most 32768\n',
        "my.yaml: methods.otsu.treshold does not exist; did you mean threshold? (known: ",
        "my.yaml: methods.otsu.threshold is missing: add it\n",
    ),
    "empty section": ({"validate": None}, "my.yaml: validate is null: give keys with values\n"),
    "unknown method": (
        {"methods": {"otsu": {"threshold": "otzu"}}},
        "my.yaml: methods.otsu: threshold method otzu does not exist; did you mean otsu? (known: ",
    ),
    "unknown step": (
        {"filters": {"denoised": ["medain"]}},
        "my.yaml: filters.denoised: filter medain does not exist; did you mean median? (known: ",
    ),
    "unknown filter": (
        {"methods": {"otsu": {"filter": "denoise", "threshold": "otsu"}}},
        "my.yaml: methods.otsu: filter denoise is not configured; did you mean denoised? (known: ",
    ),
    "even median": (
        {"filters": {"denoised": [{"median": 4}]}},
        "my.yaml: filters.denoised: median: size is 4: give an odd whole number of pixels",
    ),
    "unknown sample": (
        {"methods": {"otsu": {"threshold": "otsu", "samples": ["disc"]}}},
        "my.yaml: methods.otsu: sample disc is not in the sheet; did you mean discs?",
    ),
    "tile": (
        {"tile": 66, "pyramid": {"levels": 2}, "block": {"rows": 1}},
        "my.yaml: blocks of 66 px cannot be halved 2 times: ",
        "choose a `tile` that is a multiple of 4",
    ),
    "levels": ({"pyramid": {"levels": 9}}, "my.yaml: pyramid.levels: 9 does not exist", "auto"),
}


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_configuration(project, case):
    settings, *words = CONFIGURATIONS[case]
    run = project.configure(**settings).run("--dry-run")
    refused(run, *words)
    assert len(run.output.splitlines()) < 10


def test_configuration_of_several_files(project):
    (project.folder / "more.yaml").write_text("tyle: 64\n")
    run = project.run("--dry-run", "--configfile", "my.yaml", "more.yaml")
    refused(run, "my.yaml, more.yaml: tyle does not exist; did you mean tile?")


def test_sizes_of_image_and_truth_differ(project):
    Image.fromarray(np.zeros((128, 64), np.uint8)).save(project.folder / "truth.png")
    refused(project.run("--dry-run"), "sample discs", "truth.png", "128 x 64", "128 x 192")


def test_sizes_of_planes_differ(project):
    Image.fromarray(np.zeros((128, 64), np.uint8)).save(project.folder / "image_2.png")
    project.configure([{"sample": "discs", "image": "image*.png"}])
    refused(project.run("--dry-run"), "sample discs", "image_2.png", "one size")


def test_truncated_image(project):
    path = project.folder / "image.png"
    path.write_bytes(path.read_bytes()[:-2000])
    refused(project.run(), "sample discs", "image.png")


def test_truth_with_three_values(project):
    truth = np.zeros((128, 192), np.uint8)
    truth[0, :2] = 1, 2
    Image.fromarray(truth).save(project.folder / "truth.png")
    refused(project.run(), "sample discs", "truth.png", "truth_foreground")


def test_not_a_number(project):
    image = np.ones((128, 192), np.float32)
    image[5, 5] = np.nan
    tifffile.imwrite(project.folder / "image.tif", image)
    project.configure([{"sample": "discs", "image": "image.tif"}])
    refused(project.run(), "sample discs", "image.tif")


def test_user_files_are_left_alone(project):
    before = {path: path.read_bytes() for path in project.folder.glob("*.*") if path.is_file()}
    project.succeed()
    after = {path: path.read_bytes() for path in project.folder.glob("*.*") if path.is_file()}
    assert after == before
