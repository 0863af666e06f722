"""Order of files by their names, and the image plane that each truth file belongs to."""

import re
from collections.abc import Sequence
from pathlib import Path


def natural_key(path: str | Path) -> tuple[list[int | str], str]:
    """Key that sorts file names as people do: plane_2 before plane_10."""
    parts = re.split(r"([0-9]+)", str(path))
    return [int(part) if at % 2 else part for at, part in enumerate(parts)], str(path)


def match_planes(image_names: Sequence[str | Path], truth_names: Sequence[str | Path]) -> list[int]:
    """Find the image plane of each truth file by the number in the file name.

    The number is the last one in the image names that tells all of them apart. In truth names it is
    the one at the same place, if they have as many numbers; otherwise their only number, or the
    only one that varies among them. Leading zeros do not count. Names that are equal but for the
    folder and the ending match whatever their numbers.

    Parameters
    ----------
    image_names, truth_names
        One file per plane.

    Returns
    -------
    list of int
        For each truth, the index of its image.

    Raises
    ------
    ValueError
        If that is ambiguous; the message names a file and the remedy.
    """
    images = [Path(name).stem for name in image_names]
    truths = [Path(name).stem for name in truth_names]
    if len(images) == len(truths) == 1:
        return [0]
    if len(set(images)) == len(images) and set(truths) <= set(images):
        places = [images.index(truth) for truth in truths]
    else:
        image_numbers, place, count = _image_numbers(images, image_names)
        truth_numbers = _truth_numbers(truths, truth_names, place, count)
        index = {number: at for at, number in enumerate(image_numbers)}
        for name, number in zip(truth_names, truth_numbers, strict=True):
            if number not in index:
                raise _ambiguous(name, f"no image has the number {number}")
        places = [index[number] for number in truth_numbers]
    for at, place in enumerate(places):
        if place in places[:at]:
            first = truth_names[places.index(place)]
            raise _ambiguous(truth_names[at], f"it and {first} both belong to {image_names[place]}")
    return places


def _numbers(stem: str) -> list[int]:
    return [int(digits) for digits in re.findall("[0-9]+", stem)]


def _ambiguous(name: str | Path, why: str) -> ValueError:
    return ValueError(
        f"the plane of {name} is not clear: {why}; name each truth after its image's number, "
        "or give a TSV of windows (z, y, x, path)"
    )


def _image_numbers(stems: Sequence[str], names: Sequence[str | Path]) -> tuple[list[int], int, int]:
    """Number of each image, its place among a name's numbers, and how many these are."""
    rows = [_numbers(stem) for stem in stems]
    count = len(rows[0])
    for name, row in zip(names, rows, strict=True):
        if len(row) != count:
            raise _ambiguous(
                name, f"image names have different counts of numbers ({names[0]} has {count})"
            )
    for place in reversed(range(count)):
        column = [row[place] for row in rows]
        if len(set(column)) == len(column):
            return column, place, count
    raise _ambiguous(names[0], "no number in the image names tells all images apart")


def _truth_numbers(
    stems: Sequence[str], names: Sequence[str | Path], place: int, count: int
) -> list[int]:
    """Number of each truth that stands for its plane; `place` and `count` are the images'."""
    rows = [_numbers(stem) for stem in stems]
    counts = {len(row) for row in rows}
    for name, row in zip(names, rows, strict=True):
        if not row:
            raise _ambiguous(name, "it has no number in its name")
    if counts == {count}:
        return [row[place] for row in rows]
    if counts == {1}:
        return [row[0] for row in rows]
    if len(counts) == 1:
        columns = [column for column in zip(*rows, strict=True) if len(set(column)) > 1]
        if len(columns) == 1:
            return list(columns[0])
    raise _ambiguous(names[0], "it has several numbers in its name, and the image names others")
