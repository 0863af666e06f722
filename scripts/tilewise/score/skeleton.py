"""Centrelines: the foreground thinned to one pixel."""

import cv2
import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
"""Of a pixel, clockwise from the upper left: the bits of its code, the lowest first."""
PASSES = np.array(
    [
        int(digit)
        for digit in (
            "0001001300311013"
            "0000000020203033"
            "0000000030000000"
            "0000000020003022"
            "0000000000000000"
            "0000000000000000"
            "2000000020002000"
            "3000000030003020"
            "0031001300000001"
            "0000000000000001"
            "3100000000000000"
            "2000000000000000"
            "2313001300000001"
            "0000000000000000"
            "2301000100000000"
            "3301000022002000"
        )
    ],
    np.uint8,
)
"""In which pass a pixel with a neighbourhood is removed: 1 the first, 2 the second, 3 both, 0 none.
The conditions of Zhang and Suen as scikit-image has them, which also thins diagonal stairs."""


def skeleton(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The centreline of the foreground, one pixel wide, as `skimage.morphology.skeletonize`.

    The mask, of 0 and 1, is a plane or a stack.

    References
    ----------
    Zhang and Suen, Communications of the ACM 27(3), 236-239 (1984), in a plane; Lee, Kashyap and
    Chu, CVGIP 56(6), 462-478 (1994), in a stack.
    """
    if mask.ndim == 3:
        return _skeleton_of_stack(mask)
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    flat, width = padded.ravel(), padded.shape[1]
    steps = np.array([dy * width + dx for dy, dx in NEIGHBOURS])
    # an inner pixel stays until a neighbour goes: only then does it become a candidate
    candidates = np.flatnonzero(padded > cv2.erode(padded, np.ones((3, 3), np.uint8)))
    is_inner = flat.copy()
    is_inner[candidates] = 0
    removed = True
    while removed:
        removed = False
        for passing in (1, 2):
            is_gone = PASSES[_codes(flat, candidates, steps)] & passing != 0
            gone = candidates[is_gone]
            if not gone.size:
                continue
            removed = True
            flat[gone] = 0
            exposed = [candidates[~is_gone]]
            for step in steps:
                beside = gone + step
                exposed.append(beside[is_inner[beside] != 0])
                is_inner[exposed[-1]] = 0
            candidates = np.concatenate(exposed)
    return padded[1:-1, 1:-1].copy()


def _codes(flat, places, steps):
    """Which neighbours of pixels are foreground, a bit for each."""
    codes = np.zeros(places.size, np.uint8)
    for bit, step in enumerate(steps):
        codes |= flat[places + step] << bit
    return codes


def _skeleton_of_stack(mask):
    from skimage.morphology import skeletonize

    return skeletonize(mask.astype(bool)).astype(np.uint8)
