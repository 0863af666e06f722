"""What it costs that blocks of arrays are on the disk before they get their names.

    PYTHONPATH=scripts python benchmarks/synced.py [--folder DIR] [--repeats 5]

Blocks of several sizes are written and named as jobs do it, with `fsync` and without. Both take
turns, and the disk is idle before each. Prints the median of milliseconds per block, and the ratio.
DIR should be on the disk that results are to be on.
"""

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median
from unittest import mock

from snakemake.iocontainers import OutputFiles

from tilewise.whole import Outputs

BLOCKS = {10_000: 200, 1_000_000: 50, 100_000_000: 4}
"""Bytes of a block, and how many are written."""


def write(folder, size, number):
    """Seconds to write and name so many blocks, a job for each."""
    data = os.urandom(size)
    (folder / "image.zarr/0/c/0/0").mkdir(parents=True)
    os.sync()
    start = time.perf_counter()
    for block in range(number):
        named = OutputFiles(fromdict={})
        named.append(str(folder / f"image.zarr/0/c/0/0/{block}"))
        outputs = Outputs(named)
        outputs.redirect()
        Path(named[0]).write_bytes(data)
        outputs.keep()
    seconds = time.perf_counter() - start
    shutil.rmtree(folder / "image.zarr")
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, help="where blocks are written and deleted")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    print("| bytes of a block | ms without | ms with | ratio |")
    print("| ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for size, number in BLOCKS.items():
            without, synced = [], []
            for _ in range(arguments.repeats):
                with mock.patch("os.fsync"):
                    without.append(write(Path(folder), size, number) / number * 1000)
                synced.append(write(Path(folder), size, number) / number * 1000)
            before, after = median(without), median(synced)
            print(f"| {size:,} | {before:.2f} | {after:.2f} | {after / before:.1f} |")


if __name__ == "__main__":
    main()
