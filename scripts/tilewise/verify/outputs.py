"""What Snakemake says of its outputs (`snakemake --summary`), beside the files that are there."""

import csv
from collections.abc import Iterable
from pathlib import Path

MISSING, STALE, FOREIGN = "missing", "out of date", "left behind"
RESULTS = "results/"
"""Where outputs begin."""
UP_TO_DATE = "no update"


def compare(summary: str, paths: Iterable[Path]) -> list[tuple[str, Path, str]]:
    """What is missing, out of date or left behind: kind, path in the results and reason.

    Parameters
    ----------
    summary
        A table with the columns `output_file`, `status` and `plan`. Folders are outputs, too.
    paths
        Files in the folder of results, relative to it.
    """
    there, found = set(paths), []
    expected: set[Path] = set()
    folders = {parent for path in there for parent in path.parents}
    for row in csv.DictReader(summary.splitlines(), delimiter="\t"):
        if not row["output_file"].startswith(RESULTS):
            continue
        path = Path(row["output_file"].removeprefix(RESULTS))
        expected.add(path)
        if row["status"] == "missing" and path not in there and path not in folders:
            found.append((MISSING, path, f"rule {row['rule']} makes it"))
        elif row["plan"] != UP_TO_DATE:
            # Snakemake says so of outputs that are older than what others of the run will be
            is_behind = row["status"] == "ok"
            reason = "what it is made from is out of date" if is_behind else row["status"]
            found.append((STALE, path, reason))
    found += [
        (FOREIGN, path, "it is no result")
        for path in sorted(there)
        if path not in expected and expected.isdisjoint(path.parents)
    ]
    return found
