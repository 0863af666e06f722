"""What jobs take at their peak is no more than they declare: `make test-memory`.

Each job of real runs, one after the other, tells at its end the most memory that it has held, and
that the largest of its children has. Planes are so large that pixels outweigh the interpreter.
The last lines of a test say how near the jobs of each rule have come.
"""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from projects import Project

HOOK = """\
import atexit, os, resource, sys

def tell(path=os.environ["PEAKS"]):
    job = getattr(sys.modules["__main__"], "snakemake", None)
    if job is None:
        return
    with open("/proc/self/status") as file:
        (own,) = (int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    declared = job.resources.get("mem_mb", "")
    names = " ".join(map(str, job.wildcards))
    with open(path, "a") as file:
        file.write(f"{job.rule}\\t{names}\\t{(own + children) / 1024:.0f}\\t{declared}\\n")

atexit.register(tell)
"""
"""What each process starts with. The peak of a process that Snakemake starts would be at least
Snakemake's own by `getrusage`; that of its children is not."""

FILTERS = {
    "smooth": [{"median": 3}],
    "flat": [{"background": {"method": "opening", "size": 51}}],
    "equal": ["clahe"],
    "edges": [{"bilateral": {"size": 5, "levels": 20}}],
    "means": [{"nlm": {"noise": 300.0}}],
    "waves": ["wavelet"],
    "sharp": [{"deconvolve": 1.5}],
    "lines": [{"ridge": {"sigmas": [1, 2, 3], "measure": "sato"}}],
}
STRIPS = {
    **{name: {"filter": name, "threshold": "otsu"} for name in FILTERS if name != "equal"},
    "local": {"filter": "smooth", "threshold": {"sauvola": 51}},
    "swept": {"filter": "smooth", "threshold": {"adaptive": 51}, "grid": {"offset": [0, 50]}},
    "learned": {"threshold": {"pixel_classifier": {"trees": 20}}},
    "several": {"threshold": {"vote": ["smooth", "flat", "lines"]}},
}
PLANES = {
    "smooth": {"filter": "smooth", "threshold": "li", "scope": "sample"},
    "equal": {"filter": "equal", "threshold": {"adaptive": 51}},
    "double": {
        "filter": "smooth",
        "threshold": {"hysteresis": {"low": "otsu", "high": "yen"}},
        "cleanup": [{"remove_small": 20}, {"fill_holes": 20}],
    },
}
CASES = {
    "strips-uint8": (STRIPS, (1, 1024, 8192), np.uint8, {}),
    "strips-uint16": (STRIPS, (1, 1024, 8192), np.uint16, {}),
    "strips-float32": (STRIPS, (1, 1024, 4096), np.float32, {}),
    "planes-uint8": (PLANES, (2, 4096, 8192), np.uint8, {}),
    "planes-uint16-written": (PLANES, (2, 4096, 4096), np.uint16, {"keep_filtered": True}),
    "volume-uint8": (
        {"smooth": PLANES["smooth"]},
        *((4, 1024, 4096), np.uint8),
        {"validate": {"extent": "sample"}},
    ),
}


def write_sample(folder, shape, dtype):
    """Bright bars on a dark, noisy ground, and where they are, in compressed files."""
    random = np.random.default_rng(0)
    y, x = np.indices(shape[1:], np.uint16)
    truth = ((x // 16 + y // 64) % 5 == 0).astype(np.uint8)
    gain = 1 if dtype == np.uint8 else 200
    for z in range(shape[0]):
        noise = random.normal(0, 6, shape[1:]).astype(np.float32)
        image = np.clip((70 + 90 * truth + noise) * gain, 0, None).astype(dtype)
        tifffile.imwrite(folder / f"image_{z}.tif", image, compression="zlib")
        tifffile.imwrite(folder / f"truth_{z}.tif", truth, compression="zlib")


@pytest.mark.parametrize("case", CASES)
def test_peaks_are_at_most_what_jobs_declare(tmp_path, case):
    methods, shape, dtype, settings = CASES[case]
    project = Project.create(tmp_path / "project")
    write_sample(project.folder, shape, dtype)
    used = {"smooth"} | {method.get("filter") for method in methods.values()}
    project.configure(
        [{"sample": "bars", "image": "image_*.tif", "truth": "truth_*.tif"}],
        filters={name: steps for name, steps in FILTERS.items() if name in used},
        methods=methods,
        **{"tile": 512, "collect": {}, "pyramid": {}, "quality": {}, "figures": {"tiles": 2}},
        **{"report": {"tiles": 20}, "keep_filtered": "auto", "export": "tiff"},
        **settings,
    )
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    peaks = tmp_path / "peaks.tsv"
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", "my.yaml"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "PEAKS": str(peaks)}
    done = subprocess.run(
        [*command, "--quiet", "progress", "--workflow-profile", "plain"],
        cwd=project.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with peaks.open(newline="") as file:
        jobs = list(csv.reader(file, delimiter="\t"))
    declared = [(rule, names, int(peak), int(most)) for rule, names, peak, most in jobs if most]
    assert {rule for rule, *_ in declared} >= {"ingest", "ingest_truth", "threshold", "validate"}
    nearest = sorted(declared, key=lambda job: job[2] / job[3], reverse=True)
    print(f"\n| {case}: rule | of | peak MB | mem_mb |\n| --- | --- | ---: | ---: |")
    for rule, names, peak, most in nearest:
        print(f"| {rule} | {names} | {peak} | {most} |")
    assert [job for job in nearest if job[2] > job[3]] == []
