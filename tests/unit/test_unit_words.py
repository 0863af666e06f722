"""What units are, in words."""

import pytest

from tilewise.decide.units import DESCRIBED
from tilewise.unit_words import DEPENDENT, counted, described, is_dependent


@pytest.mark.parametrize(
    ("unit", "number", "independent", "said"),
    [
        ("sample", 8, 8, "8 independent samples"),
        ("sample", 1, 1, "1 independent sample"),
        ("cell", 4, 4, "4 independent cells of tiles"),
        (
            "spatial blocks of one tile",
            *(9, 1),
            "9 blocks of the only annotated tile, which are not independent",
        ),
        ("parts of one unit", 3, 1, "3 parts of a single unit, which are not independent"),
    ],
)
def test_units_in_words(unit, number, independent, said):
    assert described({"unit": unit, "number": number, "independent": independent}) == said


def test_all_kinds_that_are_not_independent_are_known():
    assert set(DEPENDENT) == set(DESCRIBED.values())
    assert all(is_dependent({"unit": unit}) for unit in DEPENDENT)
    assert not is_dependent({"unit": "sample"})


def test_numbers_of_things():
    assert (counted(1, "tile"), counted(2, "cell of tiles")) == ("1 tile", "2 cells of tiles")
