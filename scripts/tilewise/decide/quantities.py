"""The fraction of foreground of samples and groups over all tiles, corrected by annotated ones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from tilewise.decide.difference_estimator import Estimate, Fitted, interval, p_value
from tilewise.decide.drawn_tiles import Draw, Level, RefusedError, Sample, TextRow, draw
from tilewise.decide.resampling import LEAST_ERROR
from tilewise.decide.significance import holm
from tilewise.doubts import Doubt

Row = dict[str, Any]

COLUMNS = (
    *("level", "name", "method", "uncorrected", "corrected", "low", "high", "confidence", "lambda"),
    *("tiles", "annotated", "units", "unit", "truth_annotated", "mask_annotated"),
    *("region_um2", "corrected_um2", "low_um2", "high_um2", "assumption", "note"),
)
"""Of the table of fractions, 0 to 1, of the area within the region of interest."""
GROUP_COLUMNS = (
    *("group", "other", "difference", "low", "high", "confidence", "p", "p_adjusted", "pairs"),
    "note",
)
"""Of the table of differences of groups: the corrected fraction less the other's."""
GREAT_BIAS = 0.1
"""Relative difference of mask and truth on annotated tiles that a warning is given for."""
EVERY_TILE = (
    "no interval, since nothing is estimated: every tile is annotated, and this is the fraction of "
    "the truth itself"
)
IN_PARTS = "every tile is annotated, some in part: no interval"
ALL_SAMPLES = "all samples"
"""The group of samples where none has a group."""
ASSUMED = "masks err here as on the annotated tiles of the group"
NO_WIDTH = "all annotated units agree: the interval has no width, and may be too narrow"


@dataclass(frozen=True)
class Settings:
    """How fractions are estimated.

    `sampling` says what is known of tiles without a chance of being drawn: `random` or `unknown`.
    Estimates need `min_units`. `resamples` and `seed` are of the bootstrap.
    """

    sampling: str
    confidence: float
    min_units: int
    resamples: int
    seed: int


@dataclass(frozen=True)
class _Source:
    """Samples whose annotated tiles say what masks err by."""

    level: Level
    settings: Settings
    seed: int

    @cached_property
    def drawn(self) -> Draw:
        return draw(self.level, self.settings.sampling, self.settings.min_units)

    @cached_property
    def refusal(self) -> str:
        """Why they correct nothing; empty where they do."""
        try:
            _ = self.drawn
        except RefusedError as reason:
            return str(reason)
        return ""

    @cached_property
    def fitted(self) -> Fitted:
        units, share = self.drawn.units, self.drawn.share
        return Fitted(units, share, self.settings.resamples, self.seed)

    def estimate(self, level: Level) -> Estimate:
        """The fraction of a level, of these samples or of one of them."""
        area, mask = level.sums()
        return self.fitted.estimate(mask / area, is_finite=level is self.level)


def quantities(
    samples: Sequence[Sample], method: str, settings: Settings
) -> tuple[list[Row], list[Row]]:
    """Rows of `COLUMNS` and of `GROUP_COLUMNS`: samples and groups, and differences of groups.

    A sample without enough units of its own takes the error of masks, and lambda, from its group.
    Samples form one group where none has any.
    """
    groups: dict[str, list[Sample]] = {}
    has_groups = any(sample.group for sample in samples)
    for sample in samples:
        if sample.group or not has_groups:
            groups.setdefault(sample.group or ALL_SAMPLES, []).append(sample)
    # each has its own resamples
    sources = {
        name: _Source(Level(own), settings, settings.seed + number)
        for number, (name, own) in enumerate(groups.items())
        if has_groups or len(own) > 1
    }
    rows = []
    for number, sample in enumerate(samples, len(sources)):
        own = _Source(Level([sample]), settings, settings.seed + number)
        row, _ = _row(own, sources.get(sample.group or ALL_SAMPLES))
        rows.append({"level": "sample", "name": sample.name, "method": method, **row})
    known: dict[str, Estimate | None] = {}
    for name, source in sources.items():
        row, known[name] = _row(source)
        rows.append({"level": "group", "name": name, "method": method, **row})
    return rows, compare(known, settings.confidence)


def _row(own: _Source, group: _Source | None = None) -> tuple[Row, Estimate | None]:
    """Fields of samples, and the estimate of their fraction, if there is one with an interval."""
    level = own.level
    area, mask = level.sums()
    truth_annotated, mask_annotated = level.fractions()
    annotated = [tile for tile, _ in level.annotated()]
    row: Row = {
        "uncorrected": mask / area,
        **{"tiles": level.tiles, "annotated": len(annotated)},
        **{"truth_annotated": truth_annotated, "mask_annotated": mask_annotated},
        "region_um2": area if all(sample.pixel for sample in level.samples) else None,
    }
    region = row["region_um2"]
    if truth_annotated is not None and all(sample.has_every_tile for sample in level.samples):
        if not all(tile.is_whole for tile in annotated):
            return row | _fraction(truth_annotated, None, None, region) | {"note": IN_PARTS}, None
        known = _fraction(truth_annotated, None, None, region)
        return row | known | {"note": EVERY_TILE}, Estimate(truth_annotated, 0.0)
    source = next((one for one in (own, group) if one and not one.refusal), None)
    if source is None:
        reason = own.refusal
        if group and group.refusal != reason:
            reason += f"; of its group: {group.refusal}"
        return row | {"note": f"not corrected, may be biased: {reason}"}, None
    found = source.estimate(level)
    row |= {"lambda": found.scale, "units": found.units, "unit": source.drawn.kind}
    row["assumption"] = ASSUMED if source is group else ""
    row["note"] = "" if found.error > LEAST_ERROR else NO_WIDTH
    row["confidence"] = own.settings.confidence
    bounds = interval(found, confidence=own.settings.confidence)
    return row | _fraction(found.value, *bounds, region), found


def _fraction(value: float, low: float | None, high: float | None, region: float | None) -> Row:
    """A fraction with its interval, which end at 0 and 1, and the areas that they are."""
    values = {"corrected": value, "low": low, "high": high}
    kept = {name: None if one is None else min(max(one, 0.0), 1.0) for name, one in values.items()}
    areas = {
        f"{name}_um2": None if one is None or region is None else one * region
        for name, one in kept.items()
    }
    return kept | areas


def compare(groups: Mapping[str, Estimate | None], confidence: float) -> list[Row]:
    """Differences of all pairs of groups: the fraction of the first less that of the second.

    None stands for a group whose fraction cannot be corrected. Intervals hold together
    (Bonferroni), and p values are adjusted for their number (Holm).
    """
    rows, tested = [], []
    for (name, first), (other, second) in combinations(groups.items(), 2):
        row: Row = {"group": name, "other": other}
        rows.append(row)
        if first is None or second is None:
            refused = [one for one in (name, other) if groups[one] is None]
            row["note"] = f"no interval: {', '.join(refused)}"
            continue
        row["difference"] = first.value - second.value
        row["p"] = p_value(first, second)
        if row["p"] is not None:
            tested.append((row, first, second))
        else:
            row["note"] = NO_WIDTH if first.units or second.units else EVERY_TILE
    adjusted = holm([row["p"] for row, *_ in tested])
    for (row, first, second), p in zip(tested, adjusted.tolist(), strict=True):
        low, high = interval(first, second, 1 - (1 - confidence) / len(tested))
        row |= {"low": low, "high": high, "confidence": confidence}
        row |= {"p_adjusted": p, "pairs": len(tested)}
    return rows


def doubts_of(rows: Iterable[TextRow]) -> list[Doubt]:
    """Fractions that are not corrected, where masks are biased on annotated tiles."""
    doubts = []
    for row in rows:
        truth, mask = (float(row[name] or 0) for name in ("truth_annotated", "mask_annotated"))
        if row["corrected"] or row["level"] != "sample" or not truth:
            continue
        bias = mask / truth - 1
        if abs(bias) > GREAT_BIAS:
            doubts.append(
                Doubt(
                    "biased_fraction",
                    f"the mask of {row['name']} has {abs(bias):.0%} {_word(bias)} foreground than "
                    "the truth of its annotated tiles, and its fraction in quantities.tsv is not "
                    "corrected",
                    "the column `note` there says why, and what to do",
                    row["name"],
                    row["method"],
                )
            )
    return doubts


def _word(bias: float) -> str:
    return "more" if bias > 0 else "less"
