"""What a folder of results has, for the page of the viewer: as its files say, without any plan.

Results that were copied elsewhere are shown like others, and so are those of a run that goes on.
"""

import math
from itertools import product
from pathlib import Path
from typing import Any

from tilewise.serve import layers, tile_rows
from tilewise.serve.files import read_json, within
from tilewise.serve.plane_names import names_of
from tilewise.store.grid import Tile
from tilewise.tables import read_rows

STACKS = "stacks.tsv"
SIZES = ("first_plane", "planes", "height", "width", "tile_height", "tile_width")
"""Columns of `STACKS` that are numbers."""
ARRAY = "{stack}/image.zarr/0"
"""Of the image, in full resolution."""
RUN = "run the workflow first, `make demo` or `snakemake --cores 2`, or name another folder"


class NotFoundError(ValueError):
    """There is no such sample, or no such plane."""


def samples_of(results: Path) -> list[dict[str, Any]]:
    """Rows of the table of all samples, with numbers.

    Raises
    ------
    ValueError
        If it is no folder of results, or none with an image yet.
    """
    if not results.is_dir():
        raise ValueError(f"{results} is no folder: {RUN}")
    table = within(results, STACKS)
    if not table:
        inner = results / "results"
        remedy = f"name {inner}" if (inner / STACKS).exists() else RUN
        raise ValueError(f"{results} is no folder of results, as it has no {STACKS}: {remedy}")
    try:
        rows = read_rows(table)
        samples = [{**row, **{name: int(row[name]) for name in SIZES}} for row in rows]
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f"{table} is of another version or damaged: run the workflow again"
        ) from None
    if not any(layers.shape_of(results, ARRAY.format(stack=row["stack"])) for row in samples):
        raise ValueError(f"{results} has no image yet: wait until the run has stored one")
    return samples


def of_results(results: Path) -> dict[str, Any]:
    """The samples of a folder and the layers of their stacks.

    Parameters
    ----------
    results
        The folder, a real path.

    Returns
    -------
    dict
        `name` of the folder; the method that was `decided` on, or None; `samples`, each with its
        `stack`, its `first_plane` there, `planes`, `height` and `width` in pixels, height and width
        of a `tile`, and `plane_names`, None or the file that each plane was read from; `stacks`, by
        name, with their `layers`, as `layers.layers_of` has them.

    Raises
    ------
    ValueError
        As `samples_of`, and if a file is damaged.
    """
    rows = samples_of(results)
    stacks = {
        stack: {"layers": layers.layers_of(results, stack)}
        for stack in dict.fromkeys(row["stack"] for row in rows)
    }
    samples = [
        {
            "sample": row["sample"],
            "stack": row["stack"],
            **{name: row[name] for name in SIZES[:4]},
            "tile": [row["tile_height"], row["tile_width"]],
            "plane_names": names,
        }
        for row, names in zip(rows, names_of(results, rows), strict=True)
    ]
    decided = (read_json(results, "choice.json") or {}).get("method")
    return {"name": results.name, "decided": decided, "samples": samples, "stacks": stacks}


def of_plane(results: Path, sample: str, plane: str) -> dict[str, Any]:
    """What is known of the tiles of a plane of a sample, which is counted from 0.

    Returns
    -------
    dict
        `tiles`, row by row, each with its name `tile`, its upper left pixel `y`, `x`, its `height`
        and `width`; `flags` of its quality; its `trust` from 0 to 1, or None; the `scores` of each
        method, by name of the metric, None where it is not defined; and the `thresholds`.

    Raises
    ------
    NotFoundError
        If there is no such sample or plane.
    ValueError
        As `samples_of`.
    """
    by_name = {row["sample"]: row for row in samples_of(results)}
    if sample not in by_name:
        raise NotFoundError(f"There is no sample {sample!r}: there are {', '.join(by_name)}.")
    row = by_name[sample]
    if not (
        plane.isascii() and plane.isdecimal() and len(plane) < 9 and int(plane) < row["planes"]
    ):
        raise NotFoundError(f"There is no plane {plane!r} in {sample}, which has {row['planes']}.")
    z = int(plane)
    scores, thresholds = _by_method(results, row, z)
    trusts = _trust(results, sample, z)
    return {
        "tiles": [
            {
                **place,
                "flags": list(filter(None, trusts.get(name, {}).get("flags", "").split(";"))),
                "trust": _number(trusts.get(name, {}).get("trust", "")),
                "scores": scores.get(name, {}),
                "thresholds": thresholds.get(name, {}),
            }
            for place in _tiles(row, z)
            for name in [place["tile"]]
        ]
    }


def _tiles(row, z):
    """Name, place and size of the tiles of a plane, row by row."""
    height, width = row["tile_height"], row["tile_width"]
    rows, columns = range(-(-row["height"] // height)), range(-(-row["width"] // width))
    for line, column in product(rows, columns):
        y, x = line * height, column * width
        yield {
            "tile": Tile(z, line, column).name,
            "y": y,
            "x": x,
            "height": min(height, row["height"] - y),
            "width": min(width, row["width"] - x),
        }


def _by_method(results, row, z):
    """Scores and thresholds of the tiles of a plane, by tile and method."""
    scores: dict[str, dict[str, dict[str, float | None]]] = {}
    thresholds: dict[str, dict[str, Any]] = {}
    metrics = _metrics()
    for method, tables in _tables(results, row, z, "metrics"):
        for one in tables:
            # spatial blocks of a tile are for choosing parameters only
            if not one["patch"]:
                named = {name: _number(one[name]) for name in metrics if name in one}
                scores.setdefault(one["tile"], {})[method] = named
    for method, tables in _tables(results, row, z, "thresholds"):
        for one in tables:
            values = list(map(_number, one["threshold"].split(";")))
            thresholds.setdefault(one["tile"], {})[method] = values if values[1:] else values[0]
    return scores, thresholds


def _tables(results, row, z, kind):
    """Rows of a plane in the tables of its blocks, of each method."""
    stack = within(results, row["stack"])
    known = layers.shape_of(results, ARRAY.format(stack=row["stack"]))
    if not stack or not known:
        return
    depth = (row["first_plane"] + z) // known.block[0]
    sizes = zip(known.array[1:], known.block[1:], strict=True)
    along = (range(-(-size // step)) for size, step in sizes)
    blocks = [(str(depth), str(y), f"{x}.tsv") for y, x in product(*along)]
    for folder in sorted(stack.glob(f"*/{kind}")):
        method = folder.parent.name
        start = f"{row['sample']}\t{method}\tz{z:04d}_"
        files = (within(results, row["stack"], method, kind, *block) for block in blocks)
        yield method, [one for file in files if file for one in tile_rows.of_block(file, start)]


def _trust(results, sample, z):
    """Rows of the table of trust, or of quality where there is none, by tile."""
    for name in ("trust.tsv", "quality.tsv"):
        if table := within(results, name):
            return {row["tile"]: row for row in tile_rows.of_plane(table, sample, z)}
    return {}


def _metrics():
    """Names of all metrics."""
    # numpy takes a tenth of a second, which the server does without
    from tilewise.score.formulas import REGISTRY

    return [metric.name for metric in REGISTRY]


def _number(text):
    """A number, or None where there is none, or an infinite one."""
    value = float(text) if text else math.nan
    return value if math.isfinite(value) else None
