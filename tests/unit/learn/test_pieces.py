import numpy as np
import pytest

from tilewise.learn.pieces import pieces


@pytest.mark.parametrize("window", [(7, 1307, 11, 2511), (0, 1, 0, 1), (3, 515, 0, 1024)])
def test_pieces_cover_a_window_once_and_are_no_larger_than_one(window):
    first, end, left, right = window
    seen = np.zeros((end - first, right - left), int)
    for (top, bottom, west, east), inside in pieces(window, (200, 300)):
        seen[inside] += 1
        assert seen[inside].shape == (bottom - top, east - west)
        assert (top - first, west - left) == (inside[0].start, inside[1].start)
        assert bottom - top <= 200
        assert east - west <= 300
    assert (seen == 1).all()
