"""docs/methods.md has a row for everything that a method is made of, and its cost."""

import re
from pathlib import Path

import methods
import numpy as np
import pytest

from tilewise.segment import learned
from tilewise.segment.cleanup import STEPS
from tilewise.segment.filters import FILTERS
from tilewise.segment.global_thresholds import GLOBAL
from tilewise.segment.local_thresholds import LOCAL
from tilewise.segment.projections import PROJECTIONS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "methods.md").read_text(encoding="utf-8")
KNOWN = [*FILTERS, *PROJECTIONS, *GLOBAL, "hysteresis", *LOCAL, *STEPS, learned.NAME]


def test_every_name_has_one_row_with_its_cost():
    parts, _, _ = PAGE.partition("## Kinds of methods")
    rows = [line for line in parts.splitlines() if line.startswith("| [") and ".md#" in line]
    named = [re.findall(r"\[(\w+)\]", row.split(" | ")[0]) for row in rows]
    assert sorted(name for names in named for name in names) == sorted(KNOWN)
    for names, row in zip(named, rows, strict=True):
        assert float(row.split("|")[-2]) > 0, (names, row)


def test_every_cost_is_measured():
    random = np.random.default_rng(1)
    plane = random.integers(0, 255, (32, 40)).astype(np.uint8)
    work = methods.works(plane, (plane > 200).astype(np.uint8), np.stack([plane, plane, plane]))
    assert sorted(work) == sorted(KNOWN)
    # each can be called
    for one in work.values():
        one()


def test_costs_are_the_last_cells_of_rows():
    page = """
| [otsu](configuration.md#otsu) | a \\| b | 3 |
| [red](configuration.md#red), [blue](configuration.md#blue) | [otsu](configuration.md#otsu) | |
| [other](configuration.md#other) | c | d |
| otsu | c | d |
"""
    expected = """
| [otsu](configuration.md#otsu) | a \\| b | 0.25 |
| [red](configuration.md#red), [blue](configuration.md#blue) | [otsu](configuration.md#otsu) | 2 |
| [other](configuration.md#other) | c | d |
| otsu | c | d |
"""
    assert methods.with_costs(page, {"otsu": 0.25, "red": 1.0, "blue": 2.0}) == expected


@pytest.mark.parametrize("path", sorted(DOCS.glob("methods-*.png")), ids=lambda path: path.name)
def test_pictures_are_small_and_shown(path):
    assert path.stat().st_size < 20_000
    assert f"]({path.name})" in PAGE
