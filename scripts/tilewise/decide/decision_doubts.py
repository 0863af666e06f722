"""What could mislead in a comparison of methods."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from tilewise.decide.evidence import Evidence, Rules
from tilewise.decide.resampling import Floats
from tilewise.doubts import Doubt
from tilewise.tables import LITTLE_WORSE, WORSE

Row = Mapping[str, Any]
LEAST_EVEN = 0.5
"""Share of units that as even ones would weigh as much, below which intervals of pooled differences
are too narrow (benchmarks/set_of_best.py, `--only sizes`)."""
ENOUGH_UNITS = 30
"""From which they are not."""


def tuned_doubts(known: Mapping[str, Evidence], decisive: Sequence[Row]) -> list[Doubt]:
    """Tests of methods that choose from unequally many sets of parameters, or are trained."""
    tuned = [method for method, own in known.items() if own.is_held_out]
    unequal = any(not known[i].is_as_free_as(known[k]) for i, k in combinations(tuned, 2))
    if not unequal or not any(row["relation"] in (WORSE, LITTLE_WORSE) for row in decisive):
        return []
    if any(known[method].is_trained for method in tuned):
        return [
            Doubt(
                "tuned_methods",
                f"{', '.join(tuned)} choose parameters or train models on the units that they are "
                "compared on: where they are equal, they may be told apart in more than 5 % of "
                "studies",
                "take the order of these methods as a hint where they are near each other",
            )
        ]
    return [
        Doubt(
            "tuned_methods",
            f"{', '.join(tuned)} choose from different numbers of sets of parameters on the units "
            "that they are compared on: where they are equal, they are told apart in up to 10 % of "
            "studies instead of 5 %",
            "take the order of these methods as a hint, or give their grids as many sets",
        )
    ]


def uneven_doubts(pixels: Floats, rules: Rules) -> list[Doubt]:
    """Where few large units decide on pooled scores.

    Parameters
    ----------
    pixels : (units,) ndarray
        Of each unit, that are scored.
    rules : Rules
        Of the decision.
    """
    units = len(pixels)
    if not rules.has_intervals or rules.average != "micro" or units >= ENOUGH_UNITS:
        return []
    # the design effect of unequal weights (Kish 1965)
    as_many = float(pixels.sum() ** 2 / (pixels**2).sum())
    if as_many >= LEAST_EVEN * units:
        return []
    return [
        Doubt(
            "uneven_units",
            f"the {units} units are of very different size: the largest has "
            f"{pixels.max() / pixels.sum():.0%} of the pixels that are scored, and together they "
            f"weigh like {as_many:.1f} even ones. Intervals of differences of pooled scores cover "
            "about 91 % in such studies, not 95 %",
            "annotate as much of each unit, or set `average` under `decision` to macro",
        )
    ]


def seed_doubts(applied: str, seeds: Mapping[str, int]) -> list[Doubt]:
    """Where another seed selects another method."""
    others = ", ".join(
        f"{method} in {count}" for method, count in seeds.items() if method != applied
    )
    if not others:
        return []
    return [
        Doubt(
            "unstable",
            f"which method is used depends on chance: of {sum(seeds.values())} seeds of folds and "
            f"flips, {applied} is selected in {seeds.get(applied, 0)}, {others}",
            "take them as equally good, or annotate more",
            method=applied,
        )
    ]
