"""From a row per tile to what a method achieves on a sample and on all of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from tilewise.decide import guarded
from tilewise.decide.count_columns import CountColumns
from tilewise.decide.ranking import finite
from tilewise.doubts import Doubt
from tilewise.score.formulas import COUNTS, METRICS, PIXEL_METRICS, evaluate, metrics_of
from tilewise.tables import SLIVER

Row = Mapping[str, Any]

ALL = "all"
"""Stands for all samples together."""
FALSE_POSITIVE_AREA = "false_positive_area"
COLUMNS = (
    *("sample", "method", "metric", "estimate", "extent", "tiles", "excluded", "pooled"),
    *("averaged", "mean", "sd", "median", "q25", "q75"),
    *("slivers", "blank_truth", "blank_mask", "mean_without_blank"),
    *("left_empty", "left_empty_with_truth", "warning"),
)
"""Of the summary."""
WORTH_SAYING = 0.05
"""How far blank tiles move a mean that is 0 to 1 for it to be said."""


def sort_rows(rows: Iterable[Row], samples: Sequence[str], methods: Sequence[str]) -> list[Row]:
    """Rows in the order of sheet and configuration, then plane by plane, row by row of tiles."""
    sample_rank = {name: i for i, name in enumerate(samples)}
    method_rank = {name: i for i, name in enumerate(methods)}
    return sorted(
        rows,
        key=lambda row: (
            sample_rank[row["sample"]],
            method_rank[row["method"]],
            *(int(row[axis]) for axis in "zyx" if axis in row),
            row.get("extent", "tile") != "tile",
        ),
    )


def summarize(rows: Sequence[Row], choices: Collection[str] = ()) -> list[dict[str, Any]]:
    """What the tiles of each sample and method amount to: a row per sample, method and metric.

    Parameters
    ----------
    rows : list of dict of str to str
        As from `sort_rows`. Where they have the field `excluded`, they do not count. `estimate` is
        passed on. `extent`, where it is not `tile`, says that a row is of a plane or a stack.
    choices : collection of str
        Metrics of structure that the rows have, of `formulas.CHOICES`.

    Returns
    -------
    list of dict
        Fields of `COLUMNS`. `pooled` is the metric of the counts of all `tiles` together; `mean`,
        `sd`, `median` and quartiles are over those tiles whose truth has foreground and whose
        metric is defined, `averaged` of them. For the metric `false_positive_area`, in pixels, the
        tiles are those whose truth is empty, and `pooled` is their sum. Of several samples, rows
        for the sample `all` come last. Metrics of structure are of the planes or stacks, if rows
        are of those.

        Left out of the mean are `slivers`, and tiles with `blank_truth`: without foreground.
        `blank_mask` tiles have foreground, of which the mask has none: F1 is 0 there, precision is
        not defined. `mean_without_blank` leaves them out too. Of `false_positive_area` all truth
        is blank, and a blank mask is right. `left_empty` is the number of tiles that the guard left
        empty, `left_empty_with_truth` of those whose truth has foreground.
    """
    groups = {names: list(group) for names, group in groupby(rows, itemgetter("sample", "method"))}
    samples = list(dict.fromkeys(sample for sample, _ in groups))
    methods = list(dict.fromkeys(method for _, method in groups))
    suspicions = {sample: suspect(sample, groups) for sample in samples}
    summary = []
    for (sample, method), group in groups.items():
        summary += _summarize_group(sample, method, group, suspicions[sample], choices)
    if len(samples) > 1:
        for method in methods:
            pooled = [row for names, group in groups.items() if names[1] == method for row in group]
            warning = "; ".join(filter(None, suspicions.values()))
            summary += _summarize_group(ALL, method, pooled, warning, choices)
    return summary


def suspect(sample: str, groups: Mapping[tuple[str, str], Sequence[Row]]) -> str:
    """Why a sample's truth may be inverted; empty if nothing speaks for it.

    `groups` are rows by sample and method.
    """
    counts = [_pool(group) for names, group in groups.items() if names[0] == sample]
    truth, annotated = counts[0]["tp"] + counts[0]["fn"], sum(counts[0].values())
    reasons = []
    if 2 * truth > annotated:
        reasons.append(f"{truth / annotated:.1%} of its annotated pixels are foreground")
    if all(evaluate("mcc", pooled) < 0 for pooled in counts):
        reasons.append("it agrees better with the inverted mask of every method")
    if not reasons:
        return ""
    return (
        f"the truth of {sample} looks inverted: {' and '.join(reasons)}; "
        "check it, or set truth_foreground; or swap bright and dark by invert or foreground"
    )


def doubts_of(summary: Iterable[Row]) -> list[Doubt]:
    """What is suspicious about samples, each once; rows of all samples only repeat it."""
    warnings = {row["sample"]: row["warning"] for row in summary if row["warning"]}
    parts = {sample: warning.partition("; ") for sample, warning in warnings.items()}
    return [
        Doubt("inverted_truth", message, remedy, sample)
        for sample, (message, _, remedy) in parts.items()
        if sample != ALL
    ]


def blank_doubts(summary: Iterable[Row]) -> list[Doubt]:
    """Means over tiles that hang on tiles with foreground of which the mask has none.

    A doubt for each sample and method whose mean F1 is another without them, by more than
    `WORTH_SAYING`; of all samples together, if there is none of a method's samples. Rows are those
    of `summarize`, or of its table, as text. Where all tiles are blank, there is no mean without
    them, and no doubt.
    """
    doubts: list[Doubt] = []
    for row in summary:
        mean, without = row["mean"], row["mean_without_blank"]
        if row["metric"] != "f1" or mean in (None, "") or without in (None, ""):
            continue
        if abs(float(without) - float(mean)) <= WORTH_SAYING:
            continue
        is_all = row["sample"] == ALL
        if is_all and any(doubt.method == row["method"] for doubt in doubts):
            continue
        message = (
            f"{row['method']} finds nothing in {row['blank_mask']} of {row['averaged']} tiles of "
            f"{'all samples' if is_all else row['sample']} that have foreground: its mean F1 over "
            f"tiles is {float(mean):.3f} with them and {float(without):.3f} without, and its mean "
            "precision is without them"
        )
        remedy = "compare pooled scores; the column `note` in thresholds/ says why masks are empty"
        sample = "" if is_all else row["sample"]
        doubts.append(Doubt("blank_tiles", message, remedy, sample, row["method"]))
    return doubts


def _pool(rows: Iterable[Row]) -> dict[str, int]:
    rows = [row for row in rows if row.get("extent", "tile") == "tile"]
    return {name: sum(int(row[name]) for row in rows) for name in COUNTS}


def _has_foreground(row: Row) -> bool:
    return int(row["tp"]) + int(row["fn"]) > 0


def _has_mask(row: Row) -> bool:
    return int(row["tp"]) + int(row["fp"]) > 0


def _summarize_group(
    sample: str, method: str, rows: Sequence[Row], warning: str, choices: Collection[str]
) -> list[dict[str, Any]]:
    scored = [row for row in rows if not row.get("excluded")]
    names = {
        **{"sample": sample, "method": method, "warning": warning},
        **{"estimate": rows[0].get("estimate", "fixed"), "excluded": len(rows) - len(scored)},
    }
    tiles = [row for row in scored if row.get("extent", "tile") == "tile"]
    extents = [row for row in scored if row.get("extent", "tile") != "tile"] or tiles
    extent = extents[0].get("extent", "tile") if extents else "tile"
    counts, columns = _pool(tiles), CountColumns(choices)
    pooled = {name: finite(float(evaluate(name, counts))) for name in PIXEL_METRICS}
    totals = np.sum([columns.of(row) for row in extents], axis=0) if choices and extents else None
    for metric in metrics_of(choices):
        total = np.nan if totals is None else float(columns.metric(metric.name)(totals))
        pooled[metric.name] = finite(total)
    summary: list[dict[str, Any]] = []
    fields: dict[str, Any]
    for name, value in pooled.items():
        own, kind = (tiles, "tile") if not METRICS[name].choice else (extents, extent)
        fields = {"metric": name, "extent": kind, "tiles": len(own), "pooled": value}
        averaged = [row for row in own if not _is_sliver(row) and _has_foreground(row)]
        fields |= _means(averaged, name) | _left_out(own)
        summary.append({**names, **fields})
    blank = [row for row in tiles if not _has_foreground(row)]
    fields = {"metric": FALSE_POSITIVE_AREA, "extent": "tile", "tiles": len(blank)}
    fields["pooled"] = sum(int(row["fp"]) for row in blank)
    averaged = [row for row in blank if not _is_sliver(row)]
    return [*summary, {**names, **fields, **_means(averaged, "fp"), **_left_out(blank)}]


def _is_sliver(row: Row) -> bool:
    return bool(row["edge"] == SLIVER)


def _left_out(rows: Sequence[Row]) -> dict[str, int]:
    """Slivers, others without foreground in the truth, and tiles that the guard left empty."""
    whole = [row for row in rows if not _is_sliver(row)]
    blank = sum(not _has_foreground(row) for row in whole)
    empty = list(filter(guarded.is_left_empty, rows))
    return {
        **{"slivers": len(rows) - len(whole), "blank_truth": blank},
        **{"left_empty": len(empty), "left_empty_with_truth": sum(map(_has_foreground, empty))},
    }


def _means(rows: Sequence[Row], name: str) -> dict[str, Any]:
    """`describe` of a column where it is defined, and its mean without empty masks."""
    masked = [float(row[name]) for row in rows if row[name] and _has_mask(row)]
    return {
        **describe([float(row[name]) for row in rows if row[name]]),
        "blank_mask": sum(not _has_mask(row) for row in rows),
        "mean_without_blank": describe(masked)["mean"],
    }


def describe(values: Sequence[float]) -> dict[str, Any]:
    """Mean and spread of some numbers.

    `averaged` is how many there are, `sd` that with n - 1, None for fewer than two. All but
    `averaged` are None where there is no number.
    """
    names = ("mean", "sd", "median", "q25", "q75")
    if not values:
        return {"averaged": 0, **dict.fromkeys(names)}
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    quartiles = map(float, np.percentile(values, (50, 25, 75)))
    described = (float(np.mean(values)), spread, *quartiles)
    return {"averaged": len(values), **dict(zip(names, described, strict=True))}
