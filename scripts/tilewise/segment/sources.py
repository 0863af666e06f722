"""Sources: masks of other programs, which a filter may begin with in place of the image.

Their pixels are stored as arrays of float32, whatever their files have: labels that are not 0 stay
so, and uint8, uint16, int16 and float32 keep every value.
"""

import re
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from tilewise.segment.steps import is_number, is_whole, parse

EXTERNAL = "external"
"""What the configuration calls masks that are brought, as a step and as a threshold."""
ARRAY = "array"
"""What jobs know any source by: `{array: NAME}`, its name in `external/` of a stack."""
DTYPE = "float32"
"""Of their pixels."""
COLUMN_NAME = re.compile(r"[A-Za-z0-9_.-]+")
"""Of a column of the sample sheet, since a folder has its name, too."""


def external(
    pixels: NDArray, column: str, above: float = 0, channel: int | None = None
) -> NDArray[Any]:
    """Foreground is what is above a number in masks or probabilities that were made elsewhere.

    By default it is all objects, whatever their numbers, and all that is not 0 in a mask.

    Parameters
    ----------
    column : str
        Column of the sample sheet that names their files.
    above : float
        A value of theirs, such as 0.5 for probabilities from 0 to 1. A `grid` may have several.
    channel : int, optional
        Number of the channel that counts, from 0, where the images have several.
    """
    return pixels > above


def external_image(pixels: NDArray, column: str, channel: int | None = None) -> NDArray:
    """Pixels of masks made elsewhere, or of probabilities; as a filter's first step."""
    return pixels


SOURCES = {EXTERNAL: external_image}
"""Every source by the name that the configuration uses, with its settings."""


def source_of(steps: Sequence) -> tuple[str, dict[str, Any]] | None:
    """The source that a chain begins with, and all of its settings; None if it is the image."""
    first = steps[0] if steps else None
    name = next(iter(first), None) if isinstance(first, dict | tuple) else first
    return parse(first, SOURCES, "filter") if name in SOURCES else None


def array_of(steps: Sequence) -> str | None:
    """Name of the array that a job's chain begins with, if it does not begin with the image."""
    first = steps[0] if steps else None
    return first.get(ARRAY) if isinstance(first, dict) else None


def array_name(column: str, channel: int | None = None) -> str:
    """Of masks of a column."""
    return column if channel is None else f"{column}-channel-{channel}"


def check_external(column: Any, channel: Any, above: Any = 0) -> None:
    """Make sure that the settings of an `external` can be used; ValueError otherwise."""
    if not isinstance(column, str) or not COLUMN_NAME.fullmatch(column):
        raise ValueError(
            f"column is {column!r}: give the name of a column of the sample sheet, of letters, "
            "digits, `_`, `-` and `.`"
        )
    if channel is not None and (not is_whole(channel) or channel < 0):
        raise ValueError(f"channel is {channel!r}: give a number from 0, or leave it out")
    if not is_number(above):
        raise ValueError(f"above is {above!r}: give a number, such as 0.5")
