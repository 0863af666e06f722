"""Compare the scopes of Otsu's threshold, and what the guard does, on small tiles of many kinds.

    python benchmarks/scopes.py > table.md

Runs the workflow in temporary folders, on phantoms and, if TILEWISE_KESM names its folder, on the
published tile.
"""

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from kinds import KINDS
from PIL import Image

ROOT = Path(__file__).parents[1]
RULES = {
    "own": {"min_contrast": 0},
    "own, else empty": {"min_contrast": 4, "fallback": "empty"},
    "**the default**": {},
    "plane": {"scope": "plane"},
    "sample": {"scope": "sample"},
}
"""Keys of a method."""
FAMILIES = {
    "vessels": {"filter": "denoised"},
    "bright": {"foreground": "bright"},
    "dark": {"foreground": "dark"},
}
"""What methods of each kind of sample have too."""


def main():
    names = {f"m{i}": title for i, title in enumerate(RULES)}
    with tempfile.TemporaryDirectory() as folder:
        samples = make_samples(Path(folder))
        tables = {tile: run(Path(folder), samples, names, tile) for tile in (128, 64)}
    print("| sample, side of a tile |", *(f"{title} |" for title in RULES))
    print("| --- |", *("---: |" for _ in RULES))
    for tile, rows in tables.items():
        for sample, (_, _, family) in samples.items():
            values = (float(rows[sample, f"{family}_{name}", "f1"]["pooled"]) for name in names)
            print(
                f"| {sample.replace('_', ' ')}, {tile} |", *(f"{value:.2f} |" for value in values)
            )
    print("\nFalse-positive pixels on tiles without foreground, and how many there are:\n")
    for tile, rows in tables.items():
        for sample, (_, _, family) in samples.items():
            areas = [rows[sample, f"{family}_{name}", "false_positive_area"] for name in names]
            if areas[0]["tiles"] != "0":
                pixels = ", ".join(area["pooled"] for area in areas)
                print(f"- {sample.replace('_', ' ')}, {tile}: {pixels} ({areas[0]['tiles']} tiles)")


def make_samples(folder):
    """Image, truth and family of each sample."""
    samples = {}
    if "TILEWISE_KESM" in os.environ:
        source = Path(os.environ["TILEWISE_KESM"]).resolve()
        samples["KESM"] = source / "grayscale.png", source / "groundtruth.png", "vessels"
    samples["vessels"] = "phantom:brain/image", "phantom:brain/truth", "vessels"
    for title, (make, family) in KINDS.items():
        name = title.replace(", ", "_").replace(" ", "_")
        paths = folder / f"{name}.png", folder / f"{name}_truth.png"
        for path, pixels in zip(paths, make(), strict=True):
            Image.fromarray(pixels).save(path)
        samples[name] = *paths, family
    return samples


def run(folder, samples, names, tile):
    """Rows of the summary, by sample, method and metric."""
    methods = {
        f"{family}_{name}": {
            **{"threshold": "otsu", **words, **RULES[title]},
            "samples": [sample for sample, (*_, own) in samples.items() if own == family],
        }
        for family, words in FAMILIES.items()
        for name, title in names.items()
    }
    config = {
        "samples": "sheet.tsv",
        "tile": tile,
        "filters": {"denoised": ["invert", {"median": 3}]},
        "methods": methods,
        "overlay": {"format": "zarr-only"},
        "apply": "none",
        "quality": {"measure": False},
        "figures": {"tiles": 0},
        "pyramid": {"levels": 0},
        "phantoms": {"brain": {"shape": [4, 1024, 1024], "seed": 11}},
    }
    lines = [("sample", "image", "truth"), *((name, *own[:2]) for name, own in samples.items())]
    text = "".join("\t".join(map(str, line)) + "\n" for line in lines)
    own = folder / str(tile)
    own.mkdir()
    Path(own, "sheet.tsv").write_text(text)
    Path(own, "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"]
    command += ["--snakefile", ROOT / "Snakefile", "--configfile", "config.yaml"]
    subprocess.run(command, cwd=own, check=True, stdout=sys.stderr)
    with open(Path(own, "results/summary.tsv"), newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {(row["sample"], row["method"], row["metric"]): row for row in rows}


if __name__ == "__main__":
    main()
