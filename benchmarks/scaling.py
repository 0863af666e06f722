"""How the cost grows: with the planes of a sample, and of a dry run of a full-size one.

    python benchmarks/scaling.py [--only planes|memory|parsing|deep] [--folder DIR]

planes: samples of 2, 4, 8 and 16 planes of 8026 x 17480 px in blocks of two planes: seconds of the
blocks' jobs per plane, one job at a time, the least of three runs.
memory: peak of each rule's jobs on four such planes beside the `mem_mb` that the rule declares, for
methods of all kinds.
parsing: 799 such planes, hard links to one empty file, and sheets of 2,000 and of 20,000 samples: a
dry run, a run that finds nothing to do, and what reading the configuration costs each job of a
cluster, beside the demo's three samples.
deep: a whole run to the report, of 10,000 planes of 64 x 64 px, each hundredth annotated.
"""

import argparse
import ast
import csv
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from throughput import ROOT, SHAPE, configure, make_planes, measure

METHOD = {
    "filters": {"denoised": ["invert", {"median": 3}]},
    "methods": {"otsu": {"filter": "denoised", "threshold": "otsu"}},
}


ALL_KINDS = {
    "filters": {
        "denoised": ["invert", {"median": 3}],
        "flat": ["invert", {"background": {"method": "opening", "size": 51}}],
        "equalized": ["clahe"],
    },
    "methods": {
        "otsu": {"filter": "denoised", "threshold": "otsu"},
        "li": {"filter": "denoised", "threshold": "li", "scope": "sample"},
        "flat": {"filter": "flat", "threshold": "otsu", "scope": "plane"},
        "adaptive": {"filter": "equalized", "threshold": {"adaptive": 51}},
        "hysteresis": {
            "filter": "denoised",
            "threshold": {"hysteresis": {"low": "otsu", "high": "yen"}},
            "cleanup": [{"remove_small": 20}],
        },
    },
}


def snakemake(config, *arguments, quiet="all"):
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", quiet]
    command += ["--snakefile", ROOT / "Snakefile", "--workflow-profile", "plain"]
    return [*command, "--configfile", config, *arguments]


def planes(folder):
    print("| planes | s per plane |\n| ---: | ---: |")
    make_planes(folder, 16)
    for number in (2, 4, 8, 16):
        work = configure(folder, number, "scaling")
        config = yaml.safe_load((work / "config.yaml").read_text()) | {"block": {"planes": 2}}
        (work / "config.yaml").write_text(yaml.safe_dump(config))
        least = math.inf
        for _ in range(3):
            measure(snakemake("config.yaml", "--forceall", "--cores", "1"), work)
            least = min(least, sum(float(row["s"]) for row in read_benchmarks(work)))
        print(f"| {number} | {least / number:.2f} |", flush=True)


def read_benchmarks(work):
    """What Snakemake has measured of each job of a block."""
    for path in work.glob("benchmarks/**/*.tsv"):
        with path.open(newline="") as file:
            yield next(csv.DictReader(file, delimiter="\t"))


def memory(folder):
    """Peak memory of each rule's jobs, by Snakemake's own benchmark files."""
    make_planes(folder, 4)
    work = configure(folder, 4, "memory")
    config = yaml.safe_load((work / "config.yaml").read_text())
    config |= ALL_KINDS | {"block": {"planes": 4}, "pyramid": {"levels": 3}}
    (work / "config.yaml").write_text(yaml.safe_dump(config))
    measure(snakemake("config.yaml", "--benchmark-extended"), work)
    peaks = {}
    for row in read_benchmarks(work):
        wildcards = ast.literal_eval(row["wildcards"])
        name = next(
            (wildcards[kind] for kind in ("filter", "source", "method") if kind in wildcards), ""
        )
        job = row["rule_name"], name
        declared = ast.literal_eval(row["resources"])["mem_mb"]
        peaks[job] = max(peaks.get(job, (0, 0)), (float(row["max_rss"]), declared))
    print("\n| rule | of | peak MB | mem_mb |\n| --- | --- | ---: | ---: |")
    for (rule, name), (peak, declared) in sorted(peaks.items()):
        print(f"| {rule} | {name} | {peak:.0f} | {declared} |")


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
    """Sheets of 2,000 and of 20,000 samples of one tile, whose files are links to one."""
    import numpy as np
    import tifffile

    tifffile.imwrite(folder / "tile.tif", np.zeros((512, 512), np.uint8))
    rows = ["sample\timage\ttruth\n"]
    for i in range(20_000):
        for name in (f"{i}.tif", f"{i}_truth.tif"):
            os.link(folder / "tile.tif", folder / name)
        rows.append(f"s{i}\t{i}.tif\t{i}_truth.tif\n")
    for name, number in (("many", 2000), ("most", 20_000)):
        (folder / f"{name}.tsv").write_text("".join(rows[: number + 1]))
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(METHOD | {"samples": f"{name}.tsv"}))


READ = {"choice.json": '{"method": "otsu"}', "guard.json": '{"": {"blocks": []}}'}
"""What checkpoints have chosen, which is read before there are any jobs."""


def make_outputs(folder):
    """An empty file for each output, all of one age."""
    command = [part for part in snakemake("full.yaml", "--summary", quiet="") if part]
    command.remove("--quiet")
    table = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    paths = [folder / line.split("\t")[0] for line in table.splitlines()[1:]]
    for path in paths:
        if "/overlay/" in str(path):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(READ.get(path.name, ""))
    now = time.time()
    for path in paths:
        os.utime(path, (now, now))


def report(what, folder, config, *arguments):
    """One row: jobs that would run, wall and CPU time, and peak memory."""
    output = folder / "output.txt"
    output.unlink(missing_ok=True)
    wall, cpu, peak = measure(snakemake(config, *arguments, quiet="rules"), folder)
    jobs = re.search(r"^total +(\d+)$", output.read_text(), re.MULTILINE)
    print(
        f"| {what} | {jobs[1] if jobs else 0} | {wall:.1f} | {cpu:.1f} | {peak:.0f} |", flush=True
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, help="where the planes are kept")
    parser.add_argument("--only", choices=("planes", "memory", "parsing", "deep"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        if arguments.only in (None, "planes"):
            planes(folder)
        if arguments.only in (None, "memory"):
            memory(folder)
    for name, measure_in in (("parsing", parsing), ("deep", deep)):
        if arguments.only in (None, name):
            with tempfile.TemporaryDirectory() as temporary:
                measure_in(Path(temporary))


def parsing(folder):
    """What Snakemake costs before and besides the jobs."""
    full_size(folder)
    many_samples(folder)
    print("\n| | jobs | s | CPU s | peak MB |\n| --- | ---: | ---: | ---: | ---: |")
    one_job = "results/{}/image.zarr/0/c/0/0/0"
    dry = "--dry-run"
    report("dry run, 799 planes", folder, "full.yaml", dry)
    report("dry run, 2,000 samples", folder, "many.yaml", dry)
    report("dry run, 20,000 samples", folder, "most.yaml", dry)
    report("one job, the demo", folder, ROOT / "config.yaml", dry, one_job.format("_small_uint8_4"))
    report("one job, 799 planes", folder, "full.yaml", dry, one_job.format("brain"))
    report("one job, 2,000 samples", folder, "many.yaml", dry, one_job.format("_small_uint8_1"))
    make_outputs(folder)
    report("nothing to do, 799 planes", folder, "full.yaml")


def deep(folder):
    """A run of very many small planes."""
    import numpy as np
    import tifffile

    random = np.random.default_rng(0)
    truth = np.zeros((10_000, 64, 64), np.uint8)
    truth[:, 20:40, 8:] = 255
    noise = random.normal(0, 9, truth.shape).astype(np.float32)
    tifffile.imwrite(folder / "image.tif", (70 + truth // 3 + noise).astype(np.uint8))
    rows = ["z\ty\tx\tpath\n"]
    for z in range(0, len(truth), 100):
        tifffile.imwrite(folder / f"{z}.tif", truth[z])
        rows.append(f"{z}\t0\t0\t{z}.tif\n")
    (folder / "truth.tsv").write_text("".join(rows))
    (folder / "sheet.tsv").write_text("sample\timage\ttruth\nbars\timage.tif\ttruth.tsv\n")
    config = {"methods": {"otsu": {"threshold": "otsu"}}, "samples": "sheet.tsv"}
    (folder / "deep.yaml").write_text(yaml.safe_dump(config))
    print("\n| | jobs | s | CPU s | peak MB |\n| --- | ---: | ---: | ---: | ---: |")
    report("10,000 planes", folder, "deep.yaml")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "scripts"))
    main()
