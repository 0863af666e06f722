"""Tiles to annotate: those of a table of results, or of one that somebody has written."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tilewise.annotate.results import Place, Results
from tilewise.store.grid import Region
from tilewise.tables import read_rows

COLUMNS = ("sample", "tile", "z", "y", "x", "height", "width")
"""Of a table of tiles; it may have `purpose` and `pi`, too."""


@dataclass(frozen=True)
class Tile:
    """A tile to annotate."""

    sample: str
    name: str
    region: Region
    purpose: str = ""
    pi: str = ""


def read_tiles(path: Path, results: Results, number: int | None = None) -> list[Tile]:
    """Tiles of a table, in its order; of each sample the first `number` of them, or all.

    ValueError names the table and what to do: it may be missing or empty, name what is not in the
    results, or hold a random draw of which no part may be taken.
    """
    samples = results.samples
    if not path.exists():
        raise ValueError(
            f"{path} does not exist: run snakemake first, with `measure: true` under `quality`; or "
            "name a table of tiles with --tiles"
        )
    try:
        rows = read_rows(path)
    except ValueError:
        # it may be the user's own, which nobody should delete
        raise ValueError(
            f"{path} is no table, or a row has other fields than its header: save it as text with "
            "tabs, each row with a field for each column"
        ) from None
    if not rows:
        raise ValueError(
            f"{path} has no tiles: all have truth or are empty, or `next` under `quality` is 0"
        )
    missing = [column for column in COLUMNS if column not in rows[0]]
    if missing:
        raise ValueError(f"{path} has no column `{missing[0]}`: it needs {', '.join(COLUMNS)}")
    if number is not None and any(row.get("pi") for row in rows):
        raise ValueError(
            f"{path} is a random draw, of which `pi` holds for all tiles together: leave out "
            "--number, and set `next` under `quality` for another number"
        )
    tiles: list[Tile] = []
    taken: dict[str, int] = {}
    for row in rows:
        sample = row["sample"]
        if sample not in samples:
            raise ValueError(
                f"{path}: sample {sample} is not in {results.folder}/stacks.tsv: take the table of "
                "the same results, or run snakemake again"
            )
        taken[sample] = taken.get(sample, 0) + 1
        if number is None or taken[sample] <= number:
            tiles.append(_tile(row, samples[sample], path))
    return tiles


def _tile(row: Mapping[str, str], place: Place, path: Path) -> Tile:
    try:
        z, y, x, height, width = (int(row[column]) for column in COLUMNS[2:])
    except ValueError:
        raise ValueError(
            f"{path}: {', '.join(COLUMNS[2:])} of tile {row['tile']} of sample {row['sample']} "
            "must be whole numbers"
        ) from None
    planes, rows, columns = place.shape
    region = Region(z, z + 1, y, y + height, x, x + width)
    is_inside = 0 <= z < planes and 0 <= y < region.y1 <= rows and 0 <= x < region.x1 <= columns
    if not is_inside:
        raise ValueError(
            f"{path}: tile {row['tile']} does not lie within sample {row['sample']} "
            f"({planes} x {rows} x {columns}): take the table of the same results"
        )
    return Tile(row["sample"], row["tile"], region, row.get("purpose", ""), row.get("pi", ""))
