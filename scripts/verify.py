"""Verify a folder of results: nothing missing, damaged, out of date or left behind.

    python scripts/verify.py [--configfile my.yaml] [--directory DIR] [--files-only]

Blocks of arrays, PNG and NPZ files are compared with the checksums in them, all other files with
those that the last run has written down (`results/checksums.tsv`); blocks are not decompressed, and
nothing is changed. What should be there, and what is out of date, is asked of Snakemake. The exit
status is 1 if there is anything to do. No job runs this.
"""

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tilewise.verify import checksums, files, outputs

ROOT = Path(__file__).parents[1]
REMEDIES = {
    outputs.MISSING: "run snakemake: it is made again",
    outputs.STALE: "run snakemake: it is made again",
    outputs.FOREIGN: "no rule of this configuration makes it: delete it if you do not need it",
    "damaged": "delete it, and run snakemake: it is made again",
}
MOST_LINES = 50
"""Of one kind of finding, unless all are asked for; how many more there are is said."""
SECONDS_BETWEEN = 0.5


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--configfile", type=Path, help="as of the run; by default, config.yaml")
    parser.add_argument("--directory", type=Path, default=Path(), help="the folder of the run")
    parser.add_argument(
        "--files-only", action="store_true", help="do not ask what is missing or out of date"
    )
    parser.add_argument("--all", action="store_true", help="list all findings, however many")
    return parser.parse_args()


def summary(arguments):
    """What Snakemake says of all outputs, as a table."""
    words = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--summary"]
    words += ["--cores", "1", "--nolock", "--directory", arguments.directory]
    words += ["--workflow-profile", ROOT / "workflow/profiles/plain"]
    if arguments.configfile:
        words += ["--configfile", arguments.configfile]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stderr}\nSnakemake cannot say what should be there: see above")
    return done.stdout


def damages(results, paths):
    """Pairs of a damaged file and what is wrong with it; how far it is, on a terminal."""
    known = checksums.read(results)
    started = told = time.monotonic()
    done = 0

    def look(path):
        whole = results / path
        if files.has_checksum(path):
            return path, files.damage(whole), whole.stat().st_size
        return path, checksums.damage(results, path, known), whole.stat().st_size

    found = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (path, problem, size) in enumerate(pool.map(look, paths), 1):
            found += [(path, problem)] if problem else []
            done += size
            now = time.monotonic()
            if sys.stderr.isatty() and now - told > SECONDS_BETWEEN:
                told = now
                rate = done / 1e6 / (now - started)
                print(
                    f"\r{number:,} of {len(paths):,} files, {rate:,.0f} MB/s",
                    end="",
                    file=sys.stderr,
                )
    if told != started:
        print(file=sys.stderr)
    return found, done


def main():
    arguments = parse()
    results = arguments.directory / "results"
    if not results.is_dir():
        sys.exit(f"{results} does not exist: name the folder of the run with --directory")
    paths = list(checksums.files_of(results))
    damaged, size = damages(results, paths)
    found = [("damaged", path, problem) for path, problem in damaged]
    if not arguments.files_only:
        broken = {path for path, _ in damaged}
        asked = outputs.compare(summary(arguments), paths)
        found += [(kind, path, why) for kind, path, why in asked if path not in broken]
    most = len(found) if arguments.all else MOST_LINES
    numbers = Counter()
    for kind, path, why in found:
        numbers[kind] += 1
        if numbers[kind] <= most:
            print(f"{kind}: {results / path}: {why}: {REMEDIES[kind]}")
    for kind, number in numbers.items():
        if number > most:
            print(f"{kind}: {number - most:,} more: --all lists them")
    unknown = sum(
        not files.has_checksum(path) for path in set(paths) - set(checksums.read(results))
    )
    if unknown:
        print(
            f"{unknown:,} files have no checksum: they were written after the end of the last run"
        )
    print(
        f"{len(paths):,} files, {size / 1e6:,.0f} MB: "
        + ("nothing to do" if not found else "see above")
    )
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
