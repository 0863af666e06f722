"""What annotated units say about each method, and the rules by which methods are compared."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tilewise.decide import units
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.folds import Folds
from tilewise.decide.places import Place, place_of
from tilewise.decide.resampling import Floats


@dataclass(frozen=True)
class Evidence:
    """What is known of a method.

    Parameters
    ----------
    estimate : {"fixed", "held out", "resubstitution"}
        Whether no parameter was chosen on annotated tiles; whether they were chosen on others than
        those that are scored; or on the same.
    counts : (units, columns) ndarray
    variant : str
        The parameters that all units choose; empty where there are none to choose.
    training : dict of int to (units, columns) ndarray
        Counts of the units outside of a fold and its margin, by what those units choose; empty
        where nothing is chosen and nothing is in a margin.
    resubstitution : (units, columns) ndarray or None
        Counts by the variant, where it was chosen.
    """

    estimate: str
    counts: Floats
    variant: str = ""
    training: dict[int, Floats] = field(default_factory=dict)
    resubstitution: Floats | None = None


def fixed(rows: Iterable[Mapping[str, str]], folds: Folds, columns: CountColumns) -> Evidence:
    """Evidence of a method whose parameters nothing has chosen, from its rows of metrics."""
    located = [("", place_of(row), columns.of(row)) for row in rows]

    def pooled(used: Collection[Place]) -> Floats:
        own = (row for row in located if row[1] in used)
        known, names = units.pool(own, folds.unit_of, len(columns.names))
        return known.get("", np.zeros((len(names), len(columns.names))))

    # without a margin, units outside of a fold train by all their counts
    training = folds.training() if folds.margin_of else {}
    return Evidence(
        "fixed",
        pooled(folds.unit_of),
        training={int(fold): pooled(set(places)) for fold, places in training.items()},
    )


def selected(rows: Iterable[Mapping[str, str]], columns: CountColumns) -> Evidence:
    """Evidence of a method whose parameters annotated units have chosen.

    The rows are those of the table that `selection.Selection.unit_rows` has filled, as text.
    """
    tables: dict[tuple[str, str], list[list[float]]] = {}
    variants = {}
    for row in rows:
        key = row["estimate"], row["fold"]
        variants[key] = row["variant"]
        tables.setdefault(key, []).append([float(row[name]) for name in columns.names])
    counts = {key: np.array(table) for key, table in tables.items()}
    chosen = counts["resubstitution", ""]
    held_out = counts.get(("held out", ""))
    return Evidence(
        estimate="resubstitution" if held_out is None else "held out",
        counts=chosen if held_out is None else held_out,
        variant=variants["resubstitution", ""],
        training={int(fold): table for (kind, fold), table in counts.items() if kind == "training"},
        resubstitution=chosen,
    )


@dataclass(frozen=True)
class Rules:
    """How methods are compared: the configuration's `decision`, and what the units are.

    Tests call methods different at 1 - `confidence`. With fewer than `min_units` independent units
    there are no intervals, and no method is called different. `resamples` and `seed` are of the
    bootstrap and of random swaps. `unit` says what the units are, `units` how many are independent.
    """

    metric: str
    average: str
    confidence: float
    min_units: int
    resamples: int
    seed: int
    test: str
    folds: int
    unit: str
    units: int

    @classmethod
    def of(cls, settings: Mapping[str, Any], kind: str, number: int) -> "Rules":
        """Rules for some settings and a number of units of a kind, of `units.KINDS`."""
        names = ("metric", "average", "confidence", "min_units", "resamples", "seed", "test")
        return cls(
            **{name: settings[name] for name in (*names, "folds")},
            unit=units.DESCRIBED.get(kind, kind),
            units=units.independent(kind, number),
        )

    @property
    def has_intervals(self) -> bool:
        """Whether there are enough independent units."""
        return self.units >= self.min_units

    @property
    def described_units(self) -> str:
        """How many independent units there are, and what they are."""
        return f"{self.units} independent unit{'s' if self.units != 1 else ''} ({self.unit})"

    @property
    def note(self) -> str:
        """Why there is no interval; empty if there is one."""
        if self.has_intervals:
            return ""
        return f"no interval: {self.described_units}, {self.min_units} are needed"
