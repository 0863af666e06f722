"""Compare the scopes of Otsu's threshold, and what the guard does, on tiles of 128 px.

    python benchmarks/scopes.py > table.md

Runs the workflow in a temporary folder, on the phantom and, if TILEWISE_KESM names its folder, on
the published tile.
"""

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
METHODS = {
    "tile, no guard": {"scope": "tile", "min_contrast": 0},
    "tile, else empty": {"scope": "tile"},
    "tile, else the sample's": {"scope": "tile", "fallback": "sample"},
    "plane": {"scope": "plane"},
    "sample": {"scope": "sample"},
}


def main():
    names = {f"m{i}": title for i, title in enumerate(METHODS)}
    common = {"filter": "denoised", "threshold": "otsu"}
    config = {
        "samples": "sheet.tsv",
        "tile": 128,
        "filters": {"denoised": ["invert", {"median": 3}]},
        "methods": {name: common | METHODS[title] for name, title in names.items()},
        "overlay": {"format": "zarr-only"},
        "apply": "none",
        "quality": {"measure": False},
        "figures": {"tiles": 0},
        "pyramid": {"levels": 0},
        "phantoms": {"brain": {"shape": [4, 1024, 1024], "seed": 11}},
    }
    samples = [("phantom", "phantom:brain/image", "phantom:brain/truth")]
    if "TILEWISE_KESM" in os.environ:
        folder = Path(os.environ["TILEWISE_KESM"]).resolve()
        samples.append(("KESM", folder / "grayscale.png", folder / "groundtruth.png"))
    with tempfile.TemporaryDirectory() as folder:
        lines = [("sample", "image", "truth"), *samples]
        text = "".join("\t".join(map(str, line)) + "\n" for line in lines)
        Path(folder, "sheet.tsv").write_text(text)
        Path(folder, "config.yaml").write_text(yaml.safe_dump(config))
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"]
        command += ["--snakefile", ROOT / "Snakefile", "--configfile", "config.yaml"]
        subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)
        with open(Path(folder, "results/summary.tsv"), newline="") as file:
            rows = {
                (row["sample"], row["method"], row["metric"]): row
                for row in csv.DictReader(file, delimiter="\t")
            }
    print("| sample | threshold | F1, pooled | MCC, pooled | false-positive px on empty tiles |")
    print("| --- | --- | --- | --- | --- |")
    for sample, *_ in samples:
        for name, title in names.items():
            f1, mcc = (float(rows[sample, name, metric]["pooled"]) for metric in ("f1", "mcc"))
            area = rows[sample, name, "false_positive_area"]
            wrong = f"{area['pooled']} on {area['tiles']}"
            print(f"| {sample} | {title} | {f1:.3f} | {mcc:.3f} | {wrong} |")


if __name__ == "__main__":
    main()
