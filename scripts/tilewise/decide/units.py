"""What counts as independent: annotated tiles are brought together in units and folds."""

from dataclasses import dataclass

import numpy as np

LEVELS = ("sample", "plane", "tile", "block")
"""From what is surely independent to what is not: spatial blocks of one tile are no units."""


@dataclass(frozen=True)
class Place:
    """Where a row of a table of metrics comes from.

    Parameters
    ----------
    sample : str
    z, y, x : int
        Plane, and the upper left corner of the tile in pixels.
    patch : str
        Number of a spatial block of the tile; empty for the tile itself.
    """

    sample: str
    z: int
    y: int
    x: int
    patch: str = ""


def assign(places, groups, level="auto", plane_gap=10):
    """The unit of each place.

    Parameters
    ----------
    places : sequence of Place
        Of all annotated tiles; of a single one, also of its spatial blocks.
    groups : dict of str to str
        Group of each sample, for the level `sample`: samples of one group are one unit.
    level : {"auto", "sample", "plane", "tile"}
        `auto` takes the first of which there are two units; failing that, the spatial blocks of
        the single tile.
    plane_gap : int
        Planes of a stack that are fewer planes apart are one unit.

    Returns
    -------
    level : {"sample", "plane", "tile", "block"}
    units : dict of Place to str
        Of the places that count: tiles, or the blocks of the single tile.
    """
    tiles = [place for place in places if not place.patch]
    runs = _plane_runs(tiles, plane_gap)
    names = {
        "sample": lambda place: groups[place.sample],
        "plane": lambda place: f"{place.sample} z{runs[place.sample, place.z]}",
        "tile": lambda place: (
            f"{place.sample} z{runs[place.sample, place.z]} y{place.y} x{place.x}"
        ),
    }
    for candidate in names if level == "auto" else [level]:
        units = {place: names[candidate](place) for place in tiles}
        if level != "auto" or len(set(units.values())) > 1:
            return candidate, units
    blocks = {place: f"block {place.patch}" for place in places if place.patch}
    return ("block", blocks) if blocks else ("tile", units)


def _plane_runs(tiles, plane_gap):
    """The first plane of the run of near planes that each annotated plane belongs to."""
    runs, last = {}, None
    for sample, z in sorted({(place.sample, place.z) for place in tiles}):
        if last is None or last[0] != sample or z - last[1] >= plane_gap:
            start = z
        runs[sample, z] = start
        last = sample, z
    return runs


def independent(level, number):
    """How many of the units are independent: spatial blocks of one tile are one."""
    return 1 if level == "block" else number


def pool(rows, units, fields):
    """Additive counts of each unit.

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
    dict of object to ((units, fields) float64 ndarray, names of the units)
        Units sorted by name; zeros for a unit without a row.
    """
    names = sorted(set(units.values()))
    number = {name: i for i, name in enumerate(names)}
    pooled = {}
    for key, place, counts in rows:
        if place in units:
            if key not in pooled:
                pooled[key] = np.zeros((len(names), fields))
            pooled[key][number[units[place]]] += counts
    return pooled, names
