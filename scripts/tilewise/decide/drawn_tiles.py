"""Annotated tiles as a random draw from all tiles of a sample or group: areas, units, chances.

Areas are those within the region of interest. A tile that is annotated in part stands for all of
itself: the areas of its truth and its mask on annotated pixels are scaled to its own area.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tilewise.decide.difference_estimator import Drawn
from tilewise.decide.places import Place, place_of
from tilewise.decide.selection import ALL
from tilewise.tables import TRAIN

TextRow = Mapping[str, str]

RARE = 0.01
"""Chance below which what is found is not taken for that of a random draw."""


@dataclass(frozen=True)
class Tile:
    """An annotated tile: areas in pixels, of truth and mask scaled to its own `area`."""

    place: Place
    area: float
    truth: float
    mask: float
    is_whole: bool
    """Whether all of it is annotated."""
    is_held_out: bool
    """Whether the mask's parameters were chosen without it, if any were."""
    purpose: str = ""
    pi: float | None = None
    """Its chance of being drawn, where it is given."""


@dataclass(frozen=True)
class Sample:
    """What is known of a sample: areas in pixels."""

    name: str
    group: str = ""
    pixel: float | None = None
    """Area of a pixel in square micrometres; None where it is unknown."""
    area: float = 0
    mask: float = 0
    tiles_of_planes: Counter[int] = field(default_factory=Counter)
    annotated: tuple[Tile, ...] = ()

    @property
    def tiles(self) -> int:
        """Number of tiles with pixels in the region of interest."""
        return self.tiles_of_planes.total()

    @property
    def has_every_tile(self) -> bool:
        """Whether each of its tiles is annotated, in part at least."""
        return len(self.annotated) == self.tiles


def held_out(
    rows: Iterable[TextRow], folds: Iterable[TextRow], variants: Mapping[str, str], chosen: str
) -> Iterator[tuple[TextRow, bool]]:
    """Of each annotated tile the row of the variant that was chosen without it.

    Parameters
    ----------
    rows : iterable of dict of str to str
        Of tables of sweeps.
    folds : iterable of dict of str to str
        Of the table of folds.
    variants : dict of str to str
        The variant that is chosen without each fold.
    chosen : str
        The variant that all tiles choose, which a tile without a fold, as it is excluded, had no
        part in.

    Yields
    ------
    dict of str to str, bool
        The row, and whether the tile had no part in the choice.
    """
    fold_of = {place_of(row): row["fold"] for row in folds}
    tables: dict[Place, dict[tuple[str, str], TextRow]] = {}
    for row in rows:
        tables.setdefault(place_of(row), {})[row["variant"], row["fold"]] = row
    for place, own in tables.items():
        fold = fold_of.get(place, "")
        variant, without = (variants.get(fold), fold) if fold else (chosen, ALL)
        if variant is None:
            variant, without = chosen, ALL
        row = own.get((variant, "")) or own[variant, without]
        yield row, without == fold or not fold


def read_samples(
    samples: Iterable[Sample],
    segmented: Iterable[TextRow],
    annotated: Iterable[tuple[TextRow, bool]],
    folds: Iterable[TextRow],
) -> list[Sample]:
    """What tables know of some samples; without those that no mask covers.

    Parameters
    ----------
    samples
        Names, groups and pixels.
    segmented
        Rows of tables of thresholds, of all tiles.
    annotated
        Of each annotated tile, `annotated`, `tp`, `fp` and `fn`, and whether it is held out.
    folds
        Rows of the table of folds, perhaps with `purpose` and `pi`.
    """
    areas: dict[str, dict[Place, float]] = {}
    masks: Counter[str] = Counter()
    for row in segmented:
        inside = float(row["inside"])
        areas.setdefault(row["sample"], {})[place_of(row)] = inside
        masks[row["sample"]] += round(inside * float(row["foreground"]))
    known = {place_of(row): row for row in folds}
    tiles: dict[str, list[Tile]] = {}
    for row, is_held_out in annotated:
        place = place_of(row)
        if not place.patch and place in areas.get(place.sample, ()):
            tile = _tile(row, areas[place.sample][place], is_held_out, known.get(place, {}))
            tiles.setdefault(place.sample, []).append(tile)
    return [
        replace(
            sample,
            area=sum(areas[sample.name].values()),
            mask=masks[sample.name],
            tiles_of_planes=Counter(place.z for place in areas[sample.name]),
            annotated=tuple(tiles.get(sample.name, ())),
        )
        for sample in samples
        if sample.name in areas
    ]


def _tile(row: TextRow, area: float, is_held_out: bool, drawn: TextRow) -> Tile:
    annotated, tp, fp, fn = (float(row[name]) for name in ("annotated", "tp", "fp", "fn"))
    scale = area / annotated
    return Tile(
        place=place_of(row),
        area=area,
        truth=scale * (tp + fn),
        mask=scale * (tp + fp),
        is_whole=annotated == area,
        is_held_out=is_held_out,
        purpose=drawn.get("purpose") or "",
        pi=float(drawn["pi"]) if drawn.get("pi") else None,
    )


class RefusedError(ValueError):
    """Why a fraction cannot be corrected."""


@dataclass(frozen=True)
class Level:
    """Samples that a fraction is of: one, or those of a group."""

    samples: Sequence[Sample]

    @property
    def pixels(self) -> list[float]:
        """Area of a pixel of each sample: in square micrometres if all are known, else 1."""
        known = [sample.pixel for sample in self.samples]
        return [pixel or 1.0 for pixel in known] if all(known) else [1.0] * len(known)

    def sums(self) -> tuple[float, float]:
        """Areas of the region of interest and of the masks."""
        pairs = list(zip(self.samples, self.pixels, strict=True))
        return sum(s.area * pixel for s, pixel in pairs), sum(s.mask * pixel for s, pixel in pairs)

    def annotated(self) -> list[tuple[Tile, float]]:
        """Annotated tiles, with the area of their pixels."""
        pairs = zip(self.samples, self.pixels, strict=True)
        return [(tile, pixel) for sample, pixel in pairs for tile in sample.annotated]

    def fractions(self) -> tuple[float | None, float | None]:
        """Of truth and of mask on annotated tiles, as they are; None without any."""
        pairs = self.annotated()
        area = sum(tile.area * pixel for tile, pixel in pairs)
        if not area:
            return None, None
        truth = sum(tile.truth * pixel for tile, pixel in pairs)
        mask = sum(tile.mask * pixel for tile, pixel in pairs)
        return truth / area, mask / area

    @property
    def tiles(self) -> int:
        """Number of all tiles."""
        return sum(sample.tiles for sample in self.samples)


@dataclass(frozen=True)
class Draw:
    """The units that were drawn from a level, what they are, and the share of its tiles in them."""

    units: Drawn
    kind: str
    share: float


def draw(level: Level, sampling: str, min_units: int) -> Draw:
    """What was drawn from a level's tiles, if that is known.

    A tile's chance of being drawn is its `pi`; where none has any and `sampling` is `random`, it is
    the share of drawn tiles in its sample, times that of drawn samples in the level. Units are
    samples where `pi` is unknown and not all of them have drawn tiles; else planes, where tiles
    were drawn plane by plane; else tiles.

    Raises
    ------
    RefusedError
        Where tiles were not drawn at random for all that is known, or too few, or are not held out.
    """
    if not level.annotated():
        raise RefusedError("no tile is annotated")
    drawn = [tile for tile, _ in level.annotated() if tile.purpose != TRAIN]
    is_given = any(tile.pi for tile in drawn)
    if is_given:
        drawn = [tile for tile in drawn if tile.pi]
    elif sampling != "random":
        raise RefusedError(
            "how the annotated tiles were drawn is unknown: if it was at random, write "
            "`sampling: random` under `quantities` in the configuration, or give the chance with "
            "which each tile was drawn in the column `pi` of the sheet or the table of windows"
        )
    of_sample: dict[str, list[Tile]] = {}
    for tile in drawn:
        of_sample.setdefault(tile.place.sample, []).append(tile)
    share_of_samples = 1.0 if is_given else len(of_sample) / len(level.samples)
    units: dict[tuple[Any, ...], list[list[float]]] = {}
    kinds = set()
    for sample, pixel in zip(level.samples, level.pixels, strict=True):
        own = of_sample.get(sample.name, [])
        if own and not is_given:
            _check_order(sample, own)
        kind = "sample" if share_of_samples < 1 else _kind(sample, own, is_given)
        kinds |= {kind} if own else set()
        for tile in own:
            pi = tile.pi or share_of_samples * len(own) / sample.tiles
            place = tile.place
            key = {"sample": (), "plane": (place.z,), "tile": (place.z, place.y, place.x)}[kind]
            weighted = [pixel * area / pi for area in (tile.area, tile.truth, tile.mask)]
            units.setdefault((sample.name, *key), []).append([*weighted, pi])
    kind = kinds.pop() if len(kinds) == 1 else "tile or plane"
    if len(units) < min_units:
        verb = "unit is" if len(units) == 1 else "units are"
        raise RefusedError(f"{len(units)} {verb} annotated ({kind}), {min_units} are needed")
    if not all(tile.is_held_out for tile in drawn):
        raise RefusedError(
            "parameters were chosen on the annotated tiles, and no mask of them is held out: "
            "annotate more units"
        )
    areas, truths, masks = np.array([np.sum(own, axis=0)[:3] for own in units.values()]).T
    chances = np.array([np.mean(own, axis=0)[3] for own in units.values()])
    return Draw(Drawn(areas, truths, masks, chances), kind, len(drawn) / level.tiles)


def _kind(sample: Sample, tiles: Sequence[Tile], is_given: bool) -> str:
    """Whether tiles were drawn plane by plane.

    They were if whole planes are drawn; or, where no chance of being drawn is given, less than half
    as many planes as if each tile had been drawn by itself.
    """
    own = Counter(tile.place.z for tile in tiles)
    planes = sample.tiles_of_planes
    if len(planes) < 2 or all(number == 1 for number in planes.values()):
        return "tile"
    if all(number == planes[z] for z, number in own.items()):
        return "plane"
    left = 1 - len(tiles) / sample.tiles
    expected = sum(1 - left**number for number in planes.values())
    return "plane" if not is_given and 2 * len(own) < expected else "tile"


def _check_order(sample: Sample, tiles: Sequence[Tile]) -> None:
    """Refuse planes that follow each other where so would less than 1 % of random draws."""
    every = sorted(sample.tiles_of_planes)
    drawn = sorted({every.index(tile.place.z) for tile in tiles})
    first, last = drawn[0], drawn[-1]
    runs = len(every) - len(drawn) + 1
    if last - first + 1 == len(drawn) and runs / math.comb(len(every), len(drawn)) < RARE:
        raise RefusedError(
            f"annotated planes of {sample.name} follow each other (z {every[first]} to "
            f"{every[last]}), so that they were not drawn at random: annotate others"
        )
