"""How the cost grows: with the planes of a sample, and of a dry run of a full-size one.

    python benchmarks/scaling.py [--folder DIR]

First, samples of 2, 4, 8 and 16 planes of 8026 x 17480 px in blocks of two planes: CPU time per
plane, without what Snakemake takes to start. Then 799 such planes, hard links to one empty file,
and a sheet of 2,000 samples: a dry run, a run that finds nothing to do, and what reading the
configuration costs each job of a cluster, beside the demo's three samples.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import yaml
from throughput import ROOT, SHAPE, configure, make_plane, measure

METHOD = {
    "filters": {"denoised": ["invert", {"median": 3}]},
    "methods": {"otsu": {"filter": "denoised", "threshold": "otsu"}},
}


def snakemake(config, *arguments):
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"]
    return [*command, "--snakefile", ROOT / "Snakefile", "--configfile", config, *arguments]


def planes(folder):
    print("| planes | CPU-s per plane |\n| ---: | ---: |")
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(make_plane, [folder] * 16, range(16), [16] * 16))
    for number in (2, 4, 8, 16):
        work = configure(folder, number, "scaling")
        config = yaml.safe_load((work / "config.yaml").read_text()) | {"block": {"planes": 2}}
        (work / "config.yaml").write_text(yaml.safe_dump(config))
        _, start, _ = measure(snakemake("config.yaml", "--dry-run"), work)
        _, cpu, _ = measure(snakemake("config.yaml"), work)
        print(f"| {number} | {(cpu - start) / number:.2f} |", flush=True)


def full_size(folder):
    """A sample of 799 planes; every output that a run would make, empty."""
    import tifffile

    tifffile.memmap(folder / "plane.tif", shape=SHAPE, dtype="uint8").flush()
    for kind in ("image", "truth"):
        (folder / kind).mkdir()
        for z in range(799):
            os.link(folder / "plane.tif", folder / kind / f"{z:03d}.tif")
    (folder / "sheet.tsv").write_text("sample\timage\ttruth\nbrain\timage/*.tif\ttruth/*.tif\n")
    config = METHOD | {"samples": "sheet.tsv", "overlay": {"per_plane": 4}}
    (folder / "full.yaml").write_text(yaml.safe_dump(config))


def many_samples(folder):
    """A sheet of 2,000 samples of one tile."""
    import numpy as np
    import tifffile

    tifffile.imwrite(folder / "tile.tif", np.zeros((512, 512), np.uint8))
    rows = "".join(f"s{i}\ttile.tif\ttile.tif\n" for i in range(2000))
    (folder / "many.tsv").write_text("sample\timage\ttruth\n" + rows)
    (folder / "many.yaml").write_text(yaml.safe_dump(METHOD | {"samples": "many.tsv"}))


def make_outputs(folder):
    """An empty file for each output, all of one age."""
    command = snakemake("full.yaml", "--summary")
    command = [part for part in command if part not in ("--quiet", "all")]
    table = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    paths = [folder / line.split("\t")[0] for line in table.splitlines()[1:]]
    for path in paths:
        if "/overlay/" in str(path):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    now = time.time()
    for path in paths:
        os.utime(path, (now, now))


def report(what, command, folder):
    wall, _, peak = measure(command, folder)
    print(f"| {what} | {wall:.1f} | {peak:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, help="where the planes are kept")
    parser.add_argument("--only", choices=("planes", "parsing"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        if arguments.only != "parsing":
            planes(folder)
    if arguments.only == "planes":
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        full_size(folder)
        many_samples(folder)
        print("\n| | s | peak MB |\n| --- | ---: | ---: |")
        one_job = "results/{}/image.zarr/0/c/0/0/0"
        dry = "--dry-run"
        report("dry run, 799 planes", snakemake("full.yaml", dry), folder)
        demo = snakemake(ROOT / "config.yaml", dry, one_job.format("cortex"))
        report("one job, the demo", demo, folder)
        report("one job, 799 planes", snakemake("full.yaml", dry, one_job.format("brain")), folder)
        report("one job, 2,000 samples", snakemake("many.yaml", dry, one_job.format("s7")), folder)
        make_outputs(folder)
        report("nothing to do, 799 planes", snakemake("full.yaml"), folder)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "scripts"))
    main()
