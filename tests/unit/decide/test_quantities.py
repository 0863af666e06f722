"""What is drawn, what is refused, and the tables of fractions, by hand."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tilewise.decide.difference_estimator import Estimate
from tilewise.decide.drawn_tiles import (
    Level,
    RefusedError,
    Sample,
    Tile,
    draw,
    held_out,
    read_samples,
)
from tilewise.decide.places import Place
from tilewise.decide.quantities import (
    ALL_SAMPLES,
    ASSUMED,
    EVERY_TILE,
    IN_PARTS,
    Settings,
    compare,
    doubts_of,
    quantities,
)

RANDOM = Settings("random", confidence=0.95, min_units=5, resamples=200, seed=0)
UNKNOWN = replace(RANDOM, sampling="unknown")


def tile(sample, z, x, truth=20.0, mask=25.0, **fields):
    """A tile of 100 pixels, all of it annotated."""
    known = {"is_whole": True, "is_held_out": True} | fields
    return Tile(Place(sample, z, 0, x), 100.0, truth, mask, **known)


def sample(name="a", planes=1, tiles=20, annotated=(), **fields):
    """Planes of so many tiles of 100 pixels, of which masks have 30."""
    number = planes * tiles
    counts = Counter(dict.fromkeys(range(planes), tiles))
    known = {"area": 100 * number, "mask": 30 * number, "tiles_of_planes": counts}
    return Sample(name, annotated=tuple(annotated), **known | fields)


def some(name="a", number=6, **fields):
    """Annotated tiles of a plane, each with another truth, of which its mask has a bit more."""
    return [tile(name, 0, i, 10.0 + 3 * i, 14.0 + 3 * i + i % 2, **fields) for i in range(number)]


def test_chances_and_units_of_tiles():
    found = draw(Level([sample(annotated=some())]), "random", 5)
    assert found.kind == "tile"
    assert found.share == 6 / 20
    np.testing.assert_allclose(found.units.chances, 0.3)
    np.testing.assert_allclose(found.units.areas, 100 / 0.3)
    np.testing.assert_allclose(found.units.truths, (10 + 3 * np.arange(6)) / 0.3)


def test_a_given_chance_counts_and_tiles_without_are_left_out():
    given = [tile("a", 0, i, pi=0.1 * (i + 1)) for i in range(5)]
    trained = [tile("a", 0, 9, pi=0.5, purpose="train"), tile("a", 0, 8)]
    found = draw(Level([sample(annotated=[*given, *trained])]), "unknown", 5)
    np.testing.assert_allclose(found.units.areas, 100 / (0.1 * np.arange(1, 6)))
    np.testing.assert_allclose(found.units.chances, 0.1 * np.arange(1, 6))
    assert found.share == 5 / 20


def test_whole_planes_are_units():
    planes = (0, 3, 4, 7, 9)
    whole = [tile("a", z, x) for z in planes for x in range(4)]
    found = draw(Level([sample(planes=12, tiles=4, annotated=whole)]), "random", 5)
    assert found.kind == "plane"
    np.testing.assert_allclose(found.units.areas, 4 * 100 * 12 / 5)
    np.testing.assert_allclose(found.units.chances, 5 / 12)
    # three of the four tiles in each of few planes were not drawn one by one either
    most = [one for one in whole if one.place.x]
    large = sample(planes=60, tiles=4, annotated=most)
    assert draw(Level([large]), "random", 5).kind == "plane"
    # with chances of their own they were
    given = [replace(one, pi=0.1) for one in most]
    assert draw(Level([replace(large, annotated=tuple(given))]), "random", 5).kind == "tile"


def test_samples_are_units_where_some_have_no_annotated_tile():
    known = [sample(name, annotated=some(name, 2)) for name in "abcde"]
    found = draw(Level([*known, sample("f"), sample("g", tiles=40)]), "random", 5)
    assert found.kind == "sample"
    np.testing.assert_allclose(found.units.chances, 5 / 7 * 2 / 20)
    assert found.share == 10 / 160
    assert draw(Level(known), "random", 5).kind == "tile"


@pytest.mark.parametrize(
    ("annotated", "sampling", "reason"),
    [
        ([], "random", "no tile is annotated"),
        (some(), "unknown", "how the annotated tiles were drawn is unknown"),
        (some(number=4), "random", "4 units are annotated (tile), 5 are needed"),
        (some(is_held_out=False), "random", "no mask of them is held out"),
        (some(purpose="train"), "random", "0 units are annotated"),
    ],
)
def test_refused(annotated, sampling, reason):
    with pytest.raises(RefusedError) as error:
        draw(Level([sample(annotated=annotated)]), sampling, 5)
    assert reason in str(error.value)


def test_planes_that_follow_each_other_were_not_drawn_at_random():
    run = [tile("a", z, x) for z in range(10, 16) for x in range(4)]
    with pytest.raises(RefusedError, match=r"follow each other \(z 10 to 15\)"):
        draw(Level([sample(planes=40, tiles=4, annotated=run)]), "random", 5)
    # six of seven mostly do
    few = [replace(one, place=one.place._replace(z=one.place.z - 9)) for one in run]
    assert draw(Level([sample(planes=7, tiles=4, annotated=few)]), "random", 5).kind == "plane"


def row(z, variant="", fold="", tp=0, **fields):
    known = {"sample": "a", "z": z, "y": 0, "x": 0, "patch": "", "variant": variant, "fold": fold}
    known |= {"annotated": 50, "tp": tp, "fp": 10, "fn": 5} | fields
    return {name: str(value) for name, value in known.items()}


def test_masks_of_annotated_tiles_are_held_out():
    rows = [row(z, "fixed", "", 1) for z in range(4)]
    rows += [row(z, "calibrated", fold, 2 + z) for z in range(4) for fold in ("0", "1", "all")]
    folds = [row(0, fold=0), row(1, fold=1), row(2, fold=2)]
    variants = {"0": "fixed", "1": "calibrated"}
    found = list(held_out(rows, folds, variants, "calibrated"))
    chosen = [(own["z"], own["variant"], own["fold"], is_out) for own, is_out in found]
    assert chosen == [
        ("0", "fixed", "", True),
        ("1", "calibrated", "1", True),
        # nothing was chosen without its fold
        ("2", "calibrated", "all", False),
        # it is excluded, and had no part in the choice
        ("3", "calibrated", "all", True),
    ]


def test_what_tables_say():
    segmented = [
        {"sample": name, "z": z, "y": "0", "x": "0", "inside": "100", "foreground": share}
        for name, z, share in (("a", "0", "0.25"), ("a", "3", "0.5"), ("b", "0", "0"))
    ]
    # half of the tile is annotated: 15 and 20 of 50 pixels stand for 30 and 40 of 100
    annotated = [(row(3, tp=10), True), (row(3, tp=1, patch=2), True)]
    folds = [row(3, purpose="estimate", pi=0.25)]
    known = [Sample("a", "g", 0.5), Sample("b"), Sample("not segmented")]
    a, b = read_samples(known, segmented, annotated, folds)
    assert (a.area, a.mask, a.tiles, a.group, a.pixel) == (200, 75, 2, "g", 0.5)
    assert (b.area, b.mask, b.tiles, b.annotated) == (100, 0, 1, ())
    place = Place("a", 3, 0, 0)
    assert a.annotated == (Tile(place, 100, 30, 40, False, True, "estimate", 0.25),)


def rows_of(samples, settings=RANDOM):
    rows, differences = quantities(samples, "m", settings)
    return {one["name"]: one for one in rows}, differences


def test_every_tile_annotated():
    whole = sample(tiles=3, annotated=[tile("a", 0, x, 10.0 * x) for x in range(3)], pixel=0.25)
    rows, _ = rows_of([whole], UNKNOWN)
    assert list(rows) == ["a"]
    assert rows["a"]["uncorrected"] == 0.3
    # nothing is estimated, and an interval of no width would look like certainty
    assert [rows["a"][name] for name in ("corrected", "low", "high")] == [0.1, None, None]
    assert rows["a"]["region_um2"] == 75
    assert rows["a"]["corrected_um2"] == pytest.approx(7.5)
    assert rows["a"]["note"] == EVERY_TILE
    parts = [replace(one, is_whole=False) for one in whole.annotated]
    rows, _ = rows_of([replace(whole, annotated=tuple(parts))], UNKNOWN)
    assert (rows["a"]["corrected"], rows["a"]["low"]) == (0.1, None)
    assert rows["a"]["note"] == IN_PARTS


def test_a_sample_of_few_units_takes_its_group():
    known = [sample("a", annotated=some("a")), sample("b", annotated=some("b", 2), mask=400)]
    rows, differences = rows_of(known)
    assert list(rows) == ["a", "b", ALL_SAMPLES]
    assert [rows[name]["units"] for name in rows] == [6, 8, 8]
    assert [rows[name].get("assumption", "") for name in rows] == ["", ASSUMED, ""]
    assert rows["b"]["uncorrected"] == 0.2
    # masks have 4.5 of 100 pixels too much; lambda is below 1 by the share of annotated tiles
    assert rows["a"]["low"] < rows["a"]["corrected"] < rows["a"]["high"] < 0.3
    assert rows["b"]["low"] < rows["b"]["corrected"] < rows["b"]["high"] < 0.2
    assert differences == []


def test_uncorrected_with_the_reason():
    rows, _ = rows_of([sample(annotated=some())], UNKNOWN)
    assert rows["a"].get("corrected") is None
    assert rows["a"]["note"].startswith("not corrected, may be biased: how the annotated tiles")
    rows, _ = rows_of([sample("a", annotated=some("a", 2)), sample("b")])
    reasons = "2 units are annotated (tile), 5 are needed; of its group: 1 unit is annotated"
    assert reasons in rows["a"]["note"]
    assert "no tile is annotated; of its group: 1 unit" in rows["b"]["note"]


def test_groups_are_compared_with_each_other():
    known = [sample(name, annotated=some(name), group=name.upper()) for name in "abc"]
    known[1] = replace(known[1], mask=1800)
    known.append(sample("d", group="D"))
    rows, differences = rows_of(known)
    assert [name for name in rows if rows[name]["level"] == "group"] == list("ABCD")
    pairs = {one["group"] + one["other"]: one for one in differences}
    assert list(pairs) == ["AB", "AC", "AD", "BC", "BD", "CD"]
    assert pairs["AB"]["difference"] == rows["A"]["corrected"] - rows["B"]["corrected"]
    assert pairs["AB"]["high"] < 0 < pairs["BC"]["low"]
    assert pairs["AC"]["low"] < 0 < pairs["AC"]["high"]
    # Holm: the smallest of three times three, the greatest as it is
    tested = sorted((pairs[name] for name in ("AB", "AC", "BC")), key=lambda one: one["p"])
    assert tested[0]["p_adjusted"] == pytest.approx(min(3 * tested[0]["p"], 1))
    assert tested[2]["p_adjusted"] == pytest.approx(tested[2]["p"])
    assert {one["pairs"] for one in tested} == {3}
    assert pairs["AD"]["note"] == "no interval: D"
    assert "p" not in pairs["AD"]


def test_sizes_of_pixels_weigh_samples():
    whole = [tile("a", 0, x, 10.0) for x in range(2)], [tile("b", 0, x, 40.0) for x in range(2)]
    known = [
        sample(name, tiles=2, annotated=own, pixel=pixel, group="g")
        for name, own, pixel in zip("ab", whole, (2.0, 1.0), strict=True)
    ]
    rows, _ = rows_of(known)
    assert rows["g"]["corrected"] == pytest.approx((2 * 20 + 80) / (2 * 200 + 200))
    assert rows["g"]["region_um2"] == 600
    # where one is unknown, pixels count alike
    rows, _ = rows_of([known[0], replace(known[1], pixel=None)])
    assert rows["g"]["corrected"] == 0.25
    assert rows["g"]["region_um2"] is None


def test_a_biased_fraction_is_a_warning():
    known = {"level": "sample", "name": "a", "method": "m", "corrected": ""}
    known |= {"truth_annotated": "0.1", "mask_annotated": "0.125"}
    (doubt,) = doubts_of([known])
    assert doubt.code == "biased_fraction"
    assert "the mask of a has 25% more foreground than the truth" in doubt.message
    (doubt,) = doubts_of([known | {"mask_annotated": "0.05"}])
    assert "50% less" in doubt.message
    for changed in (
        {"corrected": "0.1"},
        {"level": "group"},
        {"mask_annotated": "0.105"},
        {"truth_annotated": "", "mask_annotated": ""},
    ):
        assert doubts_of([known | changed]) == []


def test_intervals_of_all_pairs_hold_together():
    fractions = {
        name: Estimate(value, 0.1, 10) for name, value in zip("abc", (0.3, 0.2, 0.1), strict=True)
    }
    rows = compare(fractions, 0.95)
    # Bonferroni: three tests, each at 5 % / 3; Welch's test has 18 degrees of freedom
    half = stats.t(18).ppf(1 - 0.05 / 3 / 2) * np.sqrt(0.02)
    for row, difference in zip(rows, (0.1, 0.2, 0.1), strict=True):
        assert (row["low"], row["high"]) == pytest.approx((difference - half, difference + half))
