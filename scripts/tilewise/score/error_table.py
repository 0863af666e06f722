"""Tables of errors: their columns, and their rows added up over blocks."""

from tilewise.score.pixel_metrics import COUNTS, metrics

PIXELS = (
    *("annotated", "all_right", "all_wrong_fp", "all_wrong_fn"),
    *("only_right_foreground", "only_right_background", "only_wrong_fp", "only_wrong_fn"),
)
"""Columns of what methods differ in; the last four are of one method."""
OBJECTS = (
    *("truth_objects", "truth_objects_all_found", "truth_objects_all_missed"),
    *("truth_objects_only_found", "truth_objects_only_missed"),
    *("false_objects", "false_objects_of_all", "false_objects_only", "false_objects_all_but"),
)
"""The same of objects."""
STRATUM = ("sample", "method", "by", "low", "high")
SHOWN = ("recall", "precision", "f1", "mcc")
STRATA_COLUMNS = (*STRATUM, *COUNTS, *SHOWN)
DIFFERENCE_COLUMNS = ("sample", "method", *PIXELS, *OBJECTS)


def sum_strata(rows, tiles):
    """Errors by calibre, by distance to the boundary and by quality.

    Parameters
    ----------
    rows : iterable of dict of str to str
        Strata of blocks.
    tiles : iterable of dict of str to str
        Rows of the table of metrics; each flag of `flags`, and the tiles without any, is a stratum.

    Returns
    -------
    list of dict
        Fields of `STRATA_COLUMNS`, in the order in which strata first occur. Of a calibre there is
        recall alone: what is not there has none.
    """
    strata = _added([*rows, *_by_quality(tiles)], STRATUM, COUNTS)
    for row in strata:
        found = metrics(**{name: row[name] for name in COUNTS})
        row |= {name: found[name] for name in SHOWN}
        if row["by"] == "calibre":
            row |= dict.fromkeys(("precision", "f1", "mcc"))
    return strata


def sum_differences(rows):
    """What methods differ in, per sample and method.

    Parameters
    ----------
    rows : iterable of dict of str to str
        Of blocks.

    Returns
    -------
    list of dict
        Fields of `DIFFERENCE_COLUMNS`.
    """
    return _added(rows, ("sample", "method"), (*PIXELS, *OBJECTS))


def _by_quality(tiles):
    for row in tiles:
        if row["extent"] == "tile":
            for flag in (row["flags"] or "no flag").split(";"):
                yield row | {"by": "quality", "low": flag, "high": ""}


def _added(rows, keys, counts):
    """Rows with the same keys, their counts added up."""
    totals = {}
    for row in rows:
        total = totals.setdefault(tuple(row[name] for name in keys), dict.fromkeys(counts, 0))
        for name in counts:
            total[name] += int(row[name])
    return [dict(zip(keys, key, strict=True)) | total for key, total in totals.items()]
