"""Many small samples: jobs and time of a run beside the arithmetic alone, and after changes.

    python benchmarks/small_samples.py [--cases equal,ragged,many] [--profile] [--folder DIR]

`equal` is 30 samples of 512 x 512 px with truth and 11 methods, one of them with a grid; `ragged`
the same of half of that at least, along each side; `tiny` the same of any size, a fifth of them of
a few pixels; `many` is 500 samples and 3 methods. `wide` is 8 samples of 4 x 4 tiles and 3 methods,
whose arithmetic is not run. Settings are the defaults, and a run makes all that rule `all` asks
for. The arithmetic is `one_process.py`, a process of its own; that its tables, masks and overlays
are those of the run is checked.
"""

import argparse
import filecmp
import json
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import yaml
from throughput import ROOT, measure

SIDE = 512
FILTERS = {
    "denoised": ["invert", {"median": 3}],
    "smooth": ["invert", {"gaussian": 1.5}],
    "flattened": ["invert", {"median": 3}, {"background": {"method": "median", "size": 51}}],
}
ADAPTIVE = {"filter": "denoised", "threshold": {"adaptive": {"size": 51, "offset": -17}}}
FEW = {
    "otsu": {"filter": "denoised", "threshold": "otsu"},
    "li": {"filter": "denoised", "threshold": "li", "scope": "sample"},
    "adaptive": ADAPTIVE,
}
METHODS = FEW | {
    "otsu_sample": {"filter": "denoised", "threshold": "otsu", "scope": "sample"},
    "yen": {"filter": "denoised", "threshold": "yen"},
    "triangle": {"filter": "smooth", "threshold": "triangle", "min_contrast": 0},
    "flat_otsu": {"filter": "flattened", "threshold": "otsu"},
    "sauvola": {"filter": "smooth", "threshold": {"sauvola": {"size": 51, "k": -0.1}}},
    "hysteresis": {
        "filter": "denoised",
        "threshold": {"hysteresis": {"low": 60, "high": "otsu"}},
    },
    "cleaned": {
        "filter": "smooth",
        "threshold": "otsu",
        "cleanup": [{"remove_small": 30}, {"fill_holes": 10}],
    },
    "manual": {
        "filter": "denoised",
        "threshold": "manual",
        "grid": {"value": [55, 60, 65, 70, 75, 80, 85, 90]},
    },
}
CASES = {
    "equal": (30, METHODS, SIDE, SIDE),
    "ragged": (30, METHODS, SIDE // 2, SIDE),
    "tiny": (30, METHODS, 1, SIDE),
    "many": (500, FEW, SIDE, SIDE),
    "wide": (8, FEW, 4 * SIDE, 4 * SIDE),
}
"""Samples, methods, and the least and the greatest side of a sample in pixels."""
COUNTED = """\
import atexit, os, resource, sys

def add(path=os.environ["SMALL_SAMPLES_PROFILE"]):
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open(path, "a") as file:
        file.write(f"{sys.argv[0]}\\t{used.ru_utime + used.ru_stime}\\n")

atexit.register(add)
"""
"""What each process of a profiled run starts with: it adds its CPU seconds to a file."""


def size_of(number, least, most):
    """Rows and columns of a sample; of every fifth tiny one a few."""
    import numpy as np

    if least == 1 and number % 5 == 4:
        most = 9
    return tuple(map(int, np.random.default_rng([1, number]).integers(least, most + 1, 2)))


def make_image(folder, number, sides, seed=1):
    """Image and truth of a sample, and its row of the sheet."""
    import cv2

    from tilewise.demo.phantom import render

    height, width = size_of(number, *sides)
    name = f"s{number:03d}"
    # far apart in z, so that nothing of one is seen in the next
    z = 100 * number
    pictures = render((z + 1, sides[1], sides[1]), seed, z, 0, height, 0, width)
    for kind, pixels in zip(("image", "truth"), pictures, strict=True):
        cv2.imwrite(str(folder / f"{name}_{kind}.png"), pixels)
    return f"{name}\timages/{name}_image.png\timages/{name}_truth.png\n"


def prepare(folder, case, collect):
    """Images, sheet and configuration; and those of the arithmetic, in a folder beside."""
    from snakemake.utils import validate

    samples, methods, *sides = CASES[case]
    shutil.rmtree(folder, ignore_errors=True)
    images = folder / "run/images"
    images.mkdir(parents=True)
    rows = [make_image(images, number, sides) for number in range(samples)]
    text = "sample\timage\ttruth\n" + "".join(rows)
    filters = {method["filter"] for method in methods.values()}
    config = {
        "samples": "sheet.tsv",
        "filters": {name: steps for name, steps in FILTERS.items() if name in filters},
        "methods": methods,
    }
    if collect:
        config["collect"] = collect
    alone = folder / "alone"
    alone.mkdir()
    (alone / "images").symlink_to(images.resolve())
    for work in (folder / "run", alone):
        (work / "sheet.tsv").write_text(text)
    (folder / "run/config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    validate(config, ROOT / "workflow/schemas/config.schema.yaml")
    (alone / "config.json").write_text(json.dumps(config))


def run(work):
    """Jobs, CPU and wall time in s of a run."""
    output = work / "output.txt"
    output.unlink(missing_ok=True)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--snakefile", ROOT / "Snakefile"]
    command += ["--workflow-profile", "plain"]
    wall, cpu, _ = measure([*command, "--configfile", "config.yaml"], work)
    done = re.findall(r"^(\d+) of \d+ steps", output.read_text(), re.MULTILINE)
    return int(done[-1]) if done else 0, cpu, wall


def arithmetic(work):
    """CPU and wall time in s of one process, and CPU time by step."""
    (work / "output.txt").unlink(missing_ok=True)
    script = Path(__file__).with_name("one_process.py").resolve()
    # one thread of linear algebra, as the workflow's jobs
    os.environ |= {"PYTHONPATH": str(ROOT / "scripts"), "OPENBLAS_NUM_THREADS": "1"}
    wall, cpu, _ = measure([sys.executable, script, "config.json"], work)
    del os.environ["PYTHONPATH"], os.environ["OPENBLAS_NUM_THREADS"]
    return cpu, wall, json.loads((work / "output.txt").read_text().splitlines()[-1])


def check_same(run, alone):
    """Whether both wrote the same tables, overlays and labels, at all levels.

    Checks of the images while they are read are no part of the arithmetic.
    """
    for path in filter(Path.is_file, (alone / "results").rglob("*")):
        other = run / path.relative_to(alone)
        if path.suffix == ".npz" or "checks" in path.parts:
            continue
        if not filecmp.cmp(path, other, shallow=False):
            sys.exit(f"{path} is not the same as {other}")


def add_row(work, number, sides):
    """One more sample at the end of the sheet."""
    row = make_image(work / "images", number, sides)
    with open(work / "sheet.tsv", "a") as sheet:
        sheet.write(row)


def change_method(work):
    """Another offset of the adaptive threshold."""
    path = work / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["methods"]["adaptive"]["threshold"]["adaptive"]["offset"] -= 1
    path.write_text(yaml.safe_dump(config, sort_keys=False))


def change_image(work, sides):
    """Other pixels of the first sample; its truth stays."""
    truth = work / "images/s000_truth.png"
    kept = truth.stat(), truth.read_bytes()
    make_image(work / "images", 0, sides, seed=2)
    truth.write_bytes(kept[1])
    os.utime(truth, ns=(kept[0].st_atime_ns, kept[0].st_mtime_ns))


def profile_of(path):
    """CPU seconds and processes by script."""
    seconds, processes = Counter(), Counter()
    for line in path.read_text().splitlines():
        script, used = line.split("\t")
        name = Path(script).name.removesuffix(".py").rsplit(".", 1)[-1]
        seconds[name] += float(used)
        processes[name] += 1
    return seconds, processes


def print_profile(seconds, processes, steps):
    """A table of scripts, the dearest first."""
    print("\n| script | processes | CPU s | arithmetic CPU s |\n| --- | ---: | ---: | ---: |")
    for name, used in seconds.most_common():
        alone = f"{steps[name]:.2f}" if name in steps else ""
        print(f"| {name} | {processes[name]} | {used:.2f} | {alone} |")
    for name in steps.keys() - seconds.keys():
        print(f"| {name} | | | {steps[name]:.2f} |")


def reruns(work, samples, sides):
    """Jobs, CPU and wall time of runs after a change, one after the other."""
    changes = {
        "nothing changed": lambda: None,
        "one row added": lambda: add_row(work, samples, sides),
        "one method changed": lambda: change_method(work),
        "one image changed": lambda: change_image(work, sides),
    }
    for name, change in changes.items():
        change()
        yield name, *run(work)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", default="equal,ragged,many", metavar="NAME,NAME")
    parser.add_argument("--collect-side", type=int, help="`collect: side`; 0: a stack per sample")
    parser.add_argument("--collect-planes", type=int, help="`collect: planes`")
    parser.add_argument("--first-only", action="store_true", help="no runs after a change")
    parser.add_argument("--profile", action="store_true", help="CPU time by script")
    parser.add_argument("--folder", type=Path, help="where images and results are kept")
    arguments = parser.parse_args()
    names = arguments.cases.split(",")
    if unknown := set(names) - set(CASES):
        parser.error(f"{', '.join(unknown)}: choose of {', '.join(CASES)}")
    collect = {"side": arguments.collect_side, "planes": arguments.collect_planes}
    collect = {key: value for key, value in collect.items() if value is not None}
    firsts, later, profiles = [], [], []
    with tempfile.TemporaryDirectory() as temporary:
        place = (arguments.folder or Path(temporary)).resolve()
        if arguments.profile:
            hook = place / "hook"
            hook.mkdir(parents=True, exist_ok=True)
            (hook / "sitecustomize.py").write_text(COUNTED)
        for name in names:
            folder = place / name
            prepare(folder, name, collect)
            if arguments.profile:
                log = folder / "profile.tsv"
                os.environ |= {"PYTHONPATH": str(hook), "SMALL_SAMPLES_PROFILE": str(log)}
            first = run(folder / "run")
            profile = profile_of(log) if arguments.profile else None
            cpu = wall = None
            if name != "wide":
                cpu, wall, steps = arithmetic(folder / "alone")
                check_same(folder / "run", folder / "alone")
            else:
                steps = {}
            firsts.append((name, *first, cpu, wall))
            profiles.append((profile, steps))
            print(*firsts[-1], file=sys.stderr)
            if not arguments.first_only:
                samples, _, *sides = CASES[name]
                for row in reruns(folder / "run", samples, sides):
                    later.append((name, *row))
                    print(*later[-1], file=sys.stderr)
    print("| case | jobs | CPU s | wall s | arithmetic CPU s | wall s | CPU ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, jobs, cpu, wall, alone, alone_wall in firsts:
        row = f"| {name} | {jobs} | {cpu:.1f} | {wall:.1f} | "
        print(row + (f"{alone:.1f} | {alone_wall:.1f} | {cpu / alone:.2f} |" if alone else "| | |"))
    if later:
        print("\n| case | change | jobs | CPU s | wall s |\n| --- | --- | ---: | ---: | ---: |")
    for name, change, jobs, cpu, wall in later:
        print(f"| {name} | {change} | {jobs} | {cpu:.1f} | {wall:.1f} |")
    for profile, steps in profiles:
        if profile:
            print_profile(*profile, steps)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "scripts"))
    main()
