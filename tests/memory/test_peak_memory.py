"""What jobs take at their peak is no more than they declare: `make test-memory`.

Each job of real runs, one after the other, tells at its end the most memory that it has held, and
that the largest of its children has. Planes are so large that pixels outweigh the interpreter.
On a cluster, the Snakemake that starts a job counts, too. The last lines of a test say how near the
jobs have come.
"""

import csv
import os
import subprocess
import sys
from pathlib import Path

import networks
import numpy as np
import pytest
import tifffile

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from projects import Project

SNAKEMAKE = 165
"""Megabytes of the Snakemake that starts a job of a cluster: docs/scaling.md, of 2,000 samples."""

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
    "even": ["equalize"],
    "stripes": ["destripe"],
    "edges": [{"bilateral": {"size": 5, "levels": 20}}],
    "means": [{"nlm": {"noise": 300.0}}],
    "waves": ["wavelet"],
    "sharp": [{"deconvolve": 1.5}],
    "lines": [{"ridge": {"sigmas": [1, 2, 3], "measure": "sato"}}],
    "wide": [{"ridge": {"sigmas": 10}}],
    "broad": [{"gaussian": 20}],
    "vessels": [{"matched": {"sigma": 3, "length": 15, "orientations": 4}}],
    "luma": ["luma", {"median": 5}],
    "stain": ["hematoxylin", {"gaussian": 2}],
    "hues": ["hue"],
    "planes": [{"channels": {"of": ["red", "hematoxylin", "saturation"]}}, {"median": 3}],
    "maps": [{"external": "maps"}, {"gaussian": 1}],
}
OTSU = {
    name: {"filter": name, "threshold": "otsu"}
    for name in FILTERS
    if name not in ("equal", "luma", "stain", "hues", "planes", "maps")
}
STRIPS = {
    **{name: OTSU[name] for name in ("smooth", "flat", "edges", "means", "waves", "sharp")},
    **{name: OTSU[name] for name in ("lines", "wide", "broad", "vessels")},
    "local": {"filter": "smooth", "threshold": {"sauvola": 51}},
    "swept": {"filter": "smooth", "threshold": {"adaptive": 51}, "grid": {"offset": [0, 50]}},
    "learned": {"threshold": {"pixel_classifier": {"trees": 20}}},
    "network": {"threshold": {"onnx": "model.onnx"}},
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
REGIONS = {
    **{name: OTSU[name] for name in ("sharp", "stripes", "waves")},
    **{name: PLANES[name] for name in ("equal", "double")},
}
COLORS = {
    "luma": {"filter": "luma", "threshold": "otsu"},
    "stain": {"filter": "stain", "threshold": {"adaptive": 51}},
    "hues": {"filter": "hues", "threshold": {"circular": {"hue": 0}}},
    "learned": {"filter": "planes", "threshold": {"pixel_classifier": {"trees": 10}}},
}
ELSEWHERE = {
    "cells": {"threshold": {"external": "cells"}, "cleanup": [{"remove_small": 20}]},
    "maps": {"filter": "maps", "threshold": "otsu"},
    "program": {
        "threshold": {
            "command": {
                "run": [sys.executable, "{folder}/program.py", "{input}", "{output}"],
                "version": "1",
                "memory": 150,
            }
        }
    },
}
PROGRAM = """\
import sys
from pathlib import Path

import tifffile

for path in Path(sys.argv[1]).iterdir():
    tifffile.imwrite(Path(sys.argv[2], path.name), (tifffile.imread(path) > 110).astype("uint8"))
"""
ONE = {"collect": {"side": 0}}
"""The sample is a stack of its own."""
CASES = {
    "strips-uint8": (STRIPS, (1, 1024, 8192), np.uint8, ONE),
    "strips-uint16": (STRIPS, (1, 1024, 8192), np.uint16, ONE),
    "strips-float32": (STRIPS, (1, 1024, 4096), np.float32, ONE),
    "planes-uint8": (PLANES, (2, 4096, 4096), np.uint8, {}),
    "planes-uint16-written": (PLANES, (2, 4096, 4096), np.uint16, {"keep_filtered": True}),
    "planes-uint8-inline": (PLANES, (2, 4096, 4096), np.uint8, {"keep_filtered_limit": 0}),
    "planes-float32": (
        {name: OTSU[name] for name in ("even", "stripes")},
        *((2, 4096, 2048), np.float32, ONE),
    ),
    "volume-uint8": (
        {"smooth": PLANES["smooth"]},
        *((4, 2048, 4096), np.uint8),
        ONE | {"validate": {"extent": "sample"}},
    ),
    "roi-uint8": (REGIONS, (1, 2048, 4096), np.uint8, ONE),
    "roi-uint16": (REGIONS, (1, 2048, 4096), np.uint16, ONE),
    "frame-uint8": ({"even": OTSU["even"]}, (2, 4096, 4096), np.uint8, ONE | {"roi": "auto"}),
    "colors-uint8": (COLORS, (1, 2048, 4096, 3), np.uint8, ONE),
    "colors-uint16": (COLORS, (1, 1024, 4096, 3), np.uint16, ONE),
    "external-uint8": (ELSEWHERE, (1, 4096, 4096), np.uint8, ONE),
    "collected-uint16": ({"smooth": OTSU["smooth"]}, (16, 2048, 2048), np.uint16, {}),
}


def write_sample(folder, shape, dtype, kinds):
    """Bright bars on a dark, noisy ground and where they are; of each kind, a file per plane."""
    random = np.random.default_rng(0)
    planes, height, width = shape[:3]
    y, x = np.indices((height, width), np.uint32)
    truth = ((x // 16 + y // 64) % 5 == 0).astype(np.uint8)
    inside = np.hypot(y / height - 0.5, x / width - 0.5) < 0.45
    known = {
        **{"truth": truth, "roi": inside.astype(np.uint8)},
        **{"cells": truth * (x // 80 + 70000), "maps": truth * np.float32(0.8)},
    }
    gain = 1 if dtype == np.uint8 else 200
    images = []
    for z in range(planes):
        noise = random.normal(0, 6, (height, width)).astype(np.float32)
        image = (70 + 90 * truth + noise) * gain
        if len(shape) == 4:
            image = np.stack([image, image / 2, image / 1.5], axis=-1)
        images.append(np.clip(image, 0, None).astype(dtype))
        of_plane = known | {"image": images[-1], "framed": (images[-1].T * inside.T).T}
        for kind in kinds:
            path = folder / f"{kind}_{z}.tif"
            tifffile.imwrite(path, of_plane[kind], compression="zlib")
    return np.stack(images), np.stack([truth] * planes)


def write_zarr(path, pixels):
    """An OME-Zarr whose chunks have all planes."""
    import zarr

    chunks = len(pixels), 512, 512
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 1]}]}
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [level]}]}
    group = zarr.create_group(path, attributes={"ome": ome})
    group.create_array("0", data=pixels, chunks=chunks)


def rows_of(case, folder, shape, dtype):
    """The sample of a case, and those that share its stack."""
    kinds = {"image": "framed" if case.startswith("frame") else "image", "truth": "truth"}
    if case.startswith("roi"):
        kinds |= {"roi": "roi"}
    if case.startswith("external"):
        kinds |= {"cells": "cells", "maps": "maps"}
    images, truths = write_sample(folder, shape, dtype, kinds.values())
    if not case.startswith("collected"):
        return [{"sample": "bars"} | {column: f"{kind}_*.tif" for column, kind in kinds.items()}]
    write_zarr(folder / "image.zarr", images)
    write_zarr(folder / "truth.zarr", truths)
    others = [
        {"sample": f"flat{z}", "image": f"image_{z}.tif", "truth": f"truth_{z}.tif"}
        for z in range(4)
    ]
    return [{"sample": "deep", "image": "image.zarr", "truth": "truth.zarr"}, *others]


@pytest.mark.parametrize("case", CASES)
def test_peaks_are_at_most_what_jobs_declare(tmp_path, case):
    methods, shape, dtype, settings = CASES[case]
    project = Project.create(tmp_path / "project")
    rows = rows_of(case, project.folder, shape, dtype)
    (project.folder / "program.py").write_text(PROGRAM)
    kernel = np.full((1, 9, 9), 1 / 81, np.float32)
    (project.folder / "model.onnx").write_bytes(networks.convolution(kernel))
    used = {"smooth"} | {method.get("filter") for method in methods.values()}
    project.configure(
        rows,
        **{
            "filters": {name: steps for name, steps in FILTERS.items() if name in used},
            "methods": methods,
            **{"tile": 512, "collect": {}, "pyramid": {}, "quality": {}, "figures": {"tiles": 2}},
            **{"report": {"tiles": 20}, "keep_filtered": "auto", "export": "tiff"},
            **settings,
        },
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
    assert {rule for rule, *_ in declared} >= {"ingest_truth", "threshold", "validate"}
    nearest = sorted(declared, key=lambda job: job[2] / job[3], reverse=True)
    print(f"\n| {case}: rule | of | peak MB | mem_mb |\n| --- | --- | ---: | ---: |")
    for rule, names, peak, most in nearest:
        print(f"| {rule} | {names} | {peak} | {most} |")
    assert [job for job in nearest if job[2] + SNAKEMAKE > job[3]] == []
