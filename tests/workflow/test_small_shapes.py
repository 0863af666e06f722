"""The smallest and the oddest planes, with the steps by default, to the report and verify."""

import subprocess
import sys

import numpy as np
from samples import write_planes

SHAPES = {
    "dot": (1, 1),
    "line": (1, 150),
    "column": (150, 1),
    "pair": (2, 2),
    "uneven": (65, 129),
}
METHODS = {
    "otsu": {"threshold": "otsu"},
    "smooth": {"filter": "denoised", "threshold": "li", "cleanup": [{"remove_small": 2}]},
    "local": {"threshold": {"adaptive": 51}},
    "double": {"threshold": {"hysteresis": {"low": "otsu", "high": "yen"}}},
    "swept": {"threshold": "manual", "grid": {"value": [50, 100, 150]}},
}


def test_planes_of_any_shape(project):
    random, rows = np.random.default_rng(3), []
    for name, shape in SHAPES.items():
        truth = (np.indices(shape).sum(axis=0) % 30 < 12).astype(np.uint8)
        image = (60 + 120 * truth + random.normal(0, 4, shape)).astype(np.uint8)
        write_planes(project.folder, image[None], f"{name}.png")
        write_planes(project.folder, truth[None], f"{name}_truth.png")
        rows.append({"sample": name, "image": f"{name}.png", "truth": f"{name}_truth.png"})
    project.configure(
        rows,
        **{"methods": METHODS, "collect": {}, "pyramid": {}, "apply": "best"},
        **{"quality": {}, "figures": {"tiles": 2}, "report": {"tiles": 5}},
    ).succeed()

    metrics = {(row["sample"], row["method"]): row for row in project.rows("metrics.tsv")}
    # one pixel, which is foreground, has no two classes, so that its mask is empty
    dot = metrics["dot", "otsu"]
    assert [dot[name] for name in ("tp", "fp", "fn", "tn")] == ["0", "0", "1", "0"]
    # all pixels are wrong
    assert (float(dot["recall"]), dot["precision"], float(dot["mcc"])) == (0, "", -1)
    assert dot["edge"] == "mask_empty"
    # a threshold in grey levels needs no classes
    assert metrics["dot", "swept"]["tp"] == "1"
    # two tiles of 75 pixels each; of every thirty pixels, twelve are foreground
    for name in ("line", "column"):
        own = [row for row in project.rows("metrics.tsv") if row["sample"] == name]
        found = [
            (row["tp"], row["fp"], row["fn"], row["tn"]) for row in own if row["method"] == "otsu"
        ]
        assert found == [("36", "0", "0", "39"), ("24", "0", "0", "51")]

    summary = {
        (row["sample"], row["method"]): row
        for row in project.rows("summary.tsv")
        if row["metric"] == "f1"
    }
    one = summary["dot", "swept"]
    assert (one["mean"], one["median"], one["sd"], one["averaged"]) == ("1.0", "1.0", "", "1")
    every = summary["all", "otsu"]
    # of eight tiles one has no mask, and one of four pixels three wrong ones: 0, 0.4, and six of 1
    assert (float(every["mean"]), every["median"], every["q25"]) == (0.8, "1.0", "0.85")
    command = [sys.executable, "scripts/verify.py", "--configfile", "my.yaml"]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project.results / "report.html").stat().st_size > 10**5
