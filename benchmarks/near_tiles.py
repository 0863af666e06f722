"""How often equal methods are told apart on tiles of one plane that are alike where they are near.

    PYTHONPATH=scripts python benchmarks/near_tiles.py

What is drawn here, by nothing of the pipeline: how much of each tile a method misses and adds, on a
scale of logits. Each is a Gaussian random field over the plane, whose correlation falls as
exp(-d / length) with the distance d of tiles' middles. Two methods are equally good: the difference
of their pooled MCC is 0. Units are as the pipeline makes them; cells of 1 x 1 would be each tile.
"""

import numpy as np
from scipy.special import expit

from tilewise.decide.count_columns import CountColumns
from tilewise.decide.evidence import Evidence
from tilewise.decide.places import Place
from tilewise.decide.resampling import Resampled, bootstrap_weights
from tilewise.decide.significance import set_of_best
from tilewise.decide.space import Layout, Spot, contributions
from tilewise.decide.units import apart

RUNS = 300
RESAMPLES = 500
MCC = CountColumns(()).merit("mcc")
LENGTHS = (0, 0.5, 1, 2)
"""Of correlation, in tile widths."""
NEVER = 10**9
"""As the fewest units: tiles are cut into cells, however many linked ones there are."""
UNITS = {
    "each tile": {"gap": 0, "side": 1, "min_units": 5},
    "linked": {"gap": 1, "side": 1, "min_units": 5},
    **{f"cells of {k} x {k}": {"gap": 1, "side": k, "min_units": NEVER} for k in (2, 3, 4)},
}
FULL = ("each tile", *(title for title in UNITS if title.startswith("cells")))
PLANES = {
    "all of 4 x 4": (4, 16, ("each tile",)),
    "all of 6 x 6": (6, 36, FULL[:2]),
    "all of 12 x 12": (12, 144, FULL),
    "20 of 12 x 12": (12, 20, ("each tile", "linked")),
}
"""Tiles along a side, how many of them are annotated, and the units that are tried."""


class Plane:
    """Annotated tiles, and counts of two methods on them."""

    def __init__(self, side, annotated, length):
        self._random = np.random.default_rng([side, annotated, int(10 * length)])
        tiles = np.array([(row, column) for row in range(side) for column in range(side)])
        # the same for all lengths
        drawn = np.random.default_rng(annotated).choice(len(tiles), annotated, replace=False)
        self._chosen = np.sort(drawn)
        self.tiles = tiles[self._chosen].tolist()
        distances = np.hypot(*(tiles[:, None] - tiles[None]).transpose(2, 0, 1))
        alike = np.exp(-distances / length) if length else np.eye(len(tiles))
        self._root = np.linalg.cholesky(alike)

    def _field(self):
        """One with a standard deviation of 1, at the annotated tiles."""
        return (self._root @ self._random.normal(size=len(self._root)))[self._chosen]

    def draw(self):
        """Counts, (methods, tiles, 4): TP, FP, FN, TN."""
        share = expit(-2 + 0.5 * self._field())
        difficulty = 0.5 * self._field(), 0.5 * self._field()
        missed = 1.5 - difficulty[0] + 0.35 * np.stack([self._field(), self._field()])
        added = 4 - difficulty[1] + 0.35 * np.stack([self._field(), self._field()])
        tp, tn = share * expit(missed), (1 - share) * expit(added)
        counts = np.stack([tp, 1 - share - tn, share - tp, tn], axis=-1)
        return np.rint(10**5 * counts)


def units_of(tiles, settings):
    """The unit of each tile, by its number, and where the units lie."""
    spots = {Place("a", 0, row, column): Spot("a", 0, row, column) for row, column in tiles}
    _, unit_of = apart(spots, **settings)
    names = sorted(set(unit_of.values()))
    lie = [[spots[place] for place, unit in unit_of.items() if unit == name] for name in names]
    return np.array([names.index(unit) for unit in unit_of.values()]), Layout(lie)


def study(side, annotated, titles, length, runs=RUNS):
    """Of each kind of unit: their number, shares of intervals that cover and of tests that reject,
    the error that is expected, and quartiles of the estimated number of effective units.
    """
    plane = Plane(side, annotated, length)
    kinds = {title: units_of(plane.tiles, UNITS[title]) for title in titles}
    found = {title: [] for title in titles}
    for run in range(runs):
        counts = plane.draw()
        for title, (unit_of, layout) in kinds.items():
            pooled = np.stack(
                [counts[:, unit_of == i].sum(axis=1) for i in range(max(unit_of) + 1)]
            )
            pooled = pooled.transpose(1, 0, 2)
            weights = bootstrap_weights(len(layout.units), RESAMPLES, run)
            low, high = Resampled(pooled, MCC, "micro", weights).interval(0, 1)
            methods = [Evidence("fixed", counts_of_units) for counts_of_units in pooled]
            # of whether either is better than the other, each one-sided
            p = 2 * set_of_best(methods, MCC, "micro", run, most=1000).min()
            known = layout.nearness(np.subtract(*contributions(pooled, MCC, "micro")))
            found[title].append((low <= 0 <= high, p <= 0.05, known.effective if known else np.nan))
    rows = {}
    for title, values in found.items():
        covered, rejected, effective = np.transpose(values)
        layout = kinds[title][1]
        shares = covered.mean(), rejected.mean(), layout.expected_error(length)
        rows[title] = (len(layout.units), *shares, *np.nanquantile(effective, (0.25, 0.75)))
    return rows


def main():
    lengths = " | ".join(map(str, LENGTHS))
    print(f"| annotated tiles | units | number | tests reject: length {lengths} | ", end="")
    print("expected: 1 | intervals cover: 1 | effective units: 1 |")
    print("| --- | --- " + "| ---: " * (len(LENGTHS) + 4) + "|")
    for name, plane in PLANES.items():
        studies = {length: study(*plane, length) for length in LENGTHS}
        for title, (number, covered, _, expected, *quartiles) in studies[1].items():
            rejected = " | ".join(f"{100 * rows[title][2]:.0f} %" for rows in studies.values())
            effective = " to ".join(f"{value:.0f}" for value in quartiles)
            print(
                f"| {name} | {title} | {number} | {rejected} | {100 * expected:.0f} % "
                f"| {100 * covered:.0f} % | {effective} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
