"""The report of a run that goes on."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from tilewise.score.score_table import write_scores

SCRIPT = Path(__file__).parents[3] / "scripts/partial_report.py"


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
    row = {"sample": "a", "method": "otsu", "tile": "z0000_y00_x00", "z": 0, "y": 0, "x": 0}
    row |= {"height": 32, "width": 32, "patch": "", "annotated": 1024, "edge": "normal"}
    row |= {"tp": 90, "fp": 10, "fn": 10, "tn": 914}
    scores = tmp_path / "results/a/otsu/metrics/0/0/0.tsv"
    scores.parent.mkdir(parents=True)
    write_scores(scores, [row], ())
    return tmp_path


def test_what_is_there_is_shown_and_what_is_missing_is_said(folder, monkeypatch, capsys):
    arguments = ["--directory", str(folder), "--configfile", str(folder / "my.yaml")]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
    monkeypatch.chdir(folder.parent)
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert "report-partial.html" in capsys.readouterr().out
    html = (folder / "results/report-partial.html").read_text()
    assert "1 of 4 tables of scores are there." in html
    assert "Nothing is decided before all methods have been scored." in html
    # MCC by hand: 100 pixels of the mask and of the truth, of 1024
    row = html.partition('aria-label="Scores of each sample"')[2].partition("</table>")[0]
    assert f"{(90 * 914 - 100) / (100 * 924):.3f}" in row
    assert [path.name for path in folder.glob("results/*.html*")] == ["report-partial.html"]
