"""What counts as independent: annotated tiles are brought together in units and folds."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from tilewise.decide import space
from tilewise.decide.places import Place
from tilewise.decide.resampling import Floats
from tilewise.decide.space import Spot

Key = TypeVar("Key", bound=Hashable)

KINDS = ("sample", "plane", "tile", "cell", "part", "near", "block")
"""Of units, the most surely independent first.

Cells are squares of tiles in a plane. Parts of a single unit, near tiles, too few for two cells,
and spatial blocks of one tile are not independent: parameters are chosen on some and scored on
others.
"""
DESCRIBED = {
    "part": "parts of one unit",
    "near": "near tiles of one plane",
    "block": "spatial blocks of one tile",
}
"""Kinds that tables describe in words."""


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
        `auto` takes the first of which there are two units.
    plane_gap : int
        Planes of a stack that are fewer planes apart are one unit.

    Notes
    -----
    Where there would be a single unit, its parts are units to choose on and to score, which
    together count as one: its planes, if there are two, else its tiles (`part`), or the spatial
    blocks of a single tile, which then count in its place (`block`).
    """
    tiles = [place for place in places if not place.patch]
    runs = plane_runs(tiles, plane_gap)
    names: dict[str, Callable[[Place], str]] = {
        "sample": lambda place: groups[place.sample],
        "plane": lambda place: f"{place.sample} z{runs[place.sample, place.z]}",
        "tile": lambda place: (
            f"{place.sample} z{runs[place.sample, place.z]} y{place.y} x{place.x}"
        ),
    }
    order = list(names)
    for candidate in order if kind == "auto" else order[order.index(kind) :]:
        units = {place: names[candidate](place) for place in tiles}
        if len(set(units.values())) > 1:
            return candidate if kind in ("auto", candidate) else "part", units
    if len(tiles) > 1:
        return "part", {
            place: f"{place.sample} z{place.z} y{place.y} x{place.x}" for place in tiles
        }
    blocks = {place: f"block {place.patch}" for place in places if place.patch}
    return ("block", blocks) if blocks else ("tile" if kind == "auto" else kind, units)


def plane_runs(tiles: Iterable[Place], plane_gap: int) -> dict[tuple[str, int], int]:
    """The first plane of the run of near planes that each annotated plane belongs to."""
    runs: dict[tuple[str, int], int] = {}
    last, start = ("", 0), 0
    for sample, z in sorted({(place.sample, place.z) for place in tiles}):
        if not runs or last[0] != sample or z - last[1] >= plane_gap:
            start = z
        runs[sample, z] = start
        last = sample, z
    return runs


def apart(
    spots: Mapping[Place, Spot], gap: float, side: int, min_units: int
) -> tuple[str, dict[Place, str]]:
    """Units of tiles, as far apart as their number allows: their kind, and the unit of each place.

    Parameters
    ----------
    spots : dict of Place to Spot
        Tiles in one spot are one unit.
    gap : float
        Tiles whose nearest edges are nearer, in tile widths, are one unit: `tile`.
    side : int
        If fewer than `min_units` units would be left, planes are cut into squares of so many tiles
        a side, which touch: `cell`. Not if that makes no more units.

    Notes
    -----
    Where that leaves a single unit of several tiles, each of them is a unit to choose on and to
    score (`near`), which together count as one. A unit is named after its first tile, row by row.
    """
    sets, cells = space.link(spots.values(), gap), space.cut(spots.values(), side)
    linked, squares, tiles = (len(set(each)) for each in (sets.values(), cells.values(), sets))
    kind, of_spot = "tile", dict[Spot, Hashable](sets)
    if linked < min(min_units, tiles) and squares > linked:
        kind, of_spot = "cell", dict[Spot, Hashable](cells)
    elif linked == 1 < tiles:
        kind, of_spot = "near", {spot: spot for spot in sets}
    names: dict[Hashable, str] = {}
    for place, spot in sorted(spots.items(), key=lambda item: item[1]):
        name = f"{spot.sample} z{spot.plane} y{place.y} x{place.x}"
        names.setdefault(of_spot[spot], name)
    return kind, {place: names[of_spot[spot]] for place, spot in spots.items()}


def independent(kind: str, number: int) -> int:
    """How many of the units are independent: parts of one are one."""
    return min(number, 1) if kind in DESCRIBED else number


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


def pool_table(
    places: Sequence[Place],
    counts: Floats,
    units: Mapping[Place, str],
    left_out: Collection[Place] = (),
) -> Floats:
    """The same of many places and their counts, (places, fields) to (units, fields) ndarray.

    Places of `left_out` are passed over, too.
    """
    names = sorted(set(units.values()))
    number = {name: i for i, name in enumerate(names)}
    nowhere = len(names)
    number_of = {place: number[unit] for place, unit in units.items() if place not in left_out}
    own = np.array([number_of.get(place, nowhere) for place in places], np.intp)
    # sums in the order of the rows; what belongs to no unit comes last
    pooled = np.zeros((nowhere + 1, counts.shape[1]))
    for i, column in enumerate(counts.T):
        pooled[:, i] = np.bincount(own, column, nowhere + 1)
    return pooled[:-1]
