"""Names of samples, which files and folders in results/ have too."""

import re
from collections.abc import Iterable
from pathlib import Path

from tilewise.plan.sheet_table import TableRow

SAMPLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
RESERVED_NAMES = {
    *("all", "annotate", "figures", "masks", "models", "report", "sources", "sweeps", "workflow"),
}
"""What results/ uses itself."""
RESULT_ENDINGS = (".html", ".js", ".json", ".log", ".md", ".tsv")
"""Of the names of files in results/ and logs/."""


def lines_of_samples(path: Path, rows: Iterable[TableRow]) -> dict[str, int]:
    """The line of each sample of a sheet, by its name.

    ValueError if a name cannot be that of a file, or is that of another sample; names that differ
    only in case are one where file systems do not tell them apart.
    """
    lines: dict[str, int] = {}
    spelled: dict[str, str] = {}
    for line, row in rows:
        name, place = row["sample"], f"sample sheet {path}, line {line}"
        # some file systems do not tell upper from lower case
        is_taken = name.lower() in RESERVED_NAMES or name.lower().endswith(RESULT_ENDINGS)
        if not SAMPLE_NAME.fullmatch(name) or ".." in name or is_taken:
            raise ValueError(
                f"{place}: {name!r} cannot be a sample's name: use up to 100 letters, digits, `_`, "
                f"`-` and `.`, none of {', '.join(sorted(RESERVED_NAMES))}, and no end like "
                f"{', '.join(RESULT_ENDINGS)}"
            )
        if name in lines:
            raise ValueError(
                f"{place}: sample {name} has two rows, the other in line {lines[name]}: rename one"
            )
        other = spelled.setdefault(name.casefold(), name)
        if other != name:
            raise ValueError(
                f"{place}: samples {other} (line {lines[other]}) and {name} differ only in case, "
                "and would overwrite each other's files on some file systems: rename one"
            )
        lines[name] = line
    return lines
