"""Damaged sheets, tables of windows and configurations: understood, or refused with a reason."""

import copy
import random
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import numbers, outcome
from mutations import VALUES, changed, damaged
from PIL import Image
from snakemake.utils import validate

from tilewise.plan import configuration, metadata, targets
from tilewise.plan.sheet import read_samples
from tilewise.plan.study import read_study

SCHEMA = Path(__file__).parents[2] / "workflow/schemas/config.schema.yaml"
SHEET = (
    "sample\timage\ttruth\troi\tgroup\tpixel_size\ttruth_foreground\tpurpose\tage\n"
    "a\ta_*.png\ta_truth.tsv\tmask.png\tmouse 1\t0.5\t255\testimate\t3\n"
    "b\tb.png\tmask.png\t\tmouse 2\t\t\t\t4\n"
)
WINDOWS = "z\ty\tx\tpath\tpurpose\n0\t0\t0\twindow.png\ttrain\n1\t4\t8\twindow.png\testimate\n"
CONFIGURATION = {
    "samples": "my.tsv",
    "tile": 16,
    "methods": {
        "otsu": {"threshold": "otsu", "filter": "smooth"},
        "local": {"threshold": {"adaptive": {"size": 11, "offset": -2}}, "scope": "tile"},
        "tried": {
            "filter": "smooth",
            "threshold": {"manual": {"value": 90}},
            "grid": {"value": [80, 90, 100]},
            "cleanup": [{"remove_small": 3}, {"opening": 1}],
        },
        "learned": {"threshold": {"pixel_classifier": {"trees": 10}}},
    },
    "filters": {"smooth": ["invert", {"median": 3}], "flat": [{"background": {"size": 21}}]},
    "validate": {"metrics": ["nsd", "cldice"], "tolerance": 2},
    "decision": {"metric": "f1", "folds": 5, "unit": "tile"},
    "pyramid": {"levels": 1},
    "block": {"planes": 1},
    "collect": {"side": 0},
    "figures": {"format": "svg"},
    "report": {"tiles": 20},
    "apply": "best",
}


@pytest.fixture
def folder(tmp_path):
    plane = np.arange(32 * 48, dtype=np.uint8).reshape(32, 48)
    for name in ("a_0", "a_1", "b"):
        Image.fromarray(plane).save(tmp_path / f"{name}.png")
    Image.fromarray((plane > 99).astype(np.uint8) * 255).save(tmp_path / "mask.png")
    Image.fromarray((plane > 99).astype(np.uint8)[:16, :16] * 255).save(tmp_path / "window.png")
    (tmp_path / "my.tsv").write_text(SHEET.replace("mask.png\tmouse 1", "\tmouse 1"))
    (tmp_path / "a_truth.tsv").write_text(WINDOWS)
    return tmp_path


def edited(table, dice):
    """A table with a cell changed, or one that goes or comes twice; or with other bytes."""
    if dice.random() < 0.3:
        return damaged(table.encode(dice.choice(["utf-8", "utf-16", "latin-1"])), dice)
    rows = [line.split("\t") for line in table.splitlines()]
    for _ in range(dice.choice([1, 1, 2, 3])):
        row = dice.choice(rows)
        at = dice.randrange(len(row))
        kind = dice.randrange(4)
        if kind < 2:
            row[at] = str(dice.choice((*VALUES, "x" * 200_000, "/dev/zero", "a_*", "[", "**")))
        elif kind == 2 and len(row) > 1:
            del row[at]
        else:
            row.insert(at, dice.choice(dice.choice(rows) or [""]))
    return "\n".join(map("\t".join, rows)).encode("utf-8", "surrogatepass")


def attempt(what, call, number):
    """Whether it is refused."""
    reason = outcome(call, f"{what} {number}")
    assert reason is None or len(reason) > 20
    return reason is not None


@pytest.mark.parametrize("name", ["my.tsv", "a_truth.tsv"])
def test_tables(folder, name):
    table = (folder / name).read_text()
    read_samples(folder / "my.tsv", {}, "luma", None)
    refused = 0
    for number in numbers(750):
        (folder / name).write_bytes(edited(table, random.Random(f"{name} {number}")))
        refused += attempt(name, lambda: read_samples(folder / "my.tsv", {}, "luma", None), number)
    assert refused


def test_configurations(folder):
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))

    def plan(config):
        configuration.check(config, schema)
        validate(config, str(SCHEMA))
        study = read_study(config, folder)
        assert metadata.metadata(study).files
        assert targets.arrays(study)

    plan(copy.deepcopy(CONFIGURATION))
    refused = 0
    for number in numbers(1000):
        config = changed(CONFIGURATION, random.Random(number))
        refused += attempt("configuration", lambda config=config: plan(config), number)
    assert refused
