"""Jobs and time of the demo beside those of another version.

    python benchmarks/demo.py [--before COMMIT] [--repeats 3]

Both run in this environment, in turn, each in an empty folder, on two cores; medians of whole
processes, and the ratio.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from throughput import ROOT, measure


def run(version, folder):
    """Jobs, CPU and wall time in s of a run of a version's demo."""
    folder.mkdir()
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--directory", folder]
    # versions without this profile print each job by themselves
    profile = "plain" if (version / "workflow/profiles/plain").is_dir() else "default"
    command += ["--workflow-profile", profile]
    command += ["--snakefile", version / "Snakefile", "--configfile", version / "config.yaml"]
    wall, cpu, _ = measure(command, folder)
    done = re.findall(r"^(\d+) of \d+ steps", (folder / "output.txt").read_text(), re.MULTILINE)
    return int(done[-1]), cpu, wall


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--before", metavar="COMMIT", help="a version that has the demo")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        versions = {"now": ROOT}
        if arguments.before:
            versions["before"] = Path(temporary, "version")
            clone = ["git", "clone", "--quiet", ROOT, versions["before"]]
            subprocess.run(clone, check=True)
            checkout = ["git", "checkout", "--quiet", arguments.before]
            subprocess.run(checkout, cwd=versions["before"], check=True)
        runs = {name: [] for name in versions}
        for repeat in range(arguments.repeats):
            for name, version in versions.items():
                runs[name].append(run(version, Path(temporary, f"{name}-{repeat}")))
    medians = {
        name: list(map(statistics.median, zip(*own, strict=True))) for name, own in runs.items()
    }
    print("| version | jobs | CPU s | wall s |\n| --- | ---: | ---: | ---: |")
    for name, (jobs, cpu, wall) in medians.items():
        print(f"| {name} | {jobs} | {cpu:.1f} | {wall:.1f} |")
    if arguments.before:
        ratios = [f"{a / b:.2f}" for a, b in zip(*medians.values(), strict=True)]
        print(f"| now / before | {' | '.join(ratios)} |")


if __name__ == "__main__":
    main()
