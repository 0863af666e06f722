"""Which tiles are shown, and why."""

import numpy as np

from tilewise.report.choice import choose

NAN = np.nan


def test_reasons_in_order():
    merits = {
        "a": np.array([0.1, 0.5, 0.9, 0.4, NAN, NAN, NAN, NAN, NAN, NAN]),
        "b": np.array([0.1, 0.8, 0.2, 0.7, NAN, NAN, NAN, NAN, NAN, NAN]),
    }
    disagreement = np.array([0, 0.3, 0.1, 0, NAN, NAN, NAN, NAN, NAN, NAN])
    shown = choose(merits, disagreement, [9, 4], range(10), 10)
    # 4 of 10 for the worst, 2 of each method; 2, 1 and 1 for the others, and then what is left
    assert list(shown)[:5] == [0, 3, 2, 1, 9]
    assert sorted(list(shown)[5:]) == [4, 5, 6, 7, 8]
    assert shown[0] == ["worst of a", "worst of b"]
    assert shown[3] == ["worst of a"]
    assert shown[2] == ["worst of b", "largest disagreement", "best of a"]
    assert shown[1] == ["largest disagreement", "best of b"]
    assert shown[9] == ["annotate next"]
    assert shown[4] == ["random"]


def test_no_more_than_asked_for_and_the_same_each_time():
    merits, disagreement = {"a": np.arange(100) / 100}, np.full(100, NAN)
    shown = choose(merits, disagreement, [], range(100), 20, seed=3)
    assert len(shown) == 20
    assert list(shown)[:8] == list(range(8))
    assert list(choose(merits, disagreement, [], range(100), 20, seed=3)) == list(shown)
    assert list(choose(merits, disagreement, [], range(100), 20, seed=4)) != list(shown)


def test_more_tiles_to_annotate_next_fill_what_is_left():
    shown = choose({}, np.full(5, NAN), [4, 2, 3], [], 3)
    assert shown == {tile: ["annotate next"] for tile in (4, 2, 3)}


def test_tiles_on_which_all_agree_are_no_disagreement():
    shown = choose({}, np.zeros(3), [], range(3), 3)
    assert set(map(tuple, shown.values())) == {("random",)}


def test_nothing_to_show():
    assert choose({}, np.array([]), [], [], 10) == choose({}, np.zeros(3), [0], [1], 0) == {}
