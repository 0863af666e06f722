"""Boosted oblivious trees on features of 8 bits.

All nodes of a level of an oblivious tree ask the same question, whether a code is above a number.
The answers are the bits of a leaf's number, so that a tree is a few comparisons and a look-up.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

CODES = 2**8
GREATEST = 2**15 - 1
"""No sum of leaves is beyond this."""
TIE = 1e-10
"""Gains that differ by this share are equal."""


@dataclass(frozen=True)
class Trees:
    """Trees of one depth D.

    Bit k of a leaf's number is set if the code of feature `features[t, k]` is above
    `codes[t, k]`.
    """

    features: NDArray[np.uint16]
    """(trees, D)"""
    codes: NDArray[np.uint8]
    """(trees, D)"""
    leaves: NDArray[np.int16]
    """(trees, 2 ** D): what a leaf adds to the score."""
    unit: float
    """Log-odds of a step of the score."""
    bias: float
    """Log-odds of a score of 0."""

    def used(self) -> NDArray[np.intp]:
        """Features that a tree asks for, ascending."""
        return np.unique(self.features).astype(np.intp)


def train(
    codes: NDArray[np.uint8],
    truth: NDArray,
    weights: NDArray | None = None,
    trees: int = 50,
    depth: int = 4,
    rate: float = 0.3,
    penalty: float = 1.0,
    shares: tuple[float, float] = (1.0, 1.0),
    seed: int = 0,
) -> Trees:
    """Boost trees by second-order gains of the logistic loss.

    A level takes the question whose gain, summed over the nodes, is greatest; of equal ones the
    first feature's lowest code. The same arguments give the same trees.

    Parameters
    ----------
    codes : (features, pixels) uint8 ndarray
    truth : (pixels,) array
        0 or 1.
    weights : (pixels,) array, optional
        Above 0; they are scaled to a mean of 1.
    trees, depth : int
        Depth from 1 to 8.
    rate : float
        Share of its best value that a leaf takes.
    penalty : float
        Added to the second derivatives in a leaf, so that leaves of few pixels count less.
    shares : (float, float)
        Of the pixels, which are drawn for each tree, and of the features, for each of its levels,
        that questions are chosen by. Less than 1 is faster, and makes trees differ, so that
        together they do better on other pixels. Leaves are of all pixels.
    seed : int
        Of these draws.

    Returns
    -------
    Trees

    Raises
    ------
    ValueError
        If a class has no pixels, or the depth is out of range.

    References
    ----------
    Chen and Guestrin, XGBoost, KDD 2016, equations 5 to 7, of which the gain is twice this one;
    Prokhorenkova et al., CatBoost, NeurIPS 2018, for the shape of the trees;
    Friedman, Stochastic gradient boosting, Computational Statistics & Data Analysis 38(4), 2002,
    for drawn pixels, and Breiman, Random forests, Machine Learning 45, 2001, for drawn features.
    """
    if not 1 <= depth <= 8:
        raise ValueError(f"the depth of trees is {depth}: use 1 to 8")
    truth = np.asarray(truth, np.float64)
    if np.unique(truth).size < 2:
        raise ValueError("training pixels are all of one class: annotate foreground and background")
    weights = np.ones(truth.size) if weights is None else np.asarray(weights, np.float64)
    weights = weights / weights.mean()
    prior = np.average(truth, weights=weights)
    bias = float(np.log(prior / (1 - prior)))
    odds = np.full(truth.size, bias)
    features = np.zeros((trees, depth), np.uint16)
    cuts = np.zeros((trees, depth), np.uint8)
    leaves = np.zeros((trees, 2**depth))
    random, (of_pixels, of_features) = np.random.default_rng(seed), shares
    for tree in range(trees):
        chance = 1 / (1 + np.exp(-odds))
        slope, curve = weights * (truth - chance), weights * chance * (1 - chance)
        leaf = np.zeros(truth.size, np.intp)
        own = _drawn(truth.size, of_pixels, random)
        derivatives = slope[own], curve[own]
        for level in range(depth):
            known = _drawn(len(codes), of_features, random)
            # rows of bytes stay in the cache
            asked = [codes[feature][own] for feature in known]
            gain = _gains(asked, leaf[own], 2**level, *derivatives, penalty)
            # equal gains may differ in their last digits
            first = np.argmax(gain >= gain.max() * (1 - TIE))
            place, cut = np.unravel_index(first, gain.shape)
            feature = known[place]
            features[tree, level], cuts[tree, level] = feature, cut
            leaf |= (codes[feature] > cut).astype(np.intp) << level
        total, bend = (np.bincount(leaf, one, 2**depth) for one in (slope, curve))
        leaves[tree] = rate * total / (bend + penalty)
        odds += leaves[tree][leaf]
    unit = max(float(np.abs(leaves).max(axis=1).sum()), 1e-12) / (GREATEST - trees)
    return Trees(features, cuts, np.rint(leaves / unit).astype(np.int16), unit, bias)


def _drawn(number, share, random):
    """A share of so many numbers, at least one, ascending."""
    if share == 1:
        return np.arange(number)
    some = max(round(share * number), 1)
    return np.sort(random.choice(number, some, replace=False, shuffle=False))


def _gains(keys, leaf, leaves, slope, curve, penalty):
    """Gain of each question, (features, codes - 1), summed over the nodes of a level.

    It is less by what the nodes have unsplit, which is the same for all questions.
    """
    gains = np.empty((len(keys), CODES - 1))
    base = leaf * CODES
    for own, key in zip(gains, keys, strict=True):
        place = base + key
        below, bend = (
            np.bincount(place, one, leaves * CODES).reshape(leaves, CODES).cumsum(axis=1)
            for one in (slope, curve)
        )
        above, rest = below[:, -1:] - below[:, :-1], bend[:, -1:] - bend[:, :-1]
        own[:] = (below[:, :-1] ** 2 / (bend[:, :-1] + penalty) + above**2 / (rest + penalty)).sum(
            axis=0
        )
    return gains


def importance(trees: Trees, features: int) -> NDArray[np.float64]:
    """How much each of so many features moves the log-odds: the mean change of leaves, summed."""
    result = np.zeros(features)
    depth = trees.features.shape[1]
    numbers = np.arange(2**depth)
    for own, leaves in zip(trees.features, trees.leaves.astype(np.float64), strict=True):
        for level, feature in enumerate(own):
            result[feature] += np.abs(leaves - leaves[numbers ^ (1 << level)]).mean()
    return result * trees.unit


def score(planes: NDArray[np.uint8], trees: Trees) -> NDArray[np.int16]:
    """Sum of the leaves of each pixel.

    Parameters
    ----------
    planes : (features, Y, X) uint8 ndarray
        Codes, contiguous, of all features that the trees number.

    Returns
    -------
    (Y, X) int16 ndarray
        `bias + unit * score` are log-odds of foreground.
    """
    shape = planes.shape[1:]
    total = np.zeros(shape, np.int16)
    if total.size == 0:
        return total
    number, bit = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
    depth = trees.features.shape[1]
    # a look-up of 8 bits holds several trees
    together = 8 // depth
    for first in range(0, len(trees.features), together):
        rows = slice(first, first + together)
        features, codes = trees.features[rows].ravel(), trees.codes[rows].ravel()
        for level, (feature, code) in enumerate(zip(features, codes, strict=True)):
            target = bit if level else number
            cv2.threshold(planes[feature], int(code), 1 << level, cv2.THRESH_BINARY, dst=target)
            if level:
                cv2.bitwise_or(number, bit, dst=number)
        cv2.add(total, cv2.LUT(number, _table(trees.leaves[rows])), dst=total)
    return total


def _table(leaves):
    """Sum of the leaves of several trees by their numbers, one after the other as bits."""
    depth = leaves.shape[1].bit_length() - 1
    numbers = np.arange(CODES)
    parts = [own[(numbers >> (depth * k)) & (2**depth - 1)] for k, own in enumerate(leaves)]
    return np.sum(parts, axis=0).astype(np.int16)
