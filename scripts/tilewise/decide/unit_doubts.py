"""Doubts about units: why there are so few, and whether they are too near each other."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tilewise.decide import units
from tilewise.decide.folds import Folds
from tilewise.decide.places import Place
from tilewise.decide.space import MOST_ERROR, SHARE_OF_UNITS, Nearness
from tilewise.doubts import Doubt

MANY_UNITS = 30
"""From which an estimate of the correlation of neighbours is more than noise."""
SETTING = "write `unit: {}` under `decision` in the configuration"
ALONE = "alone, and say nothing of others"
SURE = 1.645
"""Standard errors by which a correlation has to be above 0: one-sided, 5 %."""


def doubts_of(
    folds: Folds, settings: Mapping[str, Any], nearness: Nearness | None = None
) -> list[Doubt]:
    """What the units of a decision leave in doubt.

    `settings` are the configuration's `decision`, and `nearness` is that of what tests compare, if
    units are tiles of a plane.
    """
    scoring = folds.scoring
    return [
        *_few_units(scoring, settings),
        *_near_units(scoring, settings, nearness),
        *_no_margin(folds),
        *_not_scored(folds),
    ]


def _few_units(folds: Folds, settings: Mapping[str, Any]) -> list[Doubt]:
    """Fewer independent units than intervals need, although more tiles are annotated."""
    number = units.independent(folds.kind, len(folds.fold_of))
    # spatial blocks are of a single tile
    tiles = [place for place in folds.unit_of if not place.patch]
    if number >= settings["min_units"]:
        return []
    if len(tiles) <= 1:
        return [_single_tile(folds, settings)]
    causes: list[tuple[str, str]] = []
    if folds.kind == "sample":
        causes += _of_samples(tiles, number)
    elif folds.kind == "part" and settings["unit"] != "auto":
        text = f"all are one {settings['unit']}, and `unit: {settings['unit']}` is asked for"
        causes.append((text, f"{SETTING.format('auto')}: intervals then hold for it {ALONE}"))
    else:
        causes += _of_planes(tiles, settings["plane_gap"])
        causes += _of_whole_planes(tiles) if folds.kind == "plane" else _of_tiles(folds, settings)
    described = units.DESCRIBED.get(folds.kind, folds.kind)
    reasons = "; ".join(reason for reason, _ in causes)
    remedies = "; ".join(["annotate further samples", *(f"or {remedy}" for _, remedy in causes)])
    return [
        Doubt(
            "few_units",
            f"{len(tiles)} annotated tiles are {_count(number, 'independent unit')} ({described}), "
            f"{settings['min_units']} are needed for intervals and tests"
            + (f": {reasons}" if reasons else ""),
            remedies,
        )
    ]


def _single_tile(folds: Folds, settings: Mapping[str, Any]) -> Doubt:
    """All that is known is of one image."""
    cut = (
        f", and its {len(folds.fold_of)} blocks are not independent"
        if folds.kind == "block"
        else ""
    )
    return Doubt(
        "few_units",
        f"a single tile is annotated{cut}: how well any method does on another image is unknown, "
        "and which one does best there",
        f"annotate tiles of at least {settings['min_units']} samples, or of planes or places far "
        "apart",
    )


def _of_samples(tiles: Sequence[Place], number: int) -> Iterator[tuple[str, str]]:
    """Why samples are so many groups, and what to do about it."""
    samples = {place.sample for place in tiles}
    if number < len(samples):
        yield (
            f"{len(samples)} samples are {_count(number, 'group')}",
            "leave the column `group` of the sheet empty for samples that are independent",
        )
    if len(tiles) > len(samples):
        yield (
            "all tiles of a sample are one unit",
            f"{SETTING.format('plane` or `unit: tile')}, which counts planes or tiles as units: "
            f"intervals then hold for these samples {ALONE}",
        )


def _of_planes(tiles: Sequence[Place], gap: int) -> Iterator[tuple[str, str]]:
    runs = units.plane_runs(tiles, gap)
    number = len({(sample, first) for (sample, _), first in runs.items()})
    if number < len(runs):
        yield (
            f"{len(runs)} planes are {_count(number, 'unit')}, since planes fewer than {gap} apart "
            "are one",
            f"annotate planes {gap} apart, or lower `plane_gap` if nearer ones show other objects",
        )


def _of_whole_planes(tiles: Sequence[Place]) -> Iterator[tuple[str, str]]:
    if len(tiles) > len({(place.sample, place.z) for place in tiles}):
        yield (
            "all tiles of a plane are one unit",
            f"{SETTING.format('tile')}, which counts tiles as units: intervals then hold for these "
            f"planes {ALONE}",
        )


def _of_tiles(folds: Folds, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    side, gap = settings["cell"], settings["tile_gap"]
    is_near, further = "touch", "annotate tiles that do not touch"
    if gap != 1:
        is_near = f"are less than {gap:g} tile widths apart"
        further = f"annotate tiles {gap:g} tile widths apart"
    if folds.kind == "cell":
        yield (
            f"tiles that {is_near} are brought together in cells of {side} x {side} tiles",
            f"{further}; smaller cells (`cell`) are more, and less independent",
        )
    elif folds.kind == "near" or len(set(folds.spot_of.values())) > len(folds.fold_of):
        yield f"tiles that {is_near} are one unit", f"{further} (`tile_gap`)"


def _near_units(
    folds: Folds, settings: Mapping[str, Any], nearness: Nearness | None
) -> list[Doubt]:
    """Units of one plane by which tests err more often than `MOST_ERROR`."""
    number = len(folds.fold_of)
    if not folds.spot_of or units.independent(folds.kind, number) < settings["min_units"]:
        return []
    error = folds.layout().expected_error()
    said = []
    if error > MOST_ERROR:
        said.append(
            "if errors are alike over one tile width, tests tell equal methods apart in "
            f"{100 * error:.0f} % of studies, not in 5 %, and intervals are too narrow"
        )
    if nearness and _is_correlated(nearness, number):
        said.append(
            f"neighbours have a correlation of {nearness.correlation:.2f}, as if there were "
            f"{nearness.effective:.0f} units"
            + ("" if number >= MANY_UNITS else f" (a rough guess: fewer than {MANY_UNITS} units)")
        )
    if not said:
        return []
    side = settings["cell"]
    kind, more = "tiles", "tiles further apart (`tile_gap`) are more independent"
    if folds.kind == "cell":
        kind = f"cells of {side} x {side} tiles"
        more = "larger cells (`cell`) are fewer, and more independent"
    return [
        Doubt(
            "near_units",
            f"the {number} units are {kind} near each other: {'; '.join(said)}",
            f"annotate further samples or planes; {more}",
        )
    ]


def _is_correlated(nearness: Nearness, number: int) -> bool:
    is_sure = nearness.correlation > SURE / math.sqrt(nearness.pairs)
    return is_sure and nearness.effective < SHARE_OF_UNITS * number


def _no_margin(folds: Folds) -> list[Doubt]:
    """Folds that leave only near tiles to train on."""
    near = folds.without_margin()
    if not near:
        return []
    return [
        Doubt(
            "no_margin",
            f"{len(near)} of {len(set(folds.fold_of.values()))} folds leave no tiles to train on "
            "but those next to the ones held out: held-out scores may be too high",
            "annotate further tiles, which are not next to these",
        )
    ]


def _not_scored(folds: Folds) -> list[Doubt]:
    """Tiles that are to estimate, but were not drawn with a known probability as others were."""
    tiles = list(folds.unit_of)
    without = folds.unscored - folds.sampling.training
    if not without:
        return []
    return [
        Doubt(
            "without_pi",
            f"{len(without)} of {_count(len(tiles), 'annotated tile')} have no `pi`, others do: "
            "parameters are chosen on them, but they score no method",
            "give their `pi` if they were drawn at random, else the purpose `train`",
        )
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
