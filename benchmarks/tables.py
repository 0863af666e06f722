"""What the steps cost that read a row of each annotated tile.

    PYTHONPATH=scripts python benchmarks/tables.py [--tiles 447440] [--methods 3] [--folder DIR]
        [--steps aggregate decide choose trust gather_warnings report]
        [--scripts scripts ../before/scripts] [--oracles]

The tables are those of a sample of planes of 14 x 40 tiles, in blocks of 16 planes, all annotated;
by default as many as a whole brain has. Counts are drawn at random, no image of them is made.
`choose` has as many sets of parameters as there are methods. `report` has no pictures. It and
`gather_warnings` read what the first `aggregate` and `decide` have written. With `--oracles`,
`decide` also reads a histogram of each tile, of 8 bits after one filter. The scripts run as they
are, one after the other, in each of the folders of `--scripts`, which may be those of different
versions; what they write is then compared, byte by byte.
"""

import argparse
import json
import os
import runpy
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from throughput import ROOT, measure

from tilewise.decide.folds import COLUMNS, Folds
from tilewise.decide.places import Place
from tilewise.decide.sampling import Sampling
from tilewise.quality import feature_names
from tilewise.score import confusion, score_table
from tilewise.segment.thresholds import COLUMNS as THRESHOLD
from tilewise.store import class_histograms
from tilewise.store.class_histograms import ClassHistogram
from tilewise.tables import write_rows

SIDES = 14, 40
"""Tiles along a plane."""
TILE = 512
PLANES = 16
"""Of a block."""
SAMPLE = "brain"
METRICS = ["cldice", "nsd"]
STEPS = ("aggregate", "decide", "choose", "trust", "gather_warnings", "report")
REPORTED = {
    "aggregate": ("metrics", "summary"),
    "decide": ("ranking", "scores", "units", "decision"),
}
"""What of other steps the report reads."""


def study_of(folder, methods):
    """A study of one small image, with the configuration's defaults."""
    from snakemake.utils import validate

    from tilewise.plan.study import read_study

    for name in ("image", "truth"):
        cv2.imwrite(str(folder / f"{name}.png"), np.zeros((64, 64), np.uint8))
    sheet = f"sample\timage\ttruth\n{SAMPLE}\timage.png\ttruth.png\n"
    (folder / "sheet.tsv").write_text(sheet)
    config = {"samples": str(folder / "sheet.tsv")}
    config["methods"] = {f"method_{i}": {"threshold": "otsu"} for i in range(methods)}
    validate(config, str(ROOT / "workflow/schemas/config.schema.yaml"))
    return read_study(config, folder)


def told(study, tiles):
    """What the report is told of a study, with the size of the sample of the tables."""
    from tilewise.plan import definitions

    facts = definitions.facts(study, ())
    size = {"planes": -(-tiles // (SIDES[0] * SIDES[1])), "tile": [TILE, TILE]}
    size |= {"height": SIDES[0] * TILE, "width": SIDES[1] * TILE}
    return facts | {"samples": [facts["samples"][0] | size]}


def places_of(tiles):
    """Names and places of the tiles, plane by plane, row by row."""
    for number in range(tiles):
        z, place = divmod(number, SIDES[0] * SIDES[1])
        row, column = divmod(place, SIDES[1])
        yield {
            **{"tile": f"z{z:04d}_y{row:02d}_x{column:02d}", "z": z},
            **{"y": row * TILE, "x": column * TILE, "height": TILE, "width": TILE},
        }


def scores_of(places, method, random):
    """Counts of some tiles: the later the method, the more is wrong."""
    number, pixels = len(places), TILE**2
    truth = (pixels * random.beta(1, 8, number)).astype(int)
    right = random.beta(40 - method, 6, number)
    tp = (truth * right).astype(int)
    fp = (random.beta(1, 60 - method, number) * (pixels - truth)).astype(int)
    skeletons = random.integers(0, 900, (number, 2))
    surfaces = random.integers(0, 9000, number)
    shares = random.random((number, 3))
    for i, place in enumerate(places):
        counts = dict(
            zip(("tp", "fp", "fn"), map(int, (tp[i], fp[i], truth[i] - tp[i])), strict=True)
        )
        counts["tn"] = pixels - sum(counts.values())
        of_mask, of_truth = map(int, skeletons[i])
        yield {
            **{"sample": SAMPLE, "method": f"method_{method}", **place, "patch": ""},
            **{"annotated": pixels, **counts, "edge": confusion.edge(**counts)},
            **{"skeleton_mask": of_mask, "skeleton_truth": of_truth},
            "skeleton_mask_right": int(of_mask * shares[i, 0]),
            "skeleton_truth_found": int(of_truth * shares[i, 1]),
            **{"surface": int(surfaces[i]), "surface_near": int(surfaces[i] * shares[i, 2])},
        }


def features_of(places, random):
    """Features of tiles, few of which stand out."""
    values = random.lognormal(0, 0.2, (len(places), len(feature_names.FEATURES)))
    for name, scale in {"saturated": 0.01, "gradient": 0.2, "stripes": 0.07}.items():
        values[:, feature_names.FEATURES.index(name)] *= scale
    values[:, feature_names.FEATURES.index("contrast_to_noise")] *= 5
    for place, own in zip(places, values.tolist(), strict=True):
        named = dict(zip(feature_names.FEATURES, own, strict=True))
        yield {"sample": SAMPLE, **place, "edge": "", **named}


def thresholds_of(places, method, random):
    """Thresholds of tiles: one in ten is doubtful."""
    guards = random.choice(["", "empty", "own"], len(places), p=[0.9, 0.05, 0.05])
    values = random.random((len(places), 5)).tolist()
    for place, guard, (threshold, *evidence, foreground) in zip(
        places, guards.tolist(), values, strict=True
    ):
        yield {
            **{"sample": SAMPLE, "method": f"method_{method}", **place, "foreground": foreground},
            **dict(zip(THRESHOLD, (255 * threshold, *evidence, guard, ""), strict=True)),
        }


def histograms_of(places, random):
    """Histograms of tiles, apart by truth: a bright tenth on a dark ground."""
    levels = np.arange(256, dtype=np.uint8)
    shapes = [np.exp(-(((levels - mean) / 30.0) ** 2) / 2) for mean in (80, 150)]
    own = [shape / shape.sum() for shape in shapes]
    for place in places:
        foreground = int(TILE**2 * random.beta(1, 8))
        pixels = TILE**2 - foreground, foreground
        counts = [
            random.multinomial(*one).astype(np.uint32) for one in zip(pixels, own, strict=True)
        ]
        yield (SAMPLE, place["z"], place["y"], place["x"], -1), ClassHistogram(levels, *counts)


def make(folder, tiles, methods, has_oracles):
    """Write all tables, and what the rules would hand to the scripts, as JSON."""
    from tilewise.plan import methods_facts

    random, places = np.random.default_rng(0), list(places_of(tiles))
    block = PLANES * SIDES[0] * SIDES[1]
    files = {"metrics": [], "thresholds": [], "features": [], "sweep": [], "histograms": []}

    def write(kind, name, columns, rows):
        files[kind].append(f"{kind}/{name}.tsv")
        path = folder / files[kind][-1]
        path.parent.mkdir(parents=True, exist_ok=True)
        write_rows(path, columns, rows)

    for first in range(0, tiles, block):
        own = places[first : first + block]
        write(
            *("features", first, (*feature_names.PLACE, *feature_names.FEATURES)),
            features_of(own, random),
        )
        place = ("sample", "method", "tile", "z", "y", "x", "height", "width", "foreground")
        for method in range(methods):
            name, columns = f"{method}_{first}", (*place, *THRESHOLD)
            write("thresholds", name, columns, thresholds_of(own, method, random))
            path = folder / f"metrics/{name}.tsv"
            path.parent.mkdir(exist_ok=True)
            score_table.write_scores(path, scores_of(own, method, random), METRICS)
            files["metrics"].append(f"metrics/{name}.tsv")
        files["sweep"].append(f"sweep/{first}.tsv")
        (folder / "sweep").mkdir(exist_ok=True)
        if has_oracles:
            files["histograms"].append(f"histograms/{first}.npz")
            (folder / "histograms").mkdir(exist_ok=True)
            with class_histograms.Writer(folder / files["histograms"][-1]) as file:
                for where, levels in histograms_of(own, random):
                    file.add(where, levels)
        tried = [
            {"variant": f"method_{method}", "fold": "", **row}
            for method in range(methods)
            for row in scores_of(own, method, random)
        ]
        path = folder / files["sweep"][-1]
        score_table.write_scores(path, tried, METRICS, ("variant", "fold"))
    # as the tables of quality and trust, which have flags besides
    rows = [row | {"flags": ""} for row in features_of(places, random)]
    columns = *feature_names.PLACE, "flags"
    write_rows(folder / "quality.tsv", (*columns, *feature_names.FEATURES), rows)
    shares = random.random((tiles, 2)).tolist()
    rows = (
        {**{name: row[name] for name in columns}, "agreement": agreement, "trust": trust}
        for row, (agreement, trust) in zip(rows, shares, strict=True)
    )
    write_rows(folder / "trust.tsv", (*columns, "agreement", "trust"), rows)
    (folder / "provenance.json").write_text(json.dumps({"versions": {}}))
    study = study_of(folder, methods)
    config = study.config
    spots = {
        Place(SAMPLE, one["z"], one["y"], one["x"]): (one["y"] // TILE, one["x"] // TILE)
        for one in places
    }
    sampling = {SAMPLE: {"purpose": "estimate", "pi": None, "tiles": []}}
    picked = Sampling.of(spots, sampling), sampling
    folds = Folds.of(list(spots), {SAMPLE: SAMPLE}, config["decision"], spots, picked)
    write_rows(folder / "folds.tsv", COLUMNS, folds.to_rows())
    names, quality = [f"method_{i}" for i in range(methods)], config["quality"]
    common = {"limits": quality["thresholds"], "exclude": quality["exclude"]}
    none = dict.fromkeys(("structures", "strata", "differences", "agreements", "places"), [])
    of_decision = {"histograms": files["histograms"], "units": [], "checks": []}
    of_methods = {name: files[name] for name in ("metrics", "thresholds", "features")}
    of_report = {name: f"{step}-0/{name}" for step, own in REPORTED.items() for name in own}
    of_report |= {name: f"{name}.tsv" for name in ("folds", "quality", "trust")}
    nothing = dict.fromkeys(("sweeps", "curves", "choices", "tiles", "packs", "page", "code"), [])
    jobs = {
        "aggregate": {
            "input": {**of_methods, **none, "annotators": []},
            "output": ["metrics", "summary", "errors", "differences", "agreement", "annotators"],
            "params": common
            | {"order": {"samples": [SAMPLE], "methods": names}, "metadata": {SAMPLE: {"age": 8}}}
            | {"tuned": names[-1:], "trained": [], "chosen": METRICS, "extent": "tile"},
        },
        "decide": {
            "input": {**of_methods, **of_decision, "annotators": [], "folds": "folds.tsv"},
            "output": ["choice", "decision", "text", "ranking", "scores", "units"],
            "params": common
            | {"methods": names, "swept": {}, "left_out": [], "doubts": []}
            | {"filters": ["image"] * len(files["histograms"])}
            | {"has_roi": [], "groups": {SAMPLE: SAMPLE}, "metrics": METRICS}
            | {"decision": config["decision"]},
        },
        "choose": {
            "input": {"scores": files["sweep"], "calibration": [], "folds": "folds.tsv"},
            "output": ["choice", "units", "folds", "sweep"],
            "params": {"variants": names, "is_trained": False, "samples": [SAMPLE]}
            | {"metrics": METRICS, "decision": config["decision"]},
        },
        "trust": {
            "input": {**of_methods, "agreement": []},
            "output": ["quality", "trust", "next", "random"],
            "params": common | {"samples": [SAMPLE], "number": quality["next"], "seed": 0},
        },
        "gather_warnings": {
            "input": {"thresholds": files["thresholds"], "summary": "aggregate-0/summary"}
            | {"errors": "aggregate-0/errors", "decision": ["decide-0/decision"]}
            | dict.fromkeys(("made_from", "checks", "quantities"), []),
            "output": ["warnings"],
            "params": {"samples": [SAMPLE], "doubts": [], "has_roi": []},
        },
        "report": {
            "input": {name: [path] for name, path in of_report.items()}
            | {**nothing, "warnings": [], "provenance": "provenance.json"},
            "output": ["report"],
            "params": {"study": told(study, tiles), "facts": methods_facts.facts(study)}
            | {"swept": [], "learning": []},
        },
    }
    (folder / "jobs.json").write_text(json.dumps(jobs))


class Job:
    """What a script finds as `snakemake`."""

    def __init__(self, settings, results):
        from snakemake.iocontainers import InputFiles, Log, OutputFiles, Params, Wildcards

        os.makedirs(results, exist_ok=True)
        outputs = {name: f"{results}/{name}" for name in settings["output"]}
        self.input, self.output = (
            InputFiles(fromdict=settings["input"]),
            OutputFiles(fromdict=outputs),
        )
        self.params, self.threads = Params(fromdict=settings["params"]), 1
        self.wildcards = Wildcards(fromdict={"method": "method_0"})
        self.log = Log([f"{results}/log"])


def compare(folder, steps, number):
    """Whether what the first scripts wrote is what the others wrote."""
    for step in steps:
        for path in sorted((folder / f"{step}-0").glob("[a-z]*")):
            others = [folder / f"{step}-{i}" / path.name for i in range(1, number)]
            if path.name != "log" and any(
                other.read_bytes() != path.read_bytes() for other in others
            ):
                print(f"{step}: {path.name} differs")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tiles", type=int, default=799 * SIDES[0] * SIDES[1])
    parser.add_argument("--methods", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the tables are kept")
    parser.add_argument("--scripts", type=Path, nargs="+", default=[ROOT / "scripts"])
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--oracles", action="store_true")
    parser.add_argument("--job", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        step, results = arguments.job
        (scripts,) = arguments.scripts
        job = Job(json.loads(Path("jobs.json").read_text())[step], results)
        runpy.run_path(str(scripts / f"{step}.py"), {"snakemake": job}, "__main__")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)).resolve()
        if not (folder / "jobs.json").exists():
            folder.mkdir(parents=True, exist_ok=True)
            # a process's peak is at least that of who has started it
            with ProcessPoolExecutor(1) as pool:
                settings = arguments.tiles, arguments.methods, arguments.oracles
                pool.submit(make, folder, *settings).result()
        print("| step | scripts | s | CPU s | peak MB |\n| --- | --- | ---: | ---: | ---: |")
        for step in arguments.steps:
            for number, scripts in enumerate(arguments.scripts):
                path = scripts.resolve()
                command = [sys.executable, Path(__file__).resolve(), "--scripts", path]
                command += ["--job", step, f"{step}-{number}"]
                os.environ["PYTHONPATH"] = str(path)
                wall, cpu, peak = measure(command, folder)
                row = f"| {step} | {scripts} | {wall:.1f} | {cpu:.1f} | {peak:.0f} |"
                print(row, flush=True)
        compare(folder, arguments.steps, len(arguments.scripts))


if __name__ == "__main__":
    main()
