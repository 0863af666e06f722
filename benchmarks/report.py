"""What the report costs: CPU seconds and peak memory of its two jobs, and the size of the page.

    PYTHONPATH=scripts python benchmarks/report.py [--case equal] [--folder DIR]

The study is one of `small_samples.py`: `equal` is 30 samples of 512 x 512 px and 11 methods. A run
makes everything first; then the two jobs alone run anew. Start and imports of each are included.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from small_samples import COUNTED, prepare, profile_of
from throughput import ROOT

JOBS = ("report_tiles", "report")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--case", default="equal")
    parser.add_argument("--folder", type=Path, help="where images and results are kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = (arguments.folder or Path(temporary)).resolve()
        folder = place / arguments.case
        if not folder.exists():
            prepare(folder, arguments.case, {})
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"]
        command += ["--snakefile", ROOT / "Snakefile", "--configfile", "config.yaml"]
        subprocess.run(command, cwd=folder / "run", check=True)
        hook, log = place / "hook", place / "profile.tsv"
        hook.mkdir(exist_ok=True)
        (hook / "sitecustomize.py").write_text(COUNTED)
        log.unlink(missing_ok=True)
        os.environ |= {"PYTHONPATH": str(hook), "SMALL_SAMPLES_PROFILE": str(log)}
        subprocess.run([*command, "--forcerun", *JOBS], cwd=folder / "run", check=True)
        seconds, _ = profile_of(log)
        results = folder / "run/results"
        packs = sum(path.stat().st_size for path in results.glob("report/*.js")) / 1e6
        print("| job | CPU s |\n| --- | ---: |")
        for job in JOBS:
            print(f"| {job} | {seconds[job]:.2f} |")
        page = (results / "report.html").stat().st_size / 1e6
        print(f"report.html {page:.2f} MB, packs beside it {packs:.2f} MB")


if __name__ == "__main__":
    main()
