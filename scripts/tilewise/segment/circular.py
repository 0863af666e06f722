"""Classes on a circle, as hues in degrees are: two arcs, and how well they are separated."""

from fractions import Fraction
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from tilewise.segment.histograms import Split, split


def hues_of(counts: NDArray, centers: NDArray, size: int = 360) -> NDArray:
    """Pixels of each place of the circle, 0 to size - 1; values beyond are no places on it."""
    on_circle = (centers >= 0) & (centers < size)
    hues = np.zeros(size, counts.dtype)
    hues[centers[on_circle]] = counts[on_circle]
    return hues


def half_circle(counts: NDArray) -> int | None:
    """Where the circle is cut into two arcs, so that the variance within them is least.

    Parameters
    ----------
    counts : (n,) ndarray
        Pixels of each place of a circle; n is even.

    Returns
    -------
    int or None
        The first place m of one arc, 0 to n / 2 - 1: it has the places m to m + n / 2 - 1, and the
        other the rest. Of several that are equal and beside each other, the one in the middle.
        None if fewer than two places have pixels.

    Notes
    -----
    Of all pairs of cuts, a best one is opposite: where both arcs are given, each pixel is nearest
    to the mean of its own if the cuts are halfway between the means. Sums are exact.

    References
    ----------
    Lai and Rosin (2014), IEEE Transactions on Image Processing 23(3), 992-1001.
    """
    if np.count_nonzero(counts) < 2:
        return None
    half = counts.size // 2
    # fractions are exact, for whatever weights; whole numbers are faster
    number = int if counts.dtype.kind in "iu" else Fraction
    doubled = [number(count) for count in counts.tolist()] * 2
    pixels, sums, squares = (
        list(accumulate((k**power * count for k, count in enumerate(doubled)), initial=number(0)))
        for power in range(3)
    )

    def scatter(start):
        """Sum of squared distances from the means of both arcs; None if one is empty."""
        ends = start, start + half, start + 2 * half
        arcs = [(pixels[b] - pixels[a], sums[b] - sums[a]) for a, b in pairwise(ends)]
        if not all(own for own, _ in arcs):
            return None
        total = squares[ends[2]] - squares[ends[0]]
        return total - sum(Fraction(own_sum**2, own) for own, own_sum in arcs)

    scatters = [scatter(start) for start in range(half)]
    least = min(one for one in scatters if one is not None)
    return _middle_of_run([one == least for one in scatters])


def _middle_of_run(is_best):
    """The middle of the first run of a circle of places that are best."""
    size = len(is_best)
    if all(is_best):
        return size // 2
    first = next(place for place in range(size) if is_best[place] and not is_best[place - 1])
    length = next(step for step in range(size) if not is_best[(first + step) % size])
    return (first + (length - 1) // 2) % size


def arc_split(counts: NDArray) -> Split | None:
    """The two arcs of a circle as classes; None if fewer than two places have pixels.

    The difference of their means is taken the shorter way round. Which arc is background is not
    known: the standard deviation is the greater of both, so that the contrast of a uniform circle
    is the square root of 12, 3.46.
    """
    start = half_circle(counts)
    if start is None:
        return None
    half = counts.size // 2
    unrolled = np.roll(counts, -start)
    own = split(unrolled, np.arange(start, start + counts.size), start + half - 1)
    # both arcs have pixels
    assert own is not None
    apart = min(own.difference, counts.size - own.difference)
    deviation = max(own.dark_sd, own.bright_sd)
    return Split(own.dark_mean, own.dark_mean + apart, deviation, deviation, own.separability)
