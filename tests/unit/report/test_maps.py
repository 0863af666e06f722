"""Maps of samples with many tiles."""

import numpy as np

from tilewise.report.maps import binned

NAN = np.nan


def test_bins_are_means_of_their_tiles():
    sample = {"name": "a", "planes": 2, "height": 40, "width": 30, "tile": [10, 10]}
    # four rows and three columns of tiles, in two planes; one value is not known
    tiles = [(z, y, x) for z in range(2) for y in range(4) for x in range(3)]
    place = {
        "sample": np.array(["a"] * len(tiles)),
        "y": np.array([10 * y for _, y, _ in tiles]),
        "x": np.array([10 * x for *_, x in tiles]),
    }
    values = np.array([100 * z + 10 * y + x for z, y, x in tiles], float)
    values[0] = NAN
    (own,) = binned([sample], place, {"m": {"mcc": values}}).values()
    assert (own["rows"], own["columns"], own["planes"]) == (4, 3, 2)
    # the mean of both planes, 50 more than in the first
    expected = [50 + 10 * y + x for y in range(4) for x in range(3)]
    expected[0] = 100
    assert own["values"]["m"]["mcc"] == expected


def test_many_tiles_share_a_bin(monkeypatch):
    monkeypatch.setattr("tilewise.report.maps.MOST_BINS", 2)
    sample = {"name": "a", "planes": 1, "height": 40, "width": 40, "tile": [10, 10]}
    rows, columns = np.divmod(np.arange(16), 4)
    place = {"sample": np.array(["a"] * 16), "y": 10 * rows, "x": 10 * columns}
    (own,) = binned([sample], place, {"m": {"mcc": np.arange(16.0)}}).values()
    # of 0, 1, 4 and 5, and so on
    assert own["values"]["m"]["mcc"] == [2.5, 4.5, 10.5, 12.5]


def test_a_bin_without_values_has_none():
    sample = {"name": "a", "planes": 1, "height": 10, "width": 20, "tile": [10, 10]}
    place = {"sample": np.array(["a", "a"]), "y": np.array([0, 0]), "x": np.array([0, 10])}
    (own,) = binned([sample], place, {"m": {"mcc": np.array([NAN, 0.5])}}).values()
    assert own["values"]["m"]["mcc"] == [None, 0.5]
