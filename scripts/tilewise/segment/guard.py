"""The guard: what a tile gets whose pixels may be noise alone, instead of its own threshold.

A tile, or a plane, is *clear* if Otsu's split of its pixels reaches the limits of a method; else it
is *doubtful*, and its sample decides. A sample is *weak* if all of its pixels together are no
clearer: then a doubtful tile is compared with the clear ones, see `least_difference`.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Self

from tilewise.segment.histograms import Split
from tilewise.segment.thresholds import Threshold
from tilewise.tables import EMPTY, INFINITE, OWN, WEAK


@dataclass(frozen=True)
class Limits:
    """What Otsu's split of clear pixels reaches; limits of 0 accept everything."""

    contrast: float
    separability: float

    def shortfall(self, contrast: float | None, separability: float | None) -> str:
        """Which limit is not reached, in words; empty if both are, or where nothing is known."""
        for name, value, least in (
            ("separability", separability, self.separability),
            ("contrast", contrast, self.contrast),
        ):
            if value is not None and value < least:
                return f"{name} {value:.3g} is below {least:g}"
        return ""


@dataclass(frozen=True)
class Outcome:
    """What the doubtful tiles of a sample get."""

    instead: str
    """`OWN`, `EMPTY` or `SAMPLE`, of `tables`."""
    threshold: Threshold | None = None
    """Of the whole sample, or of annotated tiles; None where `instead` needs none."""
    is_weak: bool = False
    least_difference: float = 0.0
    """Of the class means of a tile that gets `OWN`, in grey levels; with less it is left empty."""

    def of(self, own: Threshold, limits: Limits) -> Threshold:
        """The threshold of a tile or plane: its own if it is clear; the note says why not."""
        reason, word = limits.shortfall(own.contrast, own.separability), self.instead
        if not reason:
            is_infinite = own.contrast == math.inf and limits.contrast > 0
            return replace(own, guard=INFINITE) if is_infinite else own
        if word == OWN and own.difference is not None and own.difference < self.least_difference:
            word = EMPTY
        kind = f"{WEAK}{word}" if self.is_weak else word
        reason += ", as in the whole sample" * self.is_weak
        if word == OWN:
            note = own.note or f"{reason}: its own threshold"
            return replace(own, note=note, guard=kind)
        if word == EMPTY:
            return replace(own, values=(), note=f"{reason}: empty", guard=kind)
        assert self.threshold is not None
        note = f"{reason}: threshold of the sample"
        return replace(own, values=self.threshold.values, note=note, guard=kind)

    def to_json(self) -> dict[str, Any]:
        """The outcome as plain values, for `params` and files."""
        row = None if self.threshold is None else self.threshold.to_row()
        if row is not None:
            row = {name: "" if value is None else str(value) for name, value in row.items()}
        return vars(self) | {"threshold": row}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """The outcome that `to_json` gave."""
        row = fields["threshold"]
        threshold = None if row is None else Threshold.from_row(row)
        return cls(**{**fields, "threshold": threshold})


FEWEST_CLEAR_TILES = 2
"""Of a sample that doubtful tiles are compared with; a single one may be dirt."""


def least_difference(splits: Iterable[Split | None], limits: Limits, foreground: str) -> float:
    """Half the difference of the class means of a weak sample's clear tiles, in grey levels.

    That is the median over them. Doubtful tiles whose classes lie nearer are noise beside objects;
    others have objects that are only weaker, or smaller. It is 0 where fewer than
    `FEWEST_CLEAR_TILES` say what objects are.

    Parameters
    ----------
    splits
        Otsu's of each tile of the sample; None of constant ones.
    """
    clear = [
        split.difference
        for split in splits
        if split is not None
        and split.contrast(foreground) < math.inf
        and not limits.shortfall(split.contrast(foreground), split.separability)
    ]
    return median(clear) / 2 if len(clear) >= FEWEST_CLEAR_TILES else 0.0
