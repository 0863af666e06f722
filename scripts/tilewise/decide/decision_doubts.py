"""What could mislead in a comparison of methods."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from tilewise.decide.evidence import Evidence
from tilewise.decide.ranking import LITTLE_WORSE, WORSE
from tilewise.doubts import Doubt

Row = Mapping[str, Any]


def tuned_doubts(known: Mapping[str, Evidence], decisive: Sequence[Row]) -> list[Doubt]:
    """Tests of methods that choose from unequally many sets of parameters."""
    tuned = [method for method, own in known.items() if own.is_held_out]
    unequal = any(not known[i].is_as_free_as(known[k]) for i, k in combinations(tuned, 2))
    if not unequal or not any(row["relation"] in (WORSE, LITTLE_WORSE) for row in decisive):
        return []
    return [
        Doubt(
            "tuned_methods",
            f"{', '.join(tuned)} choose from different numbers of sets of parameters on the units "
            "that they are compared on: where they are equal, they are told apart in up to 10 % of "
            "studies instead of 5 %",
            "take the order of these methods as a hint, or give their grids as many sets",
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
