"""What counts as independent: annotated tiles are brought together in units and folds."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from tilewise.decide.places import Place
from tilewise.decide.resampling import Floats

Key = TypeVar("Key", bound=Hashable)

KINDS = ("sample", "plane", "tile", "block")
"""Of units, the most surely independent first: spatial blocks of one tile are not independent."""


def assign(
    places: Collection[Place], groups: Mapping[str, str], kind: str = "auto", plane_gap: int = 10
) -> tuple[str, dict[Place, str]]:
    """The kind of unit, of `KINDS`, and the unit of each place that counts.

    Parameters
    ----------
    places : sequence of Place
        Of all annotated tiles; of a single one, also of its spatial blocks.
    groups : dict of str to str
        Group of each sample, for the kind `sample`: samples of one group are one unit.
    kind : {"auto", "sample", "plane", "tile"}
        `auto` takes the first of which there are two units; failing that, the spatial blocks of the
        single tile, which then count in its place.
    plane_gap : int
        Planes of a stack that are fewer planes apart are one unit.
    """
    tiles = [place for place in places if not place.patch]
    runs = _plane_runs(tiles, plane_gap)
    names: dict[str, Callable[[Place], str]] = {
        "sample": lambda place: groups[place.sample],
        "plane": lambda place: f"{place.sample} z{runs[place.sample, place.z]}",
        "tile": lambda place: (
            f"{place.sample} z{runs[place.sample, place.z]} y{place.y} x{place.x}"
        ),
    }
    for candidate in names if kind == "auto" else [kind]:
        units = {place: names[candidate](place) for place in tiles}
        if kind != "auto" or len(set(units.values())) > 1:
            return candidate, units
    blocks = {place: f"block {place.patch}" for place in places if place.patch}
    return ("block", blocks) if blocks else ("tile", units)


def _plane_runs(tiles: Iterable[Place], plane_gap: int) -> dict[tuple[str, int], int]:
    """The first plane of the run of near planes that each annotated plane belongs to."""
    runs: dict[tuple[str, int], int] = {}
    last, start = ("", 0), 0
    for sample, z in sorted({(place.sample, place.z) for place in tiles}):
        if not runs or last[0] != sample or z - last[1] >= plane_gap:
            start = z
        runs[sample, z] = start
        last = sample, z
    return runs


def independent(kind: str, number: int) -> int:
    """How many of the units are independent: spatial blocks of one tile are one."""
    return 1 if kind == "block" else number


def pool(
    rows: Iterable[tuple[Key, Place, Sequence[float]]], units: Mapping[Place, str], fields: int
) -> tuple[dict[Key, Floats], list[str]]:
    """Additive counts of each unit, and the names of the units.

    Parameters
    ----------
    rows : iterable of (object, Place, sequence of float)
        What the row belongs to (a variant, say), where it comes from, and its counts.
    units : dict of Place to str
        Rows of other places are passed over.
    fields : int
        Number of counts.

    Returns
    -------
    dict of object to (units, fields) float64 ndarray, list of str
        Units sorted by name; zeros for a unit without a row.
    """
    names = sorted(set(units.values()))
    number = {name: i for i, name in enumerate(names)}
    pooled: dict[Key, Floats] = {}
    for key, place, counts in rows:
        if place in units:
            if key not in pooled:
                pooled[key] = np.zeros((len(names), fields))
            pooled[key][number[units[place]]] += counts
    return pooled, names
