"""What could mislead in the pixels of an image: it is a mask, or has a frame around it."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.doubts import Doubt
from tilewise.store.grid import Region

COLUMNS = ("sample", "pixels", "values", "border", "border_value", "border_constant", "constant")
MOST_VALUES = 2
"""Up to so many different values, an image may be a mask."""
LEAST_BORDER = 0.5
"""A frame has one value in at least so much of the border ..."""
MOST_CONSTANT = 0.5
"""... and in at most so much of the image: else it is the background."""


class ImageCheck:
    """Looks at the pixels of a sample, strip by strip, from the first row of its planes on."""

    def __init__(self, height: int, width: int) -> None:
        self._height, self._width = height, width
        self._values: set[float] = set()
        self._pixels = self._border = 0
        self._framed: Counter[float] = Counter()
        self._equal: Counter[float] = Counter()

    def add(self, strip: Region, pixels: NDArray) -> None:
        """Look at a strip of a plane: (rows, columns) pixels."""
        self._pixels += pixels.size
        if len(self._values) <= MOST_VALUES:
            self._values |= _some_values(pixels)
        for edge in self._edges(strip, pixels):
            values, counts = np.unique(edge, return_counts=True)
            self._border += edge.size
            # a frame fills edges; of other pixels too many values would be kept
            if 2 * counts.max() >= edge.size:
                self._framed[values[counts.argmax()].item()] += int(counts.max())
        for value, _ in self._framed.most_common(1):
            self._equal[value] += int(np.count_nonzero(pixels == value))

    def _edges(self, strip: Region, pixels: NDArray) -> list[NDArray]:
        """Border pixels in a strip, edge by edge; those of corners count for rows."""
        top, bottom = strip.y0 == 0, strip.y1 == self._height
        edges = [pixels[0]] * top + [pixels[-1]] * (bottom and self._height > 1)
        inner = pixels[int(top) : len(pixels) - bottom]
        if len(inner):
            left, right = strip.x0 == 0, strip.x1 == self._width
            edges += [inner[:, 0]] * left + [inner[:, -1]] * (right and self._width > 1)
        return edges

    def row(self, sample: str) -> dict[str, Any]:
        """What was seen, as a row of `COLUMNS`; `values` is empty where there are more than two."""
        framed = self._framed.most_common(1)
        few = len(self._values) <= MOST_VALUES
        return {
            "sample": sample,
            "pixels": self._pixels,
            "values": " ".join(map(str, sorted(self._values))) if few else "",
            "border": self._border,
            "border_value": framed[0][0] if framed else "",
            "border_constant": framed[0][1] if framed else 0,
            "constant": self._equal[framed[0][0]] if framed else 0,
        }


def _some_values(pixels: NDArray) -> set[float]:
    """All values of the pixels, or three of them."""
    low, high = pixels.min(), pixels.max()
    between = pixels[(pixels > low) & (pixels < high)]
    return {value.item() for value in (low, high, *between[:1])}


def doubts_of(rows: Iterable[Mapping[str, str]], has_roi: Iterable[str] = ()) -> list[Doubt]:
    """What could mislead in samples.

    Parameters
    ----------
    rows
        Of tables of checks; those of a sample follow each other.
    has_roi
        Samples with a region of interest: a frame does not matter there.
    """
    has_roi, doubts = set(has_roi), []
    for sample, blocks in groupby(rows, itemgetter("sample")):
        seen = list(blocks)
        values = {value for row in seen for value in row["values"].split()}
        if all(row["values"] for row in seen) and len(values) <= MOST_VALUES:
            shown = " and ".join(sorted(values, key=float))
            doubts.append(
                Doubt(
                    "image_of_two_values" if len(values) > 1 else "constant_image",
                    f"the image of {sample} has only the values {shown}"
                    if len(values) > 1
                    else f"all pixels of {sample} are {shown}",
                    "check that the column `image` names the image and not a mask",
                    sample,
                )
            )
        elif sample not in has_roi:
            doubts += _frame(sample, seen)
    return doubts


def copies(traced: Iterable[tuple[str, str, str]], read: Mapping[str, Hashable]) -> Iterator[Doubt]:
    """Samples whose images are equal byte for byte, under two names, and are not of one group.

    `traced` has of each sample its name, the first file of its image, and its group; `read` what
    is equal of two files if their pixels are, as of `sources.first_planes`.
    """
    seen: dict[Hashable, tuple[str, str, str]] = {}
    for sample, file, group in traced:
        own = read.get(file)
        if own is None:
            continue
        other, its_file, its_group = seen.setdefault(own, (sample, file, group))
        if file != its_file and (not group or group != its_group):
            yield Doubt(
                "same_image",
                f"samples {other} and {sample} have the same image under two names ({its_file} and "
                f"{file}), and are taken for independent",
                "remove one of them from the sheet, or give both the same `group`",
                sample,
            )


def _frame(sample: str, rows: list[Mapping[str, str]]) -> list[Doubt]:
    framed: Counter[str] = Counter()
    equal: Counter[str] = Counter()
    for row in rows:
        framed[row["border_value"]] += int(row["border_constant"])
        equal[row["border_value"]] += int(row["constant"])
    value, constant = framed.most_common(1)[0]
    border = sum(int(row["border"]) for row in rows)
    share = equal[value] / sum(int(row["pixels"]) for row in rows)
    if not border or constant < LEAST_BORDER * border or share > MOST_CONSTANT:
        return []
    return [
        Doubt(
            "frame",
            f"{constant / border:.0%} of the border of {sample} has the value {value}: if that is "
            "outside of the field of view, thresholds count it as image",
            "give its region of interest in the column `roi`, or set `roi: auto`",
            sample,
        )
    ]
