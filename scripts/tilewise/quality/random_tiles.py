"""Tiles to annotate that are drawn at random, so that scores on them are not biased."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tilewise.tables import ESTIMATE, SLIVER

RANDOM = ("sample", "tile", "z", "y", "x", "height", "width", "path", "purpose", "pi")
"""Columns of the table; `z`, `y`, `x`, `path`, `purpose` and `pi` are those of a table of windows,
where `path` is still to be filled."""


def draw(tiles: Sequence[Mapping[str, Any]], number: int, seed: int) -> list[dict[str, Any]]:
    """Draw tiles of a sample at random, without replacement, spread over its planes.

    Parameters
    ----------
    tiles : sequence of mapping
        Of all tiles of one sample, as from `tile_table.judge`. Tiles that are annotated, empty,
        excluded or slivers are not drawn.
    number : int
        Of tiles to draw; all, if there are not more.
    seed : int
        Of the draw; each sample has its own beside it, so that others change nothing.

    Returns
    -------
    list of dict
        In the order of the tiles, with the fields of `RANDOM`.

    Notes
    -----
    Strata are the planes, or as many runs of planes as tiles are drawn, if these are fewer. The
    tiles of each are shared out evenly, and drawn with equal probabilities within it: `pi` is the
    number that is drawn, over the number of those that could be.
    """
    open_tiles = [tile for tile in tiles if _is_open(tile)]
    number = min(number, len(open_tiles))
    if not number:
        return []
    planes = sorted({int(tile["z"]) for tile in open_tiles})
    runs = np.array_split(planes, min(number, len(planes)))
    stratum_of = {int(z): stratum for stratum, run in enumerate(runs) for z in run}
    strata: list[list[int]] = [[] for _ in runs]
    for i, tile in enumerate(open_tiles):
        strata[stratum_of[int(tile["z"])]].append(i)
    name = zlib.crc32(open_tiles[0]["sample"].encode())
    random = np.random.default_rng([seed, name])
    pi: dict[int, float] = {}
    for members, size in zip(strata, _sizes([len(own) for own in strata], number), strict=True):
        for i in random.choice(members, size, replace=False).tolist():
            pi[i] = size / len(members)
    return [
        {
            **{column: open_tiles[i].get(column, "") for column in RANDOM[:-3]},
            **{"path": "", "purpose": ESTIMATE, "pi": pi[i]},
        }
        for i in sorted(pi)
    ]


def _is_open(tile: Mapping[str, Any]) -> bool:
    is_out = tile["annotated"] or tile["excluded"] or tile.get("edge") == SLIVER
    return not is_out and "empty" not in tile["flags"].split(";")


def _sizes(capacities: Sequence[int], number: int) -> list[int]:
    """A number shared out evenly, no more to any than it can hold."""
    strata = len(capacities)
    even = [(i + 1) * number // strata - i * number // strata for i in range(strata)]
    sizes = [min(own, most) for own, most in zip(even, capacities, strict=True)]
    while sum(sizes) < number:
        room = (i for i in range(strata) if sizes[i] < capacities[i])
        sizes[min(room, key=lambda i: (sizes[i], i))] += 1
    return sizes
