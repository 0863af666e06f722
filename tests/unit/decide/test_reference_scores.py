"""Every global threshold's counts from grey levels apart by truth."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, matthews_corrcoef

from tilewise.decide import reference_scores
from tilewise.decide.places import Place, histograms_of
from tilewise.segment import histograms
from tilewise.segment.class_histogram import class_histogram, histogram, histograms_of_sets
from tilewise.store import class_histograms
from tilewise.store.class_histograms import ClassHistogram, merge, merge_many, thin

DTYPES = ("uint8", "uint16", "int16", "float32")


def tile(dtype, seed=0):
    random = np.random.default_rng(seed)
    truth = (random.random((20, 30)) < 0.2).astype(np.uint8)
    pixels = (random.normal(60, 20, truth.shape) + 50 * truth).clip(0, 250)
    truth[:2] = 255
    return pixels.astype(dtype), truth


def mcc(counts):
    tp, fp, fn, tn = counts
    return (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))


@pytest.mark.parametrize("dtype", DTYPES)
def test_counts_of_every_threshold(dtype):
    pixels, truth = tile(dtype)
    known = truth <= 1
    levels = class_histogram(pixels, truth)
    assert levels.background.sum() == np.sum(truth == 0)
    assert levels.foreground.sum() == np.sum(truth == 1)
    # 24 bytes for each of 65536 levels would be far too many
    assert levels.values.dtype == (np.float64 if dtype == "float32" else dtype)
    assert {levels.background.dtype, levels.foreground.dtype} == {np.dtype(np.uint32)}
    # beside another of more or of fewer levels
    one = ClassHistogram(*np.array([[7], [1], [2]]))
    counts = {name: own[1] for name, own in reference_scores.counts_of([one, levels]).items()}
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
    (found,) = reference_scores.best([class_histogram(pixels, truth)], "mcc")
    assert found.is_above == (sign > 0)
    mask = pixels[known] > found.threshold
    assert matthews_corrcoef(truth[known], mask if sign > 0 else ~mask) == pytest.approx(best)
    assert mcc(found.counts) == pytest.approx(best)


@pytest.mark.parametrize("sign", [1, -1])
def test_one_threshold_for_all_tiles(sign):
    pairs = {Place("a", 0, 0, i): tile("uint8", seed=i) for i in range(3)}
    tiles = {
        place: (pixels if sign > 0 else 255 - pixels, truth)
        for place, (pixels, truth) in pairs.items()
    }
    levels = [(place, class_histogram(*pair)) for place, pair in tiles.items()]
    oracles = reference_scores.best_shared(levels, "mcc")
    counts = {place: own.counts for place, own in oracles.items()}
    pixels = np.concatenate([pair[0].ravel() for pair in tiles.values()])
    truth = np.concatenate([pair[1].ravel() for pair in tiles.values()])
    known = truth <= 1
    best = max(
        sign * matthews_corrcoef(truth[known], pixels[known] > value) for value in range(255)
    )
    (threshold,) = {own.threshold for own in oracles.values()}
    is_above = pixels[known] > threshold
    assert sign * matthews_corrcoef(truth[known], is_above) == pytest.approx(best)
    word = "above" if sign > 0 else "up to"
    assert reference_scores.describe(oracles.values()) == f"{word} {threshold:g}"
    for place, (pixels, truth) in tiles.items():
        known = truth <= 1
        mask = pixels > threshold if sign > 0 else pixels <= threshold
        tn, fp, fn, tp = confusion_matrix(truth[known], mask[known]).ravel()
        assert counts[place] == [tp, fp, fn, tn]


METRICS = {
    "accuracy": lambda tp, fp, fn, tn: (tp + tn) / (tp + fp + fn + tn),
    "precision": lambda tp, fp, fn, tn: tp / (tp + fp) if tp + fp else -np.inf,
    "recall": lambda tp, fp, fn, tn: tp / (tp + fn) if tp + fn else -np.inf,
}


def one_after_the_other(levels, metric):
    """Threshold, direction and counts of the best of all thresholds, the first of equal ones."""
    found = []
    for is_above in (True, False):
        for threshold in (-np.inf, *levels.values.tolist()):
            positive = (levels.values > threshold) == is_above
            tp, fp = (int(own[positive].sum()) for own in (levels.foreground, levels.background))
            fn, tn = (int(own[~positive].sum()) for own in (levels.foreground, levels.background))
            found.append((METRICS[metric](tp, fp, fn, tn), threshold, is_above, [tp, fp, fn, tn]))
    values = [value for value, *_ in found]
    return tuple(found[values.index(max(values))][1:])


@pytest.mark.parametrize("at_once", [1, 300, 2**16])
@pytest.mark.parametrize("metric", METRICS)
def test_the_best_threshold_of_each_tile(monkeypatch, metric, at_once):
    sizes, counts_of = [], reference_scores.counts_of

    def counted(histograms):
        sizes.append([levels.values.size for levels in histograms])
        return counts_of(histograms)

    monkeypatch.setattr(reference_scores, "AT_ONCE", at_once)
    monkeypatch.setattr(reference_scores, "counts_of", counted)
    tiles = {Place("a", 0, 0, i): class_histogram(*tile("uint8", seed=i)) for i in range(5)}
    # one class, one level
    tiles[Place("b", 0, 0, 0)] = ClassHistogram(*np.array([[3], [5], [0]]))
    tiles[Place("c", 0, 0, 0)] = ClassHistogram(*np.array([[3, 9], [0, 0], [2, 2]]))
    tiles[Place("d", 0, 0, 0)] = ClassHistogram(*np.array([[3, 9], [1, 2], [2, 1]]))
    found = reference_scores.best_each(tiles.items(), metric)
    assert {place: tuple(one) for place, one in found.items()} == {
        place: one_after_the_other(levels, metric) for place, levels in tiles.items()
    }
    # as many as go together
    assert sum(map(len, sizes)) == len(tiles)
    assert all(len(own) * max(own) <= at_once for own in sizes if len(own) > 1)
    assert len(sizes) == {1: 8, 300: len(sizes), 2**16: 1}[at_once] < 9
    assert reference_scores.best_each([], metric) == {}


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


def write(path, tiles):
    with class_histograms.Writer(path) as file:
        for place, levels in tiles:
            file.add(place, levels)


def assert_equal(found, expected):
    for name in ("values", "background", "foreground"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert getattr(found, name).dtype == getattr(expected, name).dtype


def test_merged():
    parts = [class_histogram(*tile("uint8", seed=seed)) for seed in range(2)]
    pixels, truth = (
        np.concatenate(pair) for pair in zip(*(tile("uint8", s) for s in range(2)), strict=True)
    )
    together, expected = merge(parts), class_histogram(pixels, truth)
    for name in ("values", "background", "foreground"):
        np.testing.assert_array_equal(getattr(together, name), getattr(expected, name))


@pytest.mark.parametrize("few", [1, 50, 10**6])
@pytest.mark.parametrize("dtype", DTYPES)
def test_written_and_read(tmp_path, monkeypatch, dtype, few):
    monkeypatch.setattr(class_histograms, "FEW_LEVELS", few)
    places = [("a", 0, 0, 0, -1), ("long.name-2", 3, 64, 0, 2), ("b", 0, 0, 0, -1)]
    parts = [class_histogram(*tile(dtype, seed=seed)) for seed in range(3)]
    write(tmp_path / "a.npz", zip(places, parts, strict=True))
    read = list(class_histograms.read(tmp_path / "a.npz"))
    assert [place for place, _ in read] == places
    for (_, found), expected in zip(read, parts, strict=True):
        assert_equal(found, expected)
    write(tmp_path / "none.npz", [])
    assert list(class_histograms.read(tmp_path / "none.npz")) == []


def test_few_histograms_are_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(class_histograms, "FEW_LEVELS", 3)
    sizes = []

    class Batches:
        def __init__(self, path):
            pass

        def write(self, **arrays):
            sizes.append(arrays["sizes"].tolist())

        def close(self):
            sizes.append("end")

    monkeypatch.setattr(class_histograms, "BatchWriter", Batches)
    one, two = (ClassHistogram(*np.ones((3, number), np.int64)) for number in (1, 2))
    write(tmp_path / "a.npz", [(("a", 0, 0, x, -1), own) for x, own in enumerate([one, two, two])])
    assert sizes == [[1, 2], [2], "end"]


def test_what_is_not_whole_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    one = ClassHistogram(*np.ones((3, 2), np.int64))
    with suppress(InterruptedError), class_histograms.Writer(path) as file:
        file.add(("a", 0, 0, 0, -1), one)
        raise InterruptedError
    with pytest.raises(ValueError, match=r"a\.npz is damaged"):
        list(class_histograms.read(path))
    for kind in ("background", "foreground"):
        write(path, [(("a", 0, 0, 0, -1), replace(one, **{kind: one.values[:1]}))])
        with pytest.raises(ValueError, match=r"a\.npz is damaged"):
            list(class_histograms.read(path))


def test_histograms_by_filter_and_place(tmp_path):
    one, two = (ClassHistogram(*np.full((3, 1), value)) for value in (1, 2))
    write(tmp_path / "a.npz", [(("a", 3, 2, 1, -1), one), (("a", 3, 2, 1, 0), two)])
    write(tmp_path / "b.npz", [(("b", 0, 0, 0, -1), two)])
    paths = [tmp_path / "a.npz", tmp_path / "b.npz", tmp_path / "b.npz"]
    found = histograms_of(paths, ["image", "smooth", "image"])
    # a number of -1 is no block: the tile itself; each time that they are asked for
    for _ in range(2):
        assert {name: [place for place, _ in known] for name, known in found.items()} == {
            "image": [Place("a", 3, 2, 1), Place("a", 3, 2, 1, "0"), Place("b", 0, 0, 0)],
            "smooth": [Place("b", 0, 0, 0)],
        }
    ((place, levels),) = found["image"].of(lambda place: bool(place.patch))
    assert (place, levels.values.tolist()) == (Place("a", 3, 2, 1, "0"), [2])


@pytest.mark.parametrize("dtype", DTYPES)
def test_histograms_of_sets_of_tiles(dtype):
    tiles = [(name, class_histogram(*tile(dtype, seed))) for seed, name in enumerate("abcd")]
    sets = {"all": "abcd", "some": {"a", "c"}, "one": "d"}
    found = histograms_of_sets(tiles, sets, dtype)
    assert set(found) == set(sets)
    for name, known in sets.items():
        together = merge([levels for own, levels in tiles if own in known])
        for one, other in zip(found[name], histogram(together, dtype), strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype
    assert found["one"][0].sum() == 18 * 30


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_any_number_is_merged(monkeypatch, dtype, is_weighted):
    monkeypatch.setattr(class_histograms, "MANY_LEVELS", 600)
    # as many levels as the thinned ones may have
    tiles = [class_histogram(*tile(dtype, seed=seed)) for seed in range(9)]
    weights = [2.0 ** (seed % 3) for seed in range(9)]
    found = merge_many(zip(tiles, weights, strict=True), is_weighted)
    assert_equal(found, merge(tiles, weights if is_weighted else None))


def test_levels_are_taken_together():
    values = np.arange(8) / 2
    background, foreground = [4, 0, 0, 1, 1, 1, 1, 0], [0, 0, 0, 0, 1, 1, 1, 1]
    many = ClassHistogram(values, np.array(background), np.array(foreground))
    assert thin(many, 8) is many
    nothing = ClassHistogram(values, np.full(8, 2), np.zeros(8))
    # an eighth each: 0.125 to 0.375, 0.5 to 0.875, 1
    assert thin(nothing, 4).background.tolist() == [6, 8, 2]
    found = thin(many, 4)
    # shares of both, added up: 0.5, 0.5, 0.5, 0.625 | 1, 1.375 | 1.75 | 2
    assert found.values.tolist() == [1.5, 2.5, 3, 3.5]
    assert found.background.tolist() == [5, 2, 1, 0]
    assert found.foreground.tolist() == [0, 2, 1, 1]


@pytest.mark.parametrize("most", [16, 64, 256])
def test_little_lies_between_thresholds_that_are_left(most):
    random = np.random.default_rng(most)
    background, foreground = random.integers(0, 9, (2, 5000)) ** 3
    many = ClassHistogram(np.sort(random.normal(size=5000)), background, foreground)
    found = thin(many, most)
    assert found.values.size <= most + 1
    for kind in ("background", "foreground"):
        before, after = np.cumsum(getattr(many, kind)), np.cumsum(getattr(found, kind))
        # thresholds that are left divide as before
        at = np.searchsorted(many.values, found.values)
        np.testing.assert_array_equal(before[at], after)
        nearest = after[np.searchsorted(found.values, many.values)]
        assert np.abs(nearest - before).max() < before[-1] * 2 / most


def test_the_best_threshold_of_very_many_levels(monkeypatch):
    monkeypatch.setattr(class_histograms, "MANY_LEVELS", 700)
    tiles = [(Place("a", 0, 0, i), class_histogram(*tile("float32", seed=i))) for i in range(9)]
    assert min(levels.values.size for _, levels in tiles) > 400
    assert merge_many((levels, 1) for _, levels in tiles).values.size <= 700
    (exact,) = reference_scores.best([merge([levels for _, levels in tiles])], "mcc")
    oracles = reference_scores.best_shared(tiles, "mcc")
    found = np.sum([own.counts for own in oracles.values()], axis=0)
    assert sum(exact.counts) == found.sum() == 9 * 18 * 30
    assert mcc(exact.counts) - 0.01 < mcc(found) <= mcc(exact.counts)


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
