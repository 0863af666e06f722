"""The configurations of config/examples, each on small images of its kind."""

import csv

import imageio.v3 as imageio
import pytest
import yaml
from kinds_of_images import KINDS
from projects import ROOT, Project
from sklearn.metrics import matthews_corrcoef

EXAMPLES = ROOT / "config/examples"
LESS = {
    "figures": {"tiles": 0},
    "report": {"tiles": 0},
    "quality": {"measure": False, "survey": 0},
    "overlay": {"format": "zarr-only"},
    "pyramid": {"levels": 0},
    "validate": {"errors": False},
}
"""What the tests leave out, to take less time."""
SMALL = {"pixel_classifier": {"sigmas": [1, 2, 4], "trees": 20, "pixels": 3000, "folds": 2}}
"""And what they train in place of a larger classifier."""


def write_images(name, folder):
    """Make the files that an example's sheet names.

    Returns
    -------
    dict of str to (rows, columns) uint8 ndarray
        The truth of each sample, also of those whose sheet has none.
    """
    truths = {}
    with (EXAMPLES / f"{name}.tsv").open(newline="") as sheet:
        for seed, row in enumerate(csv.DictReader(sheet, delimiter="\t"), 1):
            image, truths[row["sample"]] = KINDS[name](seed)
            (folder / row["image"]).parent.mkdir(exist_ok=True)
            imageio.imwrite(folder / row["image"], image)
            if row["truth"]:
                imageio.imwrite(folder / row["truth"], truths[row["sample"]] * 255)
    return truths


def test_every_example_has_a_sheet_and_images():
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} == {*KINDS}
    assert {path.stem for path in EXAMPLES.glob("*.tsv")} == {*KINDS}


@pytest.mark.parametrize("name", KINDS)
def test_an_example_finds_what_is_in_its_images(name, tmp_path):
    project = Project.create(tmp_path / "project")
    truths = write_images(name, project.folder / "config/examples")
    (project.folder / "less.yaml").write_text(yaml.safe_dump(LESS))
    files = ["less.yaml", f"config/examples/{name}.yaml"]
    if "learned" in yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())["methods"]:
        # the sheet is beside the last file
        files.append("config/examples/small.yaml")
        small = {"methods": {"learned": {"threshold": SMALL}}}
        (project.folder / files[-1]).write_text(yaml.safe_dump(small))
    project.succeed("--configfile", *files)
    for sample, truth in truths.items():
        mask = imageio.imread(project.results / f"masks/{sample}.png")
        assert matthews_corrcoef(truth.ravel(), mask.ravel() != 0) > 0.75, sample
