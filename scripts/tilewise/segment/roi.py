"""Pixels outside of a region of interest: they take the values of those inside."""

import math

import numpy as np
from numpy.typing import NDArray

FAR = 2**30
"""More rows than a plane has."""
STRIP_COLUMNS = 512
"""Columns that are filled in at a time: a pixel outside takes some 100 bytes meanwhile."""
BAND_ROWS = 64
"""Rows that take their values from the nearest pixels at a time."""
MOST_SPECKS = 0.1
"""Pixels inside that are less than three wide or high, over those outside."""


def surroundings(reach: float) -> float:
    """Pixels around a region that decide on what is filled in within a reach of it."""
    # what is filled in within a reach of an inside pixel, as windows have it, has that one or a
    # nearer one as its nearest: no further than the diagonal of a square of that side
    return reach if reach == math.inf else reach + _farthest(reach)


def _farthest(reach: float) -> int:
    return math.ceil(reach * math.sqrt(2))


def fill_outside(pixels: NDArray, inside: NDArray[np.bool], reach: float = math.inf) -> NDArray:
    """Give each pixel outside the value of the nearest inside: the upper, then the left of several.

    Parameters
    ----------
    pixels, inside
        (rows, columns); without any pixel inside, nothing changes.
    reach
        Pixels around those inside that are filled in, as a window reaches them; `math.inf` fills
        all of them, by SciPy, whose choice among equally near ones is another, but always the same.
    """
    if inside.all() or not inside.any():
        return pixels
    filled = pixels.copy()
    if reach == math.inf:
        nearest = nearest_inside(inside)
        for y in range(0, len(filled), BAND_ROWS):
            filled[y : y + BAND_ROWS] = pixels[tuple(nearest[:, y : y + BAND_ROWS])]
        return filled
    farthest = _farthest(reach)
    # wider than what is around them, little is looked at twice
    width = max(STRIP_COLUMNS, 4 * farthest)
    for start in range(0, inside.shape[1], width):
        first, stop = max(start - farthest, 0), start + width
        around = np.s_[:, first : stop + farthest]
        places = np.nonzero(~inside[:, start:stop])
        own = places[0], places[1] + (start - first)
        rows, columns, is_near = _nearest_inside(inside[around], own, farthest)
        strip = filled[:, start:stop]
        strip[places[0][is_near], places[1][is_near]] = pixels[around][
            rows[is_near], columns[is_near]
        ]
    return filled


def nearest_inside(inside: NDArray[np.bool]) -> NDArray[np.int32]:
    """Row and column of the nearest place inside, for all places: (2, rows, columns)."""
    from scipy.ndimage import distance_transform_edt

    return distance_transform_edt(~inside, return_distances=False, return_indices=True)


def _nearest_inside(inside, places, farthest):
    """Row and column of the nearest inside pixel of each place, and whether it is near enough.

    First the nearest of each column, then the nearest of those of the columns around.
    """
    row_of, distance = _nearest_of_columns(inside)
    y, x = places
    best_row, best_column = row_of[y, x], x.copy()
    best = distance[y, x].astype(np.int64) ** 2
    active = np.arange(y.size)
    for step in range(1, farthest + 1):
        active = active[best[active] >= step**2]
        if not active.size:
            break
        for column in (x[active] - step, x[active] + step):
            is_there = (column >= 0) & (column < inside.shape[1])
            at, column = active[is_there], column[is_there]
            row = row_of[y[at], column]
            squared = distance[y[at], column].astype(np.int64) ** 2 + step**2
            is_first = (row < best_row[at]) | ((row == best_row[at]) & (column < best_column[at]))
            is_better = (squared < best[at]) | ((squared == best[at]) & is_first)
            at = at[is_better]
            best[at], best_row[at] = squared[is_better], row[is_better]
            best_column[at] = column[is_better]
    return best_row, best_column, best <= farthest**2


def _nearest_of_columns(inside):
    """Row of the nearest inside pixel in each column, the upper of two, and how far it is."""
    rows = np.arange(inside.shape[0], dtype=np.int64)[:, None]
    above = np.maximum.accumulate(np.where(inside, rows, -FAR), axis=0)
    below = np.minimum.accumulate(np.where(inside, rows, FAR)[::-1], axis=0)[::-1]
    row_of = np.where(rows - above <= below - rows, above, below)
    return row_of, np.minimum(np.abs(row_of - rows), FAR)


def border_region(plane: NDArray, least: float = 0.5) -> NDArray[np.bool]:
    """Pixels that are image, where a frame of one value surrounds it.

    Outside are pixels of the most frequent value of the plane's border that are connected to the
    border through a side (4-connectivity). If that value is in less than `least` of the border, or
    in all of the plane, nothing is outside. ValueError if what is found is no frame but specks, as
    in noise around the picture.
    """
    import cv2

    border = np.concatenate([plane[0], plane[-1], plane[1:-1, 0], plane[1:-1, -1]])
    values, counts = np.unique(border, return_counts=True)
    if counts.max() < least * border.size:
        return np.ones(plane.shape, bool)
    equal = (plane == values[counts.argmax()]).view(np.uint8)
    flooded = np.pad(equal, 1, constant_values=1)
    cv2.floodFill(flooded, None, (0, 0), 2, flags=4)
    outside = flooded[1:-1, 1:-1] == 2
    if outside.all():
        return np.ones(plane.shape, bool)
    inside = ~outside
    wide = cv2.morphologyEx(inside.view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    if np.count_nonzero(inside) - np.count_nonzero(wide) > MOST_SPECKS * np.count_nonzero(outside):
        raise ValueError(
            "`roi: auto` finds no frame of one value: most of the border is "
            f"{values[counts.argmax()]}, with other values between, as noise or JPEG make them; "
            "name an image of the region of interest in the column `roi`, 0 outside of it"
        )
    return inside
