"""Counts and metrics of masks, against scikit-learn's and by what must hold of any."""

import warnings

import numpy as np
import pytest
import sklearn.metrics
from drawn import SEEDS, cut, examples, grids
from hypothesis import given
from hypothesis import strategies as st

from tilewise import frames
from tilewise.decide.places import Place
from tilewise.decide.summary import ALL, summarize
from tilewise.decide.units import pool
from tilewise.score import confusion, formulas, score_table, scoring

SETTINGS = {"metrics": [], "spacing": (1, 1, 1), "tolerance": 1, "objects": {}, "margin": None}
INVERTED = {"tp": "tn", "fp": "fn", "fn": "fp", "tn": "tp"}


@st.composite
def pairs(draw, longest=40):
    """Truth and mask of any shape, of any share of foreground and of what is annotated."""
    shape = draw(st.tuples(*[st.integers(1, longest)] * 2))
    random = np.random.default_rng(draw(SEEDS))
    shares = st.sampled_from((0, 0.03, 0.5, 0.97, 1))
    truth = (random.random(shape) < draw(shares)).astype(np.uint8)
    is_wrong = random.random(shape) < draw(shares)
    mask = truth ^ is_wrong
    truth[random.random(shape) < draw(shares)] = 255
    return truth, mask


def metrics_of(counts):
    row = {name: counts[name] for name in formulas.COUNTS}
    formulas.set_metrics([row], formulas.PIXEL_METRICS)
    return {name: row[name] for name in formulas.PIXEL_METRICS}


def by_scikit_learn(truth, mask, weights=None):
    """Metrics of annotated pixels, and what docs/validation.md says where scikit-learn has none."""
    known = truth != 255
    truth, mask = truth[known], mask[known]
    own = {"sample_weight": None if weights is None else weights[known]}
    foreground, background = own | {"zero_division": np.nan}, own | {"pos_label": 0}
    kinds = {(int(a), int(b)) for a, b in zip(truth, mask, strict=True)}
    with warnings.catch_warnings():
        # of a single class
        warnings.simplefilter("ignore")
        found = {
            "accuracy": sklearn.metrics.accuracy_score(truth, mask, **own),
            "precision": sklearn.metrics.precision_score(truth, mask, **foreground),
            "recall": sklearn.metrics.recall_score(truth, mask, **foreground),
            "specificity": sklearn.metrics.recall_score(
                truth, mask, **background, zero_division=np.nan
            ),
            # both empty: full agreement
            "f1": sklearn.metrics.f1_score(truth, mask, **own, zero_division=1),
            "iou": sklearn.metrics.jaccard_score(truth, mask, **own, zero_division=1),
            "mcc": sklearn.metrics.matthews_corrcoef(truth, mask, **own),
            "prevalence": np.average(truth, weights=own["sample_weight"]),
        }
    # scikit-learn's is of the classes that occur
    found["balanced_accuracy"] = (found["recall"] + found["specificity"]) / 2
    if kinds <= {(0, 0), (1, 1)}:
        found["mcc"] = 1
    if kinds <= {(0, 1), (1, 0)}:
        found["mcc"] = -1
    return {name: None if np.isnan(value) else value for name, value in found.items()}


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == (value if value is None else pytest.approx(value, 1e-9, 1e-12)), name


@examples(150)
@given(pair=pairs())
def test_metrics_are_those_of_scikit_learn(pair):
    truth, mask = pair
    counts = scoring.count_extent(truth, mask, SETTINGS)
    if (truth == 255).all():
        assert counts is None
        return
    known = truth < 255
    matrix = sklearn.metrics.confusion_matrix(truth[known], mask[known], labels=[0, 1])
    assert [counts[name] for name in ("tn", "fp", "fn", "tp")] == matrix.ravel().tolist()
    assert counts["annotated"] == matrix.sum()
    assert_equal(metrics_of(counts), by_scikit_learn(truth, mask))


@examples(60)
@given(
    tiles=st.lists(st.tuples(pairs(12), st.sampled_from((0.1, 0.25, 1))), min_size=1, max_size=6)
)
def test_weighted_scores_are_those_of_scikit_learn(tiles):
    rows, known = [], []
    for number, ((truth, mask), pi) in enumerate(tiles):
        counts = scoring.count_extent(truth, mask, SETTINGS)
        if counts is not None:
            place = Place("s", number, 0, 0, "")
            rows.append(("otsu", place, [counts[name] / pi for name in formulas.COUNTS]))
            known.append((truth.ravel(), mask.ravel(), np.full(truth.size, 1 / pi)))
    if not rows:
        return
    units = {place: f"unit {place.z % 2}" for _, place, _ in rows}
    pooled, names = pool(rows, units, len(formulas.COUNTS))
    assert names == sorted(set(units.values()))
    total = dict(zip(formulas.COUNTS, pooled["otsu"].sum(axis=0), strict=True))
    assert_equal(metrics_of(total), by_scikit_learn(*map(np.concatenate, zip(*known, strict=True))))


@examples(150)
@given(pair=pairs())
def test_inverting_truth_and_mask(pair):
    truth, mask = pair
    inverted = np.where(truth == 255, 255, 1 - truth).astype(np.uint8), 1 - mask
    codes, others = confusion.confusion_map(*pair), confusion.confusion_map(*inverted)
    # 0 is not annotated, 1 TN, 2 FP, 3 FN, 4 TP
    np.testing.assert_array_equal(others, np.array([0, 4, 3, 2, 1])[codes])
    counts, other = confusion.count(codes), confusion.count(others)
    assert other == {INVERTED[name]: number for name, number in counts.items()}
    if not sum(counts.values()):
        return
    own, of_background = metrics_of(counts), metrics_of(other)
    same = ("accuracy", "balanced_accuracy", "mcc")
    assert_equal({name: of_background[name] for name in same}, {name: own[name] for name in same})
    assert of_background["recall"] == own["specificity"]
    assert of_background["specificity"] == own["recall"]
    assert of_background["prevalence"] == pytest.approx(1 - own["prevalence"])
    known = truth < 255
    expected = sklearn.metrics.f1_score(truth[known], mask[known], pos_label=0, zero_division=1)
    assert of_background["f1"] == pytest.approx(expected)


@st.composite
def scored_samples(draw):
    """A sample's grid, and a pair of its size in each plane."""
    grid = draw(grids(planes=2))
    random = np.random.default_rng(draw(SEEDS))
    truth = random.choice([0, 1, 255], grid.shape, p=[0.5, 0.3, 0.2]).astype(np.uint8)
    if draw(st.booleans()):
        truth[:, : grid.tile] = 255
    mask = (random.random(grid.shape) < draw(st.sampled_from((0, 0.4)))).astype(np.uint8)
    return grid, truth, mask


def rows_of(sample, scored):
    """Rows of all tiles of a sample, as they are read from a table."""
    grid, truth, mask = scored
    rows = []
    for block in grid.blocks():
        for tile in grid.tiles(block):
            region = grid.tile_region(tile)
            pair = cut(truth, region), cut(mask, region)
            for counts in scoring.count_tile(*pair, SETTINGS, None, grid.is_sliver(tile)):
                names = {"sample": sample, "method": "otsu", **grid.place(tile)}
                rows.append(names | counts)
    if rows:
        formulas.set_metrics(rows, formulas.PIXEL_METRICS)
    return [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in rows
    ]


def table_of(samples):
    """Rows of several samples, as the table of metrics."""
    rows = [row for own in samples.values() for row in own]
    return frames.of_rows(rows, score_table.columns([]), score_table.kinds([]))


@examples(60)
@given(scored=st.lists(scored_samples(), min_size=1, max_size=3), seed=SEEDS)
def test_pooled_counts_are_the_sum_in_any_order(scored, seed):
    rows = {f"s{number}": rows_of(f"s{number}", own) for number, own in enumerate(scored)}
    annotated = {
        sample: (truth, mask)
        for (sample, own), (_, truth, mask) in zip(rows.items(), scored, strict=True)
        if own
    }
    found = summarize(table_of(rows))
    for sample in [*annotated, *[ALL] * (len(annotated) > 1)]:
        own = annotated.values() if sample == ALL else [annotated[sample]]
        truths, masks = zip(*own, strict=True)
        flat = [np.concatenate([one.ravel() for one in kind]) for kind in (truths, masks)]
        pooled = {row["metric"]: row["pooled"] for row in found if row["sample"] == sample}
        assert {*formulas.PIXEL_METRICS} < {*pooled}
        expected = by_scikit_learn(*flat)
        assert_equal({name: pooled[name] for name in expected}, expected)
    # the order of the tiles of a sample changes nothing but last digits of means
    for own in rows.values():
        np.random.default_rng(seed).shuffle(own)
    shuffled = summarize(table_of(rows))
    for own, other in zip(found, shuffled, strict=True):
        numbers = {name: value for name, value in own.items() if isinstance(value, float)}
        assert {name: other[name] for name in numbers} == pytest.approx(numbers, 1e-9)
        assert own | numbers == other | numbers
