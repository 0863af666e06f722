"""Columns of the tables of metrics, and their rows of whole tiles."""

from tilewise.score import formulas, pixel_metrics

PLACE = ("sample", "method", "tile", "z", "y", "x")
AGREEMENT = ("sample", "measure", "annotators", "value", "pixels")
"""Of the table of how far several annotators agree."""
ANNOTATORS = ("sample", "annotator", "estimate", *pixel_metrics.COUNTS, *pixel_metrics.METRICS)
"""Of the table of each annotator's scores."""


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
    pixel = (*PLACE, "patch", "annotated", *pixel_metrics.COUNTS, *pixel_metrics.METRICS, "edge")
    return (*pixel, *formulas.structure_fields(chosen), *formulas.structure_metrics(chosen))


def whole_tiles(rows):
    """The rows of whole tiles among those of a table, without those of spatial blocks."""
    return [row for row in rows if not row["patch"]]
