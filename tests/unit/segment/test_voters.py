"""Votes, on one plane."""

from types import SimpleNamespace

import numpy as np
import pytest

from tilewise.segment import vote
from tilewise.segment.filtered import Filtered
from tilewise.segment.segmenters import Segmenter
from tilewise.segment.voters import Voter, vote_tiles
from tilewise.store.grid import Grid, Region, Tile, crop

WORDS = {
    **{"scope": "tile", "foreground": "bright", "min_contrast": 0, "min_separability": 0},
    **{"fallback": "empty", "weak": "auto", "cleanup": []},
}
PLANE = np.array([[1, 2, 3, 9], [4, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 5]], np.uint8)
WHOLE = Region(0, 1, 0, 4, 0, 4)
GRID = Grid((1, 4, 4), 2, (1, 4, 4))


def reader(plane):
    return SimpleNamespace(read=lambda region: crop(plane, WHOLE, region))


def voter(threshold, settings, steps=(), roi=None, **changes):
    roi = None if roi is None else reader(roi)
    filtered = Filtered(reader(PLANE), steps, GRID, "uint8", roi)
    return Voter(filtered, Segmenter(threshold, settings, **WORDS | changes), None)


def masks_of(voters, least=None):
    methods = [f"m{number}" for number in range(len(voters))]
    segmenter = Segmenter("vote", {"methods": methods, "least": least}, **WORDS)
    return list(vote_tiles(voters, segmenter, WHOLE, GRID.tiles("0/0/0")))


@pytest.mark.parametrize(
    ("least", "expected"), [(None, [[0, 0], [1, 0]]), (1, [[0, 1], [1, 0]]), (3, [[0, 0], [0, 0]])]
)
def test_votes_are_counted(least, expected):
    # above 1: 2 and 4; above 3: 4; above 5: none; of the first tile
    voters = [voter("manual", {"value": value}) for value in (1, 3, 5)]
    tile, mask, threshold, pixels, share = masks_of(voters, least)[0]
    assert (tile, mask.tolist()) == (Tile(0, 0, 0), expected)
    assert (pixels, share) == (4, np.sum(expected) / 4)
    assert threshold.note == f"at least {least or 2} of m0, m1, m2"
    assert mask.dtype == np.uint8


def test_an_even_number_of_methods_needs_more_than_half():
    voters = [voter("manual", {"value": value}) for value in (0, 1, 2, 3)]
    # 2 has two votes, 3 has three
    assert [mask.tolist() for _, mask, *_ in masks_of(voters)[:2]] == [
        [[0, 0], [1, 0]],
        [[1, 1], [0, 0]],
    ]


def test_each_method_has_its_filter_reach_and_region():
    # inverted, 9 is the darkest; a hole is found within the whole plane
    roi = np.ones((4, 4), np.uint8)
    roi[0, 3] = 0
    voters = [
        voter("manual", {"value": 2}, roi=roi),
        voter("manual", {"value": 252}, [{"invert": {}}], roi),
        voter("manual", {"value": 2}, roi=roi, cleanup=[{"remove_small": 2}]),
    ]
    found = {tile: (mask.tolist(), pixels) for tile, mask, _, pixels, _ in masks_of(voters)}
    # above 2: 3, 4 and 5; inverted above 252, below 3: all but 3, 4, 5 and 9; single pixels: none
    assert found[Tile(0, 0, 0)] == ([[0, 0], [0, 0]], 4)
    assert found[Tile(0, 0, 1)] == ([[0, 0], [0, 0]], 3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"methods": "otsu"}, "methods is 'otsu': give a list"),
        ({"methods": ["otsu"]}, "two or more"),
        ({"methods": ["otsu", 3]}, "give a list"),
        ({"methods": ["otsu", "otsu"]}, "different methods"),
        ({"least": 0}, "least is 0: give a number from 1 to 2"),
        ({"least": 3}, "least is 3"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    known = {"methods": ["otsu", "li"], "least": None}
    vote.check(**known)
    with pytest.raises(ValueError, match=message):
        vote.check(**known | settings)


def test_a_majority_by_hand():
    masks = np.array([[[1, 1, 0, 0]], [[1, 0, 1, 0]], [[1, 1, 0, 0]], [[0, 0, 1, 0]]], np.uint8)
    names = list("abcd")
    np.testing.assert_array_equal(vote.vote(masks, names), [[1, 0, 0, 0]])
    np.testing.assert_array_equal(vote.vote(masks, names, 2), [[1, 1, 1, 0]])
    np.testing.assert_array_equal(vote.vote(masks, names, 4), [[0, 0, 0, 0]])
