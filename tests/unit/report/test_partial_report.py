"""The report of a run that goes on."""

import base64
import gzip
import io
import json
import re
import runpy
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from PIL import Image

from tilewise.score.score_table import write_scores
from tilewise.segment.segmenters import COLUMNS
from tilewise.store.blocks import BlockWriter
from tilewise.store.grid import Grid, Region
from tilewise.store.layout import layout_of
from tilewise.store.parts import Part
from tilewise.tables import write_rows

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts/partial_report.py"
SCHEMA = ROOT / "workflow/schemas/report.schema.json"
ROW = {"sample": "a", "method": "otsu", "tile": "z0000_y00_x00", "z": 0, "y": 0, "x": 0}
ROW |= {"height": 32, "width": 32}


@pytest.fixture
def folder(tmp_path):
    """A run that has scored one of two methods on one of two samples."""
    pixels = np.zeros((32, 32), np.uint8)
    for name in ("a", "b"):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        Image.fromarray(pixels).save(tmp_path / f"{name}_truth.png")
    lines = ["sample\timage\ttruth"] + [f"{name}\t{name}.png\t{name}_truth.png" for name in "ab"]
    (tmp_path / "my.tsv").write_text("\n".join(lines) + "\n")
    methods = {"otsu": {"threshold": "otsu"}, "li": {"threshold": "li"}}
    config = {"samples": "my.tsv", "tile": 32, "methods": methods}
    config |= {"collect": {"side": 0}, "validate": {"metrics": []}}
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(config))
    row = ROW | {"patch": "", "annotated": 1024, "edge": "normal"}
    row |= {"tp": 90, "fp": 10, "fn": 10, "tn": 914}
    scores = tmp_path / "results/a/otsu/metrics/0/0/0.tsv"
    scores.parent.mkdir(parents=True)
    write_scores(scores, [row], ())
    return tmp_path


@pytest.fixture
def write(folder, monkeypatch):
    """Write the page, and give its HTML."""

    def go():
        arguments = ["--directory", str(folder), "--configfile", str(folder / "my.yaml")]
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
        monkeypatch.chdir(folder.parent)
        runpy.run_path(str(SCRIPT), run_name="__main__")
        return (folder / "results/report-partial.html").read_text()

    return go


@pytest.fixture
def arrays(folder):
    """What the run has stored of sample a: image, truth, and the mask of Otsu's method."""
    grid, random = Grid((1, 32, 32), 32, (1, 32, 32)), np.random.default_rng(0)
    labels, arrays = "labels/{}/", {"": random.integers(0, 255, (32, 32)).astype(np.uint8)}
    arrays |= {
        labels.format(name): arrays[""] > level for name, level in (("truth", 90), ("otsu", 99))
    }
    for name, pixels in arrays.items():
        path = folder / f"results/a/image.zarr/{name}0/c/0/0/0"
        path.parent.mkdir(parents=True)
        with BlockWriter(
            path, "0/0/0", layout_of(grid, "uint8", fill=255 * ("truth" in name))
        ) as writer:
            writer.write(
                Part("a", grid, "0/0/0", 0), Region(0, 1, 0, 32, 0, 32), pixels * np.uint8(1)
            )
    thresholds = folder / "results/a/otsu/thresholds/0/0/0.tsv"
    thresholds.parent.mkdir(parents=True)
    write_rows(thresholds, COLUMNS, [ROW | {"threshold": "99"}])
    return arrays[labels.format("otsu")] + 2 * arrays[labels.format("truth")]


def data_in(html):
    packed = re.search(r'id="data">([^<]*)<', html)[1]
    data = json.loads(gzip.decompress(base64.b64decode(packed)))
    jsonschema.validate(data, json.loads(SCHEMA.read_text(encoding="utf-8")))
    return data


def test_masks_that_are_there_are_shown(arrays, write):
    data = data_in(write())
    (pack,) = data["packs"]["embedded"].values()
    assert (pack["sample"], pack["tile"], list(pack["codes"])) == ("a", "z0000_y00_x00", ["otsu"])
    codes = Image.open(io.BytesIO(base64.b64decode(pack["codes"]["otsu"]["data"])))
    np.testing.assert_array_equal(np.array(codes), arrays)
    assert pack["thresholds"] == {"otsu": {"values": [99], "note": ""}}
    assert data["tiles"]["reasons"]["values"] == ["among the worst so far"]
    assert None not in data["thumbnails"]["confusion"]["otsu"]


@pytest.mark.parametrize(
    "name",
    ["image.zarr/0/c/0/0/0", "image.zarr/labels/otsu/0/c/0/0/0", "otsu/thresholds/0/0/0.tsv"],
)
@pytest.mark.parametrize("share", [0, 0.5, None])
def test_a_file_that_is_being_written_is_left_out(arrays, folder, write, name, share):
    path = folder / "results/a" / name
    if share is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    html = write()
    assert "1 of 4 tables of scores are there." in html
    assert data_in(html)["packs"] == {"number": 0, "embedded": {}}


def test_a_table_of_scores_that_is_being_written_is_left_out(folder, write):
    path = folder / "results/a/otsu/metrics/0/0/0.tsv"
    path.write_bytes(path.read_bytes()[:-20])
    assert "0 of 4 tables of scores are there." in write()


def test_a_table_of_rows_that_are_cut_is_left_out(folder, write):
    path = folder / "results/a/otsu/metrics/0/0/0.tsv"
    header, row = path.read_text().splitlines()
    path.write_text(f"{header}\n{row[:20]}\n")
    assert "0 of 4 tables of scores are there." in write()


def test_once_all_is_scored_the_whole_report_is_named(folder, write):
    own = folder / "results/a/otsu/metrics/0/0/0.tsv"
    for sample in "ab":
        for method in ("otsu", "li"):
            path = folder / f"results/{sample}/{method}/metrics/0/0/0.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(own.read_text().replace("a\totsu", f"{sample}\t{method}"))
    html = write()
    assert "All 4 tables of scores are there." in html
    assert "The decision is in results/report.html, once the run has ended." in html
    assert "goes on" not in html


def test_what_is_there_is_shown_and_what_is_missing_is_said(folder, write, capsys):
    html = write()
    assert "report-partial.html" in capsys.readouterr().out
    assert "1 of 4 tables of scores are there." in html
    assert "Nothing is decided before all methods have been scored." in html
    # MCC by hand: 100 pixels of the mask and of the truth, of 1024
    row = html.partition('aria-label="Scores of each sample"')[2].partition("</table>")[0]
    assert f"{(90 * 914 - 100) / (100 * 924):.3f}" in row
    assert [path.name for path in folder.glob("results/*.html*")] == ["report-partial.html"]
