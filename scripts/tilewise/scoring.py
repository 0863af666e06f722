"""A row of a table for each tile, plane or stack that is compared with its truth."""

from tilewise import formulas, structure, validation

PLACE = ("sample", "method", "tile", "z", "y", "x")
PATCHES = 3
"""Rows and columns of spatial blocks that a single annotated tile is cut into."""


def columns(chosen):
    """Columns of a table of metrics.

    Parameters
    ----------
    chosen : sequence of str
        Metrics of structure, as for `structure.compare`.

    Returns
    -------
    tuple of str
    """
    pixel = (*PLACE, "patch", "annotated", *validation.COUNTS, *validation.METRICS, "edge")
    return (*pixel, *structure.fields(chosen), *structure.metrics(chosen))


def score(truth, mask, settings):
    """Counts and metrics of one extent.

    Parameters
    ----------
    truth, mask : (rows, columns) or (planes, rows, columns) uint8 ndarray
        0 or 1; truth is 255 where it is not annotated.
    settings : dict
        `metrics`: names for `structure.compare`; `spacing`: size of a pixel along z, y and x;
        `tolerance`; `objects`: settings of `structure.Objects`.

    Returns
    -------
    dict or None
        Fields of `columns`, without the place; None where nothing is annotated.
    """
    flat = (-1, truth.shape[-1])
    codes = validation.confusion_map(truth.reshape(flat), mask.reshape(flat))
    counts = validation.count(codes)
    if not any(counts.values()):
        return None
    fields = validation.score(counts)
    chosen = settings["metrics"]
    if chosen:
        spacing = settings["spacing"][-truth.ndim :]
        objects = structure.Objects(**settings["objects"])
        compared = structure.compare(truth, mask, chosen, spacing, settings["tolerance"], objects)
        fields |= compared | _metrics(chosen, counts | compared)
    return fields


def _metrics(chosen, counts):
    names = [name for name in structure.metrics(chosen) if name in formulas.METRICS]
    values = {name: float(formulas.evaluate(name, counts)) for name in names}
    return {name: None if value != value else value for name, value in values.items()}


def score_tile(truth, mask, settings):
    """Rows of a tile: of all of it and, if it is to be cut, of each of its spatial blocks.

    Parameters
    ----------
    truth, mask, settings
        As for `score`. `margin` is None unless the tile is to be cut.

    Returns
    -------
    list of dict
        `patch` is empty for the tile itself, else the number of the block.
    """
    regions = [("", (slice(None), slice(None)))]
    if settings["margin"] is not None:
        regions += enumerate(patches(truth.shape, settings["margin"]))
    rows = []
    for name, region in regions:
        fields = score(truth[region], mask[region], settings)
        if fields:
            rows.append({"patch": name, **fields})
    return rows


def whole_tiles(rows):
    """The rows of whole tiles among those of a table, without those of spatial blocks."""
    return [row for row in rows if not row["patch"]]


def patches(shape, margin, number=PATCHES):
    """Cut a tile into spatial blocks with a margin between them.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the tile.
    margin : int
        Pixels between neighbours that belong to neither; less where blocks would vanish.
    number : int
        Of rows and of columns of blocks.

    Returns
    -------
    list of (slice, slice)
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
