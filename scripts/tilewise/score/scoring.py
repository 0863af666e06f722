"""A row of a table for each tile, plane or stack that is compared with its truth."""

from tilewise.score import confusion, formulas, pixel_metrics, structure
from tilewise.score.patches import patches


def score(truth, mask, settings, codes=None):
    """Counts and metrics of one extent.

    Parameters
    ----------
    truth, mask : (rows, columns) or (planes, rows, columns) uint8 ndarray
        0 or 1; truth is 255 where it is not annotated.
    settings : dict
        `metrics`: names for `structure.compare`; `spacing`: size of a pixel along z, y and x;
        `tolerance`; `objects`: settings of `structure.Objects`.
    codes : (rows, columns) uint8 ndarray, optional
        Their confusion map, where it is known.

    Returns
    -------
    dict or None
        Fields of `score_table.columns`, without the place; None where nothing is annotated.
    """
    if codes is None:
        flat = (-1, truth.shape[-1])
        codes = confusion.confusion_map(truth.reshape(flat), mask.reshape(flat))
    counts = confusion.count(codes)
    if not any(counts.values()):
        return None
    fields = pixel_metrics.score(counts)
    chosen = settings["metrics"]
    if chosen:
        spacing = settings["spacing"][-truth.ndim :]
        objects = structure.Objects(**settings["objects"])
        compared = structure.compare(truth, mask, chosen, spacing, settings["tolerance"], objects)
        fields |= compared | _metrics(chosen, counts | compared)
    return fields


def _metrics(chosen, counts):
    names = [name for name in formulas.structure_metrics(chosen) if name in formulas.METRICS]
    values = {name: float(formulas.evaluate(name, counts)) for name in names}
    return {name: None if value != value else value for name, value in values.items()}


def score_tile(truth, mask, settings, codes=None):
    """Rows of a tile: of all of it and, if it is to be cut, of each of its spatial blocks.

    Parameters
    ----------
    truth, mask, settings, codes
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
        own = None if codes is None else codes[region]
        fields = score(truth[region], mask[region], settings, own)
        if fields:
            rows.append({"patch": name, **fields})
    return rows
