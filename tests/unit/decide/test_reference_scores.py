"""Every global threshold's counts from grey levels apart by truth."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, matthews_corrcoef

from tilewise.decide import reference_scores
from tilewise.decide.places import Place, read_histograms
from tilewise.segment import histograms
from tilewise.segment.class_histogram import class_histogram, histogram
from tilewise.store.class_histograms import ClassHistogram, merge, pack, unpack

DTYPES = ("uint8", "uint16", "int16", "float32")


def tile(dtype, seed=0):
    random = np.random.default_rng(seed)
    truth = (random.random((20, 30)) < 0.2).astype(np.uint8)
    pixels = (random.normal(60, 20, truth.shape) + 50 * truth).clip(0, 250)
    truth[:2] = 255
    return pixels.astype(dtype), truth


@pytest.mark.parametrize("dtype", DTYPES)
def test_counts_of_every_threshold(dtype):
    pixels, truth = tile(dtype)
    known = truth <= 1
    levels = class_histogram(pixels, truth)
    assert levels.background.sum() == np.sum(truth == 0)
    assert levels.foreground.sum() == np.sum(truth == 1)
    counts = reference_scores.counts_of(levels)
    for i in range(0, levels.values.size, 7):
        # halfway to the next level: floats are brought to levels
        above = levels.values[i : i + 2].mean()
        for direction, mask in enumerate((pixels > above, pixels <= above)):
            tn, fp, fn, tp = confusion_matrix(truth[known], mask[known], labels=[0, 1]).ravel()
            found = [counts[name][direction, i + 1] for name in ("tp", "fp", "fn", "tn")]
            if dtype != "float32" or i + 1 == levels.values.size:
                assert found == [tp, fp, fn, tn]
            else:
                np.testing.assert_allclose(found, [tp, fp, fn, tn], atol=1)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_best_threshold_by_brute_force(sign):
    pixels, truth = tile("uint8")
    if sign < 0:
        pixels = 255 - pixels
    known = truth <= 1
    best = max(
        matthews_corrcoef(truth[known], mask)
        for value in range(255)
        for mask in (pixels[known] > value, pixels[known] <= value)
    )
    found = reference_scores.best(class_histogram(pixels, truth), "mcc")
    tp, fp, fn, tn = found.counts
    assert found.is_above == (sign > 0)
    mask = pixels[known] > found.threshold
    assert matthews_corrcoef(truth[known], mask if sign > 0 else ~mask) == pytest.approx(best)
    margins = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    assert (tp * tn - fp * fn) / np.sqrt(margins) == pytest.approx(best)


def test_one_threshold_for_all_tiles():
    tiles = {Place("a", 0, 0, i): tile("uint8", seed=i) for i in range(3)}
    levels = {place: class_histogram(*pair) for place, pair in tiles.items()}
    oracles = reference_scores.best_shared(levels, "mcc")
    counts = {place: own.counts for place, own in oracles.items()}
    pixels = np.concatenate([pair[0].ravel() for pair in tiles.values()])
    truth = np.concatenate([pair[1].ravel() for pair in tiles.values()])
    known = truth <= 1
    best = max(matthews_corrcoef(truth[known], pixels[known] > value) for value in range(255))
    (threshold,) = {own.threshold for own in oracles.values()}
    assert matthews_corrcoef(truth[known], pixels[known] > threshold) == pytest.approx(best)
    assert reference_scores.describe(oracles.values()) == f"above {threshold:g}"
    tp, fp, fn, tn = np.sum(list(counts.values()), axis=0)
    margins = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    assert (tp * tn - fp * fn) / np.sqrt(margins) == pytest.approx(best)
    assert {place: sum(own) for place, own in counts.items()} == dict.fromkeys(tiles, 18 * 30)


def test_thresholds_in_words():
    oracles = [
        reference_scores.Oracle(level, is_above, [])
        for level, is_above in ((120.0, True), (101.0, True), (1234.5, False))
    ]
    assert reference_scores.describe(oracles) == "above 101 to 120, up to 1234.5"


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_histogram_of_annotated_pixels(dtype):
    pixels, truth = tile(dtype)
    found = histogram(class_histogram(pixels, truth), dtype)
    expected = histograms.histogram(np.ascontiguousarray(pixels[2:]))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_merged_and_packed():
    parts = [class_histogram(*tile("uint8", seed=seed)) for seed in range(2)]
    pixels, truth = (
        np.concatenate(pair) for pair in zip(*(tile("uint8", s) for s in range(2)), strict=True)
    )
    together, expected = merge(parts), class_histogram(pixels, truth)
    for name in ("values", "background", "foreground"):
        np.testing.assert_array_equal(getattr(together, name), getattr(expected, name))
    places = [("a", 0, 0, 0, -1), ("long.name-2", 3, 64, 0, 2)]
    unpacked = unpack(pack(list(zip(places, parts, strict=True))))
    assert [place for place, _ in unpacked] == places
    np.testing.assert_array_equal(unpacked[1][1].foreground, parts[1].foreground)
    assert unpack(pack([])) == []


def test_histograms_are_read_by_filter_and_place(tmp_path):
    one, two = (ClassHistogram(*np.full((3, 1), value)) for value in (1, 2))
    np.savez(tmp_path / "a.npz", **pack([(("a", 3, 2, 1, -1), one), (("a", 3, 2, 1, 0), two)]))
    np.savez(tmp_path / "b.npz", **pack([(("b", 0, 0, 0, -1), two)]))
    read = read_histograms([tmp_path / "a.npz", tmp_path / "b.npz"], ["image", "smooth"])
    # a number of -1 is no block: the tile itself
    assert {name: list(known) for name, known in read.items()} == {
        "image": [Place("a", 3, 2, 1), Place("a", 3, 2, 1, "0")],
        "smooth": [Place("b", 0, 0, 0)],
    }
    assert read["image"][Place("a", 3, 2, 1, "0")].values.tolist() == [2]


def test_trivial_methods():
    found = reference_scores.trivial(np.array([10.0, 30.0]), np.array([100.0, 100.0]))
    # tp, fp, fn and tn of each unit
    assert found["all background"].tolist() == [[0, 0, 10, 90], [0, 0, 30, 70]]
    # a fifth of everything is foreground
    assert found["random at the prevalence"].tolist() == [[2, 18, 8, 72], [6, 14, 24, 56]]


def test_pixels_of_weighted_tiles_count_as_often():
    first = ClassHistogram(np.array([3, 5]), np.array([1, 0]), np.array([0, 2]))
    second = ClassHistogram(np.array([5, 9]), np.array([4, 0]), np.array([0, 8]))
    both = merge([first, second], [2, 0.5])
    assert both.values.tolist() == [3, 5, 9]
    assert both.background.tolist() == [2, 2, 0]
    assert both.foreground.tolist() == [0, 4, 4]
    # a quarter is no whole number
    assert merge([first], [0.25]).background.tolist() == [0.25, 0]
    assert merge([first, second]).foreground.tolist() == [0, 2, 8]
