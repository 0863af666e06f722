"""The workflow on the published tile, beside the imports that a usual script starts with.

    TILEWISE_KESM=folder python benchmarks/one_tile.py

Both take turns, three times; the best of each counts.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def seconds(command, folder):
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def main():
    imports = [sys.executable, "-c", "import cv2, skimage, sklearn"]
    workflow = [sys.executable, "-m", "snakemake", "--cores", "2", "--snakefile"]
    workflow += [ROOT / "Snakefile", "--configfile", ROOT / "config/kesm.yaml"]
    times = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            times.append((seconds(workflow, folder), seconds(imports, folder)))
    whole, alone = map(min, zip(*times, strict=True))
    print(f"workflow {whole:.1f} s, imports {alone:.1f} s, ratio {whole / alone:.1f}")


if __name__ == "__main__":
    main()
