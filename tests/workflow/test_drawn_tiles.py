"""Tiles that were drawn with known chances, and tiles that only train, against pixels."""

import json

import numpy as np
import pytest
from projects import Project
from samples import blobs, write_planes
from sklearn.metrics import confusion_matrix, matthews_corrcoef

VALUES = (95, 120, 150)
DRAWN = {(0, 0): 0.5, (0, 128): 0.25, (128, 0): 1.0, (128, 128): 0.5, (128, 256): 0.25}
"""Row and column of the tiles that were drawn, which do not touch, and their chance."""
HARD = (0, 256)
"""Of a tile that looked hard."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    project = Project.create(tmp_path_factory.mktemp("drawn") / "project")
    image, truth = blobs(planes=1, rows=192, columns=320)
    # brighter from tile to tile, so that no score is that of another
    image = np.clip(image + 6.0 * (np.arange(320) // 64), 0, 255).astype(np.uint8)
    write_planes(project.folder, image, "image.png")
    windows = ["z\ty\tx\tpath\tpurpose\tpi"]
    for (y, x), chance in {**DRAWN, HARD: ""}.items():
        own = truth[:, y : y + 64, x : x + 64] * 255
        write_planes(project.folder, own, f"window_{y}_{x}.png")
        purpose = "train" if (y, x) == HARD else "estimate"
        windows.append(f"0\t{y}\t{x}\twindow_{y}_{x}.png\t{purpose}\t{chance}")
    (project.folder / "windows.tsv").write_text("\n".join(windows) + "\n")
    rows = [{"sample": "plane", "image": "image.png", "truth": "windows.tsv"}]
    methods = {
        "fixed": {"threshold": {"manual": 110}},
        "swept": {"threshold": "manual", "grid": {"value": list(VALUES)}},
    }
    quality = {"measure": True, "survey": 0, "next": 4}
    project.configure(rows, methods=methods, apply="best", quality=quality).succeed()
    return project, image[0], truth[0]


def tile(plane, place):
    y, x = place
    return plane[y : y + 64, x : x + 64]


def weighted(image, truth, thresholds):
    """MCC of drawn tiles, each weighted by one over its chance; thresholds by place."""
    counts = sum(
        confusion_matrix(tile(truth, place).ravel(), (tile(image, place) > level).ravel()) / chance
        for (place, chance), level in zip(DRAWN.items(), thresholds, strict=True)
    )
    labels = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    return matthews_corrcoef(labels[:, 0], labels[:, 1], sample_weight=counts.ravel())


def test_scores_are_weighted_by_one_over_the_chance(finished):
    project, image, truth = finished
    row = project.scores("fixed", "fixed")
    assert float(row["micro"]) == pytest.approx(weighted(image, truth, [110] * 5))
    assert (row["units"], row["unit"]) == ("5", "tile")


def test_a_hard_tile_chooses_parameters_but_is_not_scored(finished):
    project, image, truth = finished
    folds = {(int(row["y"]), int(row["x"])): row for row in project.rows("folds.tsv")}
    assert {place: row["pi"] for place, row in folds.items()} == {
        **{place: str(chance) for place, chance in DRAWN.items()},
        HARD: "",
    }
    assert folds[HARD]["purpose"] == "train"

    def of_tiles(places, value):
        """What parameters are chosen by: weighted counts of all tiles that train."""
        counts = sum(
            confusion_matrix(tile(truth, own).ravel(), (tile(image, own) > value).ravel())
            / DRAWN.get(own, 1)
            for own in places
        )
        labels = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        return matthews_corrcoef(labels[:, 0], labels[:, 1], sample_weight=counts.ravel())

    chosen = []
    for place in DRAWN:
        others = [other for other in folds if folds[other]["fold"] != folds[place]["fold"]]
        chosen.append(max(VALUES, key=lambda value, own=others: of_tiles(own, value)))
    row = project.scores("swept", "held out")
    assert float(row["micro"]) == pytest.approx(weighted(image, truth, chosen))
    assert row["units"] == "5"


def test_what_to_annotate_next_is_drawn_or_trains(finished):
    project, *_ = finished
    following = project.rows("annotate_next.tsv")
    assert {row["purpose"] for row in following} == {"train"}
    drawn = project.rows("annotate_random.tsv")
    known = {(y, x) for y, x in (*DRAWN, HARD)}
    assert len(drawn) == 4
    assert not known & {(int(row["y"]), int(row["x"])) for row in drawn}
    # four of the nine tiles of the plane that have no truth
    assert {float(row["pi"]) for row in drawn} == {4 / 9}


def test_quantities_know_the_chances(finished):
    project, image, _ = finished
    (row,) = (one for one in project.rows("quantities.tsv") if one["level"] == "sample")
    decision = json.loads((project.results / "decision.json").read_text())
    assert row["method"] == decision["method"]
    # one of the six annotated tiles trains
    assert (row["annotated"], row["units"]) == ("6", "5")
    assert float(row["low"]) < float(row["corrected"]) < float(row["high"])
