"""Spatial blocks that a single annotated tile is cut into."""

PATCHES = 3
"""Rows and columns of spatial blocks that a single annotated tile is cut into."""


def patches(
    shape: tuple[int, ...], margin: int, number: int = PATCHES
) -> list[tuple[slice, slice]]:
    """Cut a tile into `number` times `number` spatial blocks, with a margin between them.

    `margin` is in pixels between neighbours that belong to neither; less where blocks would vanish.
    """
    return [
        (rows, cut)
        for rows in _cuts(shape[0], margin, number)
        for cut in _cuts(shape[1], margin, number)
    ]


def _cuts(size, margin, number):
    number = min(number, size)
    bounds = [size * i // number for i in range(number + 1)]
    most = max(min(bounds[i + 1] - bounds[i] for i in range(number)) - 1, 0)
    before = min(margin, most) // 2
    after = min(margin, most) - before
    last = number - 1
    return [
        slice(bounds[i] + (before if i else 0), bounds[i + 1] - (after if i < last else 0))
        for i in range(number)
    ]
