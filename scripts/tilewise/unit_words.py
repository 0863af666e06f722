"""What the units of a decision are, in words."""

from collections.abc import Mapping
from typing import Any

DEPENDENT = {
    "spatial blocks of one tile": ("block", "{number} of the only annotated tile"),
    "parts of one unit": ("part", "{number} of a single unit"),
    "near tiles of one plane": ("tile", "{number} that lie near each other"),
}
"""Kinds that are not independent, as tables describe them: one of them, and several."""
NOUNS = {"cell": "cell of tiles"}
"""Kinds that have another name than one of them."""


def counted(number: int, noun: str, before: str = "") -> str:
    """`1 tile`, `2 tiles`, `3 independent cells of tiles`; `before` stands between."""
    first, *further = noun.split(" ", 1)
    words = [str(number), before, first if number == 1 else f"{first}s", *further]
    return " ".join(filter(None, words))


def is_dependent(units: Mapping[str, Any]) -> bool:
    """Whether units are parts of what counts as one."""
    return units["unit"] in DEPENDENT


def described(units: Mapping[str, Any]) -> str:
    """`8 independent samples`, or `9 blocks of the only annotated tile, which are not independent`.

    `units` has the kind of `unit` as tables describe it, their `number` and how many are
    `independent`, as in `decision.json`.
    """
    if is_dependent(units):
        noun, words = DEPENDENT[units["unit"]]
        several = words.format(number=counted(units["number"], noun))
        return f"{several}, which are not independent"
    noun = NOUNS.get(units["unit"], units["unit"])
    return counted(units["independent"], noun, "independent")
