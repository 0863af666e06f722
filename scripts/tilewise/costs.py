"""What it costs to apply a method: time of processors and memory, per job and per method."""

import resource
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tilewise.tables import write_rows

JOB = ("mpx", "cpu_s", "peak_mb")
"""Columns of a job's table: millions of pixels, seconds, millions of bytes."""
COLUMNS = ("method", "mpx", "cpu_s_per_mpx", "peak_mb")
STATUS = Path("/proc/self/status")

Rows = Sequence[Mapping[str, str]]


def write(path: str, began: float, pixels: int, others: tuple[float, float] = (0, 0)) -> None:
    """Write what a job has cost until now.

    Parameters
    ----------
    path : str
        Of the table, of one row.
    began : float
        CPU seconds of the process when its work began, as `job.start` returns them: imports cost
        the same for every method.
    pixels : int
        Pixels that the job has made.
    others : tuple of float
        CPU seconds of the programs that it has run, and the most bytes that one of them has held.
    """
    cpu, peak = time.process_time() - began + others[0], max(_peak_memory(), others[1])
    row = {"mpx": pixels / 1e6, "cpu_s": round(cpu, 6), "peak_mb": round(peak / 1e6, 1)}
    write_rows(path, JOB, [row])


def _peak_memory():
    """The most memory that the process has held, in bytes."""
    if STATUS.exists():
        # getrusage would count what Snakemake holds, which has started this process
        (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def of_method(method: str, masks: Rows, filtered: Rows = ()) -> dict[str, Any]:
    """What a method costs: its masks, and its filter where other jobs have applied it.

    Parameters
    ----------
    method : str
    masks, filtered : sequence of dict of str to str
        Rows of the jobs, with the columns `JOB`. A filter may have gone through more pixels than
        the masks: both are taken per pixel.

    Returns
    -------
    dict
        By `COLUMNS`: pixels of the masks in millions, CPU seconds per million, or None where there
        are no pixels, and the most memory that any of the jobs has held, in MB (millions of bytes).
    """
    pixels = _total(masks, "mpx")
    per_pixel = [
        _total(rows, "cpu_s") / _total(rows, "mpx") for rows in (masks, filtered) if rows and pixels
    ]
    peak = max(float(row["peak_mb"]) for row in (*masks, *filtered))
    values = round(pixels, 6), round(sum(per_pixel), 6) if pixels else None, peak
    return dict(zip(COLUMNS, (method, *values), strict=True))


def _total(rows: Iterable[Mapping[str, str]], column: str) -> float:
    return sum(float(row[column]) for row in rows)
