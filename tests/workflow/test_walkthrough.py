"""docs/walkthrough.md: what it shows is what its code gives, and what other libraries give.

The command of the section on the decision takes minutes: only `make walkthrough` runs it. Here its
lines of Python are run on another decision, and its scores compared with frozen ones.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys

import forks
import numpy as np
import pytest
from comparison import read
from PIL import Image
from projects import ROOT, Project
from published import KESM, needs_kesm
from scipy import ndimage
from skimage import filters
from sklearn import metrics
from test_frozen import FROZEN

pytestmark = needs_kesm
DOCS = ROOT / "docs"
TEXT = (DOCS / "walkthrough.md").read_text(encoding="utf-8")


def block(title, number=-1, language="text"):
    """A block of a section; of `text`, it is what the one before prints."""
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)[1]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[number]


@pytest.fixture(scope="module")
def tile():
    """The tile and its truth; inverted, and after the published filter."""
    image, truth = (
        np.asarray(Image.open(KESM / f"{name}.png")) for name in ("grayscale", "groundtruth")
    )
    inverted = 255 - image
    return inverted, ndimage.median_filter(inverted, 3), truth > 0


def test_page_is_what_its_code_gives(tmp_path):
    project = Project.create(tmp_path / "tilewise")
    docs = project.folder / "docs"
    docs.mkdir()
    for name in ("walkthrough.py", "walkthrough.md"):
        shutil.copy(DOCS / name, docs)
    # `snakemake` is a fork of what has imported its packages
    command = tmp_path / "bin/snakemake"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.join(forks.command())} -m snakemake "$@"\n')
    command.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": "scripts",
    }

    def run(*arguments):
        command, folder = [sys.executable, *arguments], project.folder
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("docs/walkthrough.py", "--quick")
    assert (docs / "walkthrough.md").read_text(encoding="utf-8") == TEXT, "run `make walkthrough`"
    made = sorted(path.name for path in docs.glob("*.png"))
    shown = sorted(path.name for path in DOCS.glob("walkthrough-*.png"))
    assert made == [name for name in shown if name != "walkthrough-decision.png"]
    for name in made:
        pixels, committed = (
            np.asarray(Image.open(each / name).convert("RGB")) for each in (docs, DOCS)
        )
        np.testing.assert_array_equal(pixels, committed, err_msg=f"{name}: run `make walkthrough`")
    of_tiles = block("Decision", language="python").replace("results-kesm/", "results-kesm-tiles/")
    printed = run("-c", of_tiles)
    assert printed.startswith("Use otsu. It has MCC 0.868 on these tiles; ")
    assert re.search(r"^otsu +0\.868, higher than\nwhole +0\.853 by 0\.015 ", printed, re.MULTILINE)
    assert (project.folder / "results-kesm-tiles/decision.png").is_file()


def test_scores_of_the_decision_are_the_frozen_ones():
    header, *lines = read(FROZEN / "kesm-methods.json.xz")["scores.tsv"]
    rows = [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]
    scores = {
        row["method"]: f"{float(row['micro']):.3f}"
        for row in rows
        if row["metric"] == "mcc" and row["estimate"] in ("fixed", "held out")
    }
    # methods that are there now learn, so that another is decided on
    del scores["cross-validated selection"]
    shown = dict(re.findall(r"^(\w+) +(0\.\d+) by ", block("Decision"), re.MULTILINE))
    assert len(scores) == 8
    assert scores.items() <= shown.items()


def test_published_figures_are_on_the_page():
    assert "threshold 79, above it 5,717 pixels" in block("Otsu's threshold")
    assert block("Confusion matrix") == "TP 5,595, FP 122, FN 1,863, TN 254,564\n"
    scores = {"accuracy": 0.9924278259277344, "f1": 0.8493358633776091, "mcc": 0.8533910225863214}
    for name, score in scores.items():
        assert f"\nOtsu, {name}: {score}\n" in block("Accuracy")


def test_scores_of_other_thresholds_are_those_of_other_libraries(tile):
    inverted, filtered, truth = tile
    rows = block("Other filters and thresholds", 0).splitlines()[1:]
    assert len(rows) == 7
    for row in rows:
        name, level, *cells = re.match(r"(\w+), above (\d+) +(.+)", row).groups()
        threshold = getattr(filters, f"threshold_{name}")(filtered)
        assert int(level) == round(threshold)
        mask = (filtered > threshold).ravel()
        expected = [
            f"{metric(truth.ravel(), mask):.{digits}f}"
            for metric, digits in (
                (metrics.accuracy_score, 4),
                (metrics.balanced_accuracy_score, 4),
                (metrics.precision_score, 4),
                (metrics.recall_score, 4),
                (metrics.f1_score, 3),
                (metrics.matthews_corrcoef, 3),
            )
        ]
        assert cells[0].split() == expected, name
    sizes = block("Other filters and thresholds", 1).splitlines()
    for size, line in zip((1, 3, 5, 7), sizes, strict=True):
        plane = ndimage.median_filter(inverted, size)
        threshold = filters.threshold_otsu(plane)
        score = metrics.matthews_corrcoef(truth.ravel(), (plane > threshold).ravel())
        assert line == f"median of {size} x {size}: threshold {threshold}, MCC {score:.4f}"


def test_tiles_are_those_of_other_libraries(tile):
    inverted, filtered, truth = tile
    tiles = [
        np.s_[y : y + 128, x : x + 128] for y in range(0, 512, 128) for x in range(0, 512, 128)
    ]
    alone = np.empty_like(filtered)
    levels, entries = [], []
    for own in tiles:
        alone[own] = ndimage.median_filter(inverted[own], 3)
        levels.append(filters.threshold_otsu(filtered[own]))
        share = (filtered[own] > levels[-1]).mean()
        entries.append(f"{levels[-1]} ({truth[own].mean():.1%} -> {share:.1%})")
    wrong = (alone != filtered).sum()
    assert f"0 px around each tile:  {wrong:,} pixels differ" in block("Tiles and seams")
    printed = block("One threshold per tile", 0)
    assert [" ".join(entry.split()) for entry in re.findall(r"\d+ \([^)]*\)", printed)] == entries
    assert f"mean of 16 thresholds {np.mean(levels):.2f}\n" in block("Map-reduce")


def test_threshold_chosen_by_the_truth_is_that_of_a_search(tile):
    _, filtered, truth = tile
    quarters = [np.s_[y : y + 256, x : x + 256] for y in (0, 256) for x in (0, 256)]

    def best(places):
        """The threshold of highest MCC of some quarters together, and that MCC."""
        pixels, known = (
            np.concatenate([each[own].ravel() for own in places]) for each in (filtered, truth)
        )
        # of two masks, MCC is Pearson's correlation
        scores = [np.corrcoef(known, pixels > level)[0, 1] for level in range(50, 100)]
        return 50 + int(np.argmax(scores)), max(scores)

    whole = best(quarters)
    lines = [f"chosen and scored on the whole tile: above {whole[0]}, MCC {whole[1]:.4f}"]
    mask = np.empty_like(truth)
    for number, own in enumerate(quarters):
        chosen, _ = best(quarters[:number] + quarters[number + 1 :])
        mask[own] = filtered[own] > chosen
        lines.append(
            f"quarter {number + 1}: the others choose {chosen}, its own best is {best([own])[0]}"
        )
    score = metrics.matthews_corrcoef(truth.ravel(), mask.ravel())
    lines.append(f"chosen on three quarters, scored on the fourth: MCC {score:.4f}")
    assert block("A threshold chosen by the truth").splitlines() == lines
