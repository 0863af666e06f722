"""What trying many parameters costs: 3 methods with 12 sets of parameters each, on 30 tiles.

    python benchmarks/sweep.py

Runs the workflow on a phantom of 30 tiles, with the sweeps and with the defaults alone, and does
the sweep's arithmetic in one process: filters each tile once per method, thresholds and scores it
for each set of parameters, by the library's own functions.
"""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
METHODS = {
    "manual": {"threshold": "manual", "grid": {"value": list(range(70, 130, 5))}},
    "adaptive": {
        "threshold": {"adaptive": {"size": 51}},
        "grid": {"offset": list(range(-30, -6, 2))},
    },
    "global": {
        "threshold": "otsu",
        "grid": {
            "threshold": ["otsu", "li", "yen", "triangle"],
            "scope": ["tile", "plane", "sample"],
        },
    },
}
SHAPE = [2, 1536, 2560]


def run(folder, name, methods):
    """Seconds of a run, and its jobs by rule."""
    config = {
        "samples": "sheet.tsv",
        "apply": "none",
        "filters": {"denoised": ["invert", {"median": 3}]},
        "methods": methods,
        "overlay": {"format": "zarr-only"},
        "figures": {"tiles": 0},
        "pyramid": {"levels": 0},
        "quality": {"measure": False},
        "phantoms": {"brain": {"shape": SHAPE, "seed": 4}},
    }
    place = Path(folder, name)
    place.mkdir()
    (place / "sheet.tsv").write_text(
        "sample\timage\ttruth\nbrain\tphantom:brain/image\tphantom:brain/truth\n"
    )
    (place / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", "config.yaml"]
    command += ["--snakefile", ROOT / "Snakefile", "--workflow-profile", "plain"]
    sources = ["results/sources/phantom/brain/image.tif"]
    subprocess.run([*command, *sources], cwd=place, check=True, stderr=subprocess.DEVNULL)
    start = time.perf_counter()
    done = subprocess.run(command, cwd=place, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    words = (line.split() for line in (done.stdout + done.stderr).splitlines())
    jobs = Counter(
        line[1].rstrip(":")
        for line in words
        if line and line[0] in ("localrule", "localcheckpoint")
    )
    logs = place.glob("benchmarks/*/*/sweep/**/*.tsv")
    sweeps = {path.parts[-5]: float(path.read_text().splitlines()[1].split()[0]) for path in logs}
    return seconds, jobs, sweeps, place


def arithmetic(place):
    """Seconds of each method's filters, thresholds and scores in this process, by method."""
    import tifffile

    from tilewise.score import scoring
    from tilewise.segment import filters, global_thresholds, histograms, local_thresholds
    from tilewise.segment.segmenters import above

    folder = place / "results/sources/phantom/brain"
    image, truth = (tifffile.imread(folder / f"{name}.tif") for name in ("image", "truth"))
    settings = {"metrics": ["cldice", "nsd"], "spacing": [1, 1, 1], "tolerance": 1.0}
    settings |= {"objects": {}, "margin": None}
    tiles = [
        (z, slice(y, y + 512), slice(x, x + 512))
        for z in range(SHAPE[0])
        for y in range(0, SHAPE[1], 512)
        for x in range(0, SHAPE[2], 512)
    ]
    names = ["otsu", "li", "yen", "triangle"] * 3
    makers = {
        "manual": lambda pixels, i: 70 + 5 * i,
        "adaptive": lambda pixels, i: local_thresholds.adaptive(pixels, 51, -30 + 2 * i),
        "global": lambda pixels, i: global_thresholds.GLOBAL[names[i]](
            *histograms.histogram(pixels)
        ),
    }
    seconds = {}
    for name, maker in makers.items():
        start = time.perf_counter()
        for tile in tiles:
            pixels = filters.apply_chain(image[tile], ["invert", {"median": 3}])
            for i in range(12):
                scoring.count_extent(truth[tile], above(pixels, maker(pixels, i)), settings)
        seconds[name] = time.perf_counter() - start
    return seconds


def main():
    defaults = {name: {"threshold": entry["threshold"]} for name, entry in METHODS.items()}
    defaults["manual"] = {"threshold": {"manual": 100}}
    for entry in (*METHODS.values(), *defaults.values()):
        entry["filter"] = "denoised"
    with tempfile.TemporaryDirectory() as folder:
        plain, plain_jobs, _, _ = run(folder, "plain", defaults)
        swept, swept_jobs, sweeps, place = run(folder, "swept", METHODS)
        pure = arithmetic(place)
    print("| method | s of the sweep's job | s of its arithmetic | ratio |")
    print("| --- | ---: | ---: | ---: |")
    for name, seconds in pure.items():
        print(f"| {name} | {sweeps[name]:.1f} | {seconds:.1f} | {sweeps[name] / seconds:.2f} |")
    total = sum(pure.values())
    print()
    print(
        f"The run takes {swept:.1f} s with the sweeps, {plain:.1f} s without: {swept - plain:.1f} s"
    )
    print(f"more, {(swept - plain) / total:.2f} times the arithmetic. Jobs: ", end="")
    print(f"{sum(swept_jobs.values())} and {sum(plain_jobs.values())}.")


if __name__ == "__main__":
    main()
