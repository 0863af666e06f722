"""Masks that people paint over tiles: their values, and whether anybody has painted in one."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from tilewise.doubts import Doubt
from tilewise.labels import NOT_ANNOTATED

BACKGROUND, FOREGROUND, UNKNOWN = 0, 255, 128
"""What is painted: black, white, and grey for what is not annotated."""
FIRST_LABEL = 1
"""Foreground too: what viewers of labels paint with if nobody has chosen another value."""
VALUES = {BACKGROUND, FOREGROUND, UNKNOWN, FIRST_LABEL}
CODE = "not_painted"
REMEDY = "write yes in the column `accepted` of its table"
START = re.compile(r"([0-9a-f]{8})-([0-9a-f]{8})")


class Start(NamedTuple):
    """Checksums (CRC-32C) of a mask as it was before anybody painted in it."""

    file: int
    """Of the bytes of its file."""
    pixels: int
    """Of what its pixels mean, within the window: the same in whatever way it is saved."""

    def __str__(self) -> str:
        return f"{self.file:08x}-{self.pixels:08x}"


def parse_start(text: str) -> Start:
    """What `str` gives of a `Start`; ValueError for other text."""
    found = START.fullmatch(text)
    if not found:
        raise ValueError(
            f"start {text!r} is no checksum of a starting point: copy it from the table that "
            "`annotate.py` has written, or leave it empty"
        )
    return Start(*(int(part, 16) for part in found.groups()))


def file_checksum(path: str | Path) -> int:
    """Of the bytes of a file."""
    return int(google_crc32c.value(Path(path).read_bytes()))


def pixel_checksum(labels: NDArray[np.uint8]) -> int:
    """Of labels of a window, as from `labels_of`."""
    return int(google_crc32c.value(np.ascontiguousarray(labels).tobytes()))


def check_values(values: Iterable[float]) -> None:
    """Make sure that values are those that are painted; ValueError says which are not."""
    others = sorted(set(values) - VALUES)
    if others:
        shown = ", ".join(f"{value:g}" for value in others[:5])
        shown += ", ..." if len(others) > 5 else ""
        raise ValueError(
            f"a painted mask has {BACKGROUND} (black) for background, {FOREGROUND} (white) for "
            f"foreground and {UNKNOWN} (grey) for what is not annotated, and this one has {shown}: "
            "paint with a hard pencil at full opacity, and save the mask without the image over it"
        )


def labels_of(pixels: NDArray) -> NDArray[np.uint8]:
    """What painted pixels mean: 0 background, 1 foreground, 255 not annotated; of their shape."""
    labels = np.full(pixels.shape, NOT_ANNOTATED, np.uint8)
    labels[pixels == BACKGROUND] = 0
    labels[(pixels == FOREGROUND) | (pixels == FIRST_LABEL)] = 1
    return labels


def doubts_of(unpainted: Iterable[tuple[str, str]]) -> Iterator[Doubt]:
    """That masks were saved again as they were; of pairs of sample and file."""
    files: dict[str, dict[str, None]] = {}
    for sample, file in unpainted:
        files.setdefault(sample, {})[file] = None
    for sample, own in files.items():
        more = f" (and so of {len(own) - 1} more)" if len(own) > 1 else ""
        yield Doubt(
            CODE,
            f"sample {sample}: {next(iter(own))} was saved with the pixels that it had, and is no "
            f"truth{more}",
            f"paint in it; if the mask is right as it is, {REMEDY}",
            sample,
        )
