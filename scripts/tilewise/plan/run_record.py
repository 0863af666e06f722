"""What a run was and took: times and places, which no result depends on."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SECRET = re.compile(r"(?i)(secret|token|password|passwd|access[-_]?key|credential)")
"""In the name of an option whose value is nobody else's business."""


def record(
    arguments: Sequence[str],
    code: Path,
    started: datetime,
    is_ok: bool,
    benchmarks: Iterable[tuple[str, str]],
) -> dict[str, Any]:
    """What the report and the crate say of a run.

    Parameters
    ----------
    arguments
        Of the command, its name first.
    code
        Folder of the workflow.
    started
        With its time zone.
    is_ok
        Whether all jobs have succeeded.
    benchmarks
        Rule, and file that Snakemake has written, of each job of the study: of this run or of an
        earlier one. Files that do not exist are passed over.
    """
    return {
        "command": command(arguments),
        "commit": commit(code),
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "ok": is_ok,
        "rules": rules(benchmarks),
    }


def script(found: Mapping[str, Any]) -> str:
    """A classic script that hands the record of a run to the report."""
    return f"tilewise_run({json.dumps(found, indent=1)});\n"


def command(arguments: Sequence[str]) -> str:
    """The command as it is typed, without the folder of its program and without secrets."""
    words, is_secret = [], False
    for word in arguments[1:]:
        option, equals, _ = word.partition("=")
        if word.startswith("-"):
            is_secret = bool(SECRET.search(option)) and not equals
            hides = equals and SECRET.search(option)
            words.append(f"{option}=..." if hides else word)
        else:
            words.append("..." if is_secret else word)
    return shlex.join(["snakemake", *words])


def commit(code: Path) -> str:
    """The commit of a folder, `-dirty` if files have changed since; empty outside of git."""
    words = [
        "git",
        "-C",
        str(code),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=40",
        "--exclude=*",
    ]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def rules(benchmarks: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Jobs of each rule, their seconds together, and the peak memory of one in MB (2 ** 20 bytes).

    Returns
    -------
    dict
        A table by columns, as the report has them; rules that took longest first.
    """
    jobs: dict[str, list[tuple[float, float]]] = {}
    for rule, path in benchmarks:
        with suppress(FileNotFoundError):
            jobs.setdefault(rule, []).append(_spent(Path(path).read_text(encoding="utf-8")))
    jobs = {rule: spent for rule, spent in jobs.items() if spent}
    seconds = {rule: sum(second for second, _ in spent) for rule, spent in jobs.items()}
    order = sorted(jobs, key=lambda rule: (-seconds[rule], rule))
    return {
        "columns": ["rule", "jobs", "seconds", "peak_mb"],
        "rule": {"values": order, "codes": list(range(len(order)))},
        "jobs": [len(jobs[rule]) for rule in order],
        "seconds": [round(seconds[rule], 2) for rule in order],
        "peak_mb": [max(peak for _, peak in jobs[rule]) for rule in order],
    }


def _spent(table: str) -> tuple[float, float]:
    """Seconds and peak memory in MB of a job; 0 where it was too short to be measured."""
    header, row, *_ = (*table.splitlines(), "", "")
    known = dict(zip(header.split("\t"), row.split("\t"), strict=False))
    return _number(known.get("s")), _number(known.get("max_rss"))


def _number(text: str | None) -> float:
    """A number of a benchmark, which may be `-` or `NA`."""
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
