"""Megapixels per second of the workflow beside those of other ways to do the same.

    python benchmarks/throughput.py [--planes 4] [--only NAME,NAME] [--json FILE] [--folder DIR]

Each is a whole process, start and imports included, on 2 cores; they take turns in one session, and
the best of `--repeats` turns counts. Only ratios within a session mean anything. The planes are
phantoms of 17480 x 8026 px with truth; they are made once and kept in DIR.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
SHAPE = 8026, 17480
CONTENDERS = ("tilewise", "asking", "pyramid", "limit", "stored", "script", "published", "dask")
TITLES = {
    "tilewise": "tilewise",
    "asking": "tilewise, whose tiles may ask their sample: the default",
    "pyramid": "tilewise, with pyramid",
    "limit": "the limit: one process per core, no files between steps",
    "stored": "the same, with image and truth stored as tiles, as the workflow does",
    "script": "a script: SciPy, scikit-image, scikit-learn, joblib",
    "published": "the published procedure",
    "dask": "dask-image",
}
TILES = {"script": 64, "published": 8}
"""Tiles that a slow contender is timed on."""
TILE_PIXELS = 512 * 512
DISTINCT = 16
"""Planes that differ; further ones are links to them."""


def make_plane(folder, z):
    """One plane and its truth, as contiguous TIFF."""
    import tifffile

    from tilewise.demo.phantom import render

    paths = [folder / f"{kind}_{z:04d}.tif" for kind in ("image", "truth")]
    if all(path.exists() for path in paths):
        return
    parts = [path.with_suffix(".part") for path in paths]
    shape = DISTINCT, *SHAPE
    image, truth = (tifffile.memmap(part, shape=SHAPE, dtype="uint8") for part in parts)
    for y in range(0, SHAPE[0], 512):
        strip = slice(y, min(y + 512, SHAPE[0]))
        image[strip], truth[strip] = render(shape, 1, z, y, strip.stop)
    image.flush()
    truth.flush()
    for part, path in zip(parts, paths, strict=True):
        part.rename(path)


def make_planes(folder, number):
    """So many planes and their truth."""
    distinct = min(number, DISTINCT)
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(make_plane, [folder] * distinct, range(distinct)))
    for z in range(distinct, number):
        for kind in ("image", "truth"):
            link = folder / f"{kind}_{z:04d}.tif"
            if not link.exists():
                os.link(folder / f"{kind}_{z % DISTINCT:04d}.tif", link)


def configure(folder, planes, name):
    """Configuration and sheet of the workflow's runs."""
    work = folder / name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    images, truths = work / "images", work / "truths"
    for kind, target in (("image", images), ("truth", truths)):
        target.mkdir()
        for z in range(planes):
            os.link(folder / f"{kind}_{z:04d}.tif", target / f"{kind}_{z:04d}.tif")
    (work / "sheet.tsv").write_text("sample\timage\ttruth\nbrain\timages/*.tif\ttruths/*.tif\n")
    # what the others do, and no more: a tile without two classes is empty
    fallback = "sample" if name == "asking" else "empty"
    config = {
        "samples": "sheet.tsv",
        "filters": {"denoised": ["invert", {"median": 3}]},
        "methods": {"otsu": {"filter": "denoised", "threshold": "otsu", "fallback": fallback}},
        "overlay": {"per_plane": 4},
        "apply": "all",
        "validate": {"metrics": [], "errors": False, "oracles": False},
        "quality": {"measure": False},
        "figures": {"tiles": 0},
        "pyramid": {"levels": 3 if name == "pyramid" else 0},
    }
    (work / "config.yaml").write_text(yaml.safe_dump(config))
    return work


def measure(command, folder):
    """Wall time in s, CPU time in s and peak memory in MB of a process and its children."""
    # as where people run it: compiled modules are kept
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
    start = time.perf_counter()
    with open(folder / "output.txt", "ab") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=output, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))} failed: see {folder / 'output.txt'}")
    wall = time.perf_counter() - start
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def turn(name, folder, planes):
    """One measurement: Mpx/s, CPU-seconds per gigapixel, peak MB."""
    if name in ("tilewise", "asking", "pyramid"):
        work = configure(folder, planes, name)
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"]
        command += ["--snakefile", ROOT / "Snakefile", "--configfile", "config.yaml"]
    else:
        work = folder
        command = [sys.executable, Path(__file__).with_name("contenders.py").resolve(), name]
        command += [folder, str(planes), str(TILES.get(name, 0))]
    pixels = TILES[name] * TILE_PIXELS if name in TILES else planes * SHAPE[0] * SHAPE[1]
    wall, cpu, peak = measure(command, work)
    return {
        "mpx_per_s": pixels / 1e6 / wall,
        "cpu_s_per_gpx": cpu / (pixels / 1e9),
        "peak_mb": peak,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--planes", type=int, default=4)
    parser.add_argument("--only", default=",".join(CONTENDERS), metavar="NAME,NAME")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--folder", type=Path, help="where planes and results are kept")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    if unknown := set(names) - set(CONTENDERS):
        parser.error(f"{', '.join(unknown)}: choose of {', '.join(CONTENDERS)}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        planes = arguments.planes
        make_planes(folder, planes)
        best = {}
        for _ in range(arguments.repeats):
            for name in names:
                result = turn(name, folder, planes)
                print(
                    name, {key: round(value, 1) for key, value in result.items()}, file=sys.stderr
                )
                if name not in best or result["mpx_per_s"] > best[name]["mpx_per_s"]:
                    best[name] = result
    print("| | Mpx/s | of the limit | CPU-s per Gpx | peak MB of a process |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, result in best.items():
        rate = result["mpx_per_s"]
        share = f"{rate / best['limit']['mpx_per_s']:.4f}" if "limit" in best else ""
        numbers = f"{rate:.3g} | {share} | {result['cpu_s_per_gpx']:.3g} | {result['peak_mb']:.0f}"
        print(f"| {TITLES[name]} | {numbers} |")
    if arguments.json:
        arguments.json.write_text(json.dumps(best, indent=1) + "\n")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "scripts"))
    main()
