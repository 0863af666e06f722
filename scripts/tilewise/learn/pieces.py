"""Windows of planes, and the pieces in which models classify them."""

from collections.abc import Iterator

Window = tuple[int, int, int, int]
"""First row, end, first column, end."""


def pieces(window: Window, size: tuple[int, int]) -> Iterator[tuple[Window, tuple[slice, slice]]]:
    """The pieces of a window of a plane, and where each lies in the window.

    They have the rows and columns of a size, or fewer at the end.
    """
    first, end, left, right = window
    height, width = size
    for y in range(first, end, height):
        for x in range(left, right, width):
            own = (y, min(y + height, end), x, min(x + width, right))
            yield own, (slice(y - first, own[1] - first), slice(x - left, own[3] - left))
